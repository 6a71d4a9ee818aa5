// Model files for tests, made from a description of the network and seeded weights.

/** A seeded stream of numbers from 0 to 1 (mulberry32): tests must not depend on the streams that they test. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The bytes of a safetensors file. `tensors` is {name: {shape, data}} with data a typed array; `metadata` are texts. */
export function safetensors(tensors, metadata, dtype = "F32") {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  return assemble(JSON.stringify(header), Object.values(tensors).map(({ data }) => new Uint8Array(data.buffer)));
}

/** A file of a header's text and what comes after it. */
export function assemble(header, parts) {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return new Uint8Array(Buffer.concat([length, text, ...parts]));
}

/** Metadata of a model file with this network. */
export function metadataOf(spec) {
  const heads = spec.heads.map(({ name, layers }) => ({
    name, classes: Array.from({ length: layers.at(-1).units ?? layers.at(-1).filters ?? 2 }, (_, i) => `${name} ${i}`), test: null,
  }));
  const preparation = { size: spec.input.slice(0, 2), channels: spec.input[2], fit: "pad", brightness: [0, 0.1] };
  const card = { program: "Inkling", data: { name: "set", title: "Set", checksum: "" }, preparation, heads, weights: "last", run: {} };
  return { format: "1", model: JSON.stringify(spec), card: JSON.stringify(card) };
}

export const smallSpec = {
  input: [6, 6, 1],
  trunk: [
    { layer: "conv2d", filters: 3, kernel_size: [3, 3], stride: [2, 2], padding: "same", initializer: "he-uniform" },
    { layer: "relu" },
    { layer: "flatten" },
  ],
  heads: [{ name: "class", layers: [{ layer: "dense", units: 2, initializer: "glorot-uniform" }] }],
};

export const smallShapes = { "class.1.bias": [2], "class.1.weight": [27, 2], "trunk.1.bias": [3], "trunk.1.weight": [3, 3, 1, 3] };

/** Tensors of these shapes with numbers from −1 to 1. */
export function randomTensors(shapes, seed = 1) {
  const random = seeded(seed);
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((product, side) => product * side, 1);
    return [name, { shape, data: Float32Array.from({ length: count }, () => random() * 2 - 1) }];
  }));
}

/** The file of a small network: a convolution, a ReLU and a dense layer for two classes. */
export function smallModel() {
  return safetensors(randomTensors(smallShapes), metadataOf(smallSpec));
}
