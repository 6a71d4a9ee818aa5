// The end of a residual block: y = F(x) + P(x), where F(x) is what the block's layers give and P(x) is x or its projection.

import { ModelError } from "../model_error.js";
import { numbersOf, shapeInWords } from "./shape.js";

export const residualLayer = {
  infer(place, spec, [layers, shortcut]) {
    if (String(layers) !== String(shortcut)) {
      throw new ModelError(`The layers of the block ${place} give ${shapeInWords(layers)}, which cannot be added to ${shapeInWords(shortcut)}.`);
    }
    return { shape: layers, parameters: {} };
  },

  forward(layer, parameters, [layers, shortcut], y) {
    for (let i = 0; i < y.length; i++) y[i] = layers[i] + shortcut[i];
  },

  inputGradient(layer, parameters, xs, y, dy, [dlayers, dshortcut]) {
    for (let i = 0; i < dy.length; i++) {
      dlayers[i] += dy[i];
      dshortcut[i] += dy[i];
    }
  },
};

/**
 * The layer that brings a block's input into the shape of what its layers give: a dense layer for vectors, for images a
 * convolution of single pixels with the smallest stride that gives as many.
 */
export function projectionSpec(place, input, output) {
  if (input.length === 1 && output.length === 1) return { layer: "dense", units: numbersOf(output) };
  const stride = [0, 1].map((side) => {
    for (let step = 1; step <= input[side]; step++) {
      if (Math.ceil(input[side] / step) === output[side]) return step;
    }
    throw new ModelError(`No projection brings the input of the block ${place}, ${shapeInWords(input)}, into the shape ${shapeInWords(output)}.`);
  });
  return { layer: "conv2d", filters: output[2], kernel_size: [1, 1], stride, padding: "same" };
}
