// A unit of a dense layer taken apart: its weights as an image, what each input contributes, and the largest contributions.
import { denseOpened, imageShape, largestPlaces } from "../../arithmetic.js";
import { PixelBoard } from "../../widgets/board.js";
import { CellField } from "../../widgets/cells.js";
import { extentOf, scaleOf, signedScale } from "../../widgets/colours.js";
import { element } from "../../widgets/element.js";
import { showValues } from "../../widgets/image.js";
import { channelText, numberText } from "../../widgets/words.js";
import { editedParameters, numbersBefore, outputRows, sumTable } from "./opened.js";

/** Contributions that are listed. */
const LISTED_CONTRIBUTIONS = 10;

/** Parts of the view of a dense layer; `opened` is the layer. */
export function denseParts(lab, opened) {
  const { layer } = opened;
  let channel = 0;
  const choose = (row, column) => lab.change({ at: [row, column], from: channel });
  const say = (words) => lab.say(words);
  const words = () => placeTold.textContent;
  const boards = ["Input", "Weights", "Contributions"].map((label) => new PixelBoard({ label, choose, words, say }));
  const titles = boards.map(() => element("figcaption"));
  const placeTold = element("p");
  const sums = element("div");
  const list = element("ol", { className: "contributions" });
  const field = new CellField({
    label: "Contributions of each input map. Arrow keys go from one to the next, Enter shows it.",
    describe: (i) => `Map ${i}: contributes ${numberText(byChannel[i] ?? 0)}`,
    open: (i) => lab.change({ from: i, at: lab.state.at ?? at }),
    prefix: "lab-dense-channels",
  });
  let byChannel = [];
  const told = element("p", { className: "note" });
  field.told = (text) => (told.textContent = text ?? " ");

  let at = [0, 0];

  const draw = ({ channel: unit }) => {
    const { x, shape, from } = numbersBefore(lab, layer);
    const [height, width, channels] = imageShape(shape);
    const found = denseOpened(layer, editedParameters(lab, layer), x, unit);
    // What contributes most is seen first.
    const [largest] = largestPlaces(found.products, 1);
    const [row, column] = lab.state.at ?? [Math.floor(largest / channels / width), Math.floor(largest / channels) % width];
    at = [Math.min(row, height - 1), Math.min(column, width - 1)];
    channel = Math.min(lab.state.from ?? (lab.state.at ? 0 : largest % channels), channels - 1);
    const isImage = shape.length === 3;
    const inColour = channels === 3 && from === "the network's input";
    const of = isImage && channels > 1 ? `, ${channelText(channel, inColour, "map")}` : "";
    const shown = [
      [x, scaleOf(...extentOf(x)), `Input: ${from}${of}`],
      [found.weights, signedScale(found.weights), `Weights of unit ${unit}${of}`],
      [found.products, signedScale(found.products), "Contributions: input × weight"],
    ];
    shown.forEach(([values, scale, title], i) => {
      boards[i].lay(height, width);
      // A vector may leave the last row unfinished.
      const padded = values.length === height * width * channels ? values : Float32Array.from({ length: height * width }, (_, k) => values[k] ?? 0);
      showValues(boards[i].image, padded, height, width, scale, channels, channel);
      boards[i].frame([{ top: at[0], left: at[1], height: 1, width: 1, kind: "place" }]);
      boards[i].at = at;
      titles[i].textContent = title;
    });
    const index = (at[0] * width + at[1]) * channels + channel;
    const name = (k) => {
      if (!isImage) return `unit ${k}`;
      const pixel = Math.floor(k / channels);
      return `${channels > 1 ? `${channelText(k % channels, inColour, "map")}, ` : ""}row ${Math.floor(pixel / width)}, column ${pixel % width}`;
    };
    const product = (k) => `${numberText(x[k])} × ${numberText(found.weights[k])} = ${numberText(found.products[k])}`;
    placeTold.textContent = index < x.length ? `Framed: ${name(index)}: ${product(index)}` : "";
    list.replaceChildren(
      ...largestPlaces(found.products, LISTED_CONTRIBUTIONS).map((k) => element("li", {}, element("span", { textContent: name(k) }), element("span", { className: "number", textContent: product(k) }))),
    );
    sums.replaceChildren(
      sumTable([
        ["Positive contributions, summed", found.positive],
        ["Negative contributions, summed", found.negative],
        ["Bias", found.bias],
        ["Together", found.total, "total"],
        ...outputRows(lab, opened, found.total, { channel: unit, index: unit }),
      ]),
    );
    channelPart.hidden = !(isImage && channels > 1);
    if (!channelPart.hidden) {
      byChannel = Array.from({ length: channels }, () => 0);
      found.products.forEach((value, k) => (byChannel[k % channels] += value));
      const room = channelPart.clientWidth;
      if (room > 0) {
        field.lay({ count: channels, height, width, cell: 30, room });
        field.draw(found.products, Array.from({ length: channels }, (_, i) => i), signedScale(found.products));
        field.mark({ chosen: channel });
      }
    }
  };
  const channelPart = element(
    "div",
    { className: "channels" },
    element("h4", { textContent: "Contributions of each map; choose the one that is shown" }),
    field.element,
    told,
  );
  const body = element(
    "div",
    { className: "opened" },
    element("p", { className: "note", textContent: `Every input has a weight of its own. The unit is the sum of all products of an input and its weight, plus the bias${opened.output === opened.name ? "" : "; the ReLU makes negative sums zero"}. Blue is negative, orange positive.` }),
    element("div", { className: "boards three" }, ...boards.map((board, i) => element("figure", {}, titles[i], board.element))),
    placeTold,
    element(
      "div",
      { className: "after" },
      element("div", {}, element("h4", { textContent: "From the contributions to the number" }), sums),
      element("div", {}, element("h4", { textContent: `The ${LISTED_CONTRIBUTIONS} largest contributions` }), list),
      channelPart,
    ),
  );
  return { element: body, draw };
}
