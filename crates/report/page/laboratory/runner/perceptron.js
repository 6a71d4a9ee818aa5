// The single-layer perceptron (Rosenblatt 1958) and its other learning rules, step by step, with the arithmetic of the engine.

/**
 * A perceptron looks at an image x, a row of numbers from −1 to 1 (x = p/127.5 − 1 for a byte p), and answers 1 where w·x + b ≥ 0 and
 * −1 elsewhere. Sums are made in 32 lanes of 32-bit numbers that are folded in a fixed order, as the engine does, so both make the same
 * corrections.
 */
const PERCEPTRON_LANES = 32;

/** Byte p as a number, p/127.5 − 1 in 32 bits. */
const SIGNED_UNIT = Float32Array.from({ length: 256 }, (_, p) => Math.fround(p * Math.fround(1 / 127.5)) - 1);

/** The names of the rules, as studies have them. */
export const PERCEPTRON_RULES = ["online", "batch", "averaged", "pocket"];

/** w·x + b for the image that begins at `from` in `pixels`. */
export function perceptronScore(pixels, from, w, b) {
  const { fround } = Math;
  const lanes = new Float32Array(PERCEPTRON_LANES);
  for (let i = 0; i < w.length; i++) {
    const lane = i % PERCEPTRON_LANES;
    lanes[lane] = fround(lanes[lane] + fround(SIGNED_UNIT[pixels[from + i]] * w[i]));
  }
  for (let width = PERCEPTRON_LANES >> 1; width > 0; width >>= 1) {
    for (let lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
  }
  return fround(lanes[0] + b);
}

/** The answer of a perceptron for an image, 1 or −1; a score of 0 counts as 1. */
export function perceptronAnswer(pixels, from, w, b) {
  return perceptronScore(pixels, from, w, b) >= 0 ? 1 : -1;
}

/** How many of the images, whose labels are −1 or 1, a perceptron answers wrongly. */
export function perceptronMistakes(pixels, labels, w, b) {
  let wrong = 0;
  for (let i = 0; i < labels.length; i++) {
    if (perceptronAnswer(pixels, i * w.length, w, b) !== labels[i]) wrong += 1;
  }
  return wrong;
}

/**
 * Trains a perceptron on images, n·m bytes, with labels −1 or 1. `stream` draws the initial weights, uniform in [0, 1), and `orders` the
 * order of the images in each pass. A step looks at one image (with the batch rule: at all of them).
 */
export class PerceptronTraining {
  constructor({ pixels, labels, rule, learningRate, stream, orders }) {
    if (!PERCEPTRON_RULES.includes(rule)) throw new Error(`There is no rule “${rule}”.`);
    const [n, m] = [labels.length, pixels.length / labels.length];
    Object.assign(this, { pixels, labels, rule, n, m, orders });
    this.learningRate = Math.fround(learningRate);
    this.w = Float32Array.from({ length: m }, () => stream.uniform());
    this.b = stream.uniform();
    this.order = Array.from({ length: n }, (_, i) => i);
    /** The place in the order of the image that comes next; n at the end of a pass. */
    this.place = n;
    this.passes = 0;
    this.seen = 0;
    this.corrections = 0;
    /** Share of the images answered wrongly after each pass. */
    this.errors = [];
    /** The pass, from 1, in which the weights stopped being finite; the answer is then that of the pass before. */
    this.diverged = null;
    this.late = new Float64Array(m);
    this.lateB = 0;
    this.best = null;
    /** The weights to predict with: those after the last pass, or what the rule makes of them. */
    this.answer = { w: this.w.slice(), b: this.b };
  }

  /**
   * Looks at one image. Returns {index, score, corrected, endOfPass}: the image's index, its score before the correction (null with
   * the batch rule, whose step is a pass), whether the weights were corrected, and whether a pass has ended.
   */
  step() {
    if (this.place === this.n) {
      this.orders.shuffle(this.order);
      this.place = 0;
    }
    if (this.rule === "batch") {
      const wrong = this.#batchPass();
      this.place = this.n;
      this.#endPass();
      return { index: wrong.at(-1) ?? null, score: null, corrected: wrong.length > 0, wrong: wrong.length, endOfPass: true };
    }
    const place = this.place;
    const index = this.order[place];
    const from = index * this.m;
    const score = perceptronScore(this.pixels, from, this.w, this.b);
    const label = this.labels[index];
    const corrected = (score >= 0 ? 1 : -1) !== label;
    if (corrected) this.#correct(place, index, Math.fround(this.learningRate * label));
    this.place += 1;
    const endOfPass = this.place === this.n;
    if (endOfPass) this.#endPass();
    return { index, score, corrected, endOfPass };
  }

  /** Steps until the weights are corrected or the pass ends, whichever is first; returns that step. */
  stepToCorrection() {
    for (;;) {
      const step = this.step();
      if (step.corrected || step.endOfPass) return step;
    }
  }

  /** Steps to the end of the pass; returns the last step that corrected the weights, or null. */
  pass() {
    let last = null;
    for (;;) {
      const step = this.step();
      if (step.corrected) last = step;
      if (step.endOfPass) return last;
    }
  }

  /** w ← w + step · x and b ← b + step: Rosenblatt's correction, with step = ±η. */
  #correct(place, index, step) {
    const { fround } = Math;
    const { w, m, pixels } = this;
    const from = index * m;
    for (let i = 0; i < m; i++) w[i] += fround(step * SIGNED_UNIT[pixels[from + i]]);
    this.b = fround(this.b + step);
    this.corrections += 1;
    if (this.rule === "averaged") {
      // The mean over the n images seen is the last weights less the sum of (images seen before) · correction over n.
      const weighted = (this.seen + place) * step;
      for (let i = 0; i < m; i++) this.late[i] += weighted * (pixels[from + i] * (1 / 127.5) - 1);
      this.lateB += weighted;
    }
  }

  /** One correction a pass: the mean of Rosenblatt's corrections over all images answered wrongly, whose indices it returns. */
  #batchPass() {
    const { fround } = Math;
    const { w, m, n, pixels, labels } = this;
    const sum = new Float32Array(m);
    let sumB = 0;
    const wrong = [];
    for (let index = 0; index < n; index++) {
      const from = index * m;
      if (perceptronAnswer(pixels, from, w, this.b) === labels[index]) continue;
      for (let i = 0; i < m; i++) sum[i] += labels[index] * SIGNED_UNIT[pixels[from + i]];
      sumB += labels[index];
      wrong.push(index);
    }
    if (wrong.length > 0) {
      const step = fround(this.learningRate / wrong.length);
      for (let i = 0; i < m; i++) w[i] += fround(step * sum[i]);
      this.b = fround(this.b + fround(step * sumB));
      this.corrections += 1;
    }
    return wrong;
  }

  #endPass() {
    this.passes += 1;
    this.seen += this.n;
    const answer = this.#answerOfRule();
    if (!(Number.isFinite(answer.b) && answer.w.every(Number.isFinite) && this.w.every(Number.isFinite))) {
      this.diverged ??= this.passes;
      return;
    }
    this.answer = { w: answer.w, b: answer.b };
    this.errors.push(answer.error);
  }

  #answerOfRule() {
    const { w, b, pixels, labels, n } = this;
    const withError = (w, b) => ({ w, b, error: perceptronMistakes(pixels, labels, w, b) / n });
    if (this.rule === "averaged") {
      const mean = (last, late) => Math.fround(last - late / this.seen);
      return withError(w.map((w, i) => mean(w, this.late[i])), mean(b, this.lateB));
    }
    const now = withError(w.slice(), b);
    if (this.rule !== "pocket") return now;
    // The weights that made the fewest errors after any pass so far (Gallant 1990).
    if (this.best === null || now.error < this.best.error) this.best = now;
    return this.best;
  }
}

