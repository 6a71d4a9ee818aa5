// Perceptrons: the engine's own weights from the same draws, and votes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PerceptronTraining, pairOfClasses, perceptronMistakes, perceptronVotes } from "../laboratory/runner/perceptron.js";
import { seededStream } from "../laboratory/runner/random.js";
import { engineStream } from "./engine_stream.js";
import { floatsOfText, largestDifference, mnist } from "./mnist.js";

const golden = JSON.parse(readFileSync(new URL("golden/perceptrons.json", import.meta.url), "utf8"));

for (const { spec, errors, w, b } of golden) {
  test(`the ${spec.rule} rule ends with the engine's weights`, () => {
    const set = mnist("train", spec.data.train_images);
    const training = new PerceptronTraining({
      ...pairOfClasses(set.pixels, set.labels, spec.a, spec.b),
      rule: spec.rule,
      learningRate: spec.learning_rate,
      stream: engineStream(spec.seed, "perceptron/initial"),
      orders: engineStream(spec.seed, "perceptron/order"),
    });
    while (training.passes < errors.length) training.pass();
    assert.deepEqual(training.errors, errors);
    assert.equal(largestDifference(training.answer.w, floatsOfText(w)), 0);
    assert.equal(training.answer.b, floatsOfText(b)[0]);
  });
}

const small = () => ({
  // Four images of two pixels: the first pixel is the lighter one of class 1.
  pixels: Uint8Array.of(200, 10, 250, 90, 30, 220, 5, 120),
  labels: Int8Array.of(1, 1, -1, -1),
});

test("single steps say which image corrected the weights", () => {
  const { pixels, labels } = small();
  const made = () =>
    new PerceptronTraining({
      pixels,
      labels,
      rule: "online",
      learningRate: 0.1,
      stream: seededStream(1, "initial"),
      orders: seededStream(1, "order"),
    });
  const [steps, passes] = [made(), made()];
  for (let pass = 0; pass < 20; pass++) {
    for (let i = 0; i < 4; i++) {
      const before = Float32Array.from(steps.w);
      const step = steps.step();
      assert.equal(step.endOfPass, i === 3);
      assert.equal(step.corrected, (step.score >= 0 ? 1 : -1) !== labels[step.index]);
      assert.equal(step.corrected, largestDifference(before, steps.w) > 0);
    }
    passes.pass();
  }
  assert.deepEqual(steps.w, passes.w);
  assert.equal(perceptronMistakes(pixels, labels, steps.answer.w, steps.answer.b), 0);
  assert.equal(steps.errors.at(-1), 0);
});

test("weights that are no longer finite are told, and the last finite ones kept", () => {
  const training = new PerceptronTraining({
    ...small(),
    rule: "online",
    learningRate: 3e38,
    stream: seededStream(1, "initial"),
    orders: seededStream(1, "order"),
  });
  for (let pass = 0; pass < 9; pass++) training.pass();
  assert.ok(training.diverged === null || training.answer.w.every(Number.isFinite));
});

test("each perceptron of a pair votes for one of its classes", () => {
  // Two pixels; weights and bias of the pairs (0, 1), (0, 2) and (1, 2).
  const weights = Float32Array.of(1, 0, 0, 1, 0, 0, 0, 1, 0);
  const pairs = [[0, 1], [0, 2], [1, 2]];
  assert.deepEqual(Array.from(perceptronVotes(Uint8Array.of(255, 0), pairs, weights, 3)), [0, 2, 1]);
});
