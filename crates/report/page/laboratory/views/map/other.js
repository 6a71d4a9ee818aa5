// Layers with one number in and one number out, or two: activations, normalisations, sums, the mean of a map.
import { PixelBoard } from "../../widgets/board.js";
import { extentOf, scaleOf } from "../../widgets/colours.js";
import { element } from "../../widgets/element.js";
import { showValues } from "../../widgets/image.js";
import { imageShape } from "../../arithmetic.js";
import { layerKind } from "../layers.js";
import { numbersBefore, outputRows, sumTable } from "./opened.js";

/** The function of an activation, as it is written. */
const ACTIVATION_FORMULAS = {
  relu: () => "max(0, x)",
  "leaky-relu": ({ slope }) => `x where it is positive, else ${slope} · x`,
  elu: ({ alpha }) => `x where it is positive, else ${alpha} · (eˣ − 1)`,
  gelu: () => "x · Φ(x), where Φ is the distribution function of the normal distribution",
  silu: () => "x · σ(x), where σ(x) = 1 / (1 + e⁻ˣ)",
  sigmoid: () => "1 / (1 + e⁻ˣ)",
  tanh: () => "tanh x",
};

/** What a layer does with its numbers, as a sentence. */
function otherWords(layer) {
  const formula = ACTIVATION_FORMULAS[layer.kind]?.(layer.spec);
  if (formula) return `Every number x becomes ${formula}.`;
  if (layer.kind === "batch-norm") return "Each map is shifted and scaled by the mean and variance that its numbers had in training, and by two learned numbers.";
  if (layer.kind === "layer-norm") return "The numbers of all channels at a place are brought to the mean 0 and the variance 1, then scaled and shifted by learned numbers.";
  if (layer.kind === "residual") return "What the layers of the block give is added to what went into it.";
  if (layer.kind === "global-avg-pool") return "Each map becomes one number: its mean.";
  return `This layer is of the kind “${layerKind(layer)}”.`;
}

/** Parts of the view of such a layer; `look` chooses a place. */
export function otherParts(lab, opened, look) {
  const { layer } = opened;
  const say = (words) => lab.say(words);
  const sums = element("div");
  const titles = layer.inputs.map(() => element("figcaption"));
  const inputBoards = layer.inputs.map((_, i) => new PixelBoard({ label: `Input ${i + 1}`, choose: (row, column) => look(row, column), say }));
  const outputBoard = new PixelBoard({ label: "Output", choose: (row, column) => look(row, column), say });
  const outputTitle = element("figcaption");
  const draw = ({ row, column, channel }) => {
    const y = lab.pass.outputs[opened.output];
    const isVector = layer.shape.length === 1;
    const index = isVector ? channel : (row * layer.shape[1] + column) * layer.shape[2] + channel;
    const board = (made, title, values, shape, name) => {
      const [height, width, channels] = imageShape(shape);
      const padded = values.length === height * width * channels ? values : Float32Array.from({ length: height * width }, (_, k) => values[k] ?? 0);
      made.lay(height, width);
      showValues(made.image, padded, height, width, scaleOf(...extentOf(values)), channels, shape.length === 3 ? channel : 0);
      const [top, left] = shape.length === 3 ? [row, column] : [Math.floor(channel / width), channel % width];
      const isWhole = layer.kind === "global-avg-pool" && shape.length === 3;
      made.frame([{ top: isWhole ? 0 : top, left: isWhole ? 0 : left, height: isWhole ? height : 1, width: isWhole ? width : 1, kind: isWhole ? "window" : "place" }]);
      title.textContent = name;
    };
    const rows = [];
    layer.inputs.forEach((_, i) => {
      const { x, shape, from } = numbersBefore(lab, layer, i);
      board(inputBoards[i], titles[i], x, shape, `${["From", "And from"][i]} ${from}`);
      rows.push([`x${layer.inputs.length > 1 ? ` ${i + 1}` : ""}`, layer.kind === "global-avg-pool" ? `${shape[0] * shape[1]} numbers` : x[index]]);
    });
    board(outputBoard, outputTitle, y, layer.shape, "Output");
    for (const [name, title] of [["running_mean", "Mean"], ["running_variance", "Variance"], ["scale", "Scale"], ["shift", "Shift"]]) {
      const held = layer.tensors?.[name];
      if (held) rows.push([title, held[channel]]);
    }
    if (layer.spec.epsilon !== undefined) rows.push(["ε", layer.spec.epsilon]);
    sums.replaceChildren(sumTable([...rows, ...outputRows(lab, opened, y[index], { channel, index })]));
  };
  const body = element(
    "div",
    { className: "opened" },
    element("p", { className: "note", textContent: otherWords(layer) }),
    element("div", { className: "boards three" }, ...inputBoards.map((made, i) => element("figure", {}, titles[i], made.element)), element("figure", {}, outputTitle, outputBoard.element)),
    element("div", { className: "after" }, sums),
  );
  return { element: body, draw };
}
