// The laboratory in the page: puts its parts together, and follows the address. In a Worker the same program computes.
import { connect } from "./compute/client.js";
import { serve } from "./compute/worker.js";
import { inputOfBytes, pageData } from "./data.js";
import { Lab } from "./lab.js";
import { ImageSource } from "./source.js";
import { ADDRESS_START, addressOfState, freshState, stateFromAddress } from "./state.js";
import { answerPanel, answerWords } from "./views/answer.js";
import { changeView } from "./views/change.js";
import { compareView } from "./views/compare.js";
import { drawPanel } from "./views/draw.js";
import { dreamView } from "./views/dream.js";
import { layersView } from "./views/layers.js";
import { mapView } from "./views/map.js";
import { openPanel } from "./views/open.js";
import { pickPanel } from "./views/pick.js";
import { preparationPanel } from "./views/preparation.js";
import { copyButton, teachPanel } from "./views/teach.js";
import { trainView } from "./views/train.js";
import { whyView } from "./views/why.js";
import { listenToTheme } from "./widgets/colours.js";
import { button, choice, element, fillChoice } from "./widgets/element.js";
import { tabsOf } from "./widgets/tabs.js";
import { countText, countedText } from "./widgets/words.js";

/** The views, each a tab. */
const VIEWS = [
  { id: "layers", title: "All layers", make: layersView },
  { id: "map", title: "One map", make: mapView },
  { id: "change", title: "Intervene", make: changeView },
  { id: "compare", title: "Compare", make: compareView },
  { id: "why", title: "Why", make: whyView },
  { id: "dream", title: "Dream", make: dreamView },
  { id: "train", title: "Train", make: trainView },
];

/** Milliseconds after which the address follows, and after which screen readers hear the answer. */
const ADDRESS_AFTER = 250;
const SPEAK_AFTER = 900;
/** Test images that are tried to find dead units, and the quiet before that begins. */
const DEAD_IMAGES = 100;
const DEAD_AFTER = 1500;

function start() {
  const place = document.getElementById("lab");
  const page = pageData(document);
  if (!place || !page || page.networks.length === 0) return;
  const found = stateFromAddress(location.hash);
  const program = document.getElementById("laboratory-program").textContent;
  const lab = new Lab(page, connect({ program, worker: true }), found?.state ?? freshState());
  lab.problems = found?.problems ?? [];
  const shell = laboratoryShell(lab);
  // What the page says where this program does not run.
  document.getElementById("lab-needs")?.remove();
  place.append(shell.element);
  followAddress(lab);
  lab.warn(...lab.problems);
  if (found) {
    showPlace(place);
    // The figures above have their heights only once they are there.
    addEventListener("load", () => showPlace(place), { once: true });
  }
  listenToTheme(() => lab.emit("theme"));
  // The Worker reads the networks; the page is not kept waiting for the first of them.
  shell.chooseNetwork();
}

/** Goes to an element at once: the way through a long report would take seconds. */
function showPlace(place) {
  place.scrollIntoView({ behavior: "instant" });
}

