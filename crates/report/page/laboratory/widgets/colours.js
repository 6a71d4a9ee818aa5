// Colours of values: greys for images and activations, blue and orange for negative and positive numbers, in both themes.

/** Whether the page is dark: as its own switch says, or else the system. */
export function isDarkTheme() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Calls the listener whenever the page becomes light or dark. */
export function listenToTheme(listener) {
  new MutationObserver(listener).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
}

/** Colours of the numbers −1, 0 and 1 on light and on dark paper: told apart whatever colours a reader sees. */
const SIGNED_COLOURS = {
  light: [[10, 84, 168], [247, 247, 245], [200, 82, 0]],
  dark: [[104, 178, 255], [32, 38, 47], [255, 156, 64]],
};
/** Tables that were made, by name. */
const madeTables = new Map();

const pixelOf = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** 256 pixels from black to white, as ImageData holds them. */
export function greyTable() {
  if (!madeTables.has("grey")) madeTables.set("grey", Uint32Array.from({ length: 256 }, (_, i) => pixelOf(i, i, i)));
  return madeTables.get("grey");
}

/** 256 pixels from the colour of −1 to that of 1; number 128 is zero. */
export function signedTable(dark = isDarkTheme()) {
  const name = dark ? "dark" : "light";
  if (!madeTables.has(name)) {
    const [low, zero, high] = SIGNED_COLOURS[name];
    const colour = (i) => {
      const share = (i - 128) / 127;
      const end = share < 0 ? low : high;
      return pixelOf(...zero.map((value, c) => Math.round(value + Math.min(Math.abs(share), 1) * (end[c] - value))));
    };
    madeTables.set(name, Uint32Array.from({ length: 256 }, (_, i) => colour(i)));
  }
  return madeTables.get(name);
}

/** A pixel of a table as a CSS colour, and black or white for text on it. */
export function colourAndInk(pixel) {
  const [red, green, blue] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const linear = [red, green, blue].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return [`rgb(${red}, ${green}, ${blue})`, luminance > 0.179 ? "#000" : "#fff"];
}

/**
 * How numbers become colours: greys from 0 where none is negative, else blue and orange around 0. `most` is the number of
 * the strongest colour.
 */
export function scaleOf(least, most) {
  const size = Math.max(Math.abs(least), Math.abs(most)) || 1;
  return least < 0 ? { signed: true, size } : { signed: false, size };
}

/** A scale around 0 whose strongest colour is that of the number furthest from it. */
export function signedScale(values) {
  const [least, most] = extentOf(values);
  return { signed: true, size: Math.max(-least, most) || 1 };
}

/** The smallest and the largest of some numbers and 0. */
export function extentOf(values) {
  let [least, most] = [0, 0];
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] < least) least = values[i];
    else if (values[i] > most) most = values[i];
  }
  return [least, most];
}

/** Which of 256 colours a number has. */
export function colourIndex(value, { signed, size }) {
  const index = signed ? 128 + (127 * value) / size : (255 * value) / size;
  return index <= 0 ? 0 : index >= 255 ? 255 : index | 0;
}

/** The table of a scale. */
export function tableOf({ signed }) {
  return signed ? signedTable() : greyTable();
}
