// Reads any safetensors file that the program wrote.

import { readFileSync } from "node:fs";

const ARRAYS = { F32: Float32Array, U8: Uint8Array, U32: Uint32Array };

/** The tensors of a file by name: {shape, data}. */
export function readTensors(path) {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8"));
  const data = bytes.subarray(8 + length);
  return new Map(Object.entries(entries).map(([name, { dtype, shape, data_offsets: [begin, end] }]) =>
    [name, { shape, data: new ARRAYS[dtype](new Uint8Array(data.subarray(begin, end)).buffer) }]));
}
