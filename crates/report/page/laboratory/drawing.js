// Drawings: strokes of a pen on a pad of 256 × 256 units, as a compact text for addresses and as pixels.
import { bytesFromText, bytesToText } from "./base64.js";

/** Units on each side of the pad. */
export const PAD_UNITS = 256;
/** The thinnest, the usual and the thickest pen, as a diameter in units. */
export const PEN_WIDTHS = { least: 6, usual: 24, most: 56 };
/** The colours of the pen, for images in colour; the first is the one for grey images. */
export const PEN_COLOURS = [
  { name: "black", rgb: [0, 0, 0] },
  { name: "white", rgb: [255, 255, 255] },
  { name: "grey", rgb: [128, 128, 128] },
  { name: "red", rgb: [214, 39, 40] },
  { name: "orange", rgb: [255, 152, 0] },
  { name: "yellow", rgb: [250, 220, 50] },
  { name: "green", rgb: [44, 140, 60] },
  { name: "blue", rgb: [31, 100, 200] },
];

const DRAWING_VERSION = 1;
/** Instead of a step: the end of the stroke, and a place that is too far away for a step. */
const STROKE_END = 0x80;
const FAR_STEP = 0x88;
/** More than any drawing has, so that an address cannot keep the page busy. */
const MOST_POINTS = 20000;

/**
 * Strokes as base64url. A stroke is its pen, its first point and a byte for each further one, two steps of -7…7.
 * A stroke is {width, colour, points: [x0, y0, x1, y1, …]}, all whole numbers, points from 0 to 255.
 */
export function drawingToText(strokes) {
  const bytes = [DRAWING_VERSION];
  for (const { width, colour, points } of strokes) {
    bytes.push(width, colour, points[0], points[1]);
    for (let i = 2; i < points.length; i += 2) {
      const [dx, dy] = [points[i] - points[i - 2], points[i + 1] - points[i - 1]];
      if (Math.abs(dx) <= 7 && Math.abs(dy) <= 7) bytes.push(((dx & 15) << 4) | (dy & 15));
      else bytes.push(FAR_STEP, points[i], points[i + 1]);
    }
    bytes.push(STROKE_END);
  }
  return bytesToText(bytes);
}

/** The strokes of a text that {@link drawingToText} wrote; undefined where it is none. */
export function drawingFromText(text) {
  const bytes = bytesFromText(text);
  if (!bytes || bytes[0] !== DRAWING_VERSION || bytes.length > MOST_POINTS) return undefined;
  const strokes = [];
  let at = 1;
  while (at < bytes.length) {
    if (at + 5 > bytes.length) return undefined;
    const [width, colour, x0, y0] = bytes.subarray(at, at + 4);
    if (width < PEN_WIDTHS.least || width > PEN_WIDTHS.most || colour >= PEN_COLOURS.length) return undefined;
    const points = [x0, y0];
    at += 4;
    while (bytes[at] !== STROKE_END) {
      if (at >= bytes.length) return undefined;
      if (bytes[at] === FAR_STEP) {
        if (at + 2 >= bytes.length) return undefined;
        points.push(bytes[at + 1], bytes[at + 2]);
        at += 3;
      } else {
        const x = points.at(-2) + ((bytes[at] << 24) >> 28);
        const y = points.at(-1) + ((bytes[at] << 28) >> 28);
        if (x < 0 || x > 255 || y < 0 || y > 255) return undefined;
        points.push(x, y);
        at += 1;
      }
    }
    at += 1;
    strokes.push({ width, colour, points });
  }
  return strokes;
}
