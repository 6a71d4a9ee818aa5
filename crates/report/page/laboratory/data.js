// What the page holds: the index of networks and images, and the bytes that it names.
import { bytesFromBase64 } from "./base64.js";

/** Something that the page should hold and does not, as a sentence. */
export class PageError extends Error {}

/** The page's data, read from its index and from the texts of its blobs. */
export class PageData {
  /**
   * @param index the parsed index
   * @param textOf gives the base64 text of a blob by its key; null where there is none
   */
  constructor(index, textOf) {
    this.index = index;
    this.textOf = textOf;
    this.read = new Map();
  }

  get networks() {
    return this.index.networks;
  }

  get sets() {
    return this.index.sets;
  }

  /** The network with an id; undefined where there is none. */
  network(id) {
    return this.networks.find((network) => network.id === id);
  }

  /** The set of a name; undefined where there is none. */
  set(name) {
    return this.sets.find((set) => set.name === name);
  }

  /** The bytes of a blob such as `network.model`, decoded and unpacked once. */
  bytes(blob) {
    if (!this.read.has(blob.key)) this.read.set(blob.key, this.readBlob(blob));
    return this.read.get(blob.key);
  }

  async readBlob({ key, gzip }) {
    const text = this.textOf(key);
    if (text === null) throw new PageError(`This page lacks a part of its data (“${key}”): it may be cut short.`);
    try {
      const bytes = bytesFromBase64(text.trim());
      return gzip ? await unpacked(bytes) : bytes;
    } catch {
      throw new PageError(`A part of this page's data (“${key}”) is damaged.`);
    }
  }

  /** The 32-bit floating-point numbers of a blob. */
  async floats(blob) {
    const bytes = await this.bytes(blob);
    return new Float32Array(bytes.slice(0, bytes.length - (bytes.length % 4)).buffer);
  }

  /**
   * The images of a set that the page holds, `part` being "test" or "train": {pixels, count, each, labels, numbers}, pixels
   * of `each` bytes an image. Without images of this part, count is 0.
   */
  async images(name, part) {
    const set = this.set(name);
    const each = set.shape[0] * set.shape[1] * set.shape[2];
    const held = set[part];
    if (!held) return { pixels: new Uint8Array(0), count: 0, each, labels: [], numbers: [] };
    const pixels = await this.bytes(held.images);
    const count = Math.min(Math.floor(pixels.length / each), held.labels.length);
    return { pixels, count, each, labels: held.labels, numbers: held.numbers ?? held.labels.map((_, i) => i) };
  }
}

/** The data of a document; null where the page has no laboratory. */
export function pageData(document) {
  const index = document.getElementById("laboratory");
  if (!index) return null;
  return new PageData(JSON.parse(index.textContent), (key) => document.getElementById(`laboratory-${key}`)?.textContent ?? null);
}

/** What gzip packed. */
export async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An image as a network takes it: bytes divided by 255. */
export function inputOfBytes(bytes) {
  return Float32Array.from(bytes, (byte) => byte / 255);
}

/** The bytes nearest to an input. */
export function bytesOfInput(input) {
  return Uint8Array.from(input, (value) => Math.round(Math.min(Math.max(value, 0), 1) * 255));
}
