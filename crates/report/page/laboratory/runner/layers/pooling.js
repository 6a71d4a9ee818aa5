// Pooling, channel by channel: the largest number of each window, the mean of each window, the mean of the whole image.

import { expectImage, featuresOf } from "./shape.js";
import { slideWindows } from "./windows.js";

export const maxPoolLayer = {
  infer: inferPooling,

  forward(layer, parameters, [x], y) {
    eachWindow(layer, (at, first) => {
      y[at] = x[placeOfLargest(layer, x, first)];
    });
  },

  /** The gradient goes to the largest number alone. */
  inputGradient(layer, parameters, [x], y, dy, [dx]) {
    eachWindow(layer, (at, first) => {
      dx[placeOfLargest(layer, x, first)] += dy[at];
    });
  },
};

export const avgPoolLayer = {
  infer: inferPooling,

  forward(layer, parameters, [x], y) {
    const offsets = layer.offsets;
    eachWindow(layer, (at, first) => {
      let sum = 0;
      for (const offset of offsets) sum += x[first + offset];
      y[at] = sum / offsets.length;
    });
  },

  inputGradient(layer, parameters, [x], y, dy, [dx]) {
    const offsets = layer.offsets;
    eachWindow(layer, (at, first) => {
      const share = dy[at] / offsets.length;
      for (const offset of offsets) dx[first + offset] += share;
    });
  },
};

export const globalAvgPoolLayer = {
  infer(place, spec, [input]) {
    expectImage(place, input);
    return { shape: [featuresOf(input)], parameters: {} };
  },

  forward(layer, parameters, [x], y) {
    const channels = y.length;
    const pixels = x.length / channels;
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let at = c; at < x.length; at += channels) sum += x[at];
      y[c] = sum / pixels;
    }
  },

  inputGradient(layer, parameters, [x], y, dy, [dx]) {
    const channels = y.length;
    const pixels = x.length / channels;
    for (let at = 0; at < x.length; at++) dx[at] += dy[at % channels] / pixels;
  },
};

/** Windows stay inside the image. `offsets` are the places of a window's numbers of one channel, counted from its first. */
function inferPooling(place, spec, [input]) {
  const windows = slideWindows(place, input, { kernel: spec.pool_size, stride: spec.stride, padding: "valid" });
  const [, width, channels] = input;
  const offsets = [];
  for (let u = 0; u < windows.kernel[0]; u++) {
    for (let v = 0; v < windows.kernel[1]; v++) offsets.push((u * width + v) * channels);
  }
  return { shape: [...windows.output, channels], windows, offsets, parameters: {} };
}

/** Calls `visit` for each number of the output with its place, and the place of the first number of its window. */
function eachWindow({ windows, input, shape }, visit) {
  const [, width, channels] = input;
  let at = 0;
  for (let i = 0; i < shape[0]; i++) {
    for (let j = 0; j < shape[1]; j++) {
      const corner = (i * windows.stride[0] * width + j * windows.stride[1]) * channels;
      for (let c = 0; c < channels; c++) visit(at++, corner + c);
    }
  }
}

/** The place of the largest number of a window; of equal ones the first, as in the engine. NaN counts as larger, so that it is seen. */
function placeOfLargest({ offsets }, x, first) {
  let place = first;
  for (const offset of offsets) {
    const value = x[first + offset];
    if (value > x[place] || Number.isNaN(value)) place = first + offset;
  }
  return place;
}
