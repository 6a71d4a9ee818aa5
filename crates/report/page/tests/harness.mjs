// A test page from a study's folder: node harness.mjs OUT page.html [--half] [--no-worker] [--only TASK,…] [--bare] [--npz FILE]
//
// It writes the laboratory as the program does: index, blobs, bundle, style and policy. `--half` adds networks of up to two million
// parameters in half precision, `--no-worker` forbids workers, `--only` takes networks of these tasks, `--bare` takes the first
// network alone, without perceptrons and components. `--npz` is where `inkling data import` wrote a set that the repository lacks.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { LABORATORY, bundle } from "./bundle.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const data = join(here, "../../../../data");
const shown = join(here, "../../src/document/page");
const [FULL, HALF] = [300_000, 2_000_000];
const [TEST, TRAIN] = [300, 500];

const json = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Header, metadata and tensors of a safetensors file. */
export function safetensors(path) {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...header } = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(header)) {
    const own = new Uint8Array(bytes.subarray(8 + length + start, 8 + length + end)).buffer;
    const made = { F32: Float32Array, F64: Float64Array, U8: Uint8Array, U32: Uint32Array }[dtype];
    tensors[name] = { dtype, shape, data: new made(own) };
  }
  return { metadata, tensors, bytes };
}

const scratch = new DataView(new ArrayBuffer(4));
/** A number as the 16 bits of half precision, rounded to even. */
export function halfBits(value) {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const [sign, exponent, fraction] = [(bits >>> 16) & 0x8000, (bits >>> 23) & 0xff, bits & 0x7fffff];
  const power = exponent - 112;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  if (power >= 31) return sign | 0x7c00;
  const whole = power > 0 ? (power << 23) | fraction : (fraction | 0x800000) >>> (1 - power);
  if (power < -10) return sign;
  const lost = power > 0 ? 0 : ((fraction | 0x800000) & ((1 << (1 - power)) - 1)) !== 0;
  const rest = whole & 0x1fff;
  const up = rest > 0x1000 || (rest === 0x1000 && (lost || (whole >>> 13) & 1));
  return sign | ((whole >>> 13) + (up ? 1 : 0));
}

/** The same file with its weights in half precision. */
function inHalf({ metadata, tensors }) {
  const header = { __metadata__: metadata };
  const parts = [];
  let at = 0;
  for (const name of Object.keys(tensors).sort()) {
    const { shape, data } = tensors[name];
    const half = Uint16Array.from(data, halfBits);
    header[name] = { dtype: "F16", shape, data_offsets: [at, at + 2 * half.length] };
    at += 2 * half.length;
    parts.push(Buffer.from(half.buffer));
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}

const idx = (name, part, kind) => gunzipSync(readFileSync(join(data, name, `${part}-${kind}-ubyte.gz`)));

/** The arrays of bytes in an npz file, by name. */
function npz(path) {
  const bytes = readFileSync(path);
  const arrays = {};
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06"));
  let at = bytes.readUInt32LE(end + 16);
  for (let i = bytes.readUInt16LE(end + 10); i > 0; i -= 1) {
    const [method, size, name, extra, comment] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(start, start + size);
    const array = method === 8 ? inflateRawSync(packed) : packed;
    const title = bytes.toString("utf8", at + 46, at + 46 + name).replace(".npy", "");
    const header = array.toString("latin1", 10, 10 + array.readUInt16LE(8));
    const width = { "|u1": 1, "<i8": 8, "<u4": 4, "<i4": 4 }[/'descr': '([^']+)'/.exec(header)?.[1]];
    const data = array.subarray(10 + array.readUInt16LE(8));
    if (width) arrays[title] = Buffer.from(data.filter((_, k) => k % width === 0));
    at += 46 + name + extra + comment;
  }
  return arrays;
}

