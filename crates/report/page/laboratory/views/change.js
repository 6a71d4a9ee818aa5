// The view Intervene: paint pixels of the input, switch channels off, type weights, and see the probabilities move.
import { PixelBoard } from "../widgets/board.js";
import { CellField } from "../widgets/cells.js";
import { extentOf, scaleOf } from "../widgets/colours.js";
import { button, choice, element, fillChoice, slider } from "../widgets/element.js";
import { showInput } from "../widgets/image.js";
import { countedText, numberText } from "../widgets/words.js";
import { cellSize, layerTitle, mapShape, shownLayers } from "./layers.js";

/** The tab in which a person changes the input and the network. */
export function changeView(lab) {
  const paint = paintPart(lab);
  const off = offPart(lab);
  const weight = weightPart(lab);
  const list = changeList(lab);
  const draw = () => {
    [paint, off, weight, list].forEach((part) => part.draw());
    // What a teacher's link leaves out.
    for (const [name, part] of [["pixels", paint], ["channels", off], ["weights", weight]]) if (lab.state.hide.includes(name)) part.element.hidden = true;
  };
  lab.listenShown("change", ["network", "input", "pass", "theme", "dead"], draw);
  lab.listen(["state"], (changed) => ["off", "set", "paint", "layer", "hide"].some((name) => changed.has(name)) && lab.isShown("change") && lab.network && draw());
  const made = element("div", { className: "changes" }, paint.element, off.element, weight.element, list.element);
  new ResizeObserver(() => lab.isShown("change") && lab.pass && off.draw()).observe(made);
  return made;
}

/** Painting pixels of what the network sees. */
function paintPart(lab) {
  let value = 255;
  const indexOf = (row, column) => row * lab.network.input[1] + column;
  const words = (row, column) => `Row ${row}, column ${column}: ${Math.round(255 * lab.input[indexOf(row, column) * lab.network.input[2]])} of 255`;
  const put = (row, column, how) => {
    at.textContent = words(row, column);
    if (how === "move") return;
    const [, , channels] = lab.network.input;
    const painted = new Map(lab.state.paint);
    for (let c = 0; c < channels; c += 1) painted.set(indexOf(row, column) * channels + c, value);
    lab.change({ paint: [...painted].sort(([a], [b]) => a - b) });
    at.textContent = words(row, column);
  };
  const board = new PixelBoard({ label: "The network's input. Space paints a pixel", choose: put, words, say: (sentence) => lab.say(sentence) });
  board.element.classList.add("paint-board");
  const brush = slider("Brush", { least: 0, most: 255, value, words: (number) => (number === 0 ? "0, black" : number === 255 ? "255, white" : String(number)) }, (number) => {
    value = number;
  });
  const at = element("p", { className: "note" });
  const clean = button("Take the paint off", () => lab.change({ paint: [] }));
  const draw = () => {
    if (!lab.input) return;
    made.hidden = false;
    const [rows, columns] = lab.network.input;
    board.lay(rows, columns);
    showInput(board.image, lab.input, lab.network.input);
    const channels = lab.network.input[2];
    const pixels = new Set(lab.state.paint.map(([index]) => Math.floor(index / channels)).filter((pixel) => pixel < rows * columns));
    board.frame([...pixels].map((pixel) => ({ top: Math.floor(pixel / columns), left: pixel % columns, height: 1, width: 1, kind: "paint" })));
    clean.disabled = lab.state.paint.length === 0;
  };
  const made = element(
    "section",
    { className: "paint", aria: { label: "Paint pixels" } },
    element("h4", { textContent: "Paint pixels of the input" }),
    board.element,
    at,
    element("div", { className: "row" }, brush, clean),
  );
  return { element: made, draw };
}

