// The served dream: an ascent that reports each step, rests when it has made the steps that were asked for, and goes on when told.

import { Ascent } from "../runner/dream/ascent.js";

/**
 * A dream of the network `id`. `options` are {objective, start, ascent, seed} as `Ascent` has them; it rests after `ascent.steps` steps. The
 * caller tells {steps} for another number of steps in all. Each report, the first before any step, is {step, image, objective, logits,
 * probabilities, diverged, rests}. The call ends when it is stopped, or when the image is no longer finite, with the number of steps.
 */
export async function serveDream(shared, [id, { objective, start, ascent, seed }], job) {
  const network = shared.networks.get(id);
  if (!network) throw new Error(`The network ${id} is not loaded.`);
  const made = new Ascent({ network, objective, ascent, start, seed });
  let limit = ascent.steps;
  const rests = () => made.diverged !== null || made.steps >= limit;
  const report = () => {
    const { steps: step, image, diverged } = made;
    job.report({ step, image: image.slice(), ...made.measure(), diverged, rests: rests() });
  };
  job.onTold = ({ steps }) => {
    limit = steps;
    job.paused = false;
  };
  report();
  while (made.diverged === null) {
    if (rests()) job.paused = true;
    if (!(await job.rest())) break;
    if (rests()) continue;
    made.step();
    report();
  }
  return made.steps;
}