/** The first images of a set, with labels: of the repository, or of an npz file. */
export function images(name, part, count, each, file) {
  if (file) {
    const arrays = npz(file);
    const kind = part === "train" ? "train" : "test";
    return { pixels: arrays[`x_${kind}`].subarray(0, each * count), labels: [...arrays[`y_${kind}`].subarray(0, count)] };
  }
  const pixels = idx(name, part, "images-idx3").subarray(16, 16 + 784 * count);
  return { pixels: Buffer.from(pixels), labels: [...idx(name, part, "labels-idx1").subarray(8, 8 + count)] };
}

/** The index of a study, and the bytes of its blobs by key. */
export function laboratory(out, { half = false, only = null, bare = false, file = null } = {}) {
  const study = json(join(out, "study.json"));
  const blobs = new Map();
  const blob = (key, bytes, gzip) => {
    blobs.set(key, gzip ? gzipSync(bytes, { level: 9 }) : Buffer.from(bytes));
    return { key, gzip };
  };
  const networks = [];
  const leftOut = [];
  const names = { mlp: "MLP", cnn: "CNN", multitask: "Task 6:", inside: "CNN, 3 conv," };
  for (const { id, task, title, spec } of study.runs) {
    const folder = join(out, "runs", id);
    if (spec.kind !== "train" || !existsSync(join(folder, "model.safetensors")) || !existsSync(join(folder, "result.json"))) continue;
    if (only && !only.includes(task)) continue;
    if (bare && networks.length > 0) continue;
    const { outcome } = json(join(folder, "result.json"));
    const named = `${names[task] ?? ""} ${title}`.trim().replace("MLP ", "MLP, ").replace("CNN ", "CNN, ");
    const kind = task === "inside" ? "cnn" : task;
    if (outcome.parameters > (half ? HALF : FULL)) {
      const why = `It has ${outcome.parameters.toLocaleString("en")} parameters; at most ${(half ? HALF : FULL).toLocaleString("en")} go into the page.`;
      leftOut.push({ title: named, parameters: outcome.parameters, why });
      continue;
    }
    const file = safetensors(join(folder, "model.safetensors"));
    const arrays = safetensors(join(folder, "arrays.safetensors")).tensors;
    const card = JSON.parse(file.metadata.card);
    const precise = outcome.parameters <= FULL;
    const number = networks.length;
    networks.push({
      id,
      title: named,
      task: kind,
      set: spec.data.set,
      parameters: outcome.parameters,
      heads: card.heads.map(({ name, classes, test }, head) => {
        const groups = spec.labels?.[head]?.groups ?? null;
        return { name, classes, labels: groups, right: test.correct, of: test.images };
      }),
      precision: precise ? "f32" : "f16",
      changed: precise ? null : { images: 0, of: spec.data.test_images },
      model: blob(`model-${number}`, precise ? file.bytes : inHalf(file), false),
      predictions: card.heads.map(({ name }) => {
        const found = arrays[`test_predictions/${name}`] ?? arrays.test_predictions;
        return [...found.data.subarray(0, TEST)];
      }),
      card,
    });
  }
  const sets = [...new Set(networks.map(({ set }) => set))].map((name, number) => {
    const { card } = networks.find(({ set }) => set === name);
    const shape = [...card.preparation.size, card.preparation.channels];
    const each = shape[0] * shape[1] * shape[2];
    const [test, train] = [images(name, "t10k", TEST, each, file), images(name, "train", TRAIN, each, file)];
    const part = (of, key) => ({
      images: blob(`images-${2 * number + key}`, of.pixels, true),
      labels: of.labels,
      numbers: of.labels.map((_, i) => i),
    });
    return {
      name,
      title: card.data.title,
      shape,
      classes: study.data[name].classes,
      digits: name === "mnist",
      brightness: card.preparation.brightness,
      test: part(test, 0),
      train: part(train, 1),
    };
  });
  for (const network of networks) delete network.card;

  const pairs = bare ? [] : study.runs.filter(({ spec }) => spec.kind === "perceptron");
  const weights = pairs.flatMap(({ id }) => {
    const { w, b } = safetensors(join(out, "runs", id, "model.safetensors")).tensors;
    return [...w.data, ...b.data];
  });
  const pca = bare ? undefined : study.runs.find(({ spec }) => spec.kind === "pca");
  const planes = pca && safetensors(join(out, "runs", pca.id, "model.safetensors")).tensors;
  const floats = (key, numbers) => blob(key, new Uint8Array(Float32Array.from(numbers).buffer), false);
  const index = {
    sets,
    networks,
    left_out: leftOut,
    perceptrons: pairs.length
      ? { set: pairs[0].spec.data.set, pairs: pairs.map(({ spec }) => [spec.a, spec.b]), weights: floats("perceptrons", weights) }
      : null,
    pca: planes
      ? {
          set: pca.spec.data.set,
          mean: floats("pca-mean", planes.mean.data),
          components: floats("pca-components", planes.components.data.subarray(0, 1568)),
        }
      : null,
    ascent: study.study?.inside?.dream ?? null,
    teach: {},
  };
  return { index, blobs };
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** A page that contains the laboratory between two paragraphs of a report, with the report's own style and program. */
export function pageOf({ index, blobs }, { worker = true } = {}) {
  const own = readdirSync(LABORATORY).filter((name) => name.endsWith(".css")).sort();
  const paths = [join(shown, "page.css"), ...own.map((name) => join(LABORATORY, name))];
  const styles = paths.map((path) => readFileSync(path, "utf8"));
  const scripts = [readFileSync(join(shown, "page.js"), "utf8"), bundle()];
  const policy =
    `default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; font-src data:; script-src ${scripts.map(hash).join(" ")}; ` +
    `style-src ${styles.map(hash).join(" ")}; worker-src ${worker ? "blob:" : "'none'"}`;
  const held = [...blobs].map(
    ([key, bytes]) => `<script type="application/octet-stream" id="laboratory-${key}">${bytes.toString("base64")}</script>`,
  );
  const paragraph =
    "<p>The networks of this study were trained on images of handwritten digits. A paragraph stands here so that the laboratory is seen " +
    "as it will be in the report: under a heading, after text of the usual width, and before more of it.</p>";
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>The laboratory</title>
${styles.map((text) => `<style>${text}</style>`).join("\n")}</head><body><a href="#report" class="skip">To the report</a>
<nav id="contents" aria-label="Contents"><ol><li><a href="#before">Before</a></li><li><a href="#lab">The laboratory</a></li><li><a href="#after">After</a></li></ol></nav>
<main id="report"><h1>A page to try the laboratory</h1><h2 id="before">Before</h2>${paragraph}
<section id="lab"><h2>The laboratory</h2><p>Draw, and the networks of this report answer while the pen moves; everything runs in this page.</p></section>
<h2 id="after">After</h2>${paragraph}</main>
<script type="application/json" id="laboratory">${JSON.stringify(index).replaceAll("<", "\\u003c")}</script>
${held.join("\n")}
<script>${scripts[0]}</script>
<script id="laboratory-program">${scripts[1]}</script></body></html>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out, page, ...flags] = process.argv.slice(2);
  const only = flags.includes("--only") ? flags[flags.indexOf("--only") + 1].split(",") : null;
  const file = flags.includes("--npz") ? flags[flags.indexOf("--npz") + 1] : null;
  const held = laboratory(out, { half: flags.includes("--half"), only, bare: flags.includes("--bare"), file });
  const text = pageOf(held, { worker: !flags.includes("--no-worker") });
  writeFileSync(page, text);
  const told = held.index.networks.map(({ title, parameters }) => `${title} (${parameters.toLocaleString("en")})`);
  console.log(`${page}: ${(text.length / 1e6).toFixed(1)} MB, ${told.length} networks: ${told.join("; ")}`);
}
