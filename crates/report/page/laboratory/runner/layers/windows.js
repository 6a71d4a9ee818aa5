// Where the windows of a convolution or a pooling lie on an image.

import { ModelError } from "../model_error.js";
import { expectImage, expectSides } from "./shape.js";

/**
 * Windows of the size `kernel` that slide over an image by `stride`. With "same" padding the output has ⌈side / stride⌉ pixels
 * a side, and the image gets zeros around it as in TensorFlow: the odd row and column at the end.
 * Lengths are in pixels, [down, to the right]; `before` are the rows of zeros above the image and the columns left of it.
 */
export function slideWindows(place, shape, { kernel, stride, padding }) {
  expectImage(place, shape);
  if (padding !== "same" && padding !== "valid") throw new ModelError(`The layer ${place} has an unknown padding, “${padding}”.`);
  const input = shape.slice(0, 2);
  const sides = expectSides(place, "size of a window", kernel);
  const steps = expectSides(place, "stride", stride);
  if (padding === "valid" && (sides[0] > input[0] || sides[1] > input[1])) {
    throw new ModelError(`The windows of the layer ${place}, ${sides.join(" × ")}, are larger than its input, ${input.join(" × ")}.`);
  }
  const output = input.map((size, side) =>
    padding === "same" ? Math.ceil(size / steps[side]) : Math.floor((size - sides[side]) / steps[side]) + 1);
  const before = input.map((size, side) =>
    padding === "same" ? Math.floor(Math.max(0, (output[side] - 1) * steps[side] + sides[side] - size) / 2) : 0);
  return { input, kernel: sides, stride: steps, before, output };
}

/**
 * The part of a window that lies on the image, along one side (0: down, 1: to the right): its first place, and the one after
 * its last, counted from the window's own beginning at `start`, which may be negative.
 */
export function windowOnImage(windows, side, start) {
  return [Math.max(0, -start), Math.min(windows.kernel[side], windows.input[side] - start)];
}
