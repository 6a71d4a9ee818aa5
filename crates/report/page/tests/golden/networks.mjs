// Makes networks.json and the files of small networks with the program, to compare the page's runner with the engine:
// node networks.mjs PROGRAM DATA (the built `inkling`, and the folder that holds mnist and fashion-mnist).
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";

const [program, data] = process.argv.slice(2).map((path) => resolve(path));
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "golden-"));
const inkling = (...args) => execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const runsOf = (out, kind) => {
  const runs = readdirSync(join(folder, out, "runs")).map((id) => join(folder, out, "runs", id));
  return runs.filter((run) => json(join(run, "spec.json")).kind === kind);
};

// Networks on colour images of 13 × 11 pixels in three classes, and on MNIST. Between them they have every kind of layer, both
// paddings, strides of 1 to 3, and blocks within blocks.
const networks = {
  blocks: ["colours", `
trunk = [
    { layer = "conv2d", filters = 6, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
    { layer = "batch-norm", epsilon = 1e-5, momentum = 0.1 },
    { layer = "relu" },
    { layer = "residual", layers = [
        { layer = "conv2d", filters = 6, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
        { layer = "batch-norm", epsilon = 1e-5, momentum = 0.1 },
        { layer = "relu" },
        { layer = "conv2d", filters = 6, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
        { layer = "batch-norm", epsilon = 1e-5, momentum = 0.1 },
    ] },
    { layer = "relu" },
    { layer = "residual", projection = "he-uniform", layers = [
        { layer = "conv2d", filters = 9, kernel_size = [3, 3], stride = [2, 2], padding = "same", initializer = "he-uniform" },
        { layer = "relu" },
        { layer = "residual", layers = [
            { layer = "conv2d", filters = 9, kernel_size = [2, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
            { layer = "batch-norm", epsilon = 1e-3, momentum = 0.2 },
        ] },
    ] },
    { layer = "relu" },
    { layer = "global-avg-pool" },
    { layer = "residual", projection = "glorot-uniform", layers = [{ layer = "dense", units = 7, initializer = "he-uniform" }, { layer = "relu" }] },
]`],
  activations: ["colours", `
trunk = [
    { layer = "conv2d", filters = 8, kernel_size = [4, 3], stride = [2, 1], padding = "same", initializer = "he-uniform" },
    { layer = "gelu" },
    { layer = "layer-norm", epsilon = 1e-5 },
    { layer = "dropout", rate = 0.2 },
    { layer = "conv2d", filters = 7, kernel_size = [3, 2], stride = [1, 3], padding = "valid", initializer = "he-uniform" },
    { layer = "silu" },
    { layer = "conv2d", filters = 6, kernel_size = [3, 3], stride = [3, 2], padding = "same", initializer = "he-uniform" },
    { layer = "elu", alpha = 0.7 },
    { layer = "flatten" },
    { layer = "dense", units = 12, initializer = "he-uniform" },
    { layer = "batch-norm", epsilon = 1e-3, momentum = 0.1 },
    { layer = "leaky-relu", slope = 0.1 },
    { layer = "dense", units = 11, initializer = "glorot-uniform" },
    { layer = "tanh" },
    { layer = "layer-norm", epsilon = 1e-4 },
    { layer = "dense", units = 10, initializer = "glorot-uniform" },
    { layer = "sigmoid" },
]`],
  all_conv: ["colours", `
trunk = [
    { layer = "conv2d", filters = 8, kernel_size = [3, 3], stride = [1, 1], padding = "valid", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "conv2d", filters = 10, kernel_size = [3, 3], stride = [2, 2], padding = "same", initializer = "he-uniform" },
    { layer = "relu" },
]`, `{ layer = "conv2d", kernel_size = [1, 1], stride = [1, 1], padding = "same", initializer = "glorot-uniform" }, { layer = "global-avg-pool" }`],
  lenet: ["mnist", `
trunk = [
    { layer = "conv2d", filters = 4, kernel_size = [5, 5], stride = [1, 1], padding = "valid", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "avg-pool", pool_size = [2, 2], stride = [2, 2] },
    { layer = "conv2d", filters = 6, kernel_size = [5, 5], stride = [1, 1], padding = "valid", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "max-pool", pool_size = [3, 2], stride = [2, 2] },
    { layer = "flatten" },
    { layer = "dense", units = 20, initializer = "he-uniform" },
    { layer = "relu" },
]`],
};

