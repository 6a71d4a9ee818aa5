// Activations: y = f(x), number by number; each is a function f and its derivative df, given x and y = f(x).

import { erfc } from "./erfc.js";
import { expectNumber } from "./shape.js";

/** 1 / √(2π). */
const DENSITY_AT_ZERO = 0.3989422804014327;

/** max(0, x). */
export const reluLayer = activationLayer(() => ({
  f: (x) => (x < 0 ? 0 : x),
  df: (x, y) => (y > 0 ? 1 : 0),
}));

/** x where it is positive, else slope · x. */
export const leakyReluLayer = activationLayer((place, spec) => {
  const slope = expectNumber(place, "slope", spec.slope);
  return { f: (x) => (x < 0 ? slope * x : x), df: (x) => (x > 0 ? 1 : slope) };
});

/** x where it is positive, else alpha · (eˣ − 1). */
export const eluLayer = activationLayer((place, spec) => {
  const alpha = expectNumber(place, "alpha", spec.alpha);
  return { f: (x) => (x < 0 ? alpha * Math.expm1(x) : x), df: (x) => (x > 0 ? 1 : alpha * Math.exp(x)) };
});

/** x · Φ(x), where Φ is the cumulative distribution function of the standard normal distribution. */
export const geluLayer = activationLayer(() => ({
  f: (x) => x * normalShareBelow(x),
  df: (x) => normalShareBelow(x) + x * DENSITY_AT_ZERO * Math.exp(-0.5 * x * x),
}));

/** x · σ(x), also called Swish. */
export const siluLayer = activationLayer(() => ({
  f: (x) => x * sigmoid(x),
  df: (x, y) => sigmoid(x) + y * (1 - sigmoid(x)),
}));

/** σ(x) = 1 / (1 + e⁻ˣ). */
export const sigmoidLayer = activationLayer(() => ({ f: sigmoid, df: (x, y) => y * (1 - y) }));

/** The hyperbolic tangent. */
export const tanhLayer = activationLayer(() => ({ f: Math.tanh, df: (x, y) => 1 - y * y }));

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/** Φ(x). */
function normalShareBelow(x) {
  return 0.5 * erfc(-x * Math.SQRT1_2);
}

/** The layer of an activation; `make` gives its functions for a layer's hyperparameters. */
function activationLayer(make) {
  return {
    infer: (place, spec, [input]) => ({ shape: input, activation: make(place, spec), parameters: {} }),

    forward({ activation: { f } }, parameters, [x], y) {
      for (let i = 0; i < x.length; i++) y[i] = f(x[i]);
    },

    inputGradient({ activation: { df } }, parameters, [x], y, dy, [dx]) {
      for (let i = 0; i < x.length; i++) dx[i] += dy[i] * df(x[i], y[i]);
    },
  };
}
