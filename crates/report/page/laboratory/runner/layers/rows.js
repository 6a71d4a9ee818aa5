// The sum of rows of a matrix, each times a number: what dense layers and convolutions spend their time on.

/**
 * sums[j] += Σ over n < count of factors[n] · matrix[starts[n] + j], for each j < width.
 *
 * Callers leave out the rows whose factor is zero, which are most after a ReLU. Eight rows at a time, so that a sum is
 * loaded and stored once for eight products. `factors` and `sums` are Float64Arrays, `starts` is an Int32Array and `matrix` a
 * Float32Array: always the same types, since engines compile a function anew, and more slowly, for each.
 */
export function addRows(sums, width, factors, starts, count, matrix) {
  let n = 0;
  for (; n + 7 < count; n += 8) {
    const f0 = factors[n], f1 = factors[n + 1], f2 = factors[n + 2], f3 = factors[n + 3];
    const f4 = factors[n + 4], f5 = factors[n + 5], f6 = factors[n + 6], f7 = factors[n + 7];
    const s0 = starts[n], s1 = starts[n + 1], s2 = starts[n + 2], s3 = starts[n + 3];
    const s4 = starts[n + 4], s5 = starts[n + 5], s6 = starts[n + 6], s7 = starts[n + 7];
    for (let j = 0; j < width; j++) {
      sums[j] += f0 * matrix[s0 + j] + f1 * matrix[s1 + j] + f2 * matrix[s2 + j] + f3 * matrix[s3 + j]
        + f4 * matrix[s4 + j] + f5 * matrix[s5 + j] + f6 * matrix[s6 + j] + f7 * matrix[s7 + j];
    }
  }
  for (; n < count; n++) {
    const factor = factors[n], start = starts[n];
    for (let j = 0; j < width; j++) sums[j] += factor * matrix[start + j];
  }
}

/** Memory for addRows: up to `rows` rows of `width` numbers. */
export function rowMemory(rows, width) {
  return { factors: new Float64Array(rows), starts: new Int32Array(rows), sums: new Float64Array(width) };
}

/** The transpose of a matrix of so many rows and columns. */
export function transpose(matrix, rows, columns) {
  const transposed = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) transposed[j * rows + i] = matrix[i * columns + j];
  }
  return transposed;
}
