// Makes dreams.json, dream_network.safetensors and perceptrons.json with the program, to compare the page's runner with the engine:
// node dreams_and_perceptrons.mjs PROGRAM DATA (the built `inkling`, and the folder that holds mnist).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [program, data] = process.argv.slice(2).map((path) => resolve(path));
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "golden-"));
const inkling = (...args) => execFileSync(program, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
const json = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The tensors of a safetensors file, as [name, bytes, shape]. */
const tensors = (path) => {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8"));
  const of = (name) => bytes.subarray(8 + length).subarray(...header[name].data_offsets);
  return { of, text: (name) => of(name).toString("base64") };
};
const runsOf = (out, kind) => {
  const runs = readdirSync(join(folder, out, "runs")).map((id) => join(folder, out, "runs", id));
  return runs.filter((run) => json(join(run, "spec.json")).kind === kind);
};

// A small network of 4,294 weights.
writeFileSync(
  join(folder, "small.toml"),
  `input = [28, 28, 1]
trunk = [
    { layer = "conv2d", filters = 4, kernel_size = [4, 4], stride = [2, 2], padding = "same", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "conv2d", filters = 8, kernel_size = [3, 3], stride = [2, 2], padding = "same", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "flatten" },
]
heads = [{ name = "class", layers = [{ layer = "dense", units = 10, initializer = "glorot-uniform" }] }]
`,
);
inkling("train", "small.toml", "--data", "mnist", "--epochs", "1", "--validation", "0", "--out", "small");
const [trained] = runsOf("small", "train");
writeFileSync(join(here, "dream_network.safetensors"), readFileSync(join(trained, "model.safetensors")));

const asked = {
  "the report's dream": ["--class", "2"],
  "pixels alone": ["--class", "9", "--plain"],
  probability: ["--class", "3", "--probability", "--from", "grey"],
  "from an image": ["--class", "5", "--index", "17"],
  channel: ["--channel", "trunk.3:5", "--from", "noise"],
  neuron: ["--neuron", "trunk.1:6,7,2", "--plain"],
  layer: ["--layer", "trunk.3", "--index", "3"],
};
const dreams = Object.entries(asked).map(([title, args], number) => {
  const out = `dream-${number}`;
  inkling("look", "dream", ...args, "--steps", "50", "--out", out, "--data", data, trained);
  const [run] = runsOf(out, "dream");
  const { pictures, ascent, seed } = json(join(run, "spec.json"));
  const arrays = tensors(join(run, "arrays.safetensors"));
  const path = arrays.of("path_objective");
  const last = path.readFloatLE(path.length - 4);
  return { title, picture: pictures[0], ascent, seed, start: arrays.text("starts"), dream: arrays.text("pictures"), objective: last };
});
writeFileSync(join(here, "dreams.json"), `${JSON.stringify(dreams, null, 1)}\n`);

// Perceptrons for two classes, of each rule.
const perceptrons = ["online", "batch", "averaged", "pocket"].map((rule) => {
  const out = `perceptrons-${rule}`;
  writeFileSync(
    join(folder, `${rule}.toml`),
    `seed = 1
[data]
train_images = 1000
test_images = 200
[perceptron]
data = "mnist"
rule = "${rule}"
learning_rate = 0.1
max_iterations = 12
tolerance = 1e-3
`,
  );
  inkling("study", `${rule}.toml`, "--data", data, "--out", out);
  const run = runsOf(out, "perceptron").find((run) => json(join(run, "spec.json")).a === 4 && json(join(run, "spec.json")).b === 9);
  const model = tensors(join(run, "model.safetensors"));
  const lines = readFileSync(join(run, "metrics.jsonl"), "utf8").trim().split("\n");
  const { checksum, format, ...spec } = json(join(run, "spec.json"));
  return { spec, errors: lines.map((line) => JSON.parse(line).train_error), w: model.text("w"), b: model.text("b") };
});
writeFileSync(join(here, "perceptrons.json"), `${JSON.stringify(perceptrons, null, 1)}\n`);
