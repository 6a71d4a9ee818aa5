// Numbers taken apart are those of the network: convolutions, poolings, dense units and the softmax, and the weights' places.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { convolutionOpened, denseOpened, imageShape, largestPlaces, softmaxOpened, windowCorner, windowNumbers } from "../laboratory/arithmetic.js";
import { readModel } from "../laboratory/runner/model.js";
import { Network, softmax } from "../laboratory/runner/network.js";
import { weightAxes, weightCoordinates, weightIndex } from "../laboratory/views/change.js";
import { channelOrder, layerTitle, shownLayers } from "../laboratory/views/layers.js";
import { placeOfWindow } from "../laboratory/views/map/convolution.js";
import { openedLayers } from "../laboratory/views/map/opened.js";

/** A network with random weights. */
function randomNetwork(trunk, head, input) {
  const spec = { input, trunk, heads: [{ name: "class", layers: head }] };
  let seed = 3;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647 - 0.45;
  const classes = Array.from({ length: head.at(-1).units }, (_, i) => String(i));
  // Every tensor that is asked for is there, in the shape that the layer says.
  const tensors = { get: (name) => made.get(name) };
  const made = new Map();
  const shapes = { conv2d: (l, s) => [[...l.kernel_size, s[2], l.filters], [l.filters]], dense: (l, s) => [[s[0], l.units], [l.units]] };
  let shape = input;
  const add = (layers, part) =>
    layers.forEach((layer, i) => {
      const of = shapes[layer.layer]?.(layer, shape) ?? [];
      ["weight", "bias"].slice(0, of.length).forEach((tensor, k) => {
        const data = Float32Array.from({ length: of[k].reduce((a, b) => a * b) }, random);
        made.set(`${part}.${i + 1}.${tensor}`, { shape: of[k], data });
      });
      if (layer.layer === "conv2d") shape = [Math.ceil(shape[0] / layer.stride[0]), Math.ceil(shape[1] / layer.stride[1]), layer.filters];
      if (layer.layer.endsWith("-pool")) shape = [Math.floor((shape[0] - layer.pool_size[0]) / layer.stride[0]) + 1, Math.floor((shape[1] - layer.pool_size[1]) / layer.stride[1]) + 1, shape[2]];
      if (layer.layer === "flatten") shape = [shape[0] * shape[1] * shape[2]];
      if (layer.layer === "dense") shape = [layer.units];
    });
  add(trunk, "trunk");
  add(head, "class");
  return new Network({ spec, card: { heads: [{ name: "class", classes }], preparation: {} }, tensors, precision: "f32" });
}
const conv = (filters, side, step) => ({ layer: "conv2d", filters, kernel_size: [side, side - 1], stride: [step, step], padding: "same" });
const network = randomNetwork(
  [conv(3, 4, 1), { layer: "relu" }, { layer: "max-pool", pool_size: [2, 3], stride: [2, 2] }, conv(5, 3, 2), { layer: "avg-pool", pool_size: [2, 2], stride: [1, 1] }, { layer: "flatten" }],
  [{ layer: "dense", units: 4 }, { layer: "relu" }, { layer: "dense", units: 3 }],
  [13, 17, 2],
);
const x = Float32Array.from({ length: 13 * 17 * 2 }, (_, i) => ((i * 7919) % 101) / 101);
const pass = network.forward(x);
const near = (a, b) => assert.ok(Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);
const before = (layer) => (layer.inputs[0] < 0 ? x : pass.values[layer.inputs[0]]);

test("a convolution's number is the sum of its products and its bias, at every place", () => {
  for (const layer of network.layers.filter(({ kind }) => kind === "conv2d")) {
    const [rows, columns, filters] = layer.shape;
    const y = pass.outputs.get(layer.name);
    for (let i = 0; i < y.length; i += 1) {
      const [row, column, filter] = [Math.floor(i / filters / columns), Math.floor(i / filters) % columns, i % filters];
      const found = convolutionOpened(layer, layer, before(layer), row, column, filter);
      near(found.total, y[i]);
      near(found.partial.reduce((sum, value) => sum + value, 0), found.sum);
      assert.ok(row < rows);
    }
  }
});

