// The small network that is trained in the page: its gradient against differences, and that it learns.
import assert from "node:assert/strict";
import { test } from "node:test";
import { seededStream } from "../laboratory/runner/random.js";
import { MlpTraining, SmallMlp } from "../laboratory/runner/train.js";
import { mnist } from "./mnist.js";

test("gradients are those of the cross-entropy", () => {
  const stream = seededStream(3, "test/mlp");
  const network = new SmallMlp({ inputs: 6, hidden: 5, classes: 3, stream });
  const pixels = Uint8Array.from({ length: 12 }, () => stream.integer(256));
  const labels = [2, 0];
  const gradients = network.parameters.map((tensor) => new Float32Array(tensor.length));
  labels.forEach((label, index) => network.backward(pixels, index * 6, label, 0.5, gradients));
  const loss = () => network.evaluate(pixels, labels).loss;
  network.parameters.forEach((tensor, which) => {
    for (let i = 0; i < tensor.length; i++) {
      const kept = tensor[i];
      tensor[i] = kept + 1e-2;
      const above = loss();
      tensor[i] = kept - 1e-2;
      const difference = (above - loss()) / 2e-2;
      tensor[i] = kept;
      assert.ok(Math.abs(gradients[which][i] - difference) < 2e-3, `${which}, ${i}: ${gradients[which][i]} ${difference}`);
    }
  });
});

test("784-32-10 learns a thousand digits, and an epoch takes little time", () => {
  const [train, heldOut] = [mnist("train", 1000), mnist("t10k", 500)];
  const training = new MlpTraining({
    ...train,
    heldOut,
    hidden: 32,
    classes: 10,
    optimizer: { kind: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
    learningRate: 0.003,
    batchSize: 32,
    stream: seededStream(1, "train"),
  });
  assert.equal(training.network.count, 784 * 32 + 32 + 32 * 10 + 10);
  const begin = performance.now();
  while (training.epochs < 8) training.step();
  const each = (performance.now() - begin) / 8;
  const last = training.history.at(-1);
  assert.equal(training.history.length, 8);
  assert.ok(last.train.accuracy > 0.97, `${last.train.accuracy}`);
  assert.ok(last.heldOut.accuracy > 0.83, `${last.heldOut.accuracy}`);
  assert.ok(each < 2000, `${each} ms`);
});

test("what is trained depends on the seed alone", () => {
  const { pixels, labels } = mnist("train", 64);
  const trained = (seed) => {
    const training = new MlpTraining({
      pixels,
      labels,
      heldOut: null,
      hidden: 8,
      classes: 10,
      optimizer: { kind: "sgd", momentum: 0.9 },
      learningRate: 0.1,
      batchSize: 10,
      stream: seededStream(seed, "train"),
    });
    while (training.epochs < 2) training.step();
    assert.equal(training.history.at(-1).heldOut, null);
    return training.network.parameters[0];
  };
  assert.deepEqual(trained(1), trained(1));
  assert.notDeepEqual(trained(1), trained(2));
});
