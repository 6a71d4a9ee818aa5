// The parts of a dream: bases and their transposes, transforms and theirs, penalties and objectives against differences.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  channelObjective,
  logProbabilityObjective,
  meanSquareObjective,
  numberObjective,
} from "../laboratory/runner/dream/objective.js";
import { ImageBasis, realFourier } from "../laboratory/runner/dream/parametrisation.js";
import { penalty, subtractPenaltyGradient } from "../laboratory/runner/dream/regularisers.js";
import { parametersOfGrey, parametersOfImage } from "../laboratory/runner/dream/start.js";
import { applyTransform, backwardTransform, sampleTransform } from "../laboratory/runner/dream/transforms.js";
import { listedStream, seededStream } from "../laboratory/runner/random.js";

const SIZES = [[1, 1, 1], [3, 5, 1], [6, 4, 3], [7, 7, 2], [8, 9, 1]];
const dot = (a, b) => a.reduce((sum, a, i) => sum + a * b[i], 0);
const drawn = (stream, count, draw = () => stream.uniform() - 0.5) => Float32Array.from({ length: count }, draw);

test("the waves are orthonormal", () => {
  for (const n of [1, 2, 3, 8, 9, 28]) {
    const basis = realFourier(n);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) {
        const product = dot(basis.subarray(a * n, (a + 1) * n), basis.subarray(b * n, (b + 1) * n));
        assert.ok(Math.abs(product - (a === b ? 1 : 0)) < 1e-5, `${a} and ${b} of ${n}: ${product}`);
      }
    }
  }
});

test("parameters are those of their image, and gradients those of differences", () => {
  const stream = seededStream(3, "test/basis");
  for (const size of SIZES) {
    for (const parametrisation of [{ kind: "pixels" }, { kind: "fourier", decay: 1.3 }]) {
      const basis = new ImageBasis(parametrisation, size);
      const z = drawn(stream, basis.count, () => 2 * stream.uniform() - 1);
      const x = new Float32Array(basis.count);
      basis.image(z, x);
      basis.parameters(x).forEach((back, i) => assert.ok(Math.abs(back - z[i]) < 1e-3));
      const dy = drawn(stream, basis.count);
      const dz = new Float32Array(basis.count);
      basis.backward(x, Float32Array.from(dy), dz);
      const largest = dz.reduce((largest, dz) => Math.max(largest, Math.abs(dz)), 0);
      const value = (i, by) => {
        const moved = Float32Array.from(z);
        moved[i] += by;
        const image = new Float32Array(basis.count);
        basis.image(moved, image);
        return dot(Array.from(image), dy);
      };
      for (let i = 0; i < z.length; i++) {
        const difference = (value(i, 0.01) - value(i, -0.01)) / 0.02;
        assert.ok(Math.abs(dz[i] - difference) <= 2e-3 * largest + 1e-5, `${dz[i]} ${difference}`);
      }
    }
  }
});

test("images start as asked", () => {
  const size = [6, 5, 2];
  for (const parametrisation of [{ kind: "pixels" }, { kind: "fourier", decay: 1 }]) {
    const basis = new ImageBasis(parametrisation, size);
    const image = new Float32Array(basis.count);
    basis.image(parametersOfGrey(basis, 0.3, 0, listedStream([])), image);
    assert.ok(image.every((x) => Math.abs(x - 0.3) < 1e-4));
    const asked = Float32Array.from({ length: basis.count }, (_, i) => i / (basis.count - 1));
    basis.image(parametersOfImage(basis, asked), image);
    assert.ok(image.every((x, i) => Math.abs(x - asked[i]) < 0.02 + 1e-3));
  }
});

test("transforms go backward by their transposes", () => {
  const stream = seededStream(5, "test/transforms");
  const transforms = [{ kind: "jitter", pixels: 3 }, { kind: "rotation", degrees: 40 }, { kind: "scale", share: 0.4 }];
  for (const size of SIZES) {
    for (const transform of transforms) {
      for (let again = 0; again < 5; again++) {
        const sampled = sampleTransform(transform, size, stream);
        const count = size[0] * size[1] * size[2];
        const [x, dy] = [drawn(stream, count), drawn(stream, count)];
        const [y, dx] = [new Float32Array(count).fill(NaN), new Float32Array(count).fill(NaN)];
        applyTransform(sampled, size, x, y);
        backwardTransform(sampled, size, dy, dx);
        assert.ok(Math.abs(dot(y, dy) - dot(x, dx)) < 1e-5);
      }
    }
  }
});

test("rolling keeps every pixel, and a quarter turn is exact", () => {
  const x = Float32Array.from({ length: 20 }, (_, i) => i);
  const y = new Float32Array(20);
  applyTransform({ down: 1, right: 3 }, [5, 4, 1], x, y);
  assert.equal(y[4 + 3], x[0]);
  assert.deepEqual(Array.from(y).sort((a, b) => a - b), Array.from(x));
  const turned = new Float32Array(9);
  applyTransform({ matrix: [[0, -1], [1, 0]] }, [3, 3, 1], Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]), turned);
  assert.deepEqual(Array.from(turned), [7, 4, 1, 8, 5, 2, 9, 6, 3]);
});

test("penalties have the gradients of their definitions", () => {
  const stream = seededStream(6, "test/regularisers");
  for (const size of SIZES) {
    for (const regulariser of [{ kind: "l2", weight: 3 }, { kind: "total-variation", weight: 2 }]) {
      const count = size[0] * size[1] * size[2];
      const x = Float64Array.from(drawn(stream, count));
      const gradient = new Float32Array(count);
      subtractPenaltyGradient(regulariser, size, x, gradient);
      for (let i = 0; i < count; i++) {
        const moved = (by) => penalty(regulariser, size, x.with(i, x[i] + by));
        const exact = -(moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert.ok(Math.abs(gradient[i] - exact) <= 1e-4 * Math.abs(exact) + 1e-5, `${gradient[i]} ${exact}`);
      }
    }
  }
});

test("objectives have the gradients of their values", () => {
  const y = Float64Array.of(0.3, -1.2, 0.7, 2.1, -0.4, 0.9);
  const objectives = [
    numberObjective(4),
    logProbabilityObjective(3),
    logProbabilityObjective(1),
    channelObjective(1, 3),
    meanSquareObjective(),
  ];
  for (const objective of objectives) {
    const dy = new Float32Array(6).fill(NaN);
    objective.gradient(y, dy);
    y.forEach((_, i) => {
      const at = (by) => objective.value(y.with(i, y[i] + by));
      assert.ok(Math.abs(dy[i] - (at(1e-4) - at(-1e-4)) / 2e-4) < 1e-6);
    });
  }
});
