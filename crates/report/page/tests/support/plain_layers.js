// The definitions of the layers as plain loops in 64 bits, as crates/engine/src/layers/reference has them.

/** The windows of a layer along one side, as TensorFlow documents them: how many, and the zeros before the first number. */
export function plainWindows(size, kernel, stride, padding) {
  if (padding === "valid") return { count: Math.floor((size - kernel) / stride) + 1, before: 0 };
  const covered = size % stride === 0 ? stride : size % stride;
  return { count: Math.ceil(size / stride), before: Math.floor(Math.max(0, kernel - covered) / 2) };
}

/** Each layer as a function of its spec, the shape of its input, its tensors by name and x, an array of numbers; it gives y. */
export const plainLayers = {
  "dense"(spec, shape, { weight, bias }, x) {
    return Array.from({ length: spec.units }, (_, j) => x.reduce((sum, value, i) => sum + value * weight[i * spec.units + j], bias[j]));
  },

  "conv2d"({ filters, kernel_size: kernel, stride, padding }, [height, width, channels], { weight, bias }, x) {
    const y = [];
    eachPlainWindow([height, width], kernel, stride, padding, (pixels) => {
      for (let f = 0; f < filters; f++) {
        let sum = bias[f];
        for (const { row, column, u, v } of pixels) {
          for (let c = 0; c < channels; c++) {
            sum += x[(row * width + column) * channels + c] * weight[((u * kernel[1] + v) * channels + c) * filters + f];
          }
        }
        y.push(sum);
      }
    });
    return y;
  },

  "max-pool": (spec, shape, tensors, x) => pool(spec, shape, x, (numbers) => Math.max(...numbers)),
  "avg-pool": (spec, shape, tensors, x) => pool(spec, shape, x, (numbers) => numbers.reduce((a, b) => a + b) / numbers.length),
  "global-avg-pool": (spec, shape, tensors, x) =>
    plainLayers["avg-pool"]({ pool_size: shape.slice(0, 2), stride: [1, 1] }, shape, tensors, x),

  "flatten": (spec, shape, tensors, x) => [...x],
  "dropout": (spec, shape, tensors, x) => [...x],
  "relu": (spec, shape, tensors, x) => x.map((x) => Math.max(0, x)),
  "leaky-relu": ({ slope }, shape, tensors, x) => x.map((x) => (x < 0 ? slope * x : x)),
  "elu": ({ alpha }, shape, tensors, x) => x.map((x) => (x < 0 ? alpha * (Math.exp(x) - 1) : x)),
  "gelu": (spec, shape, tensors, x) => x.map((x) => x * normalShare(x)),
  "silu": (spec, shape, tensors, x) => x.map((x) => x / (1 + Math.exp(-x))),
  "sigmoid": (spec, shape, tensors, x) => x.map((x) => 1 / (1 + Math.exp(-x))),
  "tanh": (spec, shape, tensors, x) => x.map((x) => (Math.exp(x) - Math.exp(-x)) / (Math.exp(x) + Math.exp(-x))),

  "batch-norm"({ epsilon }, shape, { scale, shift, running_mean: mean, running_variance: variance }, x) {
    return x.map((x, i) => {
      const f = i % scale.length;
      return (scale[f] * (x - mean[f])) / Math.sqrt(variance[f] + epsilon) + shift[f];
    });
  },

  "layer-norm"({ epsilon }, shape, { scale, shift }, x) {
    const y = [];
    for (let row = 0; row < x.length; row += scale.length) {
      const numbers = x.slice(row, row + scale.length);
      const mean = numbers.reduce((a, b) => a + b) / numbers.length;
      const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
      y.push(...numbers.map((x, f) => (scale[f] * (x - mean)) / Math.sqrt(variance + epsilon) + shift[f]));
    }
    return y;
  },
};

/** Φ(x) as the integral of the density by Simpson's rule, from 40 standard deviations below or, by symmetry, above. */
export function normalShare(x, parts = 1000) {
  if (x > 0) return 1 - normalShare(-x, parts);
  const from = x - 12;
  const density = (t) => Math.exp(-0.5 * t * t) / Math.sqrt(2 * Math.PI);
  let sum = density(from) + density(x);
  for (let i = 1; i < parts; i++) sum += (i % 2 === 0 ? 2 : 4) * density(from + ((x - from) * i) / parts);
  return (sum * (x - from)) / parts / 3;
}

function eachPlainWindow(input, kernel, stride, padding, visit) {
  const [down, right] = [0, 1].map((side) => plainWindows(input[side], kernel[side], stride[side], padding));
  for (let i = 0; i < down.count; i++) {
    for (let j = 0; j < right.count; j++) {
      const pixels = [];
      for (let u = 0; u < kernel[0]; u++) {
        for (let v = 0; v < kernel[1]; v++) {
          const [row, column] = [i * stride[0] + u - down.before, j * stride[1] + v - right.before];
          if (row >= 0 && column >= 0 && row < input[0] && column < input[1]) pixels.push({ row, column, u, v });
        }
      }
      visit(pixels);
    }
  }
}

function pool({ pool_size, stride }, [height, width, channels], x, reduce) {
  const y = [];
  eachPlainWindow([height, width], pool_size, stride, "valid", (pixels) => {
    for (let c = 0; c < channels; c++) y.push(reduce(pixels.map(({ row, column }) => x[(row * width + column) * channels + c])));
  });
  return y;
}
