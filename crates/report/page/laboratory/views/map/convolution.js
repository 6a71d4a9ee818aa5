// A convolution taken apart: the kernel slides over its input, and its products become one number of the map.
import { convolutionOpened, kernelNumbers, largestPlaces, windowCorner, windowNumbers } from "../../arithmetic.js";
import { PixelBoard } from "../../widgets/board.js";
import { CellField } from "../../widgets/cells.js";
import { extentOf, scaleOf, signedScale } from "../../widgets/colours.js";
import { element } from "../../widgets/element.js";
import { showPicture, showValues } from "../../widgets/image.js";
import { channelText, countedText, numberText } from "../../widgets/words.js";
import { numberGrid, signedBars } from "./grid.js";
import { editedParameters, numbersBefore, outputRows, sumTable } from "./opened.js";

/** Parts of the view of a convolution; `opened` is the layer, `look` chooses a place. */
export function convolutionParts(lab, opened, look) {
  const { layer } = opened;
  const channels = layer.input[2];
  const [high, wide] = layer.windows.kernel;
  let channel = 0;
  const chooseChannel = (next) => lab.change({ from: next });
  const inputBoard = new PixelBoard({
    label: "Input of the layer",
    choose: (row, column) => look(...placeOfWindow(layer, row, column)),
    words: () => placeWords(),
    say: (words) => lab.say(words),
  });
  const outputBoard = new PixelBoard({ label: "The map", choose: (row, column) => look(row, column), words: () => placeWords(), say: (words) => lab.say(words) });
  const [windowGrid, kernelGrid, productGrid] = [numberGrid("Window"), numberGrid("Kernel"), numberGrid("Products")];
  const bars = signedBars("Sum of the products of each input channel", chooseChannel);
  const inputTitle = element("figcaption");
  const outputTitle = element("figcaption");
  const sums = element("div");
  const sumTitle = element("h4");
  const field = new CellField({
    label: "Channels of the input. Arrow keys go from one to the next, Enter shows it.",
    describe: (i) => `Input channel ${i}: its products sum to ${numberText(last?.partial[i] ?? 0)}`,
    open: chooseChannel,
    prefix: "lab-input-channels",
  });
  const told = element("p", { className: "note" });
  field.told = (words) => (told.textContent = words ?? " ");
  const formula = element("p", {
    className: "note",
    textContent: `Each number of the map is a sum of ${high} × ${wide} × ${channels} products, one for each weight of its kernel, plus the bias${opened.output === opened.name ? "" : "; the ReLU makes negative sums zero"}.`,
  });
  let last = null;
  const placeWords = () => {
    const [row, column] = at;
    return `Row ${row}, column ${column}: ${numberText(lab.pass.outputs[opened.output][(row * layer.shape[1] + column) * layer.shape[2] + filter])}`;
  };
  let at = [0, 0];
  let filter = 0;

  const draw = (place) => {
    [at, filter] = [[place.row, place.column], place.channel];
    const { x, from } = numbersBefore(lab, layer);
    const parameters = editedParameters(lab, layer);
    const [row, column] = at;
    last = convolutionOpened(layer, parameters, x, row, column, filter);
    // What counts most is seen first.
    channel = Math.min(lab.state.from ?? largestPlaces(last.partial, 1)[0], channels - 1);
    const [height, width] = layer.input;
    const y = lab.pass.outputs[opened.output];
    const [rows, columns, filters] = layer.shape;
    const inputScale = scaleOf(...extentOf(x));

    inputBoard.lay(height, width);
    const inColour = channels === 3 && from === "the network's input";
    const name = channelText(channel, inColour);
    if (inColour) showPicture(inputBoard.image, { height, width, channels, pixels: Uint8ClampedArray.from(x, (value) => 255 * value) });
    else showValues(inputBoard.image, x, height, width, inputScale, channels, channel);
    const [top, left] = windowCorner(layer, row, column);
    inputBoard.frame([{ top, left, height: high, width: wide, kind: "window" }]);
    inputBoard.at = [Math.min(Math.max(top + (layer.windows.before[0] || 0), 0), height - 1), Math.min(Math.max(left + (layer.windows.before[1] || 0), 0), width - 1)];
    inputTitle.textContent = channels === 1 || inColour ? `Input: ${from}, ${height} × ${width}` : `Input: ${name} of ${from}, ${height} × ${width}`;

    outputBoard.lay(rows, columns);
    showValues(outputBoard.image, y, rows, columns, scaleOf(...extentOf(y)), filters, filter);
    outputBoard.frame([{ top: row, left: column, height: 1, width: 1, kind: "place" }]);
    outputBoard.at = [row, column];
    outputTitle.textContent = `Map ${filter}: row ${row}, column ${column}`;

    const { values, inside } = windowNumbers(layer, x, row, column, channel);
    const kernel = kernelNumbers(layer, parameters.weight, channel, filter);
    const products = values.map((value, i) => value * kernel[i]);
    const of = channels === 1 ? "" : ` of ${name}`;
    windowGrid.draw(values, wide, inputScale, { inside, from: `Window${of}` });
    kernelGrid.draw(kernel, wide, signedScale(kernel), { from: `Kernel${of}` });
    productGrid.draw(products, wide, signedScale(products), { inside, from: "Products" });

    if (channels > 1) {
      const room = field.element.parentElement.clientWidth;
      if (room > 0) {
        field.lay({ count: channels, height, width, cell: 30, room });
        field.draw(x, Array.from({ length: channels }, (_, i) => i), inputScale);
        field.mark({ chosen: channel });
      }
      bars.draw(last.partial, channel);
    }
    sumTitle.textContent = "From the products to the number";
    sums.replaceChildren(
      sumTable([
        ...(channels > 1 ? [[`Products of ${name}, summed`, last.partial[channel]]] : []),
        [channels > 1 ? `All ${countedText(channels, "channel")}, summed` : "Products, summed", last.sum],
        ["Bias", last.bias],
        ["Together", last.total, "total"],
        ...outputRows(lab, opened, last.total, { channel: filter, index: (row * columns + column) * filters + filter }),
      ]),
    );
  };
  const channelPart =
    channels > 1
      ? element(
          "div",
          { className: "channels" },
          element("h4", { textContent: "Sum of the products of each input channel" }),
          bars.element,
          element("p", { className: "note", textContent: "Choose the channel that is shown:" }),
          element("div", {}, field.element),
          told,
        )
      : null;
  const body = element(
    "div",
    { className: "opened" },
    formula,
    element(
      "div",
      { className: "boards" },
      element("figure", {}, inputTitle, inputBoard.element),
      element("div", { className: "grids" }, windowGrid.element, afterSign("×", kernelGrid.element), afterSign("=", productGrid.element)),
      element("figure", {}, outputTitle, outputBoard.element),
    ),
    element("div", { className: "after" }, element("div", {}, sumTitle, sums), channelPart),
  );
  return { element: body, draw, channel: () => channel };
}

const afterSign = (sign, figure) => element("div", { className: "after-sign" }, element("span", { className: "sign", textContent: sign }), figure);

/** The output place whose window has its middle nearest to a pixel of the input. */
export function placeOfWindow({ windows, shape }, row, column) {
  const place = (at, side) => {
    const middle = at + windows.before[side] - (windows.kernel[side] - 1) / 2;
    return Math.min(Math.max(Math.round(middle / windows.stride[side]), 0), shape[side] - 1);
  };
  return [place(row, 0), place(column, 1)];
}
