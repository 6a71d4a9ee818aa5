// The view Dream: an image grows, step by step, towards what a class's score responds to.
import { bytesOfInput } from "../data.js";
import { curveChart } from "../widgets/chart.js";
import { button, choice, element, fillChoice, slider } from "../widgets/element.js";
import { imageCanvas, showInput } from "../widgets/image.js";
import { fixedText, numberText, percentText } from "../widgets/words.js";
import { ranked } from "./answer.js";
import { chosenHead, strongestClass } from "./compare.js";

/** The ascent of the presets, for studies that look inside no network. */
const USUAL_ASCENT = {
  steps: 256,
  learning_rate: 0.1,
  optimizer: { kind: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
  parametrisation: { kind: "fourier", decay: 1 },
  transforms: [
    { kind: "jitter", pixels: 2 },
    { kind: "rotation", degrees: 15 },
    { kind: "scale", share: 0.15 },
  ],
  regularisers: [
    { kind: "l2", weight: 15 },
    { kind: "total-variation", weight: 10 },
  ],
};
/** Level and deviation of noise to start from; images of the way that are kept; pixels of a saved image for each of its own. */
const DREAM_NOISE = { kind: "noise", level: 0.5, deviation: 0.5 };
const WAY_IMAGES = 8;
const DREAM_RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const PNG_SCALE = 16;
/** Grey images below this size have an address short enough to be the laboratory's input. */
const MOST_ADDRESS_BYTES = 4096;

/** The tab that dreams. */
export function dreamView(lab) {
  const report = () => ({ ...USUAL_ASCENT, ...(lab.page.index.ascent ?? {}) });
  const own = ownAscent(report());
  let job = null;
  let run = null;

  const heads = choice("Head", [], "", (head) => lab.change({ head, class: null }));
  const classes = choice("Towards", [], "", (value) => lab.change({ class: Number(value) }));
  const starts = choice("Starting from", [["image", "the present image"], ["noise", "noise"], ["grey", "grey"]], "noise", (start) =>
    lab.change({ start: start === "noise" ? "" : start }),
  );
  const seed = element("input", { type: "number", min: 1, max: 999999999, step: 1, value: 1, className: "number-field" });
  seed.addEventListener("change", () => lab.change({ seed: Math.min(Math.max(Math.round(Number(seed.value)) || 1, 1), 999999999) }));
  const settings = settingsPart(own, report);

  const begin = button("Dream", () => start(), { className: "primary" });
  const hold = button("Pause", () => (run.paused ? goOn() : pause()));
  const save = button("Keep as PNG", () => keep());
  const use = button("Give it to the network", () => feed());
  const canvas = imageCanvas("The dream", "large dream-image");
  const from = imageCanvas("Where it began", "thumb");
  const way = element("ol", { className: "dream-way", aria: { label: "Images of the way" } });
  const told = element("p", { className: "dream-told" });
  const problem = element("p", { className: "fault", hidden: true });
  const chart = curveChart({ title: "Probability of the class", along: "Step", names: ["probability"], range: [0, 1], format: (share) => `${Math.round(100 * share)} %` });
  const shown = element(
    "div",
    { className: "dream-shown", hidden: true },
    element("figure", {}, canvas, element("figcaption", {}, told)),
    element("div", { className: "dream-aside" }, chart, element("div", { className: "dream-frames" }, way), element("div", { className: "row" }, save, use)),
  );

  const fill = () => {
    const { name, classes: names } = chosenHead(lab);
    heads.hidden = lab.entry.heads.length < 2;
    fillChoice(heads.select, lab.entry.heads.map(({ name }) => [name, name]), name);
    fillChoice(classes.select, names.map((label, i) => [String(i), `“${label}”`]), String(target()));
    starts.select.value = startKind();
    seed.value = lab.state.seed;
  };
  /** The class of the state; without any, that which the image nearly was, or the third one. */
  const target = () => {
    const { name, classes: { length: count } } = chosenHead(lab);
    const { class: asked } = lab.state;
    if (asked !== null && asked < count) return asked;
    return startKind() === "image" && lab.pass ? ranked(lab.pass.probabilities[name])[1] ?? 0 : Math.min(2, count - 1);
  };
  const startKind = () => (["image", "grey"].includes(lab.state.start) ? lab.state.start : "noise");

  const stop = () => {
    job?.stop();
    job = null;
  };

  const start = () => {
    stop();
    const head = chosenHead(lab);
    const [number, kind] = [target(), startKind()];
    const ascent = ascentOfSettings(own);
    const objective = { kind: own.probability ? "class-probability" : "class-logit", head: head.name, class: number };
    // As the report's own dreams begin, where it has some.
    const { start: usual } = lab.page.index;
    const noise = usual?.kind === "noise" ? usual : DREAM_NOISE;
    const given = { image: { kind: "image", image: lab.input.slice() }, noise, grey: { kind: "grey", level: usual?.level ?? noise.level } }[kind];
    run = { head, number, shape: lab.network.input, title: lab.entry.title, steps: ascent.steps, limit: ascent.steps, curve: [], images: [], last: null, paused: false };
    way.replaceChildren();
    problem.hidden = true;
    shown.hidden = false;
    const mine = run;
    job = lab.compute.dream(lab.entry.id, { objective, start: given, ascent, seed: lab.state.seed }, (step) => mine === run && take(step));
    job.done.catch((error) => {
      if (mine !== run) return;
      problem.textContent = error.message;
      problem.hidden = false;
    });
    lab.say(`The dream of “${head.classes[number]}” begins.`);
    tellButtons();
  };

  const take = (step) => {
    run.last = step;
    const probabilities = step.probabilities[run.head.name];
    run.curve.push([step.step, probabilities[run.number]]);
    const every = Math.max(1, Math.round(run.steps / WAY_IMAGES));
    if (step.step % every === 0) {
      const small = imageCanvas(`Step ${step.step}`, "thumb");
      showInput(small, step.image, run.shape);
      way.append(element("li", {}, small, element("small", { textContent: step.step })));
      while (way.children.length > WAY_IMAGES + 1) way.children[1].remove();
    }
    if (step.rests || run.drawn !== true) draw();
    if (step.rests) finish(step);
  };

  /** Draws the newest step, at most once for each frame of the screen. */
  const draw = () => {
    const mine = run;
    mine.drawn = true;
    requestAnimationFrame(() => {
      mine.drawn = false;
      if (mine !== run || !mine.last) return;
      const { last, head, number, limit, shape } = mine;
      const probabilities = last.probabilities[head.name];
      const best = strongestClass(probabilities);
      showInput(canvas, last.image, shape);
      const name = head.classes[number];
      canvas.setAttribute("aria-label", `The dream of “${name}” after ${last.step} steps`);
      const other = best === number ? "" : ` It reads “${head.classes[best]}” with ${percentText(probabilities[best])}.`;
      told.textContent = `Step ${last.step} of ${limit}: ${mine.title} gives “${name}” ${percentText(probabilities[number])}, a score of ${fixedText(last.logits[head.name][number], 1)}.${other}`;
      chart.draw([mine.curve], `From ${percentText(mine.curve[0][1])} to ${percentText(probabilities[number])} in ${last.step} steps.`);
    });
  };

  const finish = (step) => {
    run.paused = true;
    if (step.diverged !== null) {
      problem.textContent = `The numbers grew beyond 32-bit arithmetic at step ${step.diverged}; the image is kept as it was before. A smaller learning rate may help.`;
      problem.hidden = false;
      job = null;
    }
    const name = run.head.classes[run.number];
    lab.say(`After ${step.step} steps the network gives “${name}” ${percentText(step.probabilities[run.head.name][run.number])}.`);
    tellButtons();
  };

  const pause = () => {
    job.pause();
    run.paused = true;
    lab.say(`Paused at step ${run.last.step}.`);
    tellButtons();
  };

  const goOn = () => {
    run.paused = false;
    if (run.last.rests) {
      run.limit = run.last.step + run.steps;
      job.tell({ steps: run.limit });
    } else job.resume();
    tellButtons();
  };

  const tellButtons = () => {
    begin.textContent = run ? "Start again" : "Dream";
    hold.hidden = !run;
    hold.disabled = !job;
    hold.textContent = run?.paused ? "Go on" : "Pause";
    const size = run ? run.shape.reduce((product, side) => product * side, 1) : 0;
    use.hidden = size > MOST_ADDRESS_BYTES;
  };

  const keep = () => {
    const { shape, last, head, number } = run;
    const large = enlargedImage(last.image, shape, PNG_SCALE);
    const link = element("a", { href: large.toDataURL("image/png"), download: `dream-of-${fileName(head.classes[number])}-step-${last.step}.png` });
    link.click();
    lab.say("The dream is saved as a PNG file.");
  };

  const feed = () => {
    lab.change({ img: { kind: "pixels", bytes: bytesOfInput(run.last.image) } });
    lab.say("The network now looks at the dream.");
  };

  lab.listenShown("dream", ["network"], () => {
    stop();
    run = null;
    shown.hidden = true;
    problem.hidden = true;
    fill();
    tellButtons();
  });
  lab.listenShown("dream", ["state", "pass"], fill);
  lab.listen(["network"], stop);
  tellButtons();
  const seedField = element("label", { className: "labelled" }, element("span", { textContent: "Seed" }), seed);
  return element(
    "div",
    { className: "dream" },
    element("div", { className: "row" }, heads, classes, starts, seedField),
    settings,
    element("div", { className: "row" }, begin, hold),
    problem,
    shown,
  );
}

/** An ascent as the settings change it. */
function ownAscent(ascent) {
  const weight = (kind) => ascent.regularisers.find((regulariser) => regulariser.kind === kind)?.weight ?? 0;
  return {
    ascent,
    probability: false,
    fourier: ascent.parametrisation.kind === "fourier",
    decay: ascent.parametrisation.decay ?? 1,
    transforms: ascent.transforms.map(() => true),
    l2: weight("l2"),
    variation: weight("total-variation"),
    rate: ascent.learning_rate,
    steps: ascent.steps,
  };
}

function ascentOfSettings({ ascent, fourier, decay, transforms, l2, variation, rate, steps }) {
  const regularisers = [
    { kind: "l2", weight: l2 },
    { kind: "total-variation", weight: variation },
  ];
  return {
    ...ascent,
    steps,
    learning_rate: rate,
    parametrisation: fourier ? { kind: "fourier", decay } : { kind: "pixels" },
    transforms: ascent.transforms.filter((_, i) => transforms[i]),
    regularisers: regularisers.filter(({ weight }) => weight > 0),
  };
}

/** The choices beside the report's, folded away. */
function settingsPart(own, report) {
  const body = element("div", { className: "dream-settings" });
  const fill = () => {
    const check = (words, on, action) => {
      const input = element("input", { type: "checkbox", checked: on });
      input.addEventListener("change", () => action(input.checked));
      return element("label", { className: "check" }, input, words);
    };
    const words = {
      jitter: ({ pixels }) => `move it by up to ${pixels} ${pixels === 1 ? "pixel" : "pixels"}`,
      rotation: ({ degrees }) => `turn it by up to ${degrees}°`,
      scale: ({ share }) => `scale it by up to ${Math.round(100 * share)} %`,
    };
    const transforms = own.ascent.transforms.map((transform, i) => check(words[transform.kind](transform), own.transforms[i], (on) => (own.transforms[i] = on)));
    // Any number, so that the report's own is shown as it is.
    const weight = (words, name) => slider(words, { least: 0, most: Math.max(60, own[name]), step: "any", value: own[name], words: numberText }, (value) => (own[name] = value));
    const rates = [...new Set([...DREAM_RATES, own.rate])].sort((a, b) => a - b);
    const group = (title, ...parts) => element("fieldset", {}, element("legend", { textContent: title }), ...parts);
    const parts = [
      group(
        "What rises",
        choice("Objective", [["logit", "the score (logit)"], ["probability", "the logarithm of the probability"]], own.probability ? "probability" : "logit", (value) => (own.probability = value === "probability")),
        choice("Parameters", [["fourier", "waves (Fourier)"], ["pixels", "pixels"]], own.fourier ? "fourier" : "pixels", (value) => (own.fourier = value === "fourier")),
      ),
      transforms.length > 0 ? group("Before each step the network sees it changed at random", ...transforms) : null,
      group(
        "What it costs",
        weight("Light (L2)", "l2"),
        weight("Edges (total variation)", "variation"),
      ),
      group(
        "How it climbs",
        slider("Learning rate", { least: 0, most: rates.length - 1, value: rates.indexOf(own.rate), words: (i) => String(rates[i]) }, (i) => (own.rate = rates[i])),
        slider("Steps", { least: 1, most: Math.max(512, own.steps), value: own.steps }, (value) => (own.steps = value)),
      ),
      element("p", { className: "note", textContent: "Changes hold from the next start." }),
      button("The report's settings", () => {
        Object.assign(own, ownAscent(report()));
        fill();
      }),
    ];
    body.replaceChildren(...parts.filter((part) => part !== null));
  };
  fill();
  return element("details", {}, element("summary", { textContent: "Objective, costs and other settings" }), body);
}

/** An image on a canvas with `scale` pixels for each of its own. */
function enlargedImage(image, [height, width, channels], scale) {
  const small = imageCanvas("");
  showInput(small, image, [height, width, channels]);
  const large = element("canvas", { width: width * scale, height: height * scale });
  const pen = large.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, width * scale, height * scale);
  return large;
}

/** A name as a part of a file's name. */
function fileName(name) {
  return name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "class";
}
