// Whole networks: against the engine's own numbers (golden/networks.mjs made them), with edits, and from any layer back.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { readModel } from "../laboratory/runner/model.js";
import { Network, softmax } from "../laboratory/runner/network.js";
import { integratedGradients, scoreGradient } from "../laboratory/runner/saliency.js";
import { metadataOf, randomTensors, safetensors, seeded, smallModel } from "./support/models.js";
import { readTensors } from "./support/safetensors.js";

const golden = (file) => fileURLToPath(new URL(`golden/${file}`, import.meta.url));
const networkOf = (bytes) => new Network(readModel(bytes));
const goldenNetwork = (name) => networkOf(new Uint8Array(readFileSync(golden(`${name}.model.safetensors`))));

/** The largest difference of two arrays, as a share of the largest number that is expected. */
function difference(found, expected) {
  assert.equal(found.length, expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const most = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
  return most === 0 ? 0 : most / largest;
}

const lastOf = (generator) => {
  for (;;) {
    const { done, value } = generator.next();
    if (done) return value;
  }
};

for (const { name, head, steps, images } of JSON.parse(readFileSync(golden("networks.json"), "utf8"))) {
  const network = goldenNetwork(name);
  const arrays = readTensors(golden(`${name}.${head}.safetensors`));
  const size = network.input.reduce((a, b) => a * b, 1);
  const part = (array, image) => {
    const count = array.data.length / images.length;
    return array.data.slice(image * count, (image + 1) * count);
  };

  images.forEach(({ name: title, target, logit, probability }, image) => {
    const x = Float32Array.from(part(arrays.get("images"), image), (byte) => byte / 255);
    assert.equal(x.length, size);

    test(`${name}, ${head}, ${title}: every layer, the scores and the probability are the engine's`, () => {
      const pass = network.forward(x);
      const layers = [...arrays.keys()].filter((key) => key.startsWith("layer/"));
      assert.ok(layers.length > 0);
      for (const key of layers) {
        const { output, shape } = network.handle(key.slice("layer/".length));
        assert.deepEqual(shape, arrays.get(key).shape.slice(1));
        assert.ok(difference(pass.outputs.get(output), part(arrays.get(key), image)) < 1e-5, key);
      }
      assert.ok(difference(pass.logits[head], part(arrays.get("logits"), image)) < 1e-5);
      assert.ok(Math.abs(pass.logits[head][target] - logit) < 1e-4);
      assert.ok(Math.abs(pass.probabilities[head][target] - probability) < 1e-5);
    });

    test(`${name}, ${head}, ${title}: gradient and integrated gradients are the engine's`, () => {
      const gradient = scoreGradient(network, { head, target, x });
      assert.ok(difference(gradient, part(arrays.get("gradient"), image)) < 1e-4);
      const integrated = lastOf(integratedGradients(network, { head, target, x, steps }));
      assert.ok(difference(integrated, part(arrays.get("integrated"), image)) < 1e-4);
    });
  });
}

test("handles are the layers that the engine looks into", () => {
  for (const { name, head } of JSON.parse(readFileSync(golden("networks.json"), "utf8"))) {
    const network = goldenNetwork(name);
    const arrays = [...readTensors(golden(`${name}.${head}.safetensors`)).keys()];
    const engine = arrays.filter((key) => key.startsWith("layer/")).map((key) => key.slice("layer/".length));
    // The program shows the convolutions and blocks on the way to this head whose output is an image.
    const isShown = (handle) => ["conv2d", "residual"].includes(network.layer(handle.name).kind)
      && handle.shape.length === 3 && [null, head].includes(handle.head);
    const here = network.handles.filter(isShown);
    assert.deepEqual(here.map((handle) => handle.name).sort(), engine.sort(), name);
  }
});

test("a ReLU belongs to the layer right before it, a flattening to none", () => {
  const told = ({ handles }) => handles.map(({ name, output }) => [name, output]);
  assert.deepEqual(told(goldenNetwork("lenet")), [
    ["trunk.1", "trunk.2"], ["trunk.3", "trunk.3"], ["trunk.4", "trunk.5"], ["trunk.6", "trunk.6"], ["trunk.8", "trunk.9"], ["class.1", "class.1"],
  ]);
  assert.deepEqual(told(goldenNetwork("blocks")).slice(0, 5), [
    ["trunk.1", "trunk.1"], ["trunk.2", "trunk.2"], ["trunk.3", "trunk.3"], ["trunk.4", "trunk.4"], ["trunk.5", "trunk.5"],
  ]);
});

test("layers stand in the order of computation, and those of a block before it", () => {
  const { layers } = goldenNetwork("blocks");
  const names = layers.map(({ name }) => name);
  assert.deepEqual(names.slice(3, 10), ["trunk.4.1", "trunk.4.2", "trunk.4.3", "trunk.4.4", "trunk.4.5", "trunk.4", "trunk.5"]);
  assert.ok(names.indexOf("trunk.6.projection") === names.indexOf("trunk.6") - 1);
  assert.equal(layers.find(({ name }) => name === "trunk.6.3.1").parent, "trunk.6.3");
  assert.equal(layers.find(({ name }) => name === "trunk.6").parent, null);
  const { weight, bias, shape, kind } = layers[0];
  assert.deepEqual([weight.length, bias.length, shape, kind], [3 * 3 * 3 * 6, 6, [13, 11, 6], "conv2d"]);
});

test("a pass is not changed by the next one, and can end early", () => {
  const network = goldenNetwork("all_conv");
  const [one, other] = [new Float32Array(429).fill(0.3), new Float32Array(429).fill(0.8)];
  const pass = network.forward(one);
  const kept = structuredClone(pass.outputs);
  network.forward(other);
  assert.deepEqual(pass.outputs, kept);
  const short = network.forward(one, null, { until: "trunk.2" });
  assert.deepEqual([...short.outputs.keys()], ["trunk.1", "trunk.2"]);
  assert.deepEqual(short.logits, {});
  assert.throws(() => network.inputGradient(short, "class.1", new Float32Array(1)), { message: /ended before/ });
});

test("a silenced channel is zero from there on, forward and backward", () => {
  const network = goldenNetwork("all_conv");
  const x = Float32Array.from({ length: 429 }, (_, i) => (i % 17) / 17);
  const pass = network.forward(x, { silenced: [{ layer: "trunk.1", channel: 2 }, { layer: "trunk.1", channel: 5 }] });
  const y = pass.outputs.get("trunk.2");
  y.forEach((value, i) => i % 8 === 2 || i % 8 === 5 ? assert.equal(value, 0) : null);
  assert.ok(y.some((value) => value > 0));
  assert.notDeepEqual(pass.logits, network.forward(x).logits);
  const only = new Float32Array(y.length);
  for (let i = 2; i < only.length; i += 8) only[i] = 1;
  assert.ok(network.inputGradient(pass, "trunk.1", only, { beforeRelu: true }).every((value) => value === 0));
  assert.ok(network.inputGradient(network.forward(x), "trunk.1", only, { beforeRelu: true }).some((value) => value !== 0));
});

test("the gradient with edits is that of the edited network", () => {
  const network = goldenNetwork("blocks");
  const random = seeded(5);
  const x = Float32Array.from({ length: 429 }, random);
  const edits = {
    silenced: [{ layer: "trunk.4.1", channel: 1 }, { layer: "trunk.9", channel: 3 }],
    weights: [{ layer: "trunk.6.1", tensor: "weight", index: 7, value: 2 }, { layer: "trunk.6.1", tensor: "bias", index: 0, value: -1 }, { layer: "class.1", tensor: "weight", index: 1, value: 3 }],
  };
  const before = structuredClone(network.layers.map(({ weight, bias }) => ({ weight, bias })));
  const gradient = scoreGradient(network, { head: "class", target: 1, x, edits });
  assert.deepEqual(network.layers.map(({ weight, bias }) => ({ weight, bias })), before);
  const score = (x) => network.forward(x, edits).logits.class[1];
  for (const i of [0, 55, 200, 317, 428]) {
    const at = (by) => score(x.with(i, x[i] + by));
    const expected = (at(2e-3) - at(-2e-3)) / 4e-3;
    assert.ok(Math.abs(gradient[i] - expected) < 0.02 * (0.1 + Math.abs(expected)), `${i}: ${gradient[i]} for ${expected}`);
  }
});

test("a typed weight is used, and the network keeps its own", () => {
  const network = networkOf(smallModel());
  const x = new Float32Array(36).fill(0.5);
  const plain = network.forward(x);
  const pass = network.forward(x, { weights: [{ layer: "class.1", tensor: "bias", index: 1, value: network.layer("class.1").bias[1] + 2 }] });
  assert.ok(Math.abs(pass.logits.class[1] - plain.logits.class[1] - 2) < 1e-6);
  assert.deepEqual(network.forward(x).logits, plain.logits);
});

test("before its ReLU a unit has a gradient where it is silent", () => {
  const network = networkOf(smallModel());
  const random = seeded(2);
  const x = Float32Array.from({ length: 36 }, () => 2 * random() - 1);
  const pass = network.forward(x);
  const silent = pass.outputs.get("trunk.2").findIndex((value) => value === 0);
  assert.ok(silent >= 0);
  const dy = new Float32Array(27);
  dy[silent] = 1;
  assert.ok(network.inputGradient(pass, "trunk.1", dy).every((value) => value === 0));
  assert.ok(network.inputGradient(pass, "trunk.2", dy).every((value) => value === 0));
  const woken = network.inputGradient(pass, "trunk.1", dy, { beforeRelu: true });
  assert.ok(woken.some((value) => value !== 0));
  assert.deepEqual(network.inputGradient(pass, "trunk.2", dy, { beforeRelu: true }), woken);
});

test("integrated gradients add up to the difference of the scores", () => {
  const network = goldenNetwork("lenet");
  const x = Float32Array.from({ length: 784 }, seeded(3));
  const integrated = lastOf(integratedGradients(network, { head: "class", target: 4, x, steps: 256 }));
  const score = (x) => network.forward(x).logits.class[4];
  const expected = score(x) - score(new Float32Array(784));
  const sum = integrated.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - expected) < 0.02 * (1 + Math.abs(expected)), `${sum} for ${expected}`);
});

