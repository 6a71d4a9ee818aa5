// MNIST as the repository holds it, for tests that compare with the engine on its images.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const file = (name) => gunzipSync(readFileSync(new URL(`../../../../data/mnist/${name}.gz`, import.meta.url)));

/** The first `count` images of a part, "train" or "t10k": {pixels, labels}. */
export function mnist(part, count) {
  const pixels = new Uint8Array(file(`${part}-images-idx3-ubyte`).subarray(16, 16 + count * 784));
  const labels = new Uint8Array(file(`${part}-labels-idx1-ubyte`).subarray(8, 8 + count));
  return { pixels, labels };
}

/** 32-bit numbers of a base64 text. */
export function floatsOfText(text) {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** The largest difference between two arrays. */
export function largestDifference(a, b) {
  if (a.length !== b.length) throw new Error(`${a.length} and ${b.length} numbers`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
