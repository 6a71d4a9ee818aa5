// Batch and layer normalisation as in evaluation: y = scale · (x − mean) / √(variance + ε) + shift.

import { expectNumber, featuresOf } from "./shape.js";

/** With the mean and variance of each channel (of each unit of a vector) that training kept. */
export const batchNormLayer = {
  infer(place, spec, [input]) {
    expectNumber(place, "epsilon", spec.epsilon);
    const features = [featuresOf(input)];
    return { shape: input, parameters: { scale: features, shift: features, running_mean: features, running_variance: features } };
  },

  forward({ spec }, parameters, [x], y) {
    const { shift, running_mean: mean } = parameters;
    const factors = batchNormFactors(spec, parameters);
    const features = factors.length;
    for (let i = 0; i < x.length; i++) {
      const f = i % features;
      y[i] = (x[i] - mean[f]) * factors[f] + shift[f];
    }
  },

  inputGradient({ spec }, parameters, [x], y, dy, [dx]) {
    const factors = batchNormFactors(spec, parameters);
    const features = factors.length;
    for (let i = 0; i < x.length; i++) dx[i] += dy[i] * factors[i % features];
  },
};

/** scale / √(variance + ε) of each feature. */
function batchNormFactors({ epsilon }, { scale, running_variance: variance }) {
  return Float64Array.from(scale, (scale, f) => scale / Math.sqrt(variance[f] + epsilon));
}

/** With the mean and variance of each vector, or of the channels of each pixel. */
export const layerNormLayer = {
  infer(place, spec, [input]) {
    expectNumber(place, "epsilon", spec.epsilon);
    const features = [featuresOf(input)];
    return { shape: input, parameters: { scale: features, shift: features } };
  },

  forward({ spec }, { scale, shift }, [x], y) {
    const features = scale.length;
    for (let row = 0; row < x.length; row += features) {
      const { mean, inverse } = rowMoments(spec, x, row, features);
      for (let f = 0; f < features; f++) y[row + f] = (x[row + f] - mean) * inverse * scale[f] + shift[f];
    }
  },

  /** With x̂ = (x − mean) / √(variance + ε) and g = dy · scale: dx += (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + ε). */
  inputGradient({ spec }, { scale }, [x], y, dy, [dx]) {
    const features = scale.length;
    for (let row = 0; row < x.length; row += features) {
      const { mean, inverse } = rowMoments(spec, x, row, features);
      let sum = 0, along = 0;
      for (let f = 0; f < features; f++) {
        const g = dy[row + f] * scale[f];
        sum += g;
        along += g * (x[row + f] - mean) * inverse;
      }
      for (let f = 0; f < features; f++) {
        const normalized = (x[row + f] - mean) * inverse;
        dx[row + f] += (dy[row + f] * scale[f] - sum / features - normalized * along / features) * inverse;
      }
    }
  },
};

/** The mean of a row, and 1 / √(variance + ε). */
function rowMoments({ epsilon }, x, row, features) {
  let sum = 0, squares = 0;
  for (let f = 0; f < features; f++) sum += x[row + f];
  const mean = sum / features;
  for (let f = 0; f < features; f++) squares += (x[row + f] - mean) ** 2;
  return { mean, inverse: 1 / Math.sqrt(squares / features + epsilon) };
}
