// The view Train: a perceptron on two classes of the pictures that the page holds, step by step, and a small network on all of them.
import { bytesOfInput } from "../data.js";
import { PERCEPTRON_RULES, pairOfClasses, perceptronMistakes, perceptronScore } from "../runner/perceptron.js";
import { SmallMlp } from "../runner/train.js";
import { curveChart } from "../widgets/chart.js";
import { listenToTheme, scaleOf } from "../widgets/colours.js";
import { button, choice, element, fillChoice, slider } from "../widgets/element.js";
import { imageCanvas, showPicture, showValues } from "../widgets/image.js";
import { channelWords, largestSize, signedImage, summedOverChannels } from "../widgets/scale.js";
import { countText, countedText, fixedText, percentText } from "../widgets/words.js";
import { strongestClass } from "./compare.js";

/** Milliseconds from one pass or epoch to the next while it runs: slow enough to be followed. */
const TRAIN_PACE = 120;
const TRAIN_RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const USUAL_RATE = 0.1;
const RULE_WORDS = {
  online: "online: correct at each mistake",
  batch: "batch: one mean correction a pass",
  averaged: "averaged: predict with the mean of all weights",
  pocket: "pocket: predict with the best weights so far",
};
/** The small network, and the choices of its training. */
const MLP_HIDDEN = 32;
const MLP_OPTIMIZERS = {
  adam: { words: "Adam", rate: 0.003, spec: { kind: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 } },
  sgd: { words: "SGD with momentum 0.9", rate: 0.03, spec: { kind: "sgd", momentum: 0.9 } },
};
const MLP_BATCHES = [8, 16, 32, 64];

/** The tab that trains. */
export function trainView(lab) {
  return element("div", { className: "train" }, perceptronPart(lab), mlpPart(lab));
}

/** The place of the rate that is nearest to another by its power of ten. */
function nearestRate(rates, rate) {
  const apart = rates.map((one) => Math.abs(Math.log(one / rate)));
  return apart.indexOf(Math.min(...apart));
}

/** A learning rate as a slider. A change begins the training again, so it counts when the slider is let go. */
function rateSlider(value, action) {
  const made = slider("Learning rate", { least: 0, most: TRAIN_RATES.length - 1, value: nearestRate(TRAIN_RATES, value), words: (i) => String(TRAIN_RATES[i]) }, () => {});
  made.input.addEventListener("change", () => action(TRAIN_RATES[Number(made.input.value)]));
  made.setRate = (rate) => made.setValue(nearestRate(TRAIN_RATES, rate));
  return made;
}

/** Buttons that go one step, run and hold. `go(far)` asks for a step; the next one follows when `answered` is called while it runs. */
function runner(steps, go, restart, other) {
  let running = false;
  let timer = 0;
  const far = steps.at(-1)[0];
  const run = button("Run", () => set(!running), { className: "primary" });
  const singles = steps.map(([name, words]) => button(words, () => go(name)));
  const again = button("Start again", () => {
    set(false);
    restart();
  });
  const another = button("Another start", () => {
    set(false);
    other();
  });
  another.title = "Start again with other random numbers";
  const set = (now) => {
    clearTimeout(timer);
    if (now && !running) go(far);
    running = now;
    run.textContent = now ? "Pause" : "Run";
    for (const single of singles) single.disabled = now;
  };
  const answered = () => {
    if (running) timer = setTimeout(() => go(far), TRAIN_PACE);
  };
  const over = (isOver) => {
    if (isOver) set(false);
    for (const made of [run, ...singles]) made.disabled = isOver;
  };
  return { element: element("div", { className: "row" }, ...singles, run, again, another), set, answered, over, isRunning: () => running };
}

