// The runner's speed on the CNN of the assignment, against what a person at the page needs: 50 ms from a stroke, 120 ms for a step of a dream.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Network } from "../laboratory/runner/network.js";
import { scoreGradient } from "../laboratory/runner/saliency.js";
import { metadataOf, randomTensors, seeded } from "./support/models.js";

const conv2d = (filters, step) => ({ layer: "conv2d", filters, kernel_size: [4, 4], stride: [step, step], padding: "same" });
const relu = { layer: "relu" };
const spec = {
  input: [28, 28, 1],
  trunk: [conv2d(32, 1), relu, conv2d(64, 2), relu, conv2d(128, 2), relu, { layer: "flatten" }],
  heads: [{ name: "class", layers: [{ layer: "dense", units: 10 }] }],
};
const shapes = {
  "trunk.1.weight": [4, 4, 1, 32], "trunk.1.bias": [32], "trunk.3.weight": [4, 4, 32, 64], "trunk.3.bias": [64],
  "trunk.5.weight": [4, 4, 64, 128], "trunk.5.bias": [128], "class.1.weight": [6272, 10], "class.1.bias": [10],
};
const network = new Network({ spec, card: JSON.parse(metadataOf(spec).card), tensors: new Map(Object.entries(randomTensors(shapes))) });

/** The median time of a call on noise, which has no zeros to leave out, in milliseconds. */
function median(work) {
  const random = seeded(1);
  const times = Array.from({ length: 40 }, () => {
    const x = Float32Array.from({ length: 784 }, random);
    const start = performance.now();
    work(x);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[20];
}

test("all layers and probabilities within 50 ms", (context) => {
  const time = median((x) => network.forward(x));
  context.diagnostic(`${time.toFixed(1)} ms`);
  assert.ok(time < 50, `${time} ms`);
});

test("forward and the input's gradient within 120 ms", (context) => {
  const time = median((x) => scoreGradient(network, { head: "class", target: 3, x }));
  context.diagnostic(`${time.toFixed(1)} ms`);
  assert.ok(time < 120, `${time} ms`);
});
