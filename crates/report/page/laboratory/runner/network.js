// A network that computes: forward with every layer's output, with edits, and the gradient of any layer with respect to the image.

import { layerKinds } from "./layers/kinds.js";
import { featuresOf, numbersOf, shapeInWords } from "./layers/shape.js";
import { ModelError } from "./model_error.js";
import { IMAGE, planNetwork } from "./plan.js";

/**
 * A network in evaluation: dropout drops nothing, batch normalisation uses the statistics that training kept.
 *
 * - `input`: [height, width, channels] of an image; numbers are bytes divided by 255, channels last.
 * - `heads`: [{name, classes, scores}], where `scores` is the name of the layer that gives the head's scores.
 * - `layers`: [{name, kind, shape, spec, weight?, bias?, …, parent}] in the order of computation. A ReLU is a layer of its own here, and
 *   so is a flattening. `parent` is the residual block that the layer is within, or null.
 * - `handles`: the layers as the report counts them (crates/engine/src/inspect.rs): a ReLU right after a dense or convolutional layer
 *   belongs to that layer, a block is one layer, and a flattening is none: [{name, output, shape, head, scoresOf}]. `output` is
 *   the name under which a pass has the output, that of the ReLU where there is one.
 */
export class Network {
  constructor(model) {
    const { spec, card, tensors } = model;
    const { layers, ends } = planNetwork(spec);
    this.input = spec.input;
    this.layers = layers.map((layer) => ({ ...layer, ...takeParameters(layer, tensors) }));
    this.places = new Map(this.layers.map((layer, place) => [layer.name, place]));
    this.heads = spec.heads.map((head, number) => planHead(head, card.heads[number], this.layers[ends[number]]));
    this.handles = planHandles(this);
  }

  /** The layer of this name. */
  layer(name) {
    return this.layers[this.placeOf(name)];
  }

  placeOf(name) {
    const place = this.places.get(name);
    if (place === undefined) throw new ModelError(`The network has no layer “${name}”.`);
    return place;
  }

  /** The handle of this name (see `handles`). */
  handle(name) {
    const found = this.handles.find((handle) => handle.name === name);
    if (!found) throw new ModelError(`The network has no layer “${name}” that can be looked at.`);
    return found;
  }

  /**
   * Sends an image x, a Float32Array, through the network. A pass has `outputs`, a Map from the name of each layer to its
   * output, and by the names of the heads `logits` and `probabilities`; all of them belong to the caller.
   *
   * `edits` are {silenced: [{layer, channel}], weights: [{layer, tensor, index, value}]}, both optional: channels (units of a vector) whose
   * output is set to zero, and weights that get another value; null stands for none. With `until`, the name of a layer, nothing after it is computed.
   */
  forward(x, edits = null, { until = null } = {}) {
    if (x.length !== numbersOf(this.input)) {
      throw new ModelError(`The network takes images of ${shapeInWords(this.input)}, which are not ${x.length} numbers.`);
    }
    const end = until === null ? this.layers.length : this.placeOf(until) + 1;
    const pass = {
      x, values: [], outputs: new Map(), logits: {}, probabilities: {},
      parameters: this.editedParameters(edits?.weights ?? []), silenced: this.silencedChannels(edits?.silenced ?? []),
    };
    for (let place = 0; place < end; place++) {
      const layer = this.layers[place];
      const y = new Float32Array(numbersOf(layer.shape));
      layerKinds[layer.kind].forward(layer, pass.parameters[place], inputsOf(layer, pass), y);
      silence(pass.silenced.get(place), layer, y);
      pass.values.push(y);
      pass.outputs.set(layer.name, y);
    }
    for (const { name, scores } of this.heads) {
      if (!pass.outputs.has(scores)) continue;
      pass.logits[name] = pass.outputs.get(scores);
      pass.probabilities[name] = softmax(pass.logits[name]);
    }
    return pass;
  }

  /**
   * The gradient with respect to the image of a function of a layer's output, given its gradient dy with respect to that output.
   * A ReLU right after a dense or convolutional layer belongs to it. With `beforeRelu` the function is one of the layer's values before its
   * ReLU: a silent unit can be woken along this gradient, whereas the gradient of its output is zero.
   */
  inputGradient(pass, layerName, dy, { beforeRelu = false } = {}) {
    const first = this.gradientStart(layerName, beforeRelu);
    if (first >= pass.values.length) throw new ModelError(`The pass ended before the layer “${layerName}”.`);
    const dx = new Float32Array(pass.x.length);
    if (first === IMAGE) {
      dx.set(dy);
      return dx;
    }
    const gradients = [];
    gradients[first] = Float32Array.from(dy);
    for (let place = first; place >= 0; place--) {
      const gradient = gradients[place];
      if (!gradient) continue;
      const layer = this.layers[place];
      silence(pass.silenced.get(place), layer, gradient);
      const dxs = layer.inputs.map((input) =>
        input === IMAGE ? dx : gradients[input] ??= new Float32Array(pass.values[input].length));
      layerKinds[layer.kind].inputGradient(layer, pass.parameters[place], inputsOf(layer, pass), pass.values[place], gradient, dxs);
      gradients[place] = null;
    }
    return dx;
  }