makeColours();
const cases = [];
for (const [name, [set, trunk, scores = `{ layer = "dense", initializer = "glorot-uniform" }`]] of Object.entries(networks)) {
  writeFileSync(join(folder, `${name}.toml`), `${trunk}\nheads = [{ name = "class", layers = [${scores}] }]\n`);
  inkling("train", `${name}.toml`, "--data", set, "--epochs", set === "mnist" ? "1" : "8", "--validation", "0", "--out", name);
  keep(name, runsOf(name, "train")[0], ["class"]);
}

// Two heads, and one of them alone: a study of task 6.
const smoke = inkling("study", "smoke", "--print-spec");
const shrunk = [["lambdas = [0.0, 0.25, 0.5, 0.75, 1.0]", "lambdas = [0.5]"], ["filters = [8, 8, 16]", "filters = [3, 4, 4]"], ["shared = [64]", "shared = [10]"], ["head = [32, 16]", "head = [8]"]];
const section = smoke.indexOf("[multitask]");
let study = smoke.slice(section);
for (const [from, to] of shrunk) {
  if (!study.includes(from)) throw new Error(`The smoke study no longer has ${from}`);
  study = study.replace(from, to);
}
writeFileSync(join(folder, "heads.toml"), smoke.slice(0, section) + study);
inkling("study", "heads.toml", "--only", "multitask", "--data", data, "--out", "heads");
const two = runsOf("heads", "train").find((run) => json(join(run, "spec.json")).model.heads.length === 2);
keep("two_heads", two, ["item", "group"]);

writeFileSync(join(here, "networks.json"), `${JSON.stringify(cases, null, 2)}\n`);
rmSync(folder, { recursive: true });

/** Keeps the model of a run, and what the program sees inside for two images, for each of these heads. */
function keep(name, run, heads) {
  copyFileSync(join(run, "model.safetensors"), join(here, `${name}.model.safetensors`));
  for (const head of heads) {
    const out = `look-${name}-${head}`;
    inkling("look", "activations", "--head", head, "--index", "3", "--index", "8", "--out", out, ...(name in networks && networks[name][0] === "colours" ? [] : ["--data", data]), run);
    const [look] = runsOf(out, "activations");
    copyFileSync(join(look, "arrays.safetensors"), join(here, `${name}.${head}.safetensors`));
    const { integration_steps: steps } = json(join(look, "spec.json"));
    const { images } = json(join(look, "result.json")).outcome;
    cases.push({ name, head, steps, images: images.map(({ name, target, logit, probability }) => ({ name, target, logit, probability })) });
  }
}

/** A folder of colour images: stripes of three directions in random colours, with noise. */
function makeColours() {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const [height, width] = [13, 11];
  for (const [number, name] of ["across", "down", "slanting"].entries()) {
    mkdirSync(join(folder, "colours", name), { recursive: true });
    for (let image = 0; image < 40; image++) {
      const [dark, light, phase] = [[0, 0, 0].map(() => 140 * random()), [0, 0, 0].map(() => 140 + 110 * random()), 6 * random()];
      const rows = [];
      for (let i = 0; i < height; i++) {
        const row = [0];
        for (let j = 0; j < width; j++) {
          const wave = 0.5 + 0.5 * Math.sin([i, j, (i + j) / 1.4][number] * 1.3 + phase);
          for (let c = 0; c < 3; c++) row.push(Math.round(dark[c] + wave * (light[c] - dark[c]) * (0.8 + 0.2 * random())));
        }
        rows.push(Buffer.from(row));
      }
      writeFileSync(join(folder, "colours", name, `${image}.png`), png(width, height, Buffer.concat(rows)));
    }
  }
}

function png(width, height, rows) {
  const chunk = (kind, content) => {
    const body = Buffer.concat([Buffer.from(kind), content]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // 8 bits for each of red, green and blue.
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}