/**
 * The images of two classes of a labelled set and their labels: −1 for class a, 1 for class b, in the set's order.
 * Returns {pixels, labels, indices}, `indices` being their places in the set.
 */
export function pairOfClasses(pixels, labels, a, b) {
  const m = pixels.length / labels.length;
  const indices = [];
  labels.forEach((label, index) => {
    if (label === a || label === b) indices.push(index);
  });
  const chosen = new Uint8Array(indices.length * m);
  indices.forEach((index, place) => chosen.set(pixels.subarray(index * m, (index + 1) * m), place * m));
  return { pixels: chosen, labels: Int8Array.from(indices, (index) => (labels[index] === b ? 1 : -1)), indices };
}

/**
 * The vote of one perceptron for every two classes: how many of them answer each class, for an image of bytes. `weights` has the m weights
 * and the bias of each pair (a, b), a < b, one after the other.
 */
export function perceptronVotes(pixels, pairs, weights, classes) {
  const m = pixels.length;
  const votes = new Uint16Array(classes);
  pairs.forEach(([a, b], pair) => {
    const from = pair * (m + 1);
    const answer = perceptronAnswer(pixels, 0, weights.subarray(from, from + m), weights[from + m]);
    votes[answer > 0 ? b : a] += 1;
  });
  return votes;
}
