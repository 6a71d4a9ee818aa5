// Model files: what is read, and how cut, lying, damaged and foreign ones are refused.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { halfValue, halfValues } from "../laboratory/runner/half.js";
import { readModel } from "../laboratory/runner/model.js";
import { ModelError } from "../laboratory/runner/model_error.js";
import { Network } from "../laboratory/runner/network.js";
import { assemble, metadataOf, randomTensors, safetensors, seeded, smallModel, smallShapes, smallSpec } from "./support/models.js";

/** Reads a file and makes its network, as the page does. */
const open = (bytes) => new Network(readModel(bytes));
const refuses = (bytes, message) => assert.throws(() => open(bytes), (error) => {
  assert.ok(error instanceof ModelError, error.stack);
  assert.match(error.message, message);
  assert.match(error.message, /^[A-Z].*\.$/s, "a sentence");
  return true;
});

/** The parts of a file: its header as an object, and its numbers. */
function parts(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), data: bytes.slice(8 + length) };
}

/** The small model with its header, or its network, or its card, changed. */
function changed(change) {
  const { header, data } = parts(smallModel());
  const metadata = header.__metadata__;
  const model = { header, spec: JSON.parse(metadata.model), card: JSON.parse(metadata.card) };
  change(model);
  if (header.__metadata__ === metadata) Object.assign(metadata, { model: JSON.stringify(model.spec), card: JSON.stringify(model.card) });
  return assemble(JSON.stringify(header), [data]);
}

test("a file of the program is read: network, card and tensors", () => {
  const { spec, card, tensors, precision } = readModel(new Uint8Array(readFileSync(new URL("golden/lenet.model.safetensors", import.meta.url))));
  assert.deepEqual(spec.input, [28, 28, 1]);
  assert.deepEqual(card.heads[0].classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  assert.equal(card.preparation.channels, 1);
  assert.deepEqual(tensors.get("trunk.1.weight").shape, [5, 5, 1, 4]);
  assert.ok(tensors.get("trunk.1.weight").data instanceof Float32Array);
  assert.equal(precision, "f32");
});

test("a file may lie anywhere in memory", () => {
  const bytes = smallModel();
  for (let offset = 0; offset < 5; offset++) {
    const shifted = new Uint8Array(bytes.length + offset);
    shifted.set(bytes, offset);
    assert.deepEqual(readModel(shifted.subarray(offset)), readModel(bytes));
  }
});

test("half-precision numbers are those of IEEE 754", () => {
  const known = {
    0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 2 ** -14, 0x0001: 2 ** -24, 0x03ff: 1023 * 2 ** -24,
    0x3555: 0.333251953125, 0x7c00: Infinity, 0xfc00: -Infinity,
  };
  for (const [bits, value] of Object.entries(known)) assert.equal(halfValue(Number(bits)), value);
  assert.ok(Object.is(halfValue(0x8000), -0));
  assert.ok(Number.isNaN(halfValue(0x7e00)));
  // In order of their bits, positive numbers grow.
  const all = halfValues(Uint16Array.from({ length: 0x7c01 }, (_, bits) => bits));
  assert.ok(all.every((value, i) => i === 0 || value > all[i - 1]));
});

test("a model in half precision is read as numbers of 32 bits", () => {
  const tensors = randomTensors(smallShapes);
  // Bits of numbers between 0.5 and 1.
  const random = seeded(4);
  for (const tensor of Object.values(tensors)) tensor.data = Uint16Array.from(tensor.data, () => 0x3800 + Math.floor(1024 * random()));
  const model = readModel(safetensors(tensors, metadataOf(smallSpec), "F16"));
  assert.equal(model.precision, "f16");
  for (const [name, { data, shape }] of model.tensors) {
    assert.ok(data instanceof Float32Array && data.length === shape.reduce((a, b) => a * b, 1), name);
    assert.deepEqual(data, halfValues(tensors[name].data));
  }
  assert.equal(new Network(model).forward(new Float32Array(36)).logits.class.length, 2);
});

test("weights of another epoch are left out", () => {
  const shapes = { "best/class.1.bias": [2], ...smallShapes };
  const { tensors } = readModel(safetensors(randomTensors(shapes), metadataOf(smallSpec)));
  assert.deepEqual([...tensors.keys()].sort(), Object.keys(smallShapes).sort());
});

test("a file that is cut anywhere is refused", () => {
  const bytes = smallModel();
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => readModel(bytes.subarray(0, length)), ModelError, `${length} bytes`);
  }
  refuses(bytes.subarray(0, 100), /^The model file is cut: it ends within its header\.$/);
  refuses(bytes.subarray(0, bytes.length - 4), /^The model file is cut: 4 bytes of its weights are missing\.$/);
  refuses(new Uint8Array([...bytes, 0]), /1 bytes at its end belong to no tensor/);
});

test("a file of another kind is refused", () => {
  refuses(new TextEncoder().encode("<!DOCTYPE html><html></html>"), /not a model file/);
  refuses(new Uint8Array(1000).fill(255), /not a model file/);
  refuses(new Uint8Array(1000), /header of the model file is damaged/);
  refuses(assemble("[1, 2]", []), /not a JSON object/);
  refuses(assemble(`{"a":${"[".repeat(1e6)}`, []), /header of the model file is damaged/);
  refuses(assemble(`{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`, []), /damaged|does not describe/);
  refuses(assemble("{}", []), /not the network and the card/);
  refuses(safetensors(randomTensors({ w: [3] }), undefined), /not the network and the card/);
  refuses(safetensors(randomTensors({ w: [3] }), { format: "pt" }), /not the network and the card/);
});