/** Switching channels and units off. */
function offPart(lab) {
  const layers = choice("Layer", [], "", (name) => {
    chosen = name;
    draw();
  });
  const told = element("p", { className: "note" });
  let [chosen, of] = ["", ""];
  const handles = () => shownLayers(lab.network);
  const handle = () => handles().find(({ name }) => name === chosen) ?? handles().find(({ name }) => name === lab.state.layer) ?? handles()[0];
  const isOut = (channel) => lab.state.off.some(({ layer, channel: number }) => layer === handle().name && number === channel);
  const unit = () => (handle().shape.length === 3 ? "Map" : "Unit");
  const field = new CellField({
    label: "Maps or units of the layer. Arrow keys go from one to the next, Enter switches it off or on.",
    describe: (channel) => `${unit()} ${channel}, ${isOut(channel) ? "switched off" : "on"}`,
    open: (channel) => {
      const { name } = handle();
      const others = lab.state.off.filter((one) => one.layer !== name || one.channel !== channel);
      const off = isOut(channel) ? others : [...others, { layer: name, channel }];
      lab.change({ off: off.sort((a, b) => (a.layer === b.layer ? a.channel - b.channel : a.layer < b.layer ? -1 : 1)) });
      lab.say(`${unit()} ${channel} is ${isOut(channel) ? "switched off" : "on"}.`);
    },
    prefix: "lab-off",
  });
  field.told = (words) => (told.textContent = words ?? "Choose a map or a unit to switch it off; its output is then zero.");
  field.told(null);
  const draw = () => {
    if (!lab.pass) return;
    made.hidden = false;
    const shown = handle();
    if (of !== lab.entry.id) {
      of = lab.entry.id;
      chosen = "";
      fillChoice(layers.select, handles().map((one) => [one.name, layerTitle(lab.network, one)]), shown.name);
    }
    layers.select.value = shown.name;
    const [height, width, channels] = mapShape(shown.shape);
    const room = made.clientWidth;
    if (room === 0) return;
    const values = lab.pass.outputs[shown.output];
    field.lay({ count: channels, height, width, cell: Math.min(cellSize(shown.shape), 36), room });
    field.draw(values, Array.from({ length: channels }, (_, i) => i), scaleOf(...extentOf(values)));
    field.mark({ dead: lab.dead?.get(shown.output) ?? new Set(), off: new Set(lab.state.off.filter(({ layer }) => layer === shown.name).map(({ channel }) => channel)) });
  };
  const made = element("section", { className: "wide", aria: { label: "Switch off" } }, element("h4", { textContent: "Switch maps and units off" }), layers, element("div", {}, field.element), told);
  return { element: made, draw };
}

/** The coordinates of a weight, from its layer: {label, count} each, in the order of its index. */
export function weightAxes(layer, tensor) {
  if (tensor === "bias") return [{ label: layer.kind === "conv2d" ? "Map" : "Unit", count: layer.shape.at(-1) }];
  if (layer.kind === "dense") {
    return [{ label: "Input", count: layer.weight.length / layer.shape[0] }, { label: "Unit", count: layer.shape[0] }];
  }
  const [height, width] = layer.windows.kernel;
  return [
    { label: "Row", count: height },
    { label: "Column", count: width },
    { label: "Input map", count: layer.input[2] },
    { label: "Map", count: layer.shape[2] },
  ];
}

/** The index of a weight from its coordinates. */
export function weightIndex(axes, coordinates) {
  return axes.reduce((index, { count }, i) => index * count + coordinates[i], 0);
}

/** The coordinates of a weight from its index. */
export function weightCoordinates(axes, index) {
  const coordinates = [];
  let rest = index;
  for (const { count } of [...axes].reverse()) {
    coordinates.unshift(rest % count);
    rest = Math.floor(rest / count);
  }
  return coordinates;
}