function perceptronPart(lab) {
  const first = choice("Between", [], "", () => choose());
  const second = choice("and", [], "", () => choose());
  const rules = choice("Rule", PERCEPTRON_RULES.map((rule) => [rule, RULE_WORDS[rule]]), "online", (rule) => lab.change({ rule: rule === "online" ? "" : rule }));
  const rate = rateSlider(USUAL_RATE, (value) => lab.change({ rate: value === USUAL_RATE ? null : value }));
  const weights = signedImage("Weights of the perceptron", "large");
  const weightsCaption = element("figcaption");
  const predicts = signedImage("Weights that the rule predicts with", "large");
  const predictsFigure = element("figure", {}, predicts, element("figcaption", { textContent: "Weights that it predicts with" }));
  const image = imageCanvas("The image of the last correction", "large");
  const imageFigure = element("figure", {}, image, element("figcaption", { textContent: "The last correction" }));
  const told = element("p");
  const corrected = element("p", { className: "train-corrected" });
  const own = element("p", { className: "train-own" });
  const chart = curveChart({ title: "Mistakes", along: "Pass", names: ["training images", "test images"], format: (share) => `${Number((100 * share).toPrecision(3))} %` });
  const buttons = runner([["image", "One image"], ["correction", "Next correction"], ["pass", "One pass"]], (far) => job?.tell(far), () => start(), () => lab.change({ seed: lab.state.seed + 1 }));
  let [job, data, shown] = [null, null, null];
  let asked = 0;

  const classes = () => lab.set.classes;
  const pair = () => {
    const [a, b] = lab.state.pair;
    const count = classes().length;
    if (a !== b && a < count && b < count) return [a, b];
    return lab.set.digits && count === 10 ? [4, 9] : [0, 1];
  };
  const rule = () => (PERCEPTRON_RULES.includes(lab.state.rule) ? lab.state.rule : "online");
  const learningRate = () => TRAIN_RATES[nearestRate(TRAIN_RATES, lab.state.rate > 0 ? lab.state.rate : USUAL_RATE)];
  const choose = () => {
    const [a, b] = [Number(first.select.value), Number(second.select.value)];
    if (a !== b) lab.change({ pair: [a, b] });
    else fill();
  };

  const fill = () => {
    const [a, b] = pair();
    const options = classes().map((name, i) => [String(i), `“${name}”`]);
    fillChoice(first.select, options.filter((_, i) => i !== b), String(a));
    fillChoice(second.select, options.filter((_, i) => i !== a), String(b));
    rules.select.value = rule();
    rate.setRate(learningRate());
  };

  const start = async () => {
    const mine = ++asked;
    job?.stop();
    [job, shown] = [null, null];
    buttons.set(false);
    fill();
    const [[a, b], set] = [pair(), lab.set];
    const [train, test] = await Promise.all([lab.page.images(set.name, "train"), lab.page.images(set.name, "test")]);
    if (mine !== asked) return;
    const ofPair = (part) => (part.count === 0 ? { pixels: new Uint8Array(0), labels: new Int8Array(0), indices: [] } : pairOfClasses(part.pixels.subarray(0, part.count * part.each), part.labels.slice(0, part.count), a, b));
    data = { a, b, set, train: ofPair(train), test: ofPair(test), numbers: train.numbers, testErrors: [] };
    const lacking = [a, b].filter((label, i) => !data.train.labels.includes(i === 0 ? -1 : 1));
    buttons.over(lacking.length > 0);
    if (lacking.length > 0) {
      told.textContent = `This page holds no training image of “${classes()[lacking[0]]}”.`;
      return;
    }
    const { pixels, labels } = data.train;
    job = lab.compute.trainPerceptron({ pixels, labels, rule: rule(), learningRate: learningRate(), seed: lab.state.seed }, (report) => mine === asked && take(report));
    job.done.catch((error) => (told.textContent = error.message));
  };

  const take = (report) => {
    shown = report;
    if (report.last?.endOfPass && report.diverged === null) {
      const { pixels, labels } = data.test;
      data.testErrors[report.passes - 1] = labels.length > 0 ? perceptronMistakes(pixels, labels, report.answer.w, report.answer.b) / labels.length : NaN;
    }
    draw();
    if (report.diverged !== null) buttons.over(true);
    else if (report.errors.at(-1) === 0 && buttons.isRunning()) {
      buttons.set(false);
      lab.say(`After ${countedText(report.passes, "pass", "passes")} it makes no mistake on the training images.`);
    } else buttons.answered();
  };

  const draw = () => {
    const { a, b, set, train, test } = data;
    const { w, answer, passes, place, corrections, errors, diverged } = shown;
    const [nameA, nameB] = [set.classes[a], set.classes[b]];
    weights.show(w, set.shape, `Weights of the perceptron as an image: orange pixels speak for “${nameB}”, blue ones for “${nameA}”`);
    weightsCaption.textContent = `Weights${channelWords(set.shape)}`;
    predictsFigure.hidden = !["averaged", "pocket"].includes(rule());
    if (!predictsFigure.hidden) predicts.show(answer.w, set.shape);
    const n = train.labels.length;
    const images = `${countText(n)} training images of “${nameA}” (−1) and “${nameB}” (+1)`;
    const within = place > 0 ? ` and ${countedText(place, "image")} of the next` : "";
    const far = passes > 0 ? `${countedText(passes, "pass", "passes")}${within} over ${images}` : `${countedText(place, "image")} of its first pass over ${images}`;
    const state = passes === 0 && place === 0 ? `It begins with random weights on ${images}.` : `After ${far}: ${corrections === 0 ? "no correction yet" : countedText(corrections, "correction")}.`;
    const mistakes = Math.round((errors.at(-1) ?? 0) * n);
    const ofTest = data.testErrors.at(-1);
    const onTest = test.labels.length > 0 && ofTest !== undefined ? ` and on ${percentText(ofTest)} of ${countText(test.labels.length)} test images` : "";
    const wrong = errors.length > 0 ? ` It is wrong on ${mistakes === 0 ? "none" : countText(mistakes)} of them${onTest}.` : "";
    const over = diverged === null ? "" : ` In pass ${diverged} the weights left 32-bit arithmetic; those before it are kept. A smaller learning rate may help.`;
    told.textContent = state + wrong + over;
    drawCorrection();
    drawOwn();
    const curve = (list) => list.map((error, i) => [i + 1, error]).filter(([, error]) => error !== undefined);
    chart.draw([curve(errors), curve(data.testErrors)], errors.length > 0 ? `After pass ${errors.length}: ${percentText(errors.at(-1))} of the training images.` : "No pass has ended yet.");
  };

  const drawCorrection = () => {
    const { a, b, set, train, numbers } = data;
    const last = shown.corrected;
    const name = (sign) => `“${set.classes[sign > 0 ? b : a]}”`;
    imageFigure.hidden = !last || last.index === null;
    const seen = shown.last;
    const right = seen && !seen.corrected && !seen.endOfPass ? ` The image that it looked at last, a ${name(train.labels[seen.index])}, had the score ${fixedText(seen.score, 2)}: right, so nothing changed.` : "";
    if (imageFigure.hidden) {
      corrected.textContent = `No image has corrected the weights yet.${right}`;
      return;
    }
    const [height, width, channels] = set.shape;
    const each = height * width * channels;
    showPicture(image, { height, width, channels, pixels: train.pixels.subarray(last.index * each, (last.index + 1) * each) });
    const label = train.labels[last.index];
    const number = numbers[train.indices[last.index]];
    image.setAttribute("aria-label", `Training image ${number}, a ${name(label)}, which corrected the weights last`);
    corrected.textContent =
      rule() === "batch"
        ? `The last correction was the mean over ${countedText(last.wrong, "image")} answered wrongly; this ${name(label)} (training image ${number}) was one of them.`
        : `This ${name(label)} (training image ${number}) had the score ${fixedText(last.score, 2)} and was taken for ${name(-label)}: ${label > 0 ? "η times the image was added to" : "η times the image was taken off"} the weights.${right}`;
  };

  const drawOwn = () => {
    if (!shown || !data || data.set !== lab.set || !lab.input) return;
    const { answer } = shown;
    const score = perceptronScore(bytesOfInput(lab.input), 0, answer.w, answer.b);
    own.textContent = `To ${lab.source.words} it answers “${data.set.classes[score >= 0 ? data.b : data.a]}” (score ${fixedText(score, 2)}).`;
  };

  let setShown = null;
  lab.listenShown("train", ["network"], () => {
    if (setShown !== lab.set) start();
    setShown = lab.set;
  });
  let key = "";
  lab.listenShown("train", ["state"], () => {
    const now = JSON.stringify([lab.state.pair, lab.state.rule, lab.state.rate, lab.state.seed]);
    if (key !== "" && now !== key) start();
    key = now;
  });
  lab.listenShown("train", ["input"], drawOwn);
  return element(
    "section",
    { className: "panel", aria: { label: "A perceptron" } },
    element("h3", { textContent: "A perceptron between two classes" }),
    element("div", { className: "row" }, first, second, rules, rate),
    buttons.element,
    told,
    element("div", { className: "train-figures" }, element("figure", {}, weights, weightsCaption), predictsFigure, imageFigure, chart),
    corrected,
    own,
  );
}

