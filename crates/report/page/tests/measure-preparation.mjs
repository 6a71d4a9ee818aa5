// How many test digits are read as before when they come back from large drawings: node measure-preparation.mjs PAGE|MODEL… [COUNT]
//
// Of a page, all networks of a set of digits are measured.
//
// Each digit of MNIST is scaled up ten times, thickened, moved, and drawn dark on light; the preparation has to bring it back.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { invertedPicture, placedPicture, resizedPicture } from "../laboratory/pixels.js";
import { prepared, usualSteps } from "../laboratory/prepare.js";
import { readModel } from "../laboratory/runner/model.js";
import { Network } from "../laboratory/runner/network.js";
import { heldBy } from "./support/page.js";

const mnist = { title: "MNIST", shape: [28, 28, 1], digits: true, brightness: [0.0002, 0.131] };

/** The largest value within a radius, which makes strokes thicker. */
export function thickened(picture, radius) {
  const { height, width, pixels } = picture;
  const made = new Uint8Array(pixels);
  const reach = [];
  for (let y = -radius; y <= radius; y += 1) for (let x = -radius; x <= radius; x += 1) if (x * x + y * y <= radius * radius) reach.push([y, x]);
  for (let y = radius; y < height - radius; y += 1) {
    for (let x = radius; x < width - radius; x += 1) {
      let most = 0;
      for (const [dy, dx] of reach) most = Math.max(most, pixels[(y + dy) * width + x + dx]);
      made[y * width + x] = most;
    }
  }
  return { ...picture, pixels: made };
}

/** A digit as a person would draw it: large, somewhere on the paper, with a thicker pen. */
export function enlarged(pixels, i, radius = 4) {
  const large = resizedPicture({ height: 28, width: 28, channels: 1, pixels }, 280, 280);
  const [left, top] = [(i * 37) % 121, (i * 53) % 121];
  return placedPicture(thickened(large, radius), 400, 400, left, top);
}

/** The share of the first test digits whose class is that of the digit itself, for a network and each thickness. */
export function measured(model, pixels, count, radius) {
  const network = new Network(model);
  const head = network.heads[0].name;
  const best = (bytes) => {
    const { [head]: logits } = network.forward(Float32Array.from(bytes, (value) => value / 255)).logits;
    return logits.indexOf(Math.max(...logits));
  };
  let same = 0;
  for (let i = 0; i < count; i += 1) {
    const digit = pixels.subarray(784 * i, 784 * (i + 1));
    const { image } = prepared(invertedPicture(enlarged(digit, i, radius)), mnist, usualSteps(mnist));
    same += best(digit) === best(image.pixels);
  }
  return same / count;
}

/** The networks of a page's set of digits, or that of a model file: [title, model] each. */
async function modelsOf(path) {
  if (!path.endsWith(".html")) return [[path, readModel(new Uint8Array(readFileSync(path)))]];
  const held = heldBy(path);
  const own = held.networks.filter(({ set }) => held.set(set).digits);
  return Promise.all(own.map(async ({ title, model }) => [title, readModel(await held.bytes(model))]));
}

if (process.argv[1].endsWith("measure-preparation.mjs")) {
  const file = new URL("../../../../data/mnist/t10k-images-idx3-ubyte.gz", import.meta.url);
  const pixels = new Uint8Array(gunzipSync(readFileSync(file)).subarray(16));
  const paths = process.argv.slice(2).filter((argument) => !/^\d+$/.test(argument));
  const count = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 1000);
  const models = (await Promise.all(paths.map(modelsOf))).flat();
  for (const [title, model] of models) {
    const shares = [0, 3, 5].map((radius) => `${(100 * measured(model, pixels, count, radius)).toFixed(1)} % thickened by ${radius}`);
    console.log(`${title}: ${shares.join(", ")} of 280 pixels`);
  }
}
