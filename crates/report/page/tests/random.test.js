// Random numbers: known values of the generators, ranges, and the engine's streams that other tests repeat.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listedStream, seededStream, xoshiro128 } from "../laboratory/runner/random.js";
import { engineStream } from "./engine_stream.js";

test("xoshiro128** gives its authors' numbers", () => {
  const next = xoshiro128([1, 2, 3, 4]);
  const known = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
  assert.deepEqual(Array.from({ length: 10 }, next), known);
});

test("a stream is its seed and its purpose", () => {
  const drawn = (seed, purpose) => {
    const stream = seededStream(seed, purpose);
    return Array.from({ length: 4 }, () => stream.uniform());
  };
  assert.deepEqual(drawn(1, "weights"), drawn(1, "weights"));
  assert.notDeepEqual(drawn(1, "weights"), drawn(2, "weights"));
  assert.notDeepEqual(drawn(1, "weights"), drawn(1, "order"));
});

test("numbers have the moments of their distributions", () => {
  const stream = seededStream(4, "moments");
  const n = 20000;
  const mean = (draw) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += draw();
    return sum / n;
  };
  // Four standard errors of each.
  assert.ok(Math.abs(mean(() => stream.uniform()) - 0.5) < (4 * 0.2887) / Math.sqrt(n));
  assert.ok(Math.abs(mean(() => stream.normal())) < 4 / Math.sqrt(n));
  assert.ok(Math.abs(mean(() => stream.normal() ** 2) - 1) < 4 * Math.sqrt(2 / n));
  assert.ok(Math.abs(mean(() => stream.integer(7)) - 3) < (4 * 2) / Math.sqrt(n));
});

test("whole numbers below large bounds are exact", () => {
  for (const [word, bound] of [[4294967295, 4294967295], [123456789, 3000000000], [4000000000, 65537]]) {
    const expected = Number((BigInt(word) * BigInt(bound)) >> 32n);
    assert.equal(listedStream([word]).integer(bound), expected);
  }
});

test("a listed stream repeats its words and says when they are used up", () => {
  const stream = listedStream([2 ** 31, 0]);
  assert.equal(stream.uniform(), 0.5);
  assert.equal(stream.uniform(), 0);
  assert.throws(() => stream.uniform(), /All 2 words/);
});

test("the engine's streams are repeated", () => {
  const stream = engineStream(1, "golden");
  assert.deepEqual(stream.shuffle([0, 1, 2, 3, 4, 5, 6, 7]), [4, 5, 2, 0, 3, 6, 7, 1]);
  assert.equal(stream.integer(1000), 378);
});
