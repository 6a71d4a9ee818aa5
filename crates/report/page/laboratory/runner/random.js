// Random numbers from a seed: the page's own generator, and streams that repeat given words.

/** A source of random numbers over `nextWord`, a function that returns whole numbers from 0 to 2³² − 1, each equally likely. */
export class RandomStream {
  constructor(nextWord) {
    this.nextWord = nextWord;
  }

  /** Uniform in [0, 1), a multiple of 2⁻²⁴. */
  uniform() {
    return (this.nextWord() >>> 8) / 16777216;
  }

  /** A standard normal number (Box and Muller 1958), from two words. */
  normal() {
    const a = 1 - this.uniform();
    const b = this.uniform();
    return Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b);
  }

  /** A whole number from 0 to bound − 1, without bias (Lemire 2019). */
  integer(bound) {
    const threshold = (4294967296 - bound) % bound;
    for (;;) {
      // The product has up to 64 bits: its low and its high word, exactly.
      const word = this.nextWord() >>> 0;
      const low = Math.imul(word, bound) >>> 0;
      if (low < threshold) continue;
      const upper = (word >>> 16) * bound + Math.floor(((word & 0xffff) * bound) / 65536);
      return Math.floor(upper / 65536);
    }
  }

  /** Shuffles an array in place, every order equally likely (Fisher and Yates). */
  shuffle(items) {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const item = items[last];
      items[last] = items[other];
      items[other] = item;
    }
    return items;
  }
}

/**
 * The stream of a seed and a purpose: xoshiro128** (Blackman and Vigna 2018, "Scrambled linear pseudorandom number generators"),
 * whose state is filled by SplitMix64, as its authors recommend. Streams of other purposes are unrelated.
 */
export function seededStream(seed, purpose = "") {
  const mask = (1n << 64n) - 1n;
  // FNV-1a over the purpose keeps streams of one seed apart.
  let state = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(purpose)) {
    state = ((state ^ BigInt(byte)) * 0x100000001b3n) & mask;
  }
  state = (state ^ BigInt.asUintN(64, BigInt(Math.trunc(seed)))) & mask;
  const words = [];
  while (words.length < 4) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
    mixed ^= mixed >> 31n;
    words.push(Number(mixed & 0xffffffffn), Number(mixed >> 32n));
  }
  return new RandomStream(xoshiro128(words));
}

/** The words of xoshiro128** from a state of four words, not all zero. */
export function xoshiro128([a, b, c, d]) {
  const turned = (word, by) => (word << by) | (word >>> (32 - by));
  return () => {
    const word = Math.imul(turned(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = turned(d, 11);
    return word;
  };
}

/** A stream that returns these words, one after the other. */
export function listedStream(words) {
  let drawn = 0;
  return new RandomStream(() => {
    if (drawn >= words.length) throw new RangeError(`All ${words.length} words of the list have been drawn.`);
    return words[drawn++];
  });
}
