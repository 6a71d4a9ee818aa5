// Which pixels a class's score depends on: the gradient of the score (Simonyan, Vedaldi and Zisserman 2014) and integrated
// gradients (Sundararajan, Taly and Yan 2017).

import { ModelError } from "./model_error.js";

/** The gradient of the score of class `target` of a head with respect to the image x. `edits` are those of Network.forward. */
export function scoreGradient(network, { head, target, x, edits = null }) {
  const scores = scoresLayer(network, head, target);
  const pass = network.forward(x, edits, { until: scores.name });
  const dy = new Float32Array(scores.shape[0]);
  dy[target] = 1;
  return network.inputGradient(pass, scores.name, dy);
}

/**
 * Integrated gradients with a black image as the baseline: x times the mean of the gradients on the straight path from black to
 * x, at the midpoints of `steps` equal parts. Their sum is the difference of the scores at the path's ends, apart from the error
 * of the numerical integral.
 *
 * A generator, because it takes as long as `steps` gradients: it yields the number of steps so far, and returns the result.
 */
export function* integratedGradients(network, { head, target, x, steps = 64, edits = null }) {
  const sums = new Float64Array(x.length);
  for (let step = 0; step < steps; step++) {
    const share = Math.fround((step + 0.5) / steps);
    const gradient = scoreGradient(network, { head, target, x: x.map((value) => share * value), edits });
    for (let i = 0; i < sums.length; i++) sums[i] += gradient[i];
    yield step + 1;
  }
  return x.map((value, i) => (sums[i] / steps) * value);
}

/** The layer that gives the scores of a head. */
function scoresLayer(network, head, target) {
  const found = network.heads.find(({ name }) => name === head);
  if (!found) throw new ModelError(`The network has no head “${head}”.`);
  if (!(Number.isInteger(target) && target >= 0 && target < found.classes.length)) {
    throw new ModelError(`The head “${head}” has ${found.classes.length} classes, and none of the number ${target}.`);
  }
  return network.layer(found.scores);
}
