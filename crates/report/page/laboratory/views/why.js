// The view Why: which pixels a class's score depends on, and which training images are nearest to this one in several spaces.
import { bytesOfInput } from "../data.js";
import { projectOntoPlane } from "../runner/nearest.js";
import { button, choice, element, fillChoice } from "../widgets/element.js";
import { imageCanvas, showInput, showPicture } from "../widgets/image.js";
import { channelWords, signedImage } from "../widgets/scale.js";
import { countText, fixedText, shapeText } from "../widgets/words.js";
import { neighbourSentence } from "./agreement.js";
import { chosenHead, strongestClass } from "./compare.js";

/** Parts of the path of integrated gradients, nearest images that are shown, and numbers that the features of all of them may have. */
const INTEGRATION_STEPS = 64;
const NEIGHBOURS = 8;
const MOST_FEATURES = 16_000_000;

/** The tab that asks why. */
export function whyView(lab) {
  return element("div", { className: "why" }, saliencyPart(lab), nearestPart(lab));
}

/** The class that is asked about: the state's, or the answer; with the answer itself. */
function askedClass(lab) {
  const { number, name, classes } = chosenHead(lab);
  const answer = lab.pass ? strongestClass(lab.pass.probabilities[name]) : 0;
  const asked = lab.state.class;
  return { head: name, number, classes, answer, target: asked !== null && asked < classes.length ? asked : answer };
}

