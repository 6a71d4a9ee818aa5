// Feature visualisation by gradient ascent (Mordvintsev, Olah and Tyka 2015; Olah, Mordvintsev and Schubert 2017).

import { createOptimizer } from "../optimizer.js";
import { seededStream } from "../random.js";
import { resolveObjective } from "./objective.js";
import { ImageBasis } from "./parametrisation.js";
import { subtractPenaltyGradient } from "./regularisers.js";
import { parametersOfStart } from "./start.js";
import { applyTransform, backwardTransform, sampleTransform } from "./transforms.js";

/**
 * An image that raises a function of one layer's output. `ascent` is a table of a study: learning_rate, optimizer, parametrisation,
 * transforms, regularisers; its number of steps is left to the caller. `start` is as `parametersOfStart` has it. The random numbers
 * come from `seed`, or from `streams`: {start, transforms}.
 */
export class Ascent {
  constructor({ network, objective, ascent, start, seed = 1, streams = null }) {
    this.network = network;
    this.ascent = ascent;
    this.size = network.input;
    this.objective = resolveObjective(objective, network);
    this.basis = new ImageBasis(ascent.parametrisation, this.size);
    const drawn = streams ?? { start: seededStream(seed, "dream/start"), transforms: seededStream(seed, "dream/transforms") };
    this.stream = drawn.transforms;
    this.parameters = parametersOfStart(this.basis, start, drawn.start);
    this.optimizer = createOptimizer(ascent.optimizer, this.basis.count);
    this.steps = 0;
    /** The step at which the image stopped being finite, if it did; it does not change from then on. */
    this.diverged = null;
    /** The image without transforms, [height, width, channels], from 0 to 1. */
    this.image = new Float32Array(this.basis.count);
    this.basis.image(this.parameters, this.image);
    this.input = new Float32Array(this.basis.count);
    this.scratch = new Float32Array(this.basis.count);
  }

  /**
   * One step. The gradient is taken with respect to the layer's response before its ReLU, because a neuron that is silent at the start
   * has no gradient otherwise. An image that would not be finite after it stays as it is.
   */
  step() {
    if (this.diverged !== null) return;
    this.steps += 1;
    const { network, ascent, size, objective, basis, input, scratch, image } = this;
    const sampled = ascent.transforms.map((transform) => sampleTransform(transform, size, this.stream));
    input.set(image);
    for (const transform of sampled) {
      scratch.set(input);
      applyTransform(transform, size, scratch, input);
    }
    const { name, output } = objective.handle;
    const pass = network.forward(input, {}, { until: output });
    const y = pass.outputs.get(output);
    const dy = new Float32Array(y.length);
    objective.gradient(y, dy);
    const gradient = network.inputGradient(pass, name, dy, { beforeRelu: true });
    for (const transform of sampled.reverse()) {
      scratch.set(gradient);
      backwardTransform(transform, size, scratch, gradient);
    }
    for (const regulariser of ascent.regularisers) subtractPenaltyGradient(regulariser, size, image, gradient);
    // Descending along the negative gradient is ascending.
    for (let i = 0; i < gradient.length; i++) gradient[i] = -gradient[i];
    basis.backward(image, gradient, scratch);
    this.optimizer.step(this.parameters, scratch, ascent.learning_rate);
    // The image before the step is the last one that may be finite.
    scratch.set(image);
    basis.image(this.parameters, image);
    if (!(Number.isFinite(objective.value(y)) && this.parameters.every(Number.isFinite) && image.every(Number.isFinite))) {
      image.set(scratch);
      this.diverged = this.steps;
    }
  }

  /** What the network makes of the image without transforms: {objective, logits, probabilities}, the last two by head. */
  measure() {
    const { outputs, logits, probabilities } = this.network.forward(this.image);
    return { objective: this.objective.value(outputs.get(this.objective.handle.output)), logits, probabilities };
  }
}
