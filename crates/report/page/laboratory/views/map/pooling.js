// A pooling taken apart: the window slides over its input, and the largest number or the mean of it remains.
import { windowCorner, windowNumbers } from "../../arithmetic.js";
import { PixelBoard } from "../../widgets/board.js";
import { extentOf, scaleOf } from "../../widgets/colours.js";
import { element } from "../../widgets/element.js";
import { showValues } from "../../widgets/image.js";
import { placeOfWindow } from "./convolution.js";
import { numberGrid } from "./grid.js";
import { numbersBefore, outputRows, sumTable } from "./opened.js";

/** Parts of the view of a pooling layer; `opened` is the layer, `look` chooses a place. */
export function poolingParts(lab, opened, look) {
  const { layer } = opened;
  const isMaximum = layer.kind === "max-pool";
  const [high, wide] = layer.windows.kernel;
  const say = (words) => lab.say(words);
  let at = [0, 0];
  const placeWords = () => `Row ${at[0]}, column ${at[1]}`;
  const inputBoard = new PixelBoard({ label: "Input of the layer", choose: (row, column) => look(...placeOfWindow(layer, row, column)), words: placeWords, say });
  const outputBoard = new PixelBoard({ label: "The map", choose: (row, column) => look(row, column), words: placeWords, say });
  const grid = numberGrid("Window");
  const [inputTitle, outputTitle, sums] = [element("figcaption"), element("figcaption"), element("div")];
  const draw = ({ row, column, channel }) => {
    at = [row, column];
    const { x, from } = numbersBefore(lab, layer);
    const [height, width, channels] = layer.input;
    const [rows, columns] = layer.shape;
    const scale = scaleOf(...extentOf(x));
    inputBoard.lay(height, width);
    showValues(inputBoard.image, x, height, width, scale, channels, channel);
    const [top, left] = windowCorner(layer, row, column);
    inputBoard.frame([{ top, left, height: high, width: wide, kind: "window" }]);
    inputTitle.textContent = `Input: channel ${channel} of ${from}, ${height} × ${width}`;
    outputBoard.lay(rows, columns);
    showValues(outputBoard.image, lab.pass.outputs[opened.output], rows, columns, scale, channels, channel);
    outputBoard.frame([{ top: row, left: column, height: 1, width: 1, kind: "place" }]);
    outputBoard.at = [row, column];
    outputTitle.textContent = `Map ${channel}: row ${row}, column ${column}`;
    const { values } = windowNumbers(layer, x, row, column, channel);
    const chosen = values.indexOf(Math.max(...values));
    grid.draw(values, wide, scale, { chosen: isMaximum ? chosen : -1, from: isMaximum ? "Window, its largest number framed" : "Window" });
    const total = isMaximum ? values[chosen] : values.reduce((sum, value) => sum + value, 0) / values.length;
    sums.replaceChildren(
      sumTable([
        [isMaximum ? "The largest" : `The mean of ${values.length} numbers`, total, "total"],
        ...outputRows(lab, opened, total, { channel, index: (row * columns + column) * channels + channel }),
      ]),
    );
  };
  const words = isMaximum ? "the largest number of each window remains, the others are lost" : "the mean of each window remains";
  const body = element(
    "div",
    { className: "opened" },
    element("p", { className: "note", textContent: `Windows of ${high} × ${wide} slide over each map by itself: ${words}. There is nothing to learn here.` }),
    element(
      "div",
      { className: "boards" },
      element("figure", {}, inputTitle, inputBoard.element),
      element("div", { className: "grids" }, grid.element),
      element("figure", {}, outputTitle, outputBoard.element),
    ),
    element("div", { className: "after" }, sums),
  );
  return { element: body, draw };
}