function mlpPart(lab) {
  let optimizer = "adam";
  let batchSize = 32;
  let learningRate = MLP_OPTIMIZERS.adam.rate;
  const optimizers = choice("Optimiser", Object.entries(MLP_OPTIMIZERS).map(([name, { words }]) => [name, words]), optimizer, (name) => {
    optimizer = name;
    learningRate = MLP_OPTIMIZERS[name].rate;
    rate.setRate(learningRate);
    start();
  });
  const batches = choice("Batch size", MLP_BATCHES.map((size) => [String(size), String(size)]), String(batchSize), (size) => {
    batchSize = Number(size);
    start();
  });
  const rate = rateSlider(learningRate, (value) => {
    learningRate = value;
    start();
  });
  const told = element("p");
  const own = element("p", { className: "train-own" });
  const percent = (share) => `${Number((100 * share).toPrecision(3))} %`;
  const accuracy = curveChart({ title: "Right answers", along: "Epoch", names: ["training images", "test images"], range: [0, 1], format: percent });
  const loss = curveChart({ title: "Cross-entropy", along: "Epoch", names: ["training images", "test images"] });
  const units = imageCanvas("Weights of the hidden units", "train-units");
  const unitsFigure = element("figure", {}, units, element("figcaption", { textContent: `Weights of the ${MLP_HIDDEN} hidden units` }));
  let seed = 1;
  const buttons = runner([["batch", "One step"], ["epoch", "One epoch"]], (far) => job?.tell(far), () => start(), () => {
    seed += 1;
    start();
  });
  const title = element("h3");
  let [job, data, shown] = [null, null, null];
  let asked = 0;

  const start = async () => {
    const mine = ++asked;
    job?.stop();
    [job, shown] = [null, null];
    buttons.set(false);
    const { set } = lab;
    const inputs = set.shape.reduce((product, side) => product * side, 1);
    title.textContent = `A small network: ${inputs}-${MLP_HIDDEN}-${set.classes.length}`;
    const [train, test] = await Promise.all([lab.page.images(set.name, "train"), lab.page.images(set.name, "test")]);
    if (mine !== asked) return;
    buttons.over(train.count === 0);
    if (train.count === 0) {
      told.textContent = "This page holds no training images of this set.";
      return;
    }
    const whole = ({ pixels, count, each, labels }) => ({ pixels: pixels.subarray(0, count * each), labels: labels.slice(0, count) });
    data = { set, inputs, count: train.count, held: test.count };
    const options = { ...whole(train), heldOut: whole(test), hidden: MLP_HIDDEN, classes: set.classes.length, optimizer: MLP_OPTIMIZERS[optimizer].spec, learningRate, batchSize, seed };
    job = lab.compute.trainMlp(options, (report) => mine === asked && take(report));
    job.done.catch((error) => (told.textContent = error.message));
  };

  const take = (report) => {
    shown = report;
    draw();
    if (report.diverged !== null) buttons.over(true);
    else buttons.answered();
  };

  const draw = () => {
    const { history, epochs, place, of, loss: last, diverged } = shown;
    const curve = (read) => history.map((entry) => [entry.epoch, read(entry) ?? NaN]);
    const now = history.at(-1);
    const held = now?.heldOut;
    const state = now
      ? `After ${countedText(epochs, "epoch")} it reads ${percentText(now.train.accuracy)} of the ${countText(data.count)} training images right while it learns them${held ? `, and ${percentText(held.accuracy)} of the ${countText(data.held)} test images, which it never learns from` : ""}.`
      : `It begins with random weights and learns from ${countText(data.count)} training images; the report’s networks had many more.`;
    const within = place > 0 ? ` ${countText(place)} of ${countText(of)} images of the next epoch are done; the last step’s cross-entropy was ${fixedText(last, 3)}.` : "";
    const over = diverged === null ? "" : ` In epoch ${diverged} the cross-entropy left 32-bit arithmetic. A smaller learning rate may help.`;
    told.textContent = state + within + over;
    const words = now ? `After epoch ${now.epoch}: ${percentText(now.train.accuracy)} of the training images${held ? ` and ${percentText(held.accuracy)} of the test images` : ""}.` : "No epoch has ended yet.";
    accuracy.draw([curve((entry) => entry.train.accuracy), curve((entry) => entry.heldOut?.accuracy)], words);
    loss.draw([curve((entry) => entry.train.loss), curve((entry) => entry.heldOut?.loss)], words);
    drawUnits();
    drawOwn();
  };

  /** The weights of each hidden unit as an image, all of them in one grid and one scale. */
  const drawUnits = () => {
    if (!shown || !data) return;
    const [height, width, channels] = data.set.shape;
    const columns = 8;
    const rows = MLP_HIDDEN / columns;
    const [tall, wide] = [rows * (height + 1) - 1, columns * (width + 1) - 1];
    const grid = new Float32Array(tall * wide);
    const weight = shown.parameters[0];
    for (let unit = 0; unit < MLP_HIDDEN; unit++) {
      const own = Float32Array.from({ length: data.inputs }, (_, i) => weight[i * MLP_HIDDEN + unit]);
      const summed = summedOverChannels(own, [height, width, channels]);
      const [top, left] = [Math.floor(unit / columns) * (height + 1), (unit % columns) * (width + 1)];
      for (let row = 0; row < height; row++) grid.set(summed.subarray(row * width, (row + 1) * width), (top + row) * wide + left);
    }
    const most = largestSize(grid);
    showValues(units, grid, tall, wide, scaleOf(-most, most));
  };

  const drawOwn = () => {
    if (!shown || !data || data.set !== lab.set || !lab.input) return;
    const network = Object.assign(new SmallMlp({ inputs: data.inputs, hidden: MLP_HIDDEN, classes: data.set.classes.length, stream: { uniform: () => 0 } }), { parameters: shown.parameters });
    const logits = network.forward(bytesOfInput(lab.input));
    const best = strongestClass(logits);
    const probability = 1 / logits.reduce((sum, z) => sum + Math.exp(z - logits[best]), 0);
    own.textContent = `To ${lab.source.words} it answers “${data.set.classes[best]}” with ${percentText(probability)}.`;
  };

  let setShown = null;
  lab.listenShown("train", ["network"], () => {
    if (setShown !== lab.set) start();
    setShown = lab.set;
  });
  lab.listenShown("train", ["input"], drawOwn);
  listenToTheme(drawUnits);
  return element(
    "section",
    { className: "panel", aria: { label: "A small network" } },
    title,
    element("div", { className: "row" }, optimizers, rate, batches),
    buttons.element,
    told,
    element("div", { className: "train-figures" }, accuracy, loss, unitsFigure),
    own,
  );
}
