// Drawings: strokes of a pen on a pad of 256 units a side, as a compact text for addresses and as pixels.
import { bytesFromText, bytesToText } from "./base64.js";
import { blankPicture } from "./pixels.js";

/** Units on the longer side of the pad. */
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

/** Height and width of the pad in units: the shape of the images that are drawn, the longer side of full length. */
export function padSize([height, width]) {
  const scale = PAD_UNITS / Math.max(height, width);
  return [Math.max(Math.round(height * scale), 1), Math.max(Math.round(width * scale), 1)];
}

/** Paper to draw on, for images of a shape: a picture with a channel for grey or three for colour. */
export function blankPad(shape, paper = 255) {
  const [height, width] = padSize(shape);
  return blankPicture(height, width, shape[2], paper);
}

/** Draws a stroke from its point number `from` on; a stroke of one point is a dot. */
export function inkStroke(pad, { width, colour, points }, from = 0) {
  const ink = pad.channels === 1 ? [PEN_COLOURS[colour].rgb[0]] : PEN_COLOURS[colour].rgb;
  if (points.length === 2) inkSegment(pad, ink, width / 2, points[0], points[1], points[0], points[1]);
  for (let i = Math.max(from, 1); 2 * i + 1 < points.length; i += 1) {
    inkSegment(pad, ink, width / 2, points[2 * i - 2], points[2 * i - 1], points[2 * i], points[2 * i + 1]);
  }
}

/** A segment with round ends and smooth edges. */
function inkSegment({ height, width, channels, pixels }, ink, radius, x0, y0, x1, y1) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const square = dx * dx + dy * dy || 1;
  const [left, right] = [Math.max(Math.floor(Math.min(x0, x1) - radius - 1), 0), Math.min(Math.ceil(Math.max(x0, x1) + radius + 1), width - 1)];
  const [top, bottom] = [Math.max(Math.floor(Math.min(y0, y1) - radius - 1), 0), Math.min(Math.ceil(Math.max(y0, y1) + radius + 1), height - 1)];
  for (let y = top; y <= bottom; y += 1) {
    for (let x = left; x <= right; x += 1) {
      const along = Math.min(Math.max(((x - x0) * dx + (y - y0) * dy) / square, 0), 1);
      const share = Math.min(radius + 0.5 - Math.hypot(x - x0 - along * dx, y - y0 - along * dy), 1);
      if (share <= 0) continue;
      for (let c = 0; c < channels; c += 1) {
        const i = (y * width + x) * channels + c;
        // Where segments overlap, the edge of one does not lighten the middle of the other.
        const inked = Math.round(255 + share * (ink[c] - 255));
        if (channels === 1 && ink[c] === 0) pixels[i] = Math.min(pixels[i], inked);
        else pixels[i] = Math.round(pixels[i] + share * (ink[c] - pixels[i]));
      }
    }
  }
}

/** All strokes on fresh paper. */
export function drawnPicture(strokes, shape, paper = 255) {
  const pad = blankPad(shape, paper);
  for (const stroke of strokes) inkStroke(pad, stroke);
  return pad;
}
