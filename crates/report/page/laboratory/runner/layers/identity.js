// Layers that change no number: flattening, an image as a vector with its channels fastest, and dropout, which drops in training alone.

import { expectImage, numbersOf } from "./shape.js";

export const flattenLayer = {
  infer(place, spec, [input]) {
    expectImage(place, input);
    return { shape: [numbersOf(input)], parameters: {} };
  },
  forward: copyNumbers,
  inputGradient: passGradient,
};

export const dropoutLayer = {
  infer: (place, spec, [input]) => ({ shape: input, parameters: {} }),
  forward: copyNumbers,
  inputGradient: passGradient,
};

function copyNumbers(layer, parameters, [x], y) {
  y.set(x);
}

function passGradient(layer, parameters, xs, y, dy, [dx]) {
  for (let i = 0; i < dy.length; i++) dx[i] += dy[i];
}