test("a head that only flattens has scores, and a network may begin with its head", () => {
  const spec = {
    input: [2, 1, 1], trunk: [],
    heads: [{ name: "a", layers: [{ layer: "flatten" }] }, { name: "b", layers: [{ layer: "flatten" }, { layer: "dense", units: 3 }] }],
  };
  const card = metadataOf(spec);
  const network = networkOf(safetensors(randomTensors({ "b.2.weight": [2, 3], "b.2.bias": [3] }), card));
  const pass = network.forward(Float32Array.of(0.25, 0.75));
  assert.deepEqual([...pass.logits.a], [0.25, 0.75]);
  assert.deepEqual(network.handles.map(({ name, scoresOf }) => [name, scoresOf]), [["a.1", "a"], ["b.2", "b"]]);
  assert.deepEqual([...network.inputGradient(pass, "a.1", Float32Array.of(1, 2))], [1, 2]);
});

test("softmax bears large scores", () => {
  assert.deepEqual([...softmax(Float32Array.of(1000, 1000))], [0.5, 0.5]);
  assert.ok(Math.abs(softmax(Float32Array.of(0, Math.log(3)))[1] - 0.75) < 1e-7);
});

test("what is not there is named", () => {
  const network = networkOf(smallModel());
  const x = new Float32Array(36);
  const says = (edits, message) => assert.throws(() => network.forward(x, edits), { message });
  says({ silenced: [{ layer: "trunk.8", channel: 0 }] }, "The network has no layer “trunk.8”.");
  says({ silenced: [{ layer: "trunk.1", channel: 3 }] }, "The layer “trunk.1” has 3 channels, and none of the number 3.");
  says({ silenced: [{ layer: "trunk.1", channel: 0.5 }] }, /none of the number 0.5/);
  says({ weights: [{ layer: "trunk.2", tensor: "weight", index: 0, value: 1 }] }, "The layer “trunk.2” has no tensor “weight”.");
  says({ weights: [{ layer: "trunk.1", tensor: "bias", index: 3, value: 1 }] }, "The tensor “trunk.1.bias” has no number 3.");
  says({ weights: [{ layer: "trunk.1", tensor: "bias", index: "length", value: 1 }] }, "The tensor “trunk.1.bias” has no number length.");
  assert.throws(() => scoreGradient(network, { head: "item", target: 0, x }), { message: "The network has no head “item”." });
  assert.throws(() => scoreGradient(network, { head: "class", target: 2, x }), { message: /2 classes/ });
});
