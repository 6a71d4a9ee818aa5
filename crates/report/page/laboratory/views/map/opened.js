// What the view Map can open: every layer with its numbers before and after, and the softmax of each head.
import { element } from "../../widgets/element.js";
import { numberText } from "../../widgets/words.js";
import { layerKind, layerTitle, shownLayers } from "../layers.js";

/** How the softmax of a head is called in addresses. */
export const softmaxName = (head) => `${head}.softmax`;

/** What can be opened: {name, title, layer, output, number} of layers, {name, title, head} of softmaxes. */
export function openedLayers(network) {
  const shown = shownLayers(network);
  const fused = new Set(shown.filter(({ name, output }) => output !== name).map(({ output }) => output));
  const layers = network.layers
    .filter(({ name, kind }) => kind !== "flatten" && kind !== "dropout" && !fused.has(name))
    .map((layer) => {
      const handle = shown.find(({ name }) => name === layer.name);
      const title = handle ? layerTitle(network, handle) : `Within ${layer.parent}: ${layer.name}`;
      return { name: layer.name, title: `${title}, ${layerKind(layer)}`, layer, output: handle?.output ?? layer.name, handle };
    });
  const softmaxes = network.heads.map((head) => ({ name: softmaxName(head.name), title: `Softmax${network.heads.length > 1 ? ` of ${head.name}` : ""}: probabilities`, head }));
  return [...layers, ...softmaxes];
}

/** The layer before another one, beyond those that change no number; null where it is the image. */
export function layerBefore(network, layer, number = 0) {
  let place = layer.inputs[number];
  while (place >= 0 && ["flatten", "dropout"].includes(network.layers[place].kind)) place = network.layers[place].inputs[0];
  return place >= 0 ? network.layers[place] : null;
}

/** The numbers that go into a layer, their shape as images or a vector, and what to call them. */
export function numbersBefore(lab, layer, number = 0) {
  const before = layerBefore(lab.network, layer, number);
  if (!before) return { x: lab.pass.input, shape: lab.network.input, from: "the network's input" };
  const handle = shownLayers(lab.network).find(({ name, output }) => name === before.name || output === before.name);
  return { x: lab.pass.outputs[before.name], shape: before.shape, from: handle ? `layer ${handle.number}` : before.name };
}

/** A layer's weights and biases with those that a person typed. */
export function editedParameters(lab, layer) {
  const made = { weight: layer.weight, bias: layer.bias };
  for (const { layer: name, tensor, index, value } of lab.edits?.weights ?? []) {
    if (name !== layer.name) continue;
    if (made[tensor] === layer[tensor]) made[tensor] = layer[tensor].slice();
    made[tensor][index] = value;
  }
  return made;
}

/** Whether a channel of a layer is switched off. */
export function isOff(lab, name, channel) {
  return lab.state.off.some(({ layer, channel: of }) => layer === name && of === channel);
}

/** A table of terms and their numbers, as it is read from top to bottom: rows are [term, number, class]. */
export function sumTable(rows) {
  return element(
    "table",
    { className: "sums" },
    element(
      "tbody",
      {},
      ...rows.map(([term, value, kind = ""]) =>
        element("tr", { className: kind }, element("th", { scope: "row", textContent: term }), element("td", { className: "number", textContent: typeof value === "number" ? numberText(value, 5) : value })),
      ),
    ),
  );
}

/** The rows that end a sum: what an activation right after the layer makes of it, and that the channel is switched off. */
export function outputRows(lab, { name, output, layer }, total, place) {
  const rows = [];
  if (isOff(lab, name, place.channel)) rows.push(["Switched off", 0, "off"]);
  if (output !== name) rows.push(["After the ReLU", Math.max(isOff(lab, name, place.channel) ? 0 : total, 0), "result"]);
  const held = lab.pass.outputs[output][place.index];
  rows.push([`The network's own number${output === name ? "" : " there"}`, held, output === name ? "result" : "held"]);
  return rows;
}
