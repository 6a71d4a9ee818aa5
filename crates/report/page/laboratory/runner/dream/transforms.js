// Random transforms of an image before it is given to the network. All are linear, so the backward pass is the transpose.

/**
 * A transform of a study ({kind: "jitter", pixels}, {kind: "rotation", degrees} or {kind: "scale", share}) with parameters drawn for
 * one step: {down, right} moves the image, and what leaves on one side enters on the other; {matrix} resamples it with bilinear
 * interpolation: the pixel at (row, column) is taken from matrix · (row, column), both relative to the centre.
 */
export function sampleTransform(transform, [height, width], stream) {
  // Evenly in ±bound.
  const within = (bound) => (2 * stream.uniform() - 1) * bound;
  switch (transform.kind) {
    case "jitter": {
      const shift = (side) => {
        const offset = stream.integer(2 * transform.pixels + 1) - transform.pixels;
        return ((offset % side) + side) % side;
      };
      const down = shift(height);
      return { down, right: shift(width) };
    }
    case "rotation": {
      const angle = (within(transform.degrees) * Math.PI) / 180;
      const [sin, cos] = [Math.fround(Math.sin(angle)), Math.fround(Math.cos(angle))];
      return { matrix: [[cos, -sin], [sin, cos]] };
    }
    case "scale": {
      const inverse = Math.fround(1 / (1 + within(transform.share)));
      return { matrix: [[inverse, 0], [0, inverse]] };
    }
    default:
      throw new Error(`There is no transform “${transform.kind}” in the page.`);
  }
}

/** Writes the transformed image of x to y; both are [height, width, channels]. */
export function applyTransform(sampled, size, x, y) {
  const channels = size[2];
  y.fill(0);
  eachTransformedShare(sampled, size, (to, from, share) => {
    for (let c = 0; c < channels; c++) y[to * channels + c] += share * x[from * channels + c];
  });
}

/** Writes the gradient dx of x from the gradient dy of y. */
export function backwardTransform(sampled, size, dy, dx) {
  const channels = size[2];
  dx.fill(0);
  eachTransformedShare(sampled, size, (to, from, share) => {
    for (let c = 0; c < channels; c++) dx[from * channels + c] += share * dy[to * channels + c];
  });
}

/** Calls for every share that a pixel has in another: (to, from, share), pixels by their numbers. */
function eachTransformedShare(sampled, [height, width], call) {
  if (!sampled.matrix) {
    for (let row = 0; row < height; row++) {
      const to = ((row + sampled.down) % height) * width;
      for (let column = 0; column < width; column++) {
        call(to + ((column + sampled.right) % width), row * width + column, 1);
      }
    }
    return;
  }
  const { fround } = Math;
  const [[a, b], [c, d]] = sampled.matrix;
  const [middleRow, middleColumn] = [(height - 1) / 2, (width - 1) / 2];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [down, right] = [row - middleRow, column - middleColumn];
      const y = fround(fround(fround(a * down) + fround(b * right)) + middleRow);
      const x = fround(fround(fround(c * down) + fround(d * right)) + middleColumn);
      const [top, left] = [Math.floor(y), Math.floor(x)];
      for (let i = 0; i < 2; i++) {
        const fromRow = top + i;
        if (fromRow < 0 || fromRow >= height) continue;
        const vertical = i === 0 ? fround(1 - fround(y - top)) : fround(y - top);
        for (let j = 0; j < 2; j++) {
          const fromColumn = left + j;
          if (fromColumn < 0 || fromColumn >= width) continue;
          const share = fround(vertical * (j === 0 ? fround(1 - fround(x - left)) : fround(x - left)));
          if (share > 0) call(row * width + column, fromRow * width + fromColumn, share);
        }
      }
    }
  }
}
