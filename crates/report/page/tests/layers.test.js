// Each layer against its plain definition, and its input gradient against differences of the definition, on random small shapes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { erfc } from "../laboratory/runner/layers/erfc.js";
import { layerKinds } from "../laboratory/runner/layers/kinds.js";
import { projectionSpec } from "../laboratory/runner/layers/residual.js";
import { seeded } from "./support/models.js";
import { normalShare, plainLayers } from "./support/plain_layers.js";

const CASES = 60;

/** A whole number from `from` to `to`. */
const whole = (random, from, to) => from + Math.floor(random() * (to - from + 1));
const sides = (random, from, to) => [whole(random, from, to), whole(random, from, to)];
const image = (random) => [...sides(random, 1, 9), whole(random, 1, 5)];
const imageOrVector = (random) => (random() < 0.5 ? image(random) : [whole(random, 1, 20)]);

/** By kind: a random spec and the shape of its input. */
const examples = {
  "dense": (random) => [{ units: whole(random, 1, 19) }, [whole(random, 1, 30)]],
  "conv2d"(random) {
    const [shape, padding] = [image(random), random() < 0.5 ? "same" : "valid"];
    const kernel_size = [0, 1].map((side) => whole(random, 1, padding === "same" ? 5 : Math.min(5, shape[side])));
    return [{ filters: whole(random, 1, 12), kernel_size, stride: sides(random, 1, 3), padding }, shape];
  },
  "max-pool": pooling,
  "avg-pool": pooling,
  "global-avg-pool": (random) => [{}, image(random)],
  "flatten": (random) => [{}, image(random)],
  "dropout": (random) => [{ rate: 0.5 }, imageOrVector(random)],
  "relu": (random) => [{}, imageOrVector(random)],
  "leaky-relu": (random) => [{ slope: random() }, imageOrVector(random)],
  "elu": (random) => [{ alpha: 0.1 + 2 * random() }, imageOrVector(random)],
  "gelu": (random) => [{}, imageOrVector(random)],
  "silu": (random) => [{}, imageOrVector(random)],
  "sigmoid": (random) => [{}, imageOrVector(random)],
  "tanh": (random) => [{}, imageOrVector(random)],
  "batch-norm": (random) => [{ epsilon: 10 ** -whole(random, 1, 5) }, imageOrVector(random)],
  "layer-norm": (random) => [{ epsilon: 10 ** -whole(random, 1, 3) }, imageOrVector(random)],
};

function pooling(random) {
  const shape = image(random);
  return [{ pool_size: [0, 1].map((side) => whole(random, 1, Math.min(4, shape[side]))), stride: sides(random, 1, 3) }, shape];
}

const product = (shape) => shape.reduce((a, b) => a * b, 1);

/** Numbers of 32 bits from −2 to 2, of which some are zero, as after a ReLU. Variances are positive. */
function numbers(random, count, { positive = false, zeros = 0 } = {}) {
  return Float32Array.from({ length: count }, () => {
    const number = 4 * random() - 2;
    if (random() < zeros) return 0;
    return positive ? Math.abs(number) + 0.1 : number;
  });
}

/** A layer as a network has it, and its tensors. */
function make(kind, spec, shape, random) {
  const inferred = layerKinds[kind].infer(`trunk.1 (${kind})`, spec, [shape]);
  const tensors = Object.fromEntries(Object.entries(inferred.parameters).map(([name, of]) =>
    [name, numbers(random, product(of), { positive: name === "running_variance" })]));
  return { layer: { kind, spec, input: shape, ...inferred }, tensors };
}

function assertClose(found, expected, tolerance, what) {
  assert.equal(found.length, expected.length, what);
  found.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) <= tolerance * (1 + Math.abs(expected[i])), `${what}, number ${i}: ${value} for ${expected[i]}`);
  });
}

/** Σ dy · y, differentiated by the numbers of x at these places. */
function differences(plain, x, dy, places) {
  const step = 1e-5;
  const loss = (x) => plain(x).reduce((sum, y, i) => sum + dy[i] * y, 0);
  return places.map((i) => {
    const at = (value) => loss([...x].with(i, value));
    return (at(x[i] + step) - at(x[i] - step)) / (2 * step);
  });
}

for (const [kind, example] of Object.entries(examples)) {
  test(`${kind} is what its definition says, and so is its gradient`, () => {
    for (let seed = 0; seed < CASES; seed++) {
      const random = seeded(1000 + seed);
      const [spec, shape] = example(random);
      const what = `case ${seed}: ${JSON.stringify(spec)} on ${shape}`;
      const { layer, tensors } = make(kind, spec, shape, random);
      // Smooth layers have zeros among their numbers; where zero is a corner, the differences would see both sides.
      const x = numbers(random, product(shape), { zeros: kind === "dense" || kind === "conv2d" ? 0.4 : 0 });
      const plain = (x) => plainLayers[kind](spec, shape, tensors, [...x]);

      const y = new Float32Array(product(layer.shape)).fill(NaN);
      layerKinds[kind].forward(layer, tensors, [x], y);
      assertClose(y, plain(x), 1e-5, what);
      // Memory that is kept between images must not show.
      const again = new Float32Array(y.length);
      layerKinds[kind].forward(layer, tensors, [numbers(random, x.length)], new Float32Array(y.length));
      layerKinds[kind].forward(layer, tensors, [x], again);
      assert.deepEqual(again, y, what);

      const dy = numbers(random, y.length, { zeros: 0.3 });
      const before = numbers(random, x.length);
      const dx = before.slice();
      layerKinds[kind].inputGradient(layer, tensors, [x], y, dy, [dx]);
      // Gradients are added to what is there.
      const places = [...x.keys()].filter(() => random() < 12 / x.length);
      assertClose(places.map((i) => dx[i] - before[i]), differences(plain, x, dy, places), 1e-4, what);
    }
  });
}

