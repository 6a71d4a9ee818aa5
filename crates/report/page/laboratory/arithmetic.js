// How one number of a layer comes about, taken apart: products, sums, windows and shares.

/** The left upper corner of the window of an output place, which may lie outside the input. */
export function windowCorner({ windows }, row, column) {
  return [row * windows.stride[0] - windows.before[0], column * windows.stride[1] - windows.before[1]];
}

/** The numbers of a window in one channel of the input, row by row; zeros outside the image, and which of them lie inside. */
export function windowNumbers(layer, x, row, column, channel) {
  const { windows, input } = layer;
  const [height, width, channels] = input;
  const [top, left] = windowCorner(layer, row, column);
  const [high, wide] = windows.kernel;
  const [values, inside] = [new Float32Array(high * wide), new Array(high * wide).fill(false)];
  for (let u = 0; u < high; u += 1) {
    for (let v = 0; v < wide; v += 1) {
      const [y, z] = [top + u, left + v];
      if (y < 0 || y >= height || z < 0 || z >= width) continue;
      values[u * wide + v] = x[(y * width + z) * channels + channel];
      inside[u * wide + v] = true;
    }
  }
  return { values, inside };
}

/** The kernel of a filter in one channel of the input, row by row. */
export function kernelNumbers({ windows, input, shape }, weight, channel, filter) {
  const [channels, filters] = [input[2], shape[2]];
  const count = windows.kernel[0] * windows.kernel[1];
  return Float32Array.from({ length: count }, (_, i) => weight[(i * channels + channel) * filters + filter]);
}

/** One number of a convolution: the sum of the products of each input channel, their sum, the bias and both together. */
export function convolutionOpened(layer, { weight, bias }, x, row, column, filter) {
  const partial = Float64Array.from({ length: layer.input[2] }, (_, channel) => {
    const kernel = kernelNumbers(layer, weight, channel, filter);
    return windowNumbers(layer, x, row, column, channel).values.reduce((sum, value, i) => sum + value * kernel[i], 0);
  });
  const sum = partial.reduce((total, value) => total + value, 0);
  return { partial, sum, bias: bias[filter], total: sum + bias[filter] };
}

/** One unit of a dense layer: what each input contributes, and the sums of the positive and of the negative contributions. */
export function denseOpened(layer, { weight, bias }, x, unit) {
  const units = layer.shape[0];
  const weights = Float32Array.from({ length: x.length }, (_, i) => weight[i * units + unit]);
  const products = weights.map((value, i) => value * x[i]);
  let [positive, negative] = [0, 0];
  for (const product of products) {
    if (product > 0) positive += product;
    else negative += product;
  }
  return { weights, products, positive, negative, bias: bias[unit], total: positive + negative + bias[unit] };
}

/** The softmax of scores, step by step. */
export function softmaxOpened(scores) {
  const largest = Math.max(...scores);
  const shifted = Float64Array.from(scores, (score) => score - largest);
  const powers = shifted.map(Math.exp);
  const sum = powers.reduce((total, power) => total + power, 0);
  return { largest, shifted, powers, sum, shares: powers.map((power) => power / sum) };
}

/** The places of the largest numbers by size, the largest first. */
export function largestPlaces(values, count) {
  return [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b).slice(0, count);
}

/** Height, width and channels by which a shape is shown as images: a vector becomes one that is about as high as wide. */
export function imageShape(shape) {
  if (shape.length === 3) return shape;
  const width = Math.ceil(Math.sqrt(shape[0]));
  return [Math.ceil(shape[0] / width), width, 1];
}