/** All parts of the laboratory in one element. */
function laboratoryShell(lab) {
  const spoken = element("p", { className: "unseen", aria: { live: "polite" } });
  lab.spoken = (sentence) => (spoken.textContent = sentence);
  const whole = element("div", { className: "laboratory" });
  const source = new ImageSource(lab);

  const network = networkChoice(lab);
  const problems = element("div", { className: "problems", hidden: true, aria: { role: "status" } });
  lab.listen(["problems"], () => {
    problems.hidden = lab.problems.length === 0;
    problems.replaceChildren(...lab.problems.map((sentence) => element("p", { textContent: sentence })), button("Close", () => lab.warn()));
  });

  const inputs = [
    { id: "draw", title: "Draw", panel: drawPanel(lab, source) },
    { id: "test", title: "Test image", panel: pickPanel(lab, source) },
    { id: "file", title: "Picture file", panel: openPanel(lab, source, whole) },
  ];
  const inputTabs = tabsOf("Where the image comes from", inputs, (id) => inputTabs.choose(id), "lab-input");
  whole.addEventListener("opened", () => inputTabs.choose("file"));
  let shownInput = "";
  lab.listen(["prepared"], () => {
    const kind = { draw: "draw", test: "test", train: "test" }[lab.source.kind] ?? (source.file ? "file" : "draw");
    if (kind !== shownInput) inputTabs.choose(kind);
    shownInput = kind;
  });
  inputTabs.choose("draw");
  const input = element("section", { className: "panel input", aria: { label: "Image" } }, inputTabs.list, ...inputTabs.panels);
  const preparation = preparationPanel(lab, source);
  const answer = answerPanel(lab);

  const views = VIEWS.map(({ id, title, make }) => ({ id, title, make, panel: element("div", { className: `view view-${id}` }), made: false }));
  const tabs = tabsOf("What to look at", views, (id) => lab.change({ view: id }), "lab");
  const back = button("Put all back", () => lab.change({ paint: [], off: [], set: [] }), { title: "Undo every change of pixels, channels and weights" });
  const teach = teachPanel(lab, VIEWS);
  whole.append(
    element("div", { className: "bar" }, network.element, element("div", { className: "row" }, back, copyButton(lab))),
    network.note,
    problems,
    element(
      "div",
      { className: "body" },
      element("div", { className: "side" }, input, answer),
      element("div", { className: "main" }, preparation, tabs.list, ...tabs.panels),
    ),
    teach,
    spoken,
  );

  const show = () => {
    const { hide, only } = lab.state;
    const seen = views.filter(({ id }) => (only ? id === only : !hide.includes(id)));
    const [fallback] = seen.length > 0 ? seen : views;
    const view = seen.find(({ id }) => id === lab.state.view) ?? fallback;
    const unknown = [lab.state.view, only].find((name) => name !== "" && !views.some(({ id }) => id === name));
    if (unknown) lab.warnAlso(`There is no view “${unknown}” here; you see “${view.title}”.`);
    tabs.hide(views.filter((one) => !seen.includes(one)).map(({ id }) => id));
    tabs.list.hidden = seen.length < 2;
    tabs.choose(view.id);
    if (!view.made) {
      view.made = true;
      view.panel.append(view.make(lab));
    }
    lab.show(view.id);
    inputTabs.hide(hide);
    const inputsLeft = inputs.filter(({ id }) => !hide.includes(id));
    input.hidden = inputsLeft.length === 0;
    if (inputsLeft.length > 0 && !inputsLeft.some(({ panel }) => !panel.hidden)) inputTabs.choose(inputsLeft[0].id);
    preparation.hidden = hide.includes("prep");
    answer.hidden = hide.includes("answer");
    network.element.hidden = hide.includes("network");
    teach.hidden = hide.length > 0 || only !== "";
  };
  lab.listen(["state"], (changed) => {
    if (["view", "hide", "only"].some((name) => changed.has(name))) show();
  });
  lab.listen(["input", "pass", "state"], () => (back.disabled = !lab.isChanged));

  let timer = 0;
  lab.listen(["pass"], () => {
    clearTimeout(timer);
    const [head] = lab.entry.heads;
    timer = setTimeout(() => lab.say(`The network says ${answerWords(head, lab.pass.probabilities[head.name])}`), SPEAK_AFTER);
  });
  findDeadUnits(lab);
  show();
  return { element: whole, chooseNetwork: network.choose };
}

