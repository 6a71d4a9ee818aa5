// Compares the networks in a report's page with what the engine said of the same test images: node compare-page.mjs OUT DATA, with the folder of
// a study or a training, and the one that holds mnist and fashion-mnist. It fails where a class or a probability differs beyond the bars.
//
// A network in half precision gives other classes to as many images as the page says; its probabilities are told alone.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { readModel } from "../laboratory/runner/model.js";
import { Network, softmax } from "../laboratory/runner/network.js";
import { heldBy } from "./support/page.js";
import { readTensors } from "./support/safetensors.js";

/** Scores nearer to each other than the first may be ordered either way; probabilities of full precision differ by the second at most. */
const TIE = 1e-4;
const MOST_APART = 1e-5;

const [out, data] = process.argv.slice(2);
const held = heldBy(join(out, "report.html"));
let failed = held.networks.length === 0;
for (const entry of held.networks) {
  const network = new Network(readModel(await held.bytes(entry.model)));
  const arrays = readTensors(join(out, "runs", entry.id, "arrays.safetensors"));
  const found = compared(entry, network, await testImages(entry.set), arrays);
  const { images, other, ties, apart } = found;
  const isHalf = entry.precision === "f16";
  const bad = isHalf ? Math.abs(other + ties - entry.changed.images) > ties : other > 0 || apart > MOST_APART;
  failed ||= bad || images === 0;
  const stated = isHalf ? ` (half precision; the page says ${entry.changed.images})` : "";
  console.log(`${bad ? "WRONG " : ""}${entry.title}: ${images} images, ${other} of another class${stated}, ${ties} ties, probabilities within ${apart.toExponential(1)}`);
}
process.exitCode = failed ? 1 : 0;

/** All test images of a set, {row, pixels} each: those of the file as far as the study used them, or those that the page holds. */
async function testImages(name) {
  const { shape } = held.set(name);
  const each = shape.reduce((a, b) => a * b, 1);
  const path = join(data, name, "t10k-images-idx3-ubyte.gz");
  if (existsSync(path)) {
    const bytes = gunzipSync(readFileSync(path)).subarray(16);
    return Array.from({ length: bytes.length / each }, (_, row) => ({ row, pixels: bytes.subarray(row * each, (row + 1) * each) }));
  }
  const { pixels, numbers, count } = await held.images(name, "test");
  return numbers.slice(0, count).map((row, i) => ({ row, pixels: pixels.subarray(i * each, (i + 1) * each) }));
}

function compared({ heads }, network, images, arrays) {
  const found = { images: 0, other: 0, ties: 0, apart: 0 };
  const logits = heads.map(({ name }) => arrays.get(`test_logits/${name}`) ?? arrays.get("test_logits"));
  for (const { row, pixels } of images) {
    if (row >= logits[0].shape[0]) continue;
    found.images += 1;
    const pass = network.forward(Float32Array.from(pixels, (byte) => byte / 255));
    let [isOther, isTie] = [false, false];
    heads.forEach(({ name, classes }, i) => {
      const expected = logits[i].data.subarray(row * classes.length, (row + 1) * classes.length);
      const probabilities = softmax(expected);
      found.apart = Math.max(found.apart, ...probabilities.map((value, c) => Math.abs(value - pass.probabilities[name][c])));
      if (best(pass.logits[name]) === best(expected)) return;
      const [first, second] = expected.slice().sort((a, b) => b - a);
      if (first - second < TIE) isTie = true;
      else isOther = true;
    });
    if (isOther) found.other += 1;
    else if (isTie) found.ties += 1;
  }
  return found;
}

function best(numbers) {
  return numbers.indexOf(Math.max(...numbers));
}
