// Dense layer: y = x·W + b on vectors, with W as [inputs, units].

import { addRows, rowMemory } from "./rows.js";
import { expectCount, expectVector } from "./shape.js";

export const denseLayer = {
  infer(place, spec, [input]) {
    expectVector(place, input);
    const units = expectCount(place, "units", spec.units);
    return { shape: [units], parameters: { weight: [input[0], units], bias: [units] } };
  },

  /** y[j] = b[j] + Σ over i of x[i] · W[i, j]. */
  forward(layer, { weight, bias }, [x], y) {
    const units = y.length;
    const { factors, starts, sums } = layer.memory ??= rowMemory(x.length, units);
    let count = 0;
    for (let i = 0; i < x.length; i++) {
      if (x[i] !== 0) {
        factors[count] = x[i];
        starts[count++] = i * units;
      }
    }
    sums.set(bias);
    addRows(sums, units, factors, starts, count, weight);
    y.set(sums);
  },

  /** dx[i] += Σ over j of dy[j] · W[i, j]. */
  inputGradient(layer, { weight }, [x], y, dy, [dx]) {
    const units = y.length;
    for (let i = 0; i < x.length; i++) {
      const row = i * units;
      let even = 0, odd = 0, j = 0;
      // Two sums, as each addition would otherwise wait for the one before it.
      for (; j + 1 < units; j += 2) {
        even += dy[j] * weight[row + j];
        odd += dy[j + 1] * weight[row + j + 1];
      }
      if (j < units) even += dy[j] * weight[row + j];
      dx[i] += even + odd;
    }
  },
};
