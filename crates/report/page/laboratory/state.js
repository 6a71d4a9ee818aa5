// The state of the laboratory and its address: one plain object, written after `#lab` in the address of the page.
import { bytesFromText, bytesToText } from "./base64.js";
import { drawingFromText, drawingToText } from "./drawing.js";

/** Where the address of a laboratory begins. */
export const ADDRESS_START = "#lab";

const readText = (text) => text;
const writeText = (value) => value;
const readCount = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);
const readNumber = (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined);
const readList = (text) => text.split(",").filter((part) => part !== "");
const writeList = (list) => list.join(",");
const readOneOf =
  (...values) =>
  (text) =>
    values.includes(text) ? text : undefined;
const readEach = (pattern, make) => (text) => {
  const parts = readList(text).map((part) => pattern.exec(part));
  return parts.every((part) => part) ? parts.map(make) : undefined;
};

/** The images that an address can name: `draw:STROKES`, `test:NUMBER`, `train:NUMBER`, `pixels:BYTES`. */
function readImage(text) {
  const [, kind, rest] = /^([a-z]+):(.*)$/.exec(text) ?? [];
  if (kind === "draw") {
    const strokes = drawingFromText(rest);
    return strokes && { kind, strokes };
  }
  if (kind === "test" || kind === "train") {
    const number = readCount(rest);
    return number === undefined ? undefined : { kind, number };
  }
  if (kind === "pixels") {
    const bytes = bytesFromText(rest);
    return bytes && { kind, bytes };
  }
  return undefined;
}

function writeImage(image) {
  if (image.kind === "draw") return `draw:${drawingToText(image.strokes)}`;
  if (image.kind === "pixels") return `pixels:${bytesToText(image.bytes)}`;
  return `${image.kind}:${image.number}`;
}

/**
 * Every member of the state, in the order of the address: its default, how it is read (undefined where the text is no such value)
 * and how it is written. A view that needs a member of its own adds a line here.
 */
export const STATE_MEMBERS = {
  view: { none: "layers", read: readText, write: writeText },
  net: { none: "", read: readText, write: writeText },
  img: { none: null, read: readImage, write: writeImage },
  // Steps of the preparation that differ from the usual ones: `polarity:off,mass:off`.
  prep: {
    none: [],
    read: readEach(/^(polarity|crop|box|mass|fit):(on|off|stretch|crop|pad)$/, ([, step, value]) => [step, value]),
    write: (steps) => steps.map((step) => step.join(":")).join(","),
  },
  layer: { none: "", read: readText, write: writeText },
  ch: { none: 0, read: readCount, write: String },
  // Row and column of the output that is looked at: `13.7`.
  at: {
    none: null,
    read: (text) => {
      const found = /^(\d{1,5})\.(\d{1,5})$/.exec(text);
      return found ? [Number(found[1]), Number(found[2])] : undefined;
    },
    write: (place) => place.join("."),
  },
  // The channel of the layer's input that is looked at.
  from: { none: null, read: readCount, write: String },
  sort: { none: "channel", read: readOneOf("channel", "activity"), write: writeText },
  logits: { none: "", read: readOneOf("on"), write: writeText },
  // Pixels of the input that are painted over: `INDEX:BYTE`.
  paint: {
    none: [],
    read: readEach(/^(\d{1,7}):(\d{1,3})$/, ([, index, value]) => [Number(index), Math.min(Number(value), 255)]),
    write: (pixels) => pixels.map((pixel) => pixel.join(":")).join(","),
  },
  // Channels and units that are switched off: `trunk.3:5`.
  off: {
    none: [],
    read: readEach(/^([^:,]+):(\d{1,7})$/, ([, layer, channel]) => ({ layer, channel: Number(channel) })),
    write: (list) => list.map(({ layer, channel }) => `${layer}:${channel}`).join(","),
  },
  // Weights that are typed: `trunk.1.weight:17:0.25`.
  set: {
    none: [],
    read: readEach(/^([^:,]+)\.(weight|bias):(\d{1,9}):(-?[\d.]+(?:e-?\d+)?)$/, ([, layer, tensor, index, value]) => ({
      layer,
      tensor,
      index: Number(index),
      value: Number(value),
    })),
    write: (list) => list.map(({ layer, tensor, index, value }) => `${layer}.${tensor}:${index}:${value}`).join(","),
  },
  // Of Compare: the networks beside the chosen one.
  with: { none: [], read: readList, write: writeList },
  // Of Why and Dream: the class that is asked about.
  head: { none: "", read: readText, write: writeText },
  class: { none: null, read: readCount, write: String },
  method: { none: "", read: readText, write: writeText },
  space: { none: "", read: readText, write: writeText },
  // Of Dream and Train.
  start: { none: "", read: readText, write: writeText },
  seed: { none: 1, read: readCount, write: String },
  pair: { none: [], read: readEach(/^(\d{1,3})$/, ([, label]) => Number(label)), write: writeList },
  rule: { none: "", read: readText, write: writeText },
  rate: { none: null, read: readNumber, write: String },
  // Of a teacher's link: views and parts that are left out, and the only view that is shown.
  hide: { none: [], read: readList, write: writeList },
  only: { none: "", read: readText, write: writeText },
};