/** Typing another weight. */
function weightPart(lab) {
  const layers = choice("Layer", [], "", () => rebuild());
  const tensor = choice("What", [["weight", "a weight"], ["bias", "a bias"]], "weight", () => rebuild());
  const fields = element("div", { className: "row" });
  const value = element("input", { type: "number", step: "any", aria: { label: "Value" } });
  const told = element("span", { className: "note" });
  let [inputs, axes, of] = [[], [], ""];
  const weighted = () => shownLayers(lab.network).filter(({ layer }) => layer.weight);
  const layer = () => lab.network.layer(layers.select.value);
  const index = () =>
    weightIndex(axes, inputs.map((input, i) => Math.min(Math.max(Math.round(Number(input.value)) || 0, 0), axes[i].count - 1)));
  const held = () => layer()[tensor.select.value][index()];
  const typed = () => lab.state.set.find((one) => one.layer === layers.select.value && one.tensor === tensor.select.value && one.index === index());
  const read = () => {
    value.value = String(Number((typed()?.value ?? held()).toPrecision(6)));
    told.textContent = `Trained: ${numberText(held(), 5)}`;
  };
  const rebuild = () => {
    axes = weightAxes(layer(), tensor.select.value);
    inputs = axes.map(({ count }, i) => {
      const middle = axes.length === 4 && i < 2 ? Math.floor(count / 2) : 0;
      const input = element("input", { type: "number", min: 0, max: count - 1, value: middle });
      input.addEventListener("input", read);
      return input;
    });
    fields.replaceChildren(...axes.map(({ label }, i) => element("label", { className: "labelled" }, element("span", { textContent: label }), inputs[i])));
    read();
  };
  value.addEventListener("input", () => {
    const number = Number(value.value);
    if (value.value.trim() === "" || !Number.isFinite(Math.fround(number))) return;
    const others = lab.state.set.filter((one) => one !== typed());
    lab.change({ set: Math.fround(number) === Math.fround(Number(held().toPrecision(6))) ? others : [...others, { layer: layers.select.value, tensor: tensor.select.value, index: index(), value: number }] });
  });
  const made = element(
    "section",
    { className: "wide", aria: { label: "Type a weight" } },
    element("h4", { textContent: "Type another weight" }),
    element("div", { className: "row" }, layers, tensor),
    fields,
    element("div", { className: "row weight-row" }, element("label", { className: "labelled" }, element("span", { textContent: "Value" }), value), told),
  );
  const draw = () => {
    const all = weighted();
    made.hidden = all.length === 0;
    if (all.length === 0) return;
    if (of !== lab.entry.id) {
      of = lab.entry.id;
      fillChoice(layers.select, all.map((one) => [one.name, layerTitle(lab.network, one)]), all[0].name);
      rebuild();
    } else if (document.activeElement !== value) read();
  };
  return { element: made, draw };
}

/** What is changed, each with a button that takes it back. */
function changeList(lab) {
  const list = element("ul", { className: "change-list" });
  const none = element("p", { className: "note", textContent: "Nothing is changed. What the network says now is shown beside what it said before." });
  const back = button("Put all back", () => lab.change({ paint: [], off: [], set: [] }));
  const row = (words, undo) => element("li", {}, button("×", undo, { title: `Take back: ${words}` }), words);
  const title = (name) => {
    const handle = shownLayers(lab.network).find((one) => one.name === name);
    return handle ? `layer ${handle.number}${handle.head && lab.network.heads.length > 1 ? `, ${handle.head}` : ""}` : name;
  };
  const draw = () => {
    const { paint, off, set } = lab.state;
    const pixels = new Set(paint.map(([index]) => Math.floor(index / lab.network.input[2]))).size;
    const rows = [];
    if (pixels > 0) rows.push(row(`${countedText(pixels, "pixel")} painted`, () => lab.change({ paint: [] })));
    for (const one of off) {
      const has = lab.network.layers.some(({ name, shape }) => name === one.layer && one.channel < shape.at(-1));
      rows.push(row(`${title(one.layer)}, number ${one.channel}: switched off${has ? "" : " (this network has none such)"}`, () => lab.change({ off: lab.state.off.filter((other) => other !== one) })));
    }
    for (const one of set) {
      const layer = lab.network.layers.find(({ name }) => name === one.layer);
      const was = layer?.[one.tensor]?.[one.index];
      const words = was === undefined ? "this network has none such" : `${numberText(was)} became ${numberText(one.value)}`;
      rows.push(row(`${title(one.layer)}, ${one.tensor} ${one.index}: ${words}`, () => lab.change({ set: lab.state.set.filter((other) => other !== one) })));
    }
    list.replaceChildren(...rows);
    none.hidden = rows.length > 0;
    back.hidden = rows.length === 0;
  };
  return { element: element("section", { className: "wide", aria: { label: "Changes" } }, element("h4", { textContent: "What is changed" }), none, list, back), draw };
}
