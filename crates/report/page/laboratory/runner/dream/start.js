// What a dream begins with: one level of grey, with or without noise, or an image.

/**
 * How close to black and white an initial image may be: at 0 and 1 themselves the logistic function has no finite argument.
 */
const START_MARGIN = 0.02;

/** The parameters of an image of one level, from 0 to 1, with normal noise of this standard deviation added to them. */
export function parametersOfGrey(basis, level, deviation, stream) {
  const parameters = parametersOfImage(basis, new Float32Array(basis.count).fill(level));
  if (deviation > 0) {
    for (let i = 0; i < parameters.length; i++) parameters[i] += Math.fround(deviation * stream.normal());
  }
  return parameters;
}

/** The parameters of an image, whose numbers from 0 to 1 are clamped to [0.02, 0.98]. */
export function parametersOfImage(basis, image) {
  return basis.parameters(Float32Array.from(image, (x) => Math.min(Math.max(x, START_MARGIN), 1 - START_MARGIN)));
}

/**
 * The parameters of a start: {kind: "grey", level}, {kind: "noise", level, deviation} or {kind: "image", image}, whose image is
 * an array of numbers from 0 to 1.
 */
export function parametersOfStart(basis, start, stream) {
  switch (start.kind) {
    case "grey":
      return parametersOfGrey(basis, start.level, 0, stream);
    case "noise":
      return parametersOfGrey(basis, start.level, start.deviation, stream);
    case "image":
      return parametersOfImage(basis, start.image);
    default:
      throw new Error(`There is no start “${start.kind}” in the page.`);
  }
}
