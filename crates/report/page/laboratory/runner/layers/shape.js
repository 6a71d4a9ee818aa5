// Shapes of what layers take and give: [height, width, channels] of an image, [length] of a vector.

import { ModelError } from "../model_error.js";

/** How many numbers a shape has. */
export function numbersOf(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

/** How many channels an image has, or units a vector: the length of the last axis. */
export function featuresOf(shape) {
  return shape[shape.length - 1];
}

/** A shape in words, such as 28 × 28 × 1. */
export function shapeInWords(shape) {
  return shape.join(" × ");
}

/** Refuses a vector. */
export function expectImage(place, shape) {
  if (shape.length !== 3) throw new ModelError(`The layer ${place} works on images, but what comes in is a vector.`);
}

/** Refuses an image. */
export function expectVector(place, shape) {
  if (shape.length !== 1) throw new ModelError(`The layer ${place} works on vectors, but what comes in is an image of ${shapeInWords(shape)}.`);
}

/** A hyperparameter that is a whole number of at least 1. */
export function expectCount(place, key, value) {
  if (!Number.isSafeInteger(value) || value < 1) throw new ModelError(`The layer ${place} has no whole number of at least 1 for “${key}”.`);
  return value;
}

/** A hyperparameter that is two whole numbers of at least 1: down and to the right. */
export function expectSides(place, key, value) {
  if (!Array.isArray(value) || value.length !== 2) throw new ModelError(`The layer ${place} does not have two numbers for “${key}”.`);
  return value.map((side) => expectCount(place, key, side));
}

/** A hyperparameter that is a finite number of at least zero. */
export function expectNumber(place, key, value) {
  if (!Number.isFinite(value) || value < 0) throw new ModelError(`The layer ${place} has no number of at least zero for “${key}”.`);
  return value;
}