/** Pixels: the image beside the gradient or the integrated gradients of a class's score. */
function saliencyPart(lab) {
  const heads = choice("Head", [], "", (head) => lab.change({ head, class: null }));
  const classes = choice("Score of", [], "", (value) => lab.change({ class: value === "" ? null : Number(value) }));
  const methods = choice("By", [["integrated", "integrated gradients"], ["gradient", "the gradient"]], "integrated", (method) =>
    lab.change({ method: method === "integrated" ? "" : method }),
  );
  const image = imageCanvas("The image", "large");
  const map = signedImage("Saliency", "large");
  const mapCaption = element("figcaption");
  const told = element("p");
  const figures = element(
    "div",
    { className: "why-pair" },
    element("figure", {}, image, element("figcaption", { textContent: "The image" })),
    element("figure", {}, map, mapCaption),
  );
  const problem = element("p", { className: "fault", hidden: true });
  const made = element(
    "section",
    { className: "panel", aria: { label: "Which pixels matter" } },
    element("h3", { textContent: "Which pixels matter" }),
    element("div", { className: "row" }, heads, classes, methods),
    figures,
    told,
    problem,
  );

  const fill = () => {
    const own = lab.entry.heads.map(({ name }) => [name, name]);
    const { head, classes: names, answer, target } = askedClass(lab);
    heads.hidden = own.length < 2;
    fillChoice(heads.select, own, head);
    const asked = lab.state.class !== null && target === lab.state.class;
    const options = names.map((name, i) => [String(i), `“${name}”`]);
    fillChoice(classes.select, [["", `the answer, “${names[answer]}”`], ...options], asked ? String(target) : "");
    methods.select.value = lab.state.method === "gradient" ? "gradient" : "integrated";
  };

  const ask = async () => {
    if (!lab.pass) return;
    fill();
    const { head, classes: names, target } = askedClass(lab);
    const method = lab.state.method === "gradient" ? "gradient" : "integrated";
    const [x, shape, edits, entry] = [lab.input, lab.network.input, lab.edits, lab.entry];
    showInput(image, x, shape);
    image.setAttribute("aria-label", `The image: ${lab.source.words}`);
    made.setAttribute("aria-busy", "true");
    try {
      const [saliency, black] = await Promise.all([
        lab.compute.saliency(entry.id, { head, target, x, method, steps: INTEGRATION_STEPS, edits, purpose: "why" }),
        method === "integrated" ? lab.compute.forward(entry.id, new Float32Array(x.length), edits, { purpose: "why, black" }) : null,
      ]);
      if (!saliency || entry !== lab.entry || (method === "integrated" && !black)) return;
      problem.hidden = true;
      const words = `${method === "gradient" ? "Gradient" : "Integrated gradients"} of the score of “${names[target]}”`;
      map.show(saliency, shape, words);
      mapCaption.textContent = words + channelWords(shape);
      const score = lab.pass.logits[head][target];
      told.textContent = method === "gradient" ? gradientWords(names[target], score) : integratedWords(names[target], score, black.logits[head][target], saliency);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    made.removeAttribute("aria-busy");
  };

  lab.listenShown("why", ["pass"], ask);
  let key = "";
  lab.listenShown("why", ["state"], () => {
    const now = JSON.stringify([lab.state.head, lab.state.class, lab.state.method]);
    if (now !== key) ask();
    key = now;
  });
  return made;
}

function gradientWords(name, score) {
  return `The score (logit) of “${name}” is ${fixedText(score, 2)}. Making an orange pixel lighter raises it, and making a blue one lighter lowers it, by the number in the map for a full step from black to white if the slope stayed the same.`;
}

function integratedWords(name, score, black, parts) {
  const sum = parts.reduce((sum, part) => sum + part, 0);
  const apart = `The score (logit) of “${name}” is ${fixedText(score, 2)} for this image and ${fixedText(black, 2)} for a black one.`;
  return `${apart} The difference of ${fixedText(score - black, 2)} is shared out among the pixels: orange ones raise the score, blue ones lower it, and black ones have no part. The shares in the map add up to ${fixedText(sum, 2)}.`;
}

/** The nearest training images in the pixels, in the plane of the principal components, or in a layer's features. */
function nearestPart(lab) {
  const spaces = choice("In", [], "pixels", (space) => lab.change({ space: space === "pixels" ? "" : space }));
  const progress = element("progress", { max: 1, hidden: true, aria: { label: "Features of the training images" } });
  const told = element("p");
  const note = element("p", { className: "note" });
  const list = element("ul", { className: "why-neighbours" });
  const planes = new Map();
  let asked = 0;

  /** The spaces of this network and set: [value, words]. */
  const possible = () => {
    const own = [["pixels", "the pixels"]];
    if (lab.page.index.pca?.set === lab.entry.set) own.push(["plane", "the plane of two principal components"]);
    for (const { name, shape, scoresOf } of lab.network.handles) {
      const scores = lab.entry.heads.length > 1 ? `the scores of “${scoresOf}”` : "the class scores";
      const words = scoresOf ? scores : `the output of ${name}: ${shapeText(shape)}`;
      own.push([name, words]);
    }
    return own;
  };

  const fill = () => {
    const own = possible();
    const asked = lab.state.space || "pixels";
    const isKnown = own.some(([value]) => value === asked);
    fillChoice(spaces.select, own, isKnown ? asked : "pixels");
    note.textContent = isKnown ? "" : `The network has no layer “${asked}”; the nearest are looked for in the pixels.`;
    return isKnown ? asked : "pixels";
  };

  /** The training images as rows of this space, and the image as one: {rows, query, unit, count}. */
  const inSpace = async (space, images) => {
    const bytes = bytesOfInput(lab.input);
    if (space === "pixels") return { rows: images.pixels, query: Float32Array.from(bytes), unit: 1 / 255, count: images.count };
    if (space === "plane") {
      const { pca } = lab.page.index;
      const [mean, components] = await Promise.all([lab.page.floats(pca.mean), lab.page.floats(pca.components)]);
      if (!planes.has(pca.set)) planes.set(pca.set, projectOntoPlane(images.pixels, mean, components));
      return { rows: planes.get(pca.set), query: projectOntoPlane(bytes, mean, components), unit: 1, count: images.count };
    }
    const handle = lab.network.handle(space);
    const size = handle.shape.reduce((product, side) => product * side, 1);
    const count = Math.min(images.count, Math.max(1, Math.floor(MOST_FEATURES / size)));
    progress.hidden = false;
    progress.value = 0;
    const rows = await lab.compute.features(lab.entry.id, space, firstImages(lab, images, count), (share) => (progress.value = share));
    const pass = await lab.compute.forward(lab.entry.id, lab.input, null, { purpose: "nearest", until: handle.output });
    return pass && { rows, query: pass.outputs[handle.output], unit: 1, count };
  };

  const ask = async () => {
    if (!lab.pass) return;
    const mine = ++asked;
    const space = fill();
    const images = await lab.page.images(lab.set.name, "train");
    if (images.count === 0) {
      told.textContent = "This page holds no training images of this set.";
      return;
    }
    try {
      const found = await inSpace(space, images);
      if (mine !== asked || !found) return;
      const nearest = await lab.compute.nearest(found.rows, found.query, NEIGHBOURS);
      if (mine !== asked) return;
      if (found.count < images.count) {
        note.textContent = `Only the first ${countText(found.count)} of ${countText(images.count)} training images are searched in this layer, as each has ${countText(found.query.length)} numbers there.`;
      }
      show(images, nearest, found.unit);
    } catch (error) {
      if (mine === asked) told.textContent = error.message;
    }
    if (mine === asked) progress.hidden = true;
  };

  const show = (images, nearest, unit) => {
    const head = chosenHead(lab);
    const { classes } = head;
    const { answer } = askedClass(lab);
    const classOf = (index) => classes[lab.truth(head, images.labels[index])];
    told.textContent = neighbourSentence(nearest.map(({ index }) => classOf(index)), classes[answer]);
    const [height, width, channels] = lab.set.shape;
    list.replaceChildren(
      ...nearest.map(({ index, distance }, place) => {
        const canvas = imageCanvas("", "thumb");
        canvas.setAttribute("aria-hidden", "true");
        showPicture(canvas, { height, width, channels, pixels: images.pixels.subarray(index * images.each, (index + 1) * images.each) });
        const number = images.numbers[index];
        const made = button("", () => lab.change({ img: { kind: "train", number } }), { className: "neighbour" });
        const named = element("span", { className: "unseen", textContent: `Nearest ${place + 1}, training image ${number}: ` });
        const shown = element("span", {}, element("span", { textContent: classOf(index) }), element("small", { textContent: fixedText(distance * unit, 2) }));
        made.append(canvas, named, shown);
        return element("li", {}, made);
      }),
    );
  };

  lab.listenShown("why", ["pass"], ask);
  let key = "";
  lab.listenShown("why", ["state"], () => {
    const now = JSON.stringify([lab.state.space, lab.state.head]);
    if (now !== key) ask();
    key = now;
  });
  return element(
    "section",
    { className: "panel", aria: { label: "The nearest training images" } },
    element("h3", { textContent: "The nearest training images" }),
    element("div", { className: "row" }, spaces),
    progress,
    told,
    list,
    note,
  );
}

/** The first images of a set as one array, the same one each time, so that what was computed for it is found again. */
function firstImages(lab, { pixels, count, each }, wanted) {
  if (wanted === count) return pixels;
  lab.firstImages ??= new Map();
  const key = `${lab.set.name} ${wanted}`;
  if (!lab.firstImages.has(key)) lab.firstImages.set(key, pixels.slice(0, wanted * each));
  return lab.firstImages.get(key);
}
