// Penalties that keep dreams from becoming noise: light costs, and edges cost.

/** Smooths the total variation where the image is constant. */
const VARIATION_EPSILON = 1e-2;

/** The penalty of a regulariser of a study ({kind: "l2" | "total-variation", weight}) at the image x, [height, width, channels]. */
export function penalty(regulariser, size, x) {
  if (regulariser.kind === "l2") {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
    return (regulariser.weight * sum) / x.length;
  }
  let sum = 0;
  eachVariation(regulariser, size, x, (here, below, right, down, across, length) => {
    sum += length;
  });
  return (regulariser.weight * sum) / (size[0] * size[1]);
}

/** Subtracts the gradient of a penalty at the image x from `gradient`, the gradient of what the ascent increases. */
export function subtractPenaltyGradient(regulariser, size, x, gradient) {
  if (regulariser.kind === "l2") {
    const share = Math.fround((2 * regulariser.weight) / x.length);
    for (let i = 0; i < x.length; i++) gradient[i] -= share * x[i];
    return;
  }
  const share = Math.fround(regulariser.weight / (size[0] * size[1]));
  eachVariation(regulariser, size, x, (here, below, right, down, across, length) => {
    const byRow = (share * down) / length;
    const byColumn = (share * across) / length;
    gradient[here] += byRow + byColumn;
    gradient[below] -= byRow;
    gradient[right] -= byColumn;
  });
}

/**
 * Calls for every number with its own place, those below and to the right of it (its own at the edge), the differences to them,
 * and the smoothed length of the two.
 */
function eachVariation(regulariser, [height, width, channels], x, call) {
  if (regulariser.kind !== "total-variation") throw new Error(`There is no regulariser “${regulariser.kind}” in the page.`);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++) {
        const here = (row * width + column) * channels + channel;
        const below = row + 1 < height ? here + width * channels : here;
        const right = column + 1 < width ? here + channels : here;
        const [down, across] = [x[below] - x[here], x[right] - x[here]];
        call(here, below, right, down, across, Math.sqrt(down * down + across * across + VARIATION_EPSILON ** 2));
      }
    }
  }
}
