// Dreams of the page against the engine's own: the same start, the same draws, 50 steps.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ascent } from "../laboratory/runner/dream/ascent.js";
import { readModel } from "../laboratory/runner/model.js";
import { Network } from "../laboratory/runner/network.js";
import { engineStream } from "./engine_stream.js";
import { floatsOfText, largestDifference, mnist } from "./mnist.js";

const golden = JSON.parse(readFileSync(new URL("golden/dreams.json", import.meta.url), "utf8"));
const network = new Network(readModel(new Uint8Array(readFileSync(new URL("golden/dream_network.safetensors", import.meta.url)))));

const startOf = ({ start }) => {
  if (start.kind !== "image") return start;
  const { pixels } = mnist("t10k", start.image.index + 1);
  return { kind: "image", image: Float32Array.from(pixels.subarray(-784), (byte) => byte / 255) };
};

const ascentOf = (network, picture, ascent, seed, start) =>
  new Ascent({
    network,
    objective: picture.objective,
    ascent,
    start,
    streams: {
      start: engineStream(seed, `dream/start/${picture.number}`),
      transforms: engineStream(seed, `dream/transforms/${picture.number}`),
    },
  });

for (const { title, picture, ascent, seed, start, dream, objective } of golden) {
  test(`${title}: ${ascent.steps} steps end with the engine's image`, () => {
    const made = ascentOf(network, picture, ascent, seed, startOf(picture));
    const first = largestDifference(made.image, floatsOfText(start));
    assert.ok(first < 1e-6, `${first} at the start`);
    for (let step = 0; step < ascent.steps; step++) made.step();
    const last = largestDifference(made.image, floatsOfText(dream));
    assert.ok(last <= 1e-4, `${last} at the end`);
    assert.ok(Math.abs(made.measure().objective - objective) <= 1e-4 * Math.max(1, Math.abs(objective)));
    assert.equal(made.diverged, null);
  });
}

test("an ascent that leaves 32-bit numbers stops at its last image and says when", () => {
  const { picture, ascent } = golden[1];
  const wild = { ...ascent, optimizer: { kind: "sgd", momentum: 0 }, learning_rate: 3e38 };
  const made = ascentOf(network, picture, wild, 1, picture.start);
  for (let step = 0; step < 20; step++) made.step();
  assert.ok(made.image.every(Number.isFinite));
});

test("objectives that a network lacks are refused with a sentence", () => {
  const { picture, ascent, seed } = golden[0];
  const refused = (objective, words) =>
    assert.throws(() => ascentOf(network, { ...picture, objective }, ascent, seed, picture.start), words);
  refused({ kind: "class-logit", head: "class", class: 10 }, /no class 10/);
  refused({ kind: "class-logit", head: "item", class: 1 }, /no head “item”/);
  refused({ kind: "neuron", layer: "trunk.1", position: [14, 0, 0] }, /no number at \[14, 0, 0\]/);
  refused({ kind: "channel", layer: "trunk.3", channel: 8 }, /no channel 8/);
  refused({ kind: "layer-mean-square", layer: "trunk.9" }, /trunk\.9/);
});

// The dreams of a whole study, where INKLING_STUDY names its folder, at the last image of their way within 50 steps. In a large network a
// unit sometimes is so near to zero that rounding decides about its ReLU; from then on two ways part. The engine's own paths for different
// instructions part as often (three of 16 dreams within 50 steps of the brief's network), so a few dreams may.
const study = process.env.INKLING_STUDY;
test("the dreams of a study follow the engine's", { skip: !study || !existsSync(join(study, "runs")) }, (t) => {
  const networks = new Map();
  const apart = [];
  for (const run of readdirSync(join(study, "runs")).map((id) => join(study, "runs", id))) {
    const spec = JSON.parse(readFileSync(join(run, "spec.json"), "utf8"));
    if (spec.kind !== "dream") continue;
    const model = join(study, "runs", spec.of, "model.safetensors");
    if (!networks.has(model)) networks.set(model, new Network(readModel(new Uint8Array(readFileSync(model)))));
    const bytes = readFileSync(join(run, "arrays.safetensors"));
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8"));
    const own = (name) => bytes.subarray(8 + length).subarray(...header[name].data_offsets);
    const [starts, frames] = ["starts", "frames"].map((name) => floatsOfText(own(name).toString("base64")));
    const steps = Array.from({ length: own("frame_steps").length / 4 }, (_, i) => own("frame_steps").readUInt32LE(4 * i));
    const frame = steps.findLastIndex((step) => step <= 50);
    const each = starts.length / spec.pictures.length;
    spec.pictures.forEach((picture, i) => {
      const start = picture.start.kind === "image" ? { kind: "image", image: starts.subarray(i * each, (i + 1) * each) } : picture.start;
      const made = ascentOf(networks.get(model), picture, spec.ascent, spec.seed, start);
      for (let step = 0; step < steps[frame]; step++) made.step();
      const at = (frame * spec.pictures.length + i) * each;
      apart.push(largestDifference(made.image, frames.subarray(at, at + each)));
    });
  }
  const close = apart.filter((difference) => difference <= 1e-4).length;
  t.diagnostic(`${close} of ${apart.length} dreams within 1e-4; the median is ${apart.sort((a, b) => a - b)[apart.length >> 1].toExponential(1)}`);
  assert.ok(apart.length > 0 && close >= 0.8 * apart.length);
});
