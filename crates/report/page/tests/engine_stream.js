// The engine's random streams, to repeat its runs: ChaCha8 (Bernstein 2008) keyed by the SHA-256 of a seed and a name.
import { createHash } from "node:crypto";
import { RandomStream } from "../laboratory/runner/random.js";

/** The stream of this name under this seed, as crates/engine/src/random.rs has it. */
export function engineStream(seed, name) {
  const seedBytes = Buffer.alloc(8);
  seedBytes.writeBigUInt64LE(BigInt(seed));
  const key = createHash("sha256").update(seedBytes).update(name).digest();
  const keyWords = Array.from({ length: 8 }, (_, i) => key.readUInt32LE(4 * i));
  let [counter, words, at] = [0, [], 16];
  return new RandomStream(() => {
    if (at === 16) {
      words = chacha8(keyWords, counter);
      counter += 1;
      at = 0;
    }
    return words[at++];
  });
}

/** The block of this number, 16 words. */
function chacha8(key, counter) {
  const start = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...key, counter, 0, 0, 0];
  const x = Uint32Array.from(start);
  const turn = (word, by) => (word << by) | (word >>> (32 - by));
  const quarter = (a, b, c, d) => {
    x[a] += x[b];
    x[d] = turn(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = turn(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = turn(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = turn(x[b] ^ x[c], 7);
  };
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 4; i++) quarter(i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i++) quarter(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
  }
  return Array.from(x, (word, i) => (word + start[i]) >>> 0);
}