test("every kind of layer has an example here, but for the residual block, which has its own", () => {
  assert.deepEqual(Object.keys(layerKinds).filter((kind) => !(kind in examples)), ["residual"]);
});

test("a residual block adds, and its gradient goes both ways", () => {
  const { infer, forward, inputGradient } = layerKinds["residual"];
  const layer = infer("trunk.2 (residual)", {}, [[2, 1, 2], [2, 1, 2]]);
  const y = new Float32Array(4);
  forward(layer, {}, [Float32Array.of(1, 2, 3, 4), Float32Array.of(10, 20, 30, 40)], y);
  assert.deepEqual([...y], [11, 22, 33, 44]);
  const [one, other] = [new Float32Array(4), new Float32Array(4).fill(1)];
  inputGradient(layer, {}, [], y, Float32Array.of(1, 0, -1, 2), [one, other]);
  assert.deepEqual([[...one], [...other]], [[1, 0, -1, 2], [2, 1, 0, 3]]);
  assert.throws(() => infer("trunk.2 (residual)", {}, [[2, 1, 2], [2, 1, 3]]), { message: /cannot be added/ });
});

test("a projection has the smallest stride that fits", () => {
  const of = (input, output) => projectionSpec("trunk.2", input, output).stride;
  assert.deepEqual(of([28, 27, 4], [14, 14, 8]), [2, 2]);
  assert.deepEqual(of([7, 9, 4], [1, 9, 8]), [7, 1]);
  assert.deepEqual(projectionSpec("trunk.2", [20], [8]), { layer: "dense", units: 8 });
  assert.throws(() => of([10, 10, 1], [6, 10, 1]), { message: /No projection/ });
});

test("max pooling: of equal numbers the first has the gradient, and NaN is seen", () => {
  const layer = { ...layerKinds["max-pool"].infer("trunk.1 (max-pool)", { pool_size: [2, 2], stride: [2, 2] }, [[2, 2, 1]]), input: [2, 2, 1] };
  const y = new Float32Array(1);
  layerKinds["max-pool"].forward(layer, {}, [Float32Array.of(1, NaN, 2, 3)], y);
  assert.ok(Number.isNaN(y[0]));
  const dx = new Float32Array(4);
  layerKinds["max-pool"].inputGradient(layer, {}, [Float32Array.of(0, 5, 5, 1)], y, Float32Array.of(7), [dx]);
  assert.deepEqual([...dx], [0, 7, 0, 0]);
});

test("erfc is exact where GELU needs it", () => {
  for (let x = -6; x <= 6; x += 0.25) {
    const expected = 2 * normalShare(-x * Math.SQRT2, 10000);
    assert.ok(Math.abs(erfc(x) - expected) <= 1e-9 * expected + 1e-13, `erfc(${x}) = ${erfc(x)}, not ${expected}`);
  }
  // From tables of 20 digits.
  assert.ok(Math.abs(erfc(0.5) - 0.4795001221869535) < 1e-15);
  assert.ok(Math.abs(erfc(3) / 2.209049699858544e-5 - 1) < 1e-10);
  assert.ok(Math.abs(erfc(5) / 1.537459794428035e-12 - 1) < 1e-10);
});

test("layers refuse what they cannot work on, with a sentence", () => {
  const refuse = (kind, spec, shape) => assert.throws(() => layerKinds[kind].infer(`trunk.4 (${kind})`, spec, [shape]), { message: /^The .*trunk\.4/ });
  refuse("dense", { units: 3 }, [2, 2, 1]);
  refuse("dense", { units: 0 }, [4]);
  refuse("conv2d", { filters: 3, kernel_size: [3, 3], stride: [1, 1], padding: "valid" }, [2, 5, 1]);
  refuse("conv2d", { filters: 3, kernel_size: [3, 3], stride: [0, 1], padding: "same" }, [5, 5, 1]);
  refuse("conv2d", { filters: 3, kernel_size: [3, 3], stride: [1, 1], padding: "full" }, [5, 5, 1]);
  refuse("conv2d", { filters: 3, kernel_size: [3], stride: [1, 1], padding: "same" }, [5, 5, 1]);
  refuse("conv2d", { filters: 3, kernel_size: [3, 3], stride: [1, 1], padding: "same" }, [5]);
  refuse("max-pool", { pool_size: [3, 3], stride: [1, 1] }, [2, 2, 1]);
  refuse("global-avg-pool", {}, [2]);
  refuse("flatten", {}, [2]);
  refuse("elu", { alpha: "1" }, [2]);
  refuse("batch-norm", {}, [2]);
});
