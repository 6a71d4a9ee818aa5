// The nearest vectors, against all distances sorted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestRows, projectOntoPlane } from "../laboratory/runner/nearest.js";
import { seededStream } from "../laboratory/runner/random.js";

test("the nearest are those of all distances, in their order", () => {
  const stream = seededStream(1, "test/nearest");
  for (const [n, m, k] of [[0, 3, 2], [1, 1, 5], [40, 7, 5], [500, 200, 8]]) {
    const vectors = Uint8Array.from({ length: n * m }, () => stream.integer(4));
    const query = Float32Array.from({ length: m }, () => stream.integer(4));
    const all = Array.from({ length: n }, (_, index) => {
      const row = vectors.subarray(index * m, (index + 1) * m);
      return { index, distance: Math.sqrt(row.reduce((sum, x, i) => sum + (x - query[i]) ** 2, 0)) };
    });
    all.sort((a, b) => a.distance - b.distance || a.index - b.index);
    assert.deepEqual(nearestRows(vectors, query, k), all.slice(0, k));
  }
});

test("the plane has the coordinates of its components", () => {
  const mean = Float32Array.of(0.5, -0.5, 0);
  const components = Float32Array.of(1, 0, 0, 0, 0, 1);
  const shares = [];
  const plane = projectOntoPlane(Uint8Array.of(255, 0, 255, 0, 0, 0), mean, components, (share) => shares.push(share));
  assert.deepEqual(Array.from(plane), [0.5, 1, -1.5, -1]);
  assert.deepEqual(shares, [1]);
});
