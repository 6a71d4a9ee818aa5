// The view Pick: an image of the page, by class, one after the other, or the surest mistakes of the network first.
import { inputOfBytes } from "../data.js";
import { button, choice, element, fillChoice } from "../widgets/element.js";
import { CellField } from "../widgets/cells.js";
import { imageCanvas, showInput } from "../widgets/image.js";
import { countedText, percentText } from "../widgets/words.js";

/** Pixels of the screen for a small image of the list. */
const THUMB_SIZE = 30;

/** The places of test images that a head gives a wrong class, by the classes that the index has. */
export function mistakesOf(classes, truths) {
  return [...classes.keys()].filter((i) => i < truths.length && classes[i] !== truths[i]);
}

/** The panel to pick an image from. */
export function pickPanel(lab, source) {
  const image = imageCanvas("The chosen image", "picked");
  const told = element("p", { className: "picked-words" });
  const count = element("p", { className: "note" });
  const order = choice("Show", [["number", "all in order"], ["mistakes", "surest mistakes"]], "number", () => list());
  const classes = choice("of class", [["", "any"]], "", () => list());
  const previous = button("←", () => step(-1), { title: "Previous image" });
  const next = button("→", () => step(1), { title: "Next image" });
  const field = new CellField({
    label: "Test images. Arrow keys go from one to the next, Enter takes one.",
    describe: (i) => words(i),
    open: (i) => pick(i),
    prefix: "lab-pick",
  });
  const scroll = element("div", { className: "thumbs" }, field.element);
  let images = null;
  let chosen = [];
  /** Places of the mistakes of each network, the surest first, with the probability of the wrong class. */
  const mistakes = new Map();

  const words = (i) => {
    const { number, label } = images.of[i];
    const wrong = mistakes.get(lab.entry.id)?.find(({ index }) => index === images.of[i].index);
    const told = `Test image ${number}: ${lab.set.classes[label]}`;
    return wrong ? `${told}, taken for ${lab.entry.heads[0].classes[wrong.class]} with ${percentText(wrong.share)}` : told;
  };
  const pick = (i) => {
    lab.change({ img: { kind: "test", number: images.of[i].number }, paint: [] });
    lab.say(words(i));
  };
  const step = (by) => {
    if (chosen.length === 0) return;
    const at = chosen.indexOf(place());
    const to = at < 0 ? 0 : (at + by + chosen.length) % chosen.length;
    field.at = to;
    pick(chosen[to]);
  };
  /** The place of the image that is shown among those of the page. */
  const place = () => (lab.source.kind === "test" ? images?.of.findIndex(({ number }) => number === lab.source.number) : -1);

  const surest = async () => {
    const { entry, set } = lab;
    if (mistakes.has(entry.id)) return;
    const [head] = entry.heads;
    const held = await lab.page.images(set.name, "test");
    const found = [];
    for (const index of mistakesOf(entry.predictions?.[0] ?? [], held.labels.slice(0, held.count).map((label) => lab.truth(head, label)))) {
      const x = inputOfBytes(held.pixels.subarray(index * held.each, (index + 1) * held.each));
      const pass = await lab.compute.forward(entry.id, x, {}, { purpose: `mistake ${index}` });
      const wrong = entry.predictions[0][index];
      if (pass) found.push({ index, class: wrong, share: pass.probabilities[head.name][wrong] });
    }
    mistakes.set(entry.id, found.sort((a, b) => b.share - a.share));
  };

  const list = async () => {
    const { entry, set } = lab;
    const held = await lab.page.images(set.name, "test");
    if (order.select.value === "mistakes") await surest();
    if (lab.entry !== entry) return;
    images = { set, of: held.labels.slice(0, held.count).map((label, index) => ({ index, label, number: held.numbers[index] })) };
    const label = classes.select.value;
    const wrong = order.select.value === "mistakes" ? mistakes.get(entry.id) : null;
    const all = wrong ? wrong.map(({ index }) => index) : images.of.map(({ index }) => index);
    chosen = all.filter((i) => label === "" || images.of[i].label === Number(label));
    const what = wrong ? "mistake of this network" : "test image";
    const whole = wrong ? ` among the ${held.count} test images of this page` : " in this page";
    count.textContent = chosen.length > 0 ? `${countedText(chosen.length, what, wrong ? "mistakes of this network" : "test images")}${whole}.` : `There is no ${what}${label === "" ? "" : ` of class ${set.classes[label]}`}${whole}.`;
    previous.disabled = next.disabled = chosen.length === 0;
    scroll.hidden = chosen.length === 0;
    drawThumbs(held);
    show();
  };
  const drawThumbs = (held) => {
    if (chosen.length === 0 || scroll.clientWidth === 0) return;
    const [height, width, channels] = lab.set.shape;
    field.order = chosen;
    field.lay({ count: chosen.length, height, width, cell: THUMB_SIZE, room: scroll.clientWidth - 14 });
    field.drawPictures(chosen, (i) => held.pixels.subarray(i * held.each, (i + 1) * held.each), channels);
    field.mark({ chosen: place() });
  };
  const show = () => {
    if (lab.source.kind !== "test" && lab.source.kind !== "train") {
      told.textContent = "No test image is chosen.";
      image.hidden = true;
      return;
    }
    image.hidden = false;
    showInput(image, lab.clean, lab.network.input);
    told.textContent = `${lab.source.words[0].toUpperCase()}${lab.source.words.slice(1)}`;
    if (images) field.mark({ chosen: place() });
  };
  const refresh = () => {
    if (!lab.set) return;
    fillChoice(classes.select, [["", "any"], ...lab.set.classes.map((name, i) => [String(i), name])], classes.select.value);
    const hasPredictions = (lab.entry.predictions?.[0]?.length ?? 0) > 0;
    order.select.options[1].disabled = !hasPredictions;
    if (!hasPredictions) order.select.value = "number";
    list();
  };
  let shownFor = null;
  const panel = element(
    "div",
    { className: "pick" },
    element("div", { className: "row" }, order, classes),
    element("div", { className: "picked-row" }, image, element("div", {}, told, element("div", { className: "row" }, previous, next))),
    scroll,
    count,
  );
  const appear = () => {
    if (panel.clientWidth === 0 || !lab.entry) return;
    const key = `${lab.entry.id} ${panel.clientWidth}`;
    if (key === shownFor) return;
    shownFor = key;
    refresh();
  };
  new ResizeObserver(appear).observe(panel);
  lab.listen(["network"], appear);
  lab.listen(["prepared"], () => panel.clientWidth > 0 && lab.entry && show());
  return panel;
}