test("a pooled number is the largest or the mean of its window", () => {
  for (const layer of network.layers.filter(({ kind }) => kind.endsWith("-pool"))) {
    const [, columns, channels] = layer.shape;
    pass.outputs.get(layer.name).forEach((value, i) => {
      const { values, inside } = windowNumbers(layer, before(layer), Math.floor(i / channels / columns), Math.floor(i / channels) % columns, i % channels);
      assert.ok(inside.every((yes) => yes));
      near(layer.kind === "max-pool" ? Math.max(...values) : values.reduce((sum, one) => sum + one, 0) / values.length, value);
    });
  }
});

test("a unit's number is the sum of its contributions and its bias", () => {
  for (const layer of network.layers.filter(({ kind }) => kind === "dense")) {
    pass.outputs.get(layer.name).forEach((value, unit) => {
      const found = denseOpened(layer, layer, before(layer), unit);
      near(found.total, value);
      assert.ok(found.positive >= 0 && found.negative <= 0);
    });
  }
});

test("the softmax taken apart gives the network's probabilities", () => {
  const { shares, powers, sum } = softmaxOpened(pass.logits.class);
  softmax(pass.logits.class).forEach((value, i) => near(shares[i], value));
  near(powers.reduce((total, power) => total + power, 0), sum);
  assert.deepEqual([...softmaxOpened([1000, 0]).shares], [1, 0]);
});

test("windows reach beyond the image where zeros are added, and a pixel leads to the window around it", () => {
  const [layer] = network.layers;
  assert.deepEqual(windowCorner(layer, 0, 0), [-1, -1]);
  const { values, inside } = windowNumbers(layer, x, 0, 0, 0);
  assert.ok(inside.slice(0, 3).every((yes) => !yes) && values.slice(0, 3).every((value) => value === 0));
  for (let row = 0; row < 13; row += 1) {
    const [top, left] = windowCorner(layer, ...placeOfWindow(layer, row, 5));
    assert.ok(top <= row && row < top + 4 && left <= 5 && 5 < left + 3, `${row}: ${top}, ${left}`);
  }
});

test("a weight has one index and one set of coordinates", () => {
  for (const layer of network.layers.filter(({ weight }) => weight)) {
    for (const tensor of ["weight", "bias"]) {
      const axes = weightAxes(layer, tensor);
      assert.equal(axes.reduce((product, { count }) => product * count, 1), layer[tensor].length);
      for (const index of [0, 1, layer[tensor].length - 1]) assert.equal(weightIndex(axes, weightCoordinates(axes, index)), index);
    }
  }
});

test("layers are counted and named as a reader sees them", () => {
  const shown = shownLayers(network);
  assert.deepEqual(shown.map((handle) => layerTitle(network, handle)), [
    "Layer 1: 3 maps of 13 × 17",
    "Layer 2: 3 maps of 6 × 8",
    "Layer 3: 5 maps of 3 × 4",
    "Layer 4: 5 maps of 2 × 3",
    "Layer 5: 4 units",
    "Layer 6: 3 class scores",
  ]);
  assert.deepEqual(openedLayers(network).map(({ name }) => name), ["trunk.1", "trunk.3", "trunk.4", "trunk.5", "class.1", "class.3", "class.softmax"]);
  assert.deepEqual(channelOrder(Float32Array.of(1, -5, 3, 1, -5, 3), 3, "activity"), [1, 2, 0]);
  assert.deepEqual(channelOrder(Float32Array.of(1, -5, 3), 3, "channel"), [0, 1, 2]);
  assert.deepEqual(largestPlaces([1, -9, 4], 2), [1, 2]);
  assert.deepEqual([imageShape([10]), imageShape([1]), imageShape([4, 5, 6])], [[3, 4, 1], [1, 1, 1], [4, 5, 6]]);
});

test("a model file of the engine is opened in the same way", () => {
  const file = new Network(readModel(new Uint8Array(readFileSync(new URL("golden/dream_network.safetensors", import.meta.url)))));
  assert.ok(openedLayers(file).length >= 3);
});