/** The drop-down list of networks with what is known of the chosen one. */
function networkChoice(lab) {
  const { networks, index } = lab.page;
  const several = new Set(networks.map(({ set }) => set)).size > 1;
  const title = (entry) => (several ? `${entry.title} (${lab.page.set(entry.set).title})` : entry.title);
  const select = choice("Network", networks.map((entry) => [entry.id, title(entry)]), "", (id) => lab.change({ net: id }));
  const facts = element("span", { className: "facts" });
  const note = element("div", { className: "note network-note" });
  const precision = element("p", { hidden: true });
  note.append(precision);
  const choose = async () => {
    const { net } = lab.state;
    const entry = lab.page.network(net) ?? lab.page.network(index.first) ?? networks[0];
    if (net !== "" && entry.id !== net) {
      lab.warnAlso(`This page holds no network “${net}”; you see ${entry.title} instead.`);
      lab.change({ net: "" });
      return;
    }
    fillChoice(select.select, networks.map((one) => [one.id, title(one)]), entry.id);
    const [{ right, of }] = entry.heads;
    facts.textContent = `${countText(entry.parameters)} parameters${right === null || right === undefined ? "" : `; ${countText(right)} of ${countText(of)} test images right`}`;
    precision.hidden = entry.precision !== "f16";
    if (entry.changed) {
      precision.textContent = `Its weights are held in half precision here; ${entry.changed.images === 0 ? "no test image gets" : `${countedText(entry.changed.images, "test image")} of ${countText(entry.changed.of)} ${entry.changed.images === 1 ? "gets" : "get"}`} another class by that.`;
    }
    try {
      if (lab.entry !== entry) await lab.choose(entry);
    } catch (error) {
      lab.warnAlso(`The network ${entry.title} cannot be used: ${error.message}`);
    }
  };
  lab.listen(["state"], (changed) => changed.has("net") && choose());
  return { element: element("div", { className: "network" }, select, facts), note, choose };
}

/** Keeps the address and the state together: what a person does is written, what a person opens is read. */
function followAddress(lab) {
  let timer = 0;
  let written = location.hash;
  const write = () => {
    timer = 0;
    written = addressOfState(lab.state);
    // Where the address may not be changed, as in some embedded frames, the page goes on without.
    try {
      history.replaceState(history.state, "", written);
    } catch {
      written = location.hash;
    }
  };
  lab.listen(["state"], () => {
    clearTimeout(timer);
    timer = setTimeout(write, ADDRESS_AFTER);
  });
  addEventListener("hashchange", () => {
    if (location.hash === written || !location.hash.startsWith(ADDRESS_START)) return;
    const found = stateFromAddress(location.hash);
    if (!found) return;
    clearTimeout(timer);
    lab.warn(...found.problems);
    lab.change(found.state);
    showPlace(document.getElementById("lab"));
  });
}

/** Finds dead channels while nothing else is to be done: those that are zero for every test image that is tried. */
function findDeadUnits(lab) {
  const known = new Map();
  let timer = 0;
  let quiet = 0;
  const later = () => {
    quiet = performance.now();
    if (known.has(lab.entry.id)) {
      lab.dead = known.get(lab.entry.id);
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(search, DEAD_AFTER);
  };
  const search = async () => {
    const { entry, set, network } = lab;
    const images = await lab.page.images(set.name, "test");
    const count = Math.min(images.count, DEAD_IMAGES);
    const alive = new Map(network.handles.map(({ output, shape }) => [output, new Uint8Array(shape.at(-1))]));
    for (let i = 0; i < count; i += 1) {
      // A reader who draws comes first.
      while (performance.now() - quiet < DEAD_AFTER / 2) await new Promise((resolve) => setTimeout(resolve, DEAD_AFTER / 2));
      if (lab.entry !== entry) return;
      const x = inputOfBytes(images.pixels.subarray(i * images.each, (i + 1) * images.each));
      const pass = await lab.compute.forward(entry.id, x, {}, { purpose: "dead" });
      if (!pass) return;
      for (const [output, seen] of alive) {
        const values = pass.outputs[output];
        for (let k = 0; k < values.length; k += 1) if (values[k] !== 0) seen[k % seen.length] = 1;
      }
    }
    if (count < 10) return;
    const dead = new Map([...alive].map(([output, seen]) => [output, new Set([...seen.keys()].filter((channel) => !seen[channel]))]));
    known.set(entry.id, dead);
    if (lab.entry !== entry) return;
    lab.dead = dead;
    lab.emit("dead");
  };
  lab.listen(["pass"], later);
}

if (typeof document === "undefined") serve(self);
else start();