test("a header that lies is refused", () => {
  const tensor = (name, change) => changed(({ header }) => Object.assign(header[name], change));
  refuses(tensor("class.1.bias", { data_offsets: [0, 4] }), /“class.1.bias” of shape \[2\] needs 8 bytes, but the model file gives it 4/);
  refuses(tensor("class.1.bias", { data_offsets: [0, 1e15], shape: [2.5e14] }), /damaged|cut/);
  refuses(tensor("class.1.bias", { data_offsets: [4, 12] }), /damaged/);
  refuses(tensor("class.1.bias", { data_offsets: [8, 0] }), /needs 8 bytes/);
  refuses(tensor("class.1.bias", { data_offsets: [-8, 0] }), /does not describe/);
  refuses(tensor("class.1.bias", { data_offsets: "0" }), /does not describe/);
  refuses(tensor("class.1.bias", { shape: [1e200, 1e200] }), /does not describe|needs/);
  refuses(tensor("class.1.bias", { shape: [1.5] }), /does not describe/);
  refuses(tensor("class.1.bias", { dtype: "F33" }), /does not describe/);
  refuses(tensor("class.1.bias", { dtype: "toString" }), /does not describe/);
  refuses(tensor("class.1.bias", { dtype: "I32" }), /is of the type I32/);
  refuses(tensor("class.1.bias", { shape: [1, 2] }), /is 1 × 2, but the layer needs 2/);
  refuses(changed(({ header }) => (header["class.1.bias"] = null)), /does not describe/);
  refuses(changed(({ header }) => {
    header["class.2.bias"] = header["class.1.bias"];
    delete header["class.1.bias"];
  }), /no tensor “class.1.bias”/);
});

test("a network or card that does not fit is refused", () => {
  const spec = (change) => changed(({ spec }) => change(spec));
  refuses(changed(({ header }) => (header.__metadata__ = { model: "{", card: "{}" })), /description of the network is damaged/);
  refuses(changed(({ header }) => (header.__metadata__ = { model: "{}", card: "{}" })), /not described/);
  refuses(spec((spec) => (spec.input = [6, 6])), /which images/);
  refuses(spec((spec) => (spec.input = [1e9, 1e9, 1])), /which images/);
  refuses(spec((spec) => (spec.input = [6, "6", 1])), /which images/);
  refuses(spec((spec) => (spec.trunk[1] = { layer: "custom", activation: "square" })), /trunk\.2 is an activation that only the program knows/);
  refuses(spec((spec) => (spec.trunk[1] = { layer: "attention" })), /trunk\.2 is of an unknown kind, “attention”/);
  refuses(spec((spec) => (spec.trunk[1] = { layer: "constructor" })), /unknown kind/);
  refuses(spec((spec) => (spec.trunk[1] = null)), /unknown kind/);
  refuses(spec((spec) => (spec.trunk[0].filters = 4)), /but the layer needs/);
  refuses(spec((spec) => (spec.trunk[0].filters = 1e12)), /too large/);
  refuses(spec((spec) => (spec.trunk[0].kernel_size = null)), /two numbers/);
  refuses(spec((spec) => spec.trunk.pop()), /works on vectors/);
  refuses(spec((spec) => (spec.heads = [])), /no head/);
  refuses(spec((spec) => (spec.heads[0].layers = [])), /has no layers/);
  refuses(spec((spec) => (spec.heads[0] = null)), /has no/);
  refuses(spec((spec) => (spec.heads[0].name = "other")), /no tensor|does not name/);
  refuses(spec((spec) => (spec.heads[0].loss = { kind: "mean-squared-error" })), /does not tell classes apart/);
  refuses(spec((spec) => (spec.trunk[1] = { layer: "residual", layers: [] })), /has no layers/);
  let nested = { layer: "relu" };
  for (let depth = 0; depth < 300; depth++) nested = { layer: "residual", layers: [nested] };
  refuses(spec((spec) => (spec.trunk[1] = nested)), /within each other/);
  refuses(changed(({ card }) => card.heads[0].classes.pop()), /names 1 classes of the head “class”, which has 2 scores/);
  refuses(changed(({ card }) => (card.heads = [])), /does not name the classes/);
  refuses(changed(({ card }) => delete card.preparation), /not described/);
});

test("a file with any byte of its header changed is refused or read, and nothing else happens", () => {
  const bytes = smallModel();
  const { header } = parts(bytes);
  const random = seeded(9);
  const end = 8 + JSON.stringify(header).length;
  for (let trial = 0; trial < 5000; trial++) {
    const damaged = bytes.slice();
    for (let flips = 0; flips < 1 + (trial % 3); flips++) damaged[Math.floor(random() * end)] = Math.floor(256 * random());
    try {
      open(damaged).forward(new Float32Array(36));
    } catch (error) {
      // An image of another size is the caller's matter.
      assert.ok(error instanceof ModelError, `trial ${trial}: ${error.stack}`);
    }
  }
});
