// Every kind of layer by the name that model files give it.
//
// A kind has three functions. `infer(place, spec, shapes)` gives the shape of what comes out, the shapes of the parameters, and
// what else the layer needs. `forward(layer, parameters, xs, y)` writes y. `inputGradient(layer, parameters, xs, y, dy, dxs)` adds
// to each dx its part of the gradient, given the gradient dy of y. xs and dxs are lists because a residual block adds two things.

import {
  eluLayer, geluLayer, leakyReluLayer, reluLayer, sigmoidLayer, siluLayer, tanhLayer,
} from "./activations.js";
import { conv2dLayer } from "./conv2d.js";
import { denseLayer } from "./dense.js";
import { dropoutLayer, flattenLayer } from "./identity.js";
import { batchNormLayer, layerNormLayer } from "./normalization.js";
import { avgPoolLayer, globalAvgPoolLayer, maxPoolLayer } from "./pooling.js";
import { residualLayer } from "./residual.js";

export const layerKinds = {
  "dense": denseLayer,
  "conv2d": conv2dLayer,
  "max-pool": maxPoolLayer,
  "avg-pool": avgPoolLayer,
  "global-avg-pool": globalAvgPoolLayer,
  "flatten": flattenLayer,
  "relu": reluLayer,
  "leaky-relu": leakyReluLayer,
  "elu": eluLayer,
  "gelu": geluLayer,
  "silu": siluLayer,
  "sigmoid": sigmoidLayer,
  "tanh": tanhLayer,
  "dropout": dropoutLayer,
  "batch-norm": batchNormLayer,
  "layer-norm": layerNormLayer,
  "residual": residualLayer,
};