/** A state in which nothing was chosen. */
export function freshState() {
  const state = { rest: [] };
  for (const [name, member] of Object.entries(STATE_MEMBERS)) state[name] = member.none;
  return state;
}

const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Letters that a reader can be shown as they are: all but those that end a value or that an address may not contain. */
const encoded = (text) => encodeURIComponent(text).replace(/%(3A|2C|2F|40|24|3B)/g, (code) => decodeURIComponent(code));

/**
 * The state of an address, and a sentence for each value in it that cannot be read. The address of something else, such as a
 * figure of the report, is no state: null.
 */
export function stateFromAddress(hash) {
  const text = hash.startsWith(ADDRESS_START) ? hash.slice(ADDRESS_START.length) : null;
  if (text === null || (text !== "" && text[0] !== "?")) return null;
  const state = freshState();
  const problems = [];
  for (const part of text.slice(1).split("&")) {
    const cut = part.indexOf("=");
    if (part === "" || cut === 0) continue;
    const [name, value] = cut < 0 ? [decoded(part), ""] : [decoded(part.slice(0, cut)), decoded(part.slice(cut + 1))];
    const member = Object.hasOwn(STATE_MEMBERS, name) ? STATE_MEMBERS[name] : undefined;
    if (!member) {
      // An address of a later version keeps what this one does not know.
      state.rest.push([name, value]);
      continue;
    }
    const read = member.read(value);
    if (read !== undefined) state[name] = read;
    else problems.push(`The address says “${name}=${shortened(value)}”, which cannot be read; it is left out.`);
  }
  return { state, problems };
}

const shortened = (text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);

/** The address of a state: members in a fixed order, without those that have their default. */
export function addressOfState(state) {
  const parts = [];
  const add = (name, value) => parts.push(value === "" ? encoded(name) : `${encoded(name)}=${encoded(value)}`);
  for (const [name, member] of Object.entries(STATE_MEMBERS)) {
    const written = state[name] === null ? "" : member.write(state[name]);
    const none = member.none === null ? "" : member.write(member.none);
    if (written !== none) add(name, written);
  }
  for (const [name, value] of state.rest ?? []) add(name, value);
  return parts.length > 0 ? `${ADDRESS_START}?${parts.join("&")}` : ADDRESS_START;
}

/** A state that can be listened to. */
export class Store {
  constructor(state = freshState()) {
    this.state = state;
    this.listeners = new Set();
  }

  /** Changes members of the state and tells the listeners which ones became different. */
  change(members) {
    const changed = new Set();
    const next = { ...this.state };
    for (const [name, value] of Object.entries(members)) {
      if (!sameValue(next[name], value)) changed.add(name);
      next[name] = value;
    }
    this.state = next;
    if (changed.size > 0) for (const listener of [...this.listeners]) listener(changed, next);
    return changed;
  }

  /** Calls the listener with the names of the changed members after each change, until the returned function is called. */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Whether two values of a state say the same; strokes and bytes are compared by identity, since they are replaced when they change. */
function sameValue(a, b) {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => sameValue(value, b[i]));
  if (a && b && Object.getPrototypeOf(a) === Object.prototype && Object.getPrototypeOf(b) === Object.prototype) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => sameValue(a[name], b[name]));
  }
  return false;
}
