// Convolution: y[i, j, f] = b[f] + Σ over u, v and c of x[s·i + u, s·j + v, c] · w[u, v, c, f], where x is zero outside the image.

import { addRows, rowMemory, transpose } from "./rows.js";
import { expectCount, featuresOf } from "./shape.js";
import { slideWindows, windowOnImage } from "./windows.js";

export const conv2dLayer = {
  infer(place, spec, [input]) {
    const filters = expectCount(place, "filters", spec.filters);
    const windows = slideWindows(place, input, { kernel: spec.kernel_size, stride: spec.stride, padding: spec.padding });
    const parameters = { weight: [...windows.kernel, featuresOf(input), filters], bias: [filters] };
    return { shape: [...windows.output, filters], windows, parameters };
  },

  /**
   * For each output pixel: the numbers of its window that are not zero are collected with their rows of w as a matrix
   * [kernel height · kernel width · channels, filters]; the sum of these rows is the pixel.
   */
  forward(layer, { weight, bias }, [x], y) {
    const { windows, memory, channels, filters, width } = conv2dSizes(layer);
    const { factors, starts, sums } = memory;
    for (let pixel = 0; pixel * filters < y.length; pixel++) {
      const [top, left, [firstRow, endRow], [firstColumn, endColumn]] = windowOf(windows, pixel);
      let count = 0;
      for (let u = firstRow; u < endRow; u++) {
        let at = ((top + u) * width + left + firstColumn) * channels;
        const end = ((top + u) * width + left + endColumn) * channels;
        let start = (u * windows.kernel[1] + firstColumn) * channels * filters;
        for (; at < end; at++, start += filters) {
          const value = x[at];
          if (value !== 0) {
            factors[count] = value;
            starts[count++] = start;
          }
        }
      }
      sums.set(bias);
      addRows(sums, filters, factors, starts, count, weight);
      y.set(sums, pixel * filters);
    }
  },

  /** The same backward: the gradient of each window is a sum of rows of the transposed matrix, [filters, …], and is added to dx in its place. */
  inputGradient(layer, parameters, [x], y, dy, [dx]) {
    const { windows, channels, filters, width } = conv2dSizes(layer);
    const taps = windows.kernel[0] * windows.kernel[1] * channels;
    const matrix = parameters.transposed ??= transpose(parameters.weight, taps, filters);
    const { factors, starts, sums } = layer.gradientMemory ??= rowMemory(filters, taps);
    for (let pixel = 0; pixel * filters < dy.length; pixel++) {
      let count = 0;
      for (let f = 0; f < filters; f++) {
        const value = dy[pixel * filters + f];
        if (value !== 0) {
          factors[count] = value;
          starts[count++] = f * taps;
        }
      }
      if (count === 0) continue;
      sums.fill(0);
      addRows(sums, taps, factors, starts, count, matrix);
      const [top, left, [firstRow, endRow], [firstColumn, endColumn]] = windowOf(windows, pixel);
      for (let u = firstRow; u < endRow; u++) {
        let at = ((top + u) * width + left + firstColumn) * channels;
        const end = ((top + u) * width + left + endColumn) * channels;
        let tap = (u * windows.kernel[1] + firstColumn) * channels;
        for (; at < end; at++, tap++) dx[at] += sums[tap];
      }
    }
  },
};

/** The sizes of a convolution's arrays, and its memory. */
function conv2dSizes(layer) {
  const { windows, input, shape } = layer;
  const [channels, filters] = [featuresOf(input), featuresOf(shape)];
  layer.memory ??= rowMemory(windows.kernel[0] * windows.kernel[1] * channels, filters);
  return { windows, memory: layer.memory, channels, filters, width: windows.input[1] };
}

/** The window of an output pixel, counted row by row: its top, its left, and which of its rows and columns lie on the image. */
function windowOf(windows, pixel) {
  const top = Math.floor(pixel / windows.output[1]) * windows.stride[0] - windows.before[0];
  const left = (pixel % windows.output[1]) * windows.stride[1] - windows.before[1];
  return [top, left, windowOnImage(windows, 0, top), windowOnImage(windows, 1, left)];
}