  /** The place of the layer at which a gradient begins. */
  gradientStart(layerName, beforeRelu) {
    const place = this.placeOf(layerName);
    const { kind, inputs } = this.layers[place];
    if (kind === "relu") return beforeRelu ? inputs[0] : place;
    return beforeRelu ? place : fusedRelu(this.layers, place) ?? place;
  }

  /** The parameters of every layer; those with another weight are copies. */
  editedParameters(edits) {
    const parameters = this.layers.map((layer) => layer.tensors);
    const edited = new Set();
    for (const { layer, tensor, index, value } of edits) {
      const place = this.placeOf(layer);
      const original = this.layers[place].tensors[tensor];
      if (!original) throw new ModelError(`The layer “${layer}” has no tensor “${tensor}”.`);
      if (!(Number.isInteger(index) && index in original)) throw new ModelError(`The tensor “${layer}.${tensor}” has no number ${index}.`);
      if (!edited.has(place)) {
        edited.add(place);
        parameters[place] = copyTensors(this.layers[place].tensors);
      }
      parameters[place][tensor][index] = value;
    }
    return parameters;
  }

  /** The silenced channels of each layer, by its place. */
  silencedChannels(edits) {
    const silenced = new Map();
    for (const { layer, channel } of edits) {
      const place = this.placeOf(layer);
      const channels = featuresOf(this.layers[place].shape);
      if (!(Number.isInteger(channel) && channel >= 0 && channel < channels)) {
        throw new ModelError(`The layer “${layer}” has ${channels} channels, and none of the number ${channel}.`);
      }
      silenced.set(place, [...(silenced.get(place) ?? []), channel]);
    }
    return silenced;
  }
}

/** The probabilities that scores stand for. */
export function softmax(scores) {
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Float64Array.from(scores, (score) => Math.exp(score - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return Float32Array.from(powers, (power) => power / sum);
}

/** A layer's tensors in the model, each with the shape that the layer needs; `weight` and `bias` also by themselves. */
function takeParameters(layer, tensors) {
  const taken = {};
  for (const [name, shape] of Object.entries(layer.parameters)) {
    const tensor = tensors.get(`${layer.name}.${name}`);
    if (!tensor) throw new ModelError(`The model file has no tensor “${layer.name}.${name}”.`);
    if (String(tensor.shape) !== String(shape)) {
      throw new ModelError(`The tensor “${layer.name}.${name}” is ${shapeInWords(tensor.shape)}, but the layer needs ${shapeInWords(shape)}.`);
    }
    taken[name] = tensor.data;
  }
  const { weight, bias } = taken;
  return weight ? { tensors: taken, weight, bias } : { tensors: taken };
}

function copyTensors(tensors) {
  // What a layer keeps beside its tensors (conv2d its transposed weights) would not follow the edit.
  const { transposed, ...own } = tensors;
  return Object.fromEntries(Object.entries(own).map(([name, data]) => [name, data.slice()]));
}

function planHead(head, card, end) {
  const loss = head.loss?.kind ?? "cross-entropy";
  if (loss !== "cross-entropy") throw new ModelError(`The head “${head.name}” does not tell classes apart, but was trained for ${loss}.`);
  if (card?.name !== head.name || !Array.isArray(card.classes)) throw new ModelError(`The model's card does not name the classes of the head “${head.name}”.`);
  const count = numbersOf(end.shape);
  if (card.classes.length !== count) {
    throw new ModelError(`The model's card names ${card.classes.length} classes of the head “${head.name}”, which has ${count} scores.`);
  }
  return { name: head.name, classes: card.classes, scores: end.name };
}

/** The place of the ReLU that belongs to a dense or convolutional layer, if there is one. */
function fusedRelu(layers, place) {
  const { kind, name, inputs } = layers[place + 1] ?? {};
  const isFused = kind === "relu" && inputs[0] === place && ["dense", "conv2d"].includes(layers[place].kind);
  return isFused && partOf(name) === partOf(layers[place].name) ? place + 1 : null;
}

/** The trunk, the head or the block whose layer this is, by its name. */
function partOf(name) {
  return name.slice(0, name.lastIndexOf("."));
}

function planHandles({ layers, heads }) {
  const handles = [];
  layers.forEach((layer, place) => {
    const head = heads.find(({ name }) => name === partOf(layer.name))?.name ?? null;
    const isOwn = layer.parent === null && (layer.kind !== "flatten" || heads.some(({ scores }) => scores === layer.name));
    const isPartOfLast = layer.kind === "relu" && place > 0 && fusedRelu(layers, place - 1) === place;
    if (!isOwn || isPartOfLast) return;
    const output = layers[fusedRelu(layers, place) ?? place].name;
    const scoresOf = heads.find(({ scores }) => scores === output)?.name ?? null;
    handles.push({ name: layer.name, output, shape: layer.shape, head, scoresOf });
  });
  return handles;
}

function inputsOf(layer, pass) {
  return layer.inputs.map((input) => (input === IMAGE ? pass.x : pass.values[input]));
}

/** Sets the numbers of these channels to zero. */
function silence(channels, layer, numbers) {
  const features = featuresOf(layer.shape);
  for (const channel of channels ?? []) {
    for (let i = channel; i < numbers.length; i += features) numbers[i] = 0;
  }
}
