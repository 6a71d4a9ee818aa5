// Small images on canvases, one canvas pixel for each of the image's, enlarged by the style sheet.
import { colourIndex, greyTable, tableOf } from "./colours.js";
import { element } from "./element.js";

/** An image with an accessible name; show it with {@link showPicture} or {@link showValues}. */
export function imageCanvas(label, className = "") {
  const canvas = element("canvas", { className: `pixels ${className}`.trim(), width: 1, height: 1, aria: { role: "img", label } });
  return canvas;
}

function pixelsOf(canvas, height, width) {
  if (canvas.width !== width || canvas.height !== height || !canvas.held) {
    canvas.width = width;
    canvas.height = height;
    canvas.pen = canvas.getContext("2d");
    canvas.held = canvas.pen.createImageData(width, height);
    canvas.words = new Uint32Array(canvas.held.data.buffer);
  }
  return canvas.words;
}

/** Shows bytes of one channel or three. */
export function showPicture(canvas, { height, width, channels, pixels }) {
  const words = pixelsOf(canvas, height, width);
  if (channels === 1) {
    const table = greyTable();
    for (let i = 0; i < words.length; i += 1) words[i] = table[pixels[i]];
  } else {
    for (let i = 0; i < words.length; i += 1) {
      words[i] = ((255 << 24) | (pixels[channels * i + 2] << 16) | (pixels[channels * i + 1] << 8) | pixels[channels * i]) >>> 0;
    }
  }
  canvas.pen.putImageData(canvas.held, 0, 0);
}

/** Shows numbers in the colours of a scale; of several channels `channel` is the one that is shown. */
export function showValues(canvas, values, height, width, scale, channels = 1, channel = 0) {
  const words = pixelsOf(canvas, height, width);
  const table = tableOf(scale);
  for (let i = 0; i < words.length; i += 1) words[i] = table[colourIndex(values[i * channels + channel], scale)];
  canvas.pen.putImageData(canvas.held, 0, 0);
}

/** Shows an input of a network: numbers from 0 to 1 in one channel or three. */
export function showInput(canvas, input, [height, width, channels]) {
  showPicture(canvas, { height, width, channels, pixels: Uint8ClampedArray.from(input, (value) => 255 * value) });
}
