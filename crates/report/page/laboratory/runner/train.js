// A small multilayer perceptron that is trained in the page: one hidden layer with ReLU, softmax cross-entropy, mini-batches.

import { createOptimizer } from "./optimizer.js";

/**
 * A network m → hidden → classes. Weights are stored as [inputs, units], as in model files: `hidden.weight`, `hidden.bias`,
 * `output.weight`, `output.bias`. Hidden weights start He-uniform, the others Glorot-uniform, biases at zero.
 */
export class SmallMlp {
  constructor({ inputs, hidden, classes, stream }) {
    Object.assign(this, { inputs, hidden, classes });
    const drawn = (count, bound) => Float32Array.from({ length: count }, () => (2 * stream.uniform() - 1) * bound);
    this.parameters = [
      drawn(inputs * hidden, Math.sqrt(6 / inputs)),
      new Float32Array(hidden),
      drawn(hidden * classes, Math.sqrt(6 / (hidden + classes))),
      new Float32Array(classes),
    ];
    this.units = new Float32Array(hidden);
    this.logits = new Float32Array(classes);
    this.unitGradient = new Float32Array(hidden);
    this.logitGradient = new Float32Array(classes);
  }

  /** How many numbers are trained. */
  get count() {
    return this.parameters.reduce((sum, tensor) => sum + tensor.length, 0);
  }

  /** Computes the logits of the image that begins at `from` in `pixels`; its numbers are bytes divided by 255. */
  forward(pixels, from = 0) {
    const [weight, bias, outWeight, outBias] = this.parameters;
    const { inputs, hidden, classes, units, logits } = this;
    units.set(bias);
    for (let i = 0; i < inputs; i++) {
      const byte = pixels[from + i];
      if (byte === 0) continue;
      const x = byte / 255;
      const row = i * hidden;
      for (let j = 0; j < hidden; j++) units[j] += x * weight[row + j];
    }
    logits.set(outBias);
    for (let j = 0; j < hidden; j++) {
      if (units[j] <= 0) {
        units[j] = 0;
        continue;
      }
      for (let k = 0; k < classes; k++) logits[k] += units[j] * outWeight[j * classes + k];
    }
    return logits;
  }

  /**
   * Adds the gradient of `share` times the cross-entropy of an image, for its label, to `gradients`, arrays like `parameters`.
   * Returns the image's cross-entropy and whether its class was right: {loss, right}.
   */
  backward(pixels, from, label, share, gradients) {
    const logits = this.forward(pixels, from);
    const { inputs, hidden, classes, units, unitGradient, logitGradient } = this;
    const [weightGradient, biasGradient, outWeightGradient, outBiasGradient] = gradients;
    const outWeight = this.parameters[2];
    const found = softmaxOf(logits, logitGradient, label);
    for (let k = 0; k < classes; k++) {
      logitGradient[k] = share * (logitGradient[k] - (k === label ? 1 : 0));
      outBiasGradient[k] += logitGradient[k];
    }
    for (let j = 0; j < hidden; j++) {
      let sum = 0;
      if (units[j] > 0) {
        for (let k = 0; k < classes; k++) {
          sum += logitGradient[k] * outWeight[j * classes + k];
          outWeightGradient[j * classes + k] += units[j] * logitGradient[k];
        }
      }
      unitGradient[j] = sum;
      biasGradient[j] += sum;
    }
    for (let i = 0; i < inputs; i++) {
      const byte = pixels[from + i];
      if (byte === 0) continue;
      const x = byte / 255;
      const row = i * hidden;
      for (let j = 0; j < hidden; j++) weightGradient[row + j] += x * unitGradient[j];
    }
    return found;
  }

  /** The mean cross-entropy and the share of right classes over images: {loss, accuracy}. */
  evaluate(pixels, labels) {
    const probabilities = new Float32Array(this.classes);
    let [loss, right] = [0, 0];
    labels.forEach((label, index) => {
      const found = softmaxOf(this.forward(pixels, index * this.inputs), probabilities, label);
      loss += found.loss;
      right += found.right;
    });
    return { loss: loss / labels.length, accuracy: right / labels.length };
  }
}

/** Writes the softmax of logits to `probabilities`; returns the cross-entropy for a label, and whether its logit is the largest. */
function softmaxOf(logits, probabilities, label) {
  let best = 0;
  for (let k = 1; k < logits.length; k++) if (logits[k] > logits[best]) best = k;
  let sum = 0;
  for (let k = 0; k < logits.length; k++) {
    probabilities[k] = Math.exp(logits[k] - logits[best]);
    sum += probabilities[k];
  }
  for (let k = 0; k < logits.length; k++) probabilities[k] /= sum;
  return { loss: Math.log(sum) - (logits[label] - logits[best]), right: best === label ? 1 : 0 };
}

/**
 * Trains a small network on images (n·m bytes with labels from 0) in mini-batches, in a new order in each epoch. `optimizer` is a
 * table of a study. After each epoch, `history` gets {epoch, train: {loss, accuracy}, heldOut: {loss, accuracy}}: the first as
 * measured while training went on, the second on `heldOut`, {pixels, labels}, or null without any.
 */
export class MlpTraining {
  constructor({ pixels, labels, heldOut, hidden, classes, optimizer, learningRate, batchSize, stream }) {
    const inputs = pixels.length / labels.length;
    Object.assign(this, { pixels, labels, heldOut, learningRate, batchSize, stream });
    this.network = new SmallMlp({ inputs, hidden, classes, stream });
    this.gradients = this.network.parameters.map((tensor) => new Float32Array(tensor.length));
    this.optimizers = this.network.parameters.map((tensor) => createOptimizer(optimizer, tensor.length));
    this.order = Array.from(labels, (_, i) => i);
    this.place = this.order.length;
    this.epochs = 0;
    this.history = [];
    this.running = { loss: 0, right: 0 };
    /** The epoch, from 1, in which the loss stopped being finite. */
    this.diverged = null;
  }

  /** The batches of an epoch. */
  get batches() {
    return Math.ceil(this.order.length / this.batchSize);
  }

  /** One mini-batch. Returns {loss, endOfEpoch}, the loss being the batch's mean before the step. */
  step() {
    if (this.place === this.order.length) {
      this.stream.shuffle(this.order);
      this.place = 0;
      this.running = { loss: 0, right: 0 };
    }
    const { network, gradients, order } = this;
    const batch = order.slice(this.place, this.place + this.batchSize);
    for (const gradient of gradients) gradient.fill(0);
    let loss = 0;
    for (const index of batch) {
      const found = network.backward(this.pixels, index * network.inputs, this.labels[index], 1 / batch.length, gradients);
      loss += found.loss;
      this.running.right += found.right;
    }
    this.running.loss += loss;
    // Biases, at odd places, do not decay.
    network.parameters.forEach((tensor, i) => this.optimizers[i].step(tensor, gradients[i], this.learningRate, i % 2 === 0));
    this.place += batch.length;
    const endOfEpoch = this.place === order.length;
    if (endOfEpoch) this.#endEpoch();
    return { loss: loss / batch.length, endOfEpoch };
  }

  #endEpoch() {
    this.epochs += 1;
    const n = this.order.length;
    const train = { loss: this.running.loss / n, accuracy: this.running.right / n };
    if (!Number.isFinite(train.loss)) this.diverged ??= this.epochs;
    const { heldOut } = this;
    const held = heldOut && heldOut.labels.length > 0 ? this.network.evaluate(heldOut.pixels, heldOut.labels) : null;
    this.history.push({ epoch: this.epochs, train, heldOut: held });
  }
}
