// The view Map: one number of one map or unit taken apart, with the numbers that the network holds.
import { button, choice, element, fillChoice, slider } from "../widgets/element.js";
import { convolutionParts } from "./map/convolution.js";
import { denseParts } from "./map/dense.js";
import { openedLayers } from "./map/opened.js";
import { otherParts } from "./map/other.js";
import { poolingParts } from "./map/pooling.js";
import { softmaxParts } from "./map/softmax.js";

/** Milliseconds between two places while the kernel slides by itself. */
const PLAY_STEP = 220;

const OPENERS = { conv2d: convolutionParts, dense: denseParts, "max-pool": poolingParts, "avg-pool": poolingParts };

/** The tab that opens one layer. */
export function mapView(lab) {
  let opened = null;
  let parts = null;
  let count = 1;
  let [rows, columns] = [1, 1];
  let place = { row: 0, column: 0, channel: 0 };
  let timer = 0;

  const placeWords = () => `row ${place.row}, column ${place.column} of ${rows} × ${columns}`;
  const layers = choice("Layer", [], "", (name) => {
    stop();
    lab.change({ layer: name, ch: 0, at: null, from: null });
  });
  const number = element("input", { type: "number", min: 0, step: 1 });
  const numberLabel = element("span");
  const turn = (by) => lab.change({ ch: (place.channel + by + count) % count });
  const previous = button("←", () => turn(-1), { title: "Previous" });
  const next = button("→", () => turn(1), { title: "Next" });
  number.addEventListener("change", () => lab.change({ ch: Math.min(Math.max(Math.round(Number(number.value)) || 0, 0), count - 1) }));
  const channelPart = element("span", { className: "row" }, element("label", { className: "labelled" }, numberLabel, number), previous, next);
  const places = slider("Place", { least: 0, most: 1, value: 0, words: () => placeWords() }, (value) => look(Math.floor(value / columns), value % columns));
  const play = button("Play", () => (timer === 0 ? start() : stop()), { className: "play" });
  const stepBack = button("Step back", () => walk(-1));
  const step = button("Step", () => walk(1));
  const placePart = element("div", { className: "row place-row" }, play, stepBack, step, places);
  const shown = element("div");
  const fault = element("p", { className: "fault", hidden: true });
  // The channel of the input stays the same from place to place.
  const look = (row, column) => lab.change({ at: [row, column], from: parts.channel?.() ?? lab.state.from });
  const walk = (by) => {
    const at = (place.row * columns + place.column + by + rows * columns) % (rows * columns);
    look(Math.floor(at / columns), at % columns);
  };
  const start = () => {
    play.textContent = "Pause";
    timer = setInterval(() => (lab.isShown("map") ? walk(1) : stop()), PLAY_STEP);
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  };

  /** Takes apart what the state names; of what it does not have, the first. */
  const build = () => {
    const all = openedLayers(lab.network);
    const named = all.find(({ name }) => name === lab.state.layer);
    const problems = [];
    if (lab.state.layer !== "" && !named) problems.push(`${lab.entry.title} has no layer “${lab.state.layer}”; you see its first layer.`);
    const chosen = named ?? all[0];
    if (opened?.layer !== chosen.layer || opened?.name !== chosen.name) {
      opened = chosen;
      parts = chosen.head ? softmaxParts(lab, chosen) : (OPENERS[chosen.layer.kind] ?? otherParts)(lab, chosen, look);
      shown.replaceChildren(parts.element);
      fillChoice(layers.select, all.map(({ name, title }) => [name, title]), chosen.name);
    }
    const shape = opened.head ? [1] : opened.layer.shape;
    count = shape.at(-1);
    [rows, columns] = shape.length === 3 ? shape : [1, 1];
    const channel = opened.head ? 0 : lab.state.ch;
    if (channel >= count) problems.push(`This layer has ${count} ${shape.length === 3 ? "maps" : "units"}, numbered from 0; there is no number ${channel}.`);
    // A unit has no places; what is chosen there is an input.
    const [row, column] = (shape.length === 3 && lab.state.at) || [Math.floor(rows / 2), Math.floor(columns / 2)];
    if (row >= rows || column >= columns) problems.push(`Its maps have ${rows} × ${columns} places; there is no row ${row}, column ${column}.`);
    place = { row: Math.min(row, rows - 1), column: Math.min(column, columns - 1), channel: Math.min(channel, count - 1) };
    fault.textContent = problems.join(" ");
    fault.hidden = problems.length === 0;
    numberLabel.textContent = shape.length === 3 ? "Map" : "Unit";
    number.max = count - 1;
    number.value = place.channel;
    channelPart.hidden = Boolean(opened.head) || count === 1;
    placePart.hidden = rows * columns === 1;
    layers.select.value = opened.name;
    places.setValue(place.row * columns + place.column, { most: rows * columns - 1 });
  };
  const draw = () => {
    if (!lab.pass) return;
    build();
    parts.draw(place);
  };
  lab.listenShown("map", ["network", "pass", "theme"], draw);
  lab.listen(["state"], (changed) => ["layer", "ch", "at", "from"].some((name) => changed.has(name)) && lab.isShown("map") && lab.network && draw());
  new ResizeObserver(() => lab.isShown("map") && lab.network && draw()).observe(shown);
  return element("div", { className: "map" }, element("div", { className: "row" }, layers, channelPart), fault, placePart, shown);
}
