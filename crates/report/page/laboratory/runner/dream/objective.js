// What a dream raises: functions of a layer's output, with their gradients.

import { numbersOf } from "../layers/shape.js";
import { ModelError } from "../model_error.js";

/**
 * An objective of a study as a function of one layer's output:
 * {handle, value(y), gradient(y, dy), readsClass}, where `handle` is the layer's (see Network), y its output for one image,
 * and `readsClass` the class whose score or probability it is, or null. Kinds: "class-logit" and "class-probability" with a head and
 * a class, "neuron" with a layer and a position, "channel" with a layer and a channel, "layer-mean-square" with a layer.
 */
export function resolveObjective(objective, network) {
  switch (objective.kind) {
    case "class-logit":
    case "class-probability": {
      const handle = network.handles.find(({ scoresOf }) => scoresOf === objective.head);
      if (!handle) throw new ModelError(`The network has no head “${objective.head}”.`);
      const number = unitWithin(objective.class, numbersOf(handle.shape), `The head “${objective.head}” has no class ${objective.class}.`);
      const functions = objective.kind === "class-logit" ? numberObjective(number) : logProbabilityObjective(number);
      return { handle, readsClass: number, ...functions };
    }
    case "neuron": {
      const handle = network.handle(objective.layer);
      const { shape } = handle;
      const place = objective.position;
      const sentence = `The layer “${handle.name}” has no number at [${place.join(", ")}].`;
      if (place.length !== shape.length) throw new ModelError(sentence);
      const number = place.reduce((number, at, axis) => number * shape[axis] + unitWithin(at, shape[axis], sentence), 0);
      return { handle, readsClass: null, ...numberObjective(number) };
    }
    case "channel": {
      const handle = network.handle(objective.layer);
      const channels = handle.shape.at(-1);
      const channel = unitWithin(objective.channel, channels, `The layer “${handle.name}” has no channel ${objective.channel}.`);
      return { handle, readsClass: null, ...channelObjective(channel, channels) };
    }
    case "layer-mean-square":
      return { handle: network.handle(objective.layer), readsClass: null, ...meanSquareObjective() };
    default:
      throw new ModelError(`There is no objective “${objective.kind}” in the page.`);
  }
}

function unitWithin(number, count, sentence) {
  if (!(Number.isInteger(number) && number >= 0 && number < count)) throw new ModelError(sentence);
  return number;
}

/** One number of the output. */
export function numberObjective(number) {
  return {
    value: (y) => y[number],
    gradient: (y, dy) => {
      dy.fill(0);
      dy[number] = 1;
    },
  };
}

/** ln of the softmax probability of a class. */
export function logProbabilityObjective(number) {
  return {
    value: (y) => logProbability(y, number),
    gradient: (y, dy) => {
      let others = 0;
      for (let j = 0; j < y.length; j++) {
        dy[j] = -Math.exp(logProbability(y, j));
        if (j !== number) others += dy[j];
      }
      // 1 − p without cancellation: the probability of the others.
      dy[number] = -others;
    },
  };
}

/** The mean of a channel. */
export function channelObjective(channel, channels) {
  return {
    value: (y) => {
      let sum = 0;
      for (let i = channel; i < y.length; i += channels) sum += y[i];
      return (sum * channels) / y.length;
    },
    gradient: (y, dy) => {
      dy.fill(0);
      for (let i = channel; i < y.length; i += channels) dy[i] = channels / y.length;
    },
  };
}

/** The mean square of all numbers. */
export function meanSquareObjective() {
  return {
    value: (y) => y.reduce((sum, y) => sum + y * y, 0) / y.length,
    gradient: (y, dy) => {
      for (let i = 0; i < y.length; i++) dy[i] = (2 / y.length) * y[i];
    },
  };
}

/** The natural logarithm of the softmax probability of a class, with the largest logit subtracted first. */
export function logProbability(logits, number) {
  const largest = logits.reduce((largest, z) => Math.max(largest, z), -Infinity);
  const sum = logits.reduce((sum, z) => sum + Math.exp(z - largest), 0);
  return logits[number] - largest - Math.log(sum);
}
