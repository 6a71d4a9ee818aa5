// The nearest of many vectors to one, by Euclidean distance, and the spaces in which to look for them.

/** How many vectors are compared before progress is told. */
const NEAREST_SLICE = 512;

/**
 * The k rows of `vectors`, n rows of `query.length` numbers, that are nearest to `query`: [{index, distance}], nearest first; of
 * equal ones, the one with the smaller index first. Both are in the same units: bytes with bytes, features with features.
 */
export function nearestRows(vectors, query, k) {
  const m = query.length;
  const n = Math.floor(vectors.length / m);
  const best = [];
  let worst = Infinity;
  for (let index = 0; index < n; index++) {
    const from = index * m;
    let sum = 0;
    // A row whose distance exceeds that of the k-th nearest is left early.
    for (let i = 0; i < m && sum < worst; ) {
      const end = Math.min(i + 64, m);
      for (; i < end; i++) {
        const difference = vectors[from + i] - query[i];
        sum += difference * difference;
      }
    }
    if (!(sum < worst)) continue;
    let place = best.length;
    while (place > 0 && best[place - 1].square > sum) place -= 1;
    best.splice(place, 0, { index, square: sum });
    if (best.length > k) best.pop();
    if (best.length === k) worst = best[k - 1].square;
  }
  return best.map(({ index, square }) => ({ index, distance: Math.sqrt(square) }));
}

/**
 * The coordinates of images in the plane of two principal components: n·m bytes to [n, 2], x = p/127.5 − 1 projected after
 * the mean is taken off. `components` is [2, m]. `onProgress` receives the share that is done.
 */
export function projectOntoPlane(pixels, mean, components, onProgress = () => {}) {
  const m = mean.length;
  const n = pixels.length / m;
  const plane = new Float32Array(2 * n);
  for (let index = 0; index < n; index++) {
    for (let axis = 0; axis < 2; axis++) {
      let sum = 0;
      for (let i = 0; i < m; i++) sum += (pixels[index * m + i] / 127.5 - 1 - mean[i]) * components[axis * m + i];
      plane[2 * index + axis] = sum;
    }
    if ((index + 1) % NEAREST_SLICE === 0) onProgress((index + 1) / n);
  }
  onProgress(1);
  return plane;
}
