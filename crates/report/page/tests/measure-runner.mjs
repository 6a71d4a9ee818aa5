// Compares the page's runner with the engine on all test images of every network in the folder of a study or a training, and says
// how long an image takes: node measure-runner.mjs OUT DATA (the folder that holds mnist and fashion-mnist).
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readModel } from "../laboratory/runner/model.js";
import { Network, softmax } from "../laboratory/runner/network.js";
import { readTensors } from "./support/safetensors.js";

/** Scores nearer to each other than this may be ordered either way. */
const TIE = 1e-4;

const [out, data] = process.argv.slice(2);
for (const id of readdirSync(join(out, "runs"))) {
  const run = join(out, "runs", id);
  if (!existsSync(join(run, "model.safetensors")) || JSON.parse(readFileSync(join(run, "spec.json"), "utf8")).kind !== "train") continue;
  const model = readModel(new Uint8Array(readFileSync(join(run, "model.safetensors"))));
  const images = testImages(model.card.data.name);
  if (images) compare(id, new Network(model), images, readTensors(join(run, "arrays.safetensors")));
}

function testImages(set) {
  const path = join(data, set, "t10k-images-idx3-ubyte.gz");
  return existsSync(path) ? gunzipSync(readFileSync(path)).subarray(16) : null;
}

function compare(id, network, images, arrays) {
  const size = network.input.reduce((a, b) => a * b, 1);
  const times = [];
  let [wrong, ties, logit, probability] = [0, 0, 0, 0];
  const [{ shape: [count] }] = network.heads.map(({ name }) => logitsOf(arrays, name));
  for (let image = 0; image < count; image++) {
    const x = Float32Array.from(images.subarray(image * size, (image + 1) * size), (byte) => byte / 255);
    const start = performance.now();
    const pass = network.forward(x);
    times.push(performance.now() - start);
    for (const { name, classes } of network.heads) {
      const expected = logitsOf(arrays, name).data.subarray(image * classes.length, (image + 1) * classes.length);
      logit = Math.max(logit, largestDifference(pass.logits[name], expected));
      probability = Math.max(probability, largestDifference(pass.probabilities[name], softmax(expected)));
      if (indexOfLargest(pass.logits[name]) === indexOfLargest(expected)) continue;
      const [first, second] = expected.slice().sort((a, b) => b - a);
      if (first - second < TIE) ties += 1;
      else wrong += 1;
    }
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  console.log(`${id} ${network.heads.map(({ name }) => name).join(" + ")}: ${count} images, ${wrong} of another class, ${ties} ties, logits within ${logit.toExponential(1)}, probabilities within ${probability.toExponential(1)}, ${median.toFixed(2)} ms an image`);
}

/** The logits of the first head have no name in the file, those of others do. */
function logitsOf(arrays, head) {
  return arrays.get(`test_logits/${head}`) ?? arrays.get("test_logits");
}

function largestDifference(found, expected) {
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
}

function indexOfLargest(numbers) {
  return numbers.reduce((best, value, i) => (value > numbers[best] ? i : best), 0);
}
