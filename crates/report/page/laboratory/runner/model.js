// Reads a model file as `inkling train` writes it: safetensors whose metadata hold the network and its card.

import { halfValues } from "./half.js";
import { ModelError } from "./model_error.js";

/** The length of a header beyond which a file is not one of a small network. */
const LONGEST_HEADER = 1 << 24;

/** Bytes of a number of each type that safetensors has; the page computes with the first two alone. */
const NUMBER_BYTES = {
  F32: 4, F16: 2, F64: 8, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1,
};

/**
 * The model in the bytes of a file: {card, spec, tensors, precision}. `tensors` is a Map from the name of each tensor of the
 * network to {shape, data}, with data a Float32Array; `precision` is "f32" or "f16".
 *
 * The file holds the length of its header in 8 bytes, the header as JSON, and the numbers of all tensors one after the other
 * (https://github.com/huggingface/safetensors). Throws a ModelError whose message says what is wrong with it.
 */
export function readModel(bytes) {
  const { header, data } = splitFile(bytes);
  const { __metadata__: metadata, ...entries } = header;
  checkPlaces(entries, data.length);
  const [spec, card] = readMetadata(metadata);
  const tensors = new Map();
  let precision = "f32";
  for (const [name, entry] of Object.entries(entries)) {
    // Weights of another epoch, which the network does not use.
    if (name.startsWith("best/") || name.startsWith("last/")) continue;
    if (entry.dtype !== "F32" && entry.dtype !== "F16") {
      throw new ModelError(`The tensor “${name}” is of the type ${entry.dtype}; weights are F32 or F16.`);
    }
    if (entry.dtype === "F16") precision = "f16";
    tensors.set(name, { shape: entry.shape, data: numbers(entry, data) });
  }
  return { card, spec, tensors, precision };
}

/** The header of a file as an object, and the bytes after it. */
function splitFile(bytes) {
  if (bytes.length < 8) throw new ModelError(`The model file has ${bytes.length} bytes, fewer than any model file.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > LONGEST_HEADER) throw new ModelError("The file is not a model file: its first 8 bytes are no length of a header.");
  if (8 + length > bytes.length) throw new ModelError("The model file is cut: it ends within its header.");
  const header = parseObject(bytes.subarray(8, 8 + length), "The header of the model file");
  return { header, data: bytes.subarray(8 + length) };
}

/** An object in JSON, given as text or as its bytes in UTF-8; `what` begins the sentence that says what is wrong. */
function parseObject(json, what) {
  let value;
  try {
    const text = typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json);
    value = JSON.parse(text);
  } catch {
    throw new ModelError(`${what} is damaged: it is not valid JSON.`);
  }
  if (!isObject(value)) throw new ModelError(`${what} is damaged: it is not a JSON object.`);
  return value;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks that the tensors of a header lie one after the other and fill the bytes after it, as the format demands. */
function checkPlaces(entries, length) {
  for (const [name, entry] of Object.entries(entries)) {
    const isEntry = isObject(entry) && Object.hasOwn(NUMBER_BYTES, entry.dtype)
      && isListOfWholeNumbers(entry.shape) && isListOfWholeNumbers(entry.data_offsets) && entry.data_offsets.length === 2;
    if (!isEntry) throw new ModelError(`The header of the model file does not describe the tensor “${name}” correctly.`);
    const [begin, end] = entry.data_offsets;
    const size = entry.shape.reduce((product, side) => product * side, NUMBER_BYTES[entry.dtype]);
    if (end - begin !== size) {
      throw new ModelError(`The tensor “${name}” of shape [${entry.shape.join(", ")}] needs ${size} bytes, but the model file gives it ${end - begin}.`);
    }
  }
  let next = 0;
  const places = Object.entries(entries).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  for (const [name, { data_offsets: [begin, end] }] of places) {
    if (begin !== next) throw new ModelError(`The model file is damaged: the numbers of “${name}” are not where those before them end.`);
    next = end;
  }
  if (next > length) throw new ModelError(`The model file is cut: ${next - length} bytes of its weights are missing.`);
  if (next < length) throw new ModelError(`The model file is damaged: ${length - next} bytes at its end belong to no tensor.`);
}

function isListOfWholeNumbers(list) {
  return Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** The network and its card, which are JSON texts in the header's metadata. */
function readMetadata(metadata) {
  if (!isObject(metadata) || typeof metadata.model !== "string" || typeof metadata.card !== "string") {
    throw new ModelError("The file holds tensors, but not the network and the card that “inkling train” writes into a model file.");
  }
  const spec = parseObject(metadata.model, "The description of the network");
  const card = parseObject(metadata.card, "The model's card");
  const lists = [spec.input, spec.trunk, spec.heads, card.heads];
  if (!lists.every(Array.isArray) || !isObject(card.preparation)) {
    throw new ModelError("The network or its card is not described as “inkling train” does it.");
  }
  return [spec, card];
}

/** The numbers of a tensor. They are copied, as their place in the file need not be a multiple of their size. */
function numbers(entry, data) {
  const [begin, end] = entry.data_offsets;
  const { buffer } = data.slice(begin, end);
  // Typed arrays have the byte order of the machine; every machine with a browser of today has that of the format.
  return entry.dtype === "F32" ? new Float32Array(buffer) : halfValues(new Uint16Array(buffer));
}
