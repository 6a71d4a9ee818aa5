// The scale of signed colours, and images of signed numbers that follow the theme.
import { listenToTheme, scaleOf } from "./colours.js";
import { element } from "./element.js";
import { imageCanvas, showValues } from "./image.js";
import { numberText } from "./words.js";

/** The largest absolute value of an array; 0 of an empty one. */
export function largestSize(numbers) {
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) largest = Math.max(largest, Math.abs(numbers[i]));
  return largest;
}

/** One number for each pixel: the sum over its channels. */
export function summedOverChannels(numbers, [height, width, channels]) {
  if (channels === 1) return numbers;
  const sums = new Float32Array(height * width);
  for (let i = 0; i < numbers.length; i++) sums[Math.floor(i / channels)] += numbers[i];
  return sums;
}

/** What a caption adds where the channels of a pixel are added up. */
export function channelWords([, , channels]) {
  return channels === 1 ? "" : ", red, green and blue added up";
}

/**
 * An image of signed numbers, blue below zero and orange above, with its scale beside it: `show(numbers, [height, width, channels], words)`.
 * Channels are added up. `words` describe it to those who do not see it.
 */
export function signedImage(label, className = "") {
  const canvas = imageCanvas(label, className);
  const bar = element("canvas", { className: "pixels scale-bar", aria: { hidden: true } });
  const ends = [element("span"), element("span", { textContent: "0" }), element("span")];
  const scale = element("div", { className: "scale" }, bar, element("div", { className: "scale-ends" }, ...ends));
  const made = element("div", { className: "signed-image" }, canvas, scale);
  let shown = null;
  const draw = () => {
    if (!shown) return;
    const { sums, shape, most } = shown;
    showValues(canvas, sums, shape[0], shape[1], scaleOf(-most, most));
    showValues(bar, Float32Array.from({ length: 127 }, (_, i) => i / 63 - 1), 1, 127, scaleOf(-1, 1));
  };
  made.show = (numbers, shape, words = label) => {
    const sums = summedOverChannels(numbers, shape);
    shown = { sums, shape, most: largestSize(sums) };
    canvas.setAttribute("aria-label", words);
    ends[0].textContent = numberText(-shown.most);
    ends[2].textContent = `+${numberText(shown.most)}`;
    draw();
  };
  listenToTheme(draw);
  made.canvas = canvas;
  return made;
}
