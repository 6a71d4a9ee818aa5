// From the description of a network to the list of its layers in the order of computation.

import { projectionSpec } from "./layers/residual.js";
import { layerKinds } from "./layers/kinds.js";
import { numbersOf } from "./layers/shape.js";
import { ModelError } from "./model_error.js";

/** The place of the image among the layers whose output a layer takes. */
export const IMAGE = -1;

/** Blocks within blocks beyond which a description is a mistake, and numbers of one image beyond which a page cannot hold them. */
const DEEPEST = 16;
const MOST_NUMBERS = 1 << 27;

/**
 * The layers of a network: {layers, ends}. A layer is {name, kind, spec, inputs, input, shape, parameters, parent}: `inputs` are the
 * places of the layers whose output it takes (IMAGE for the image), `input` is the shape of the first of them, `parameters` are the
 * shapes of its tensors, `parent` is the name of its residual block or null. The layers of a block come before the block itself,
 * which adds what they give to its input. `ends` are the places of the last layers of the heads.
 */
export function planNetwork(spec) {
  const planner = { layers: [], input: spec.input, numbers: 0 };
  expectImageShape(spec.input);
  if (spec.heads.length === 0) throw new ModelError("The network has no head.");
  const trunk = planSequence(planner, "trunk", spec.trunk, IMAGE, null, 0);
  const ends = spec.heads.map((head) => {
    if (!Array.isArray(head?.layers) || head.layers.length === 0) throw new ModelError(`The head “${head?.name}” has no layers.`);
    const end = planSequence(planner, head.name, head.layers, trunk, null, 0);
    if (planner.layers[end].shape.length !== 1) throw new ModelError(`The head “${head.name}” ends in an image, not in scores.`);
    return end;
  });
  return { layers: planner.layers, ends };
}

function expectImageShape(shape) {
  const isShape = shape.length === 3 && shape.every((side) => Number.isSafeInteger(side) && side >= 1) && numbersOf(shape) <= MOST_NUMBERS;
  if (!isShape) throw new ModelError("The network does not say which images it takes: height, width and channels.");
}

/** Plans the layers of a trunk, a head or a block, which are called after `part`. Gives the place of the last. */
function planSequence(planner, part, specs, input, parent, depth) {
  if (depth > DEEPEST) throw new ModelError(`The network has more than ${DEEPEST} residual blocks within each other.`);
  let last = input;
  specs.forEach((spec, i) => {
    const name = `${part}.${i + 1}`;
    last = spec?.layer === "residual" ? planBlock(planner, name, spec, last, parent, depth) : planLayer(planner, name, spec, [last], parent);
  });
  return last;
}

function planBlock(planner, name, spec, input, parent, depth) {
  if (!Array.isArray(spec.layers) || spec.layers.length === 0) throw new ModelError(`The block ${name} has no layers.`);
  const end = planSequence(planner, name, spec.layers, input, name, depth + 1);
  let shortcut = input;
  if (spec.projection) {
    const projection = projectionSpec(name, shapeAt(planner, input), shapeAt(planner, end));
    shortcut = planLayer(planner, `${name}.projection`, projection, [input], name);
  }
  return planLayer(planner, name, spec, [end, shortcut], parent);
}

function planLayer(planner, name, spec, inputs, parent) {
  const kind = spec?.layer;
  if (!Object.hasOwn(layerKinds, kind)) {
    const reason = kind === "custom" ? "is an activation that only the program knows which trained the network" : `is of an unknown kind, “${kind}”`;
    throw new ModelError(`The layer ${name} ${reason}.`);
  }
  const shapes = inputs.map((place) => shapeAt(planner, place));
  const inferred = layerKinds[kind].infer(`${name} (${kind})`, spec, shapes);
  planner.numbers += numbersOf(inferred.shape);
  if (!(planner.numbers <= MOST_NUMBERS)) throw new ModelError(`The network is too large for a page: by its layer ${name}, one image takes more than ${MOST_NUMBERS} numbers.`);
  return planner.layers.push({ name, kind, spec, inputs, input: shapes[0], parent, ...inferred }) - 1;
}

function shapeAt(planner, place) {
  return place === IMAGE ? planner.input : planner.layers[place].shape;
}
