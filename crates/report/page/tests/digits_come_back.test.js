// Digits that are drawn large, thick and anywhere come back much as they were, few of them for speed. How many of a thousand a network then reads as
// before, measure-preparation.mjs says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { invertedPicture } from "../laboratory/pixels.js";
import { drawnBox, prepared, usualSteps } from "../laboratory/prepare.js";
import { enlarged } from "./measure-preparation.mjs";
import { mnist } from "./mnist.js";

const set = { title: "MNIST", shape: [28, 28, 1], digits: true, brightness: [0.0002, 0.131] };

/** The cosine of the angle between two images. */
function likeness(a, b) {
  const product = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const [first, second] = [Array.from(a), Array.from(b)];
  return product(first, second) / Math.sqrt(product(first, first) * product(second, second));
}

test("digits come back in the size and about the place that they had", (context) => {
  const count = 40;
  const { pixels } = mnist("t10k", count);
  const likenesses = [];
  for (let i = 0; i < count; i += 1) {
    const digit = pixels.subarray(784 * i, 784 * (i + 1));
    const { image } = prepared(invertedPicture(enlarged(digit, i)), set, usualSteps(set));
    const [was, now] = [{ ...image, pixels: digit }, image].map(drawnBox);
    assert.ok(Math.abs(was.right - was.left - now.right + now.left) <= 2, `digit ${i}: ${JSON.stringify([was, now])}`);
    assert.ok(Math.abs(was.bottom - was.top - now.bottom + now.top) <= 2, `digit ${i}: ${JSON.stringify([was, now])}`);
    likenesses.push(likeness(digit, image.pixels));
  }
  const median = likenesses.sort((a, b) => a - b)[count / 2];
  context.diagnostic(`median likeness ${median.toFixed(3)}, least ${likenesses[0].toFixed(3)}`);
  assert.ok(median > 0.9, `${median}`);
});
