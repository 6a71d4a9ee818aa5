// The functions that the computing side serves, by name. Each gets what all calls share, the call's arguments, and its Job.

import { readModel } from "../runner/model.js";
import { Network } from "../runner/network.js";
import { nearestRows } from "../runner/nearest.js";
import { integratedGradients, scoreGradient } from "../runner/saliency.js";
import { serveDream } from "./serve_dream.js";
import { serveTrainMlp, serveTrainPerceptron } from "./serve_training.js";

/** What all calls share: networks by their id, and arrays that the page sends once, by number. */
export function newShared() {
  return { networks: new Map(), arrays: new Map() };
}

export const served = {
  load: serveLoad,
  forward: serveForward,
  saliency: serveSaliency,
  features: serveFeatures,
  nearest: serveNearest,
  dream: serveDream,
  trainPerceptron: serveTrainPerceptron,
  trainMlp: serveTrainMlp,
};

/** The network of this id, which must have been loaded. */
export function loadedNetwork(shared, id) {
  const network = shared.networks.get(id);
  if (!network) throw new Error(`The network ${id} is not loaded.`);
  return network;
}

function serveLoad(shared, [id, bytes]) {
  shared.networks.set(id, new Network(readModel(bytes)));
}

function serveForward(shared, [id, x, edits, options], job) {
  const { outputs, logits, probabilities } = loadedNetwork(shared, id).forward(x, edits, options);
  job.transfer = [...outputs.values(), ...Object.values(probabilities)].map(({ buffer }) => buffer);
  return { outputs: Object.fromEntries(outputs), logits, probabilities };
}

async function serveSaliency(shared, [id, { method, ...question }], job) {
  const network = loadedNetwork(shared, id);
  if (method === "gradient") return scoreGradient(network, question);
  if (method !== "integrated") throw new Error(`There is no saliency method “${method}”.`);
  const steps = integratedGradients(network, question);
  let { done, value } = steps.next();
  while (!done) {
    if (!(await job.rest())) return null;
    ({ done, value } = steps.next());
  }
  return value;
}

/** The outputs of a layer, after its ReLU, for n images of bytes: [n, outputs]. Reports the share that is done. */
async function serveFeatures(shared, [id, layer, images], job) {
  const network = loadedNetwork(shared, id);
  const until = network.handle(layer).output;
  const size = network.input.reduce((product, side) => product * side, 1);
  if (images.length % size !== 0) throw new Error(`The images are not of the size that the network ${id} takes.`);
  const count = images.length / size;
  const x = new Float32Array(size);
  let features = new Float32Array(0);
  for (let image = 0; image < count; image++) {
    for (let i = 0; i < size; i++) x[i] = images[image * size + i] / 255;
    const y = network.forward(x, null, { until }).outputs.get(until);
    if (image === 0) features = new Float32Array(count * y.length);
    features.set(y, image * y.length);
    if (image % 32 === 31) job.report((image + 1) / count);
    if (!(await job.rest())) return null;
  }
  job.transfer = [features.buffer];
  return features;
}

/** The rows nearest to a query, of an array that this call or an earlier one has sent. */
function serveNearest(shared, [number, sent, query, k]) {
  if (sent) shared.arrays.set(number, sent);
  return nearestRows(shared.arrays.get(number), query, k);
}
