// The preparation as a row of small pictures, each step with a switch.
import { changedSteps } from "../prepare.js";
import { choice, element } from "../widgets/element.js";
import { imageCanvas, showInput, showPicture } from "../widgets/image.js";

const STEP_WORDS = {
  polarity: { title: "Polarity", off: "as drawn", on: "dark and light exchanged" },
  crop: { title: "Cut out", off: "the whole picture", on: "only what is drawn" },
  box: { title: "Size", off: "fills the image", on: "fits a box of 20 × 20 of 28 × 28" },
  mass: { title: "Centre", off: "the middle of the picture", on: "the centre of mass in the middle" },
};

/** The steps that lead from the drawing to the input; hidden for images of the page, which are prepared already. */
export function preparationPanel(lab, source) {
  const [first, last] = [imageCanvas("Before the preparation"), imageCanvas("The network's input")];
  const set = (step, value) => lab.change({ prep: changedSteps(lab.set, lab.fit, { ...source.steps, [step]: value }), paint: [] });
  const steps = Object.keys(STEP_WORDS).map((step) => {
    const { title } = STEP_WORDS[step];
    const image = imageCanvas(`After the step “${title}”`);
    const box = element("input", { type: "checkbox", role: "switch" });
    box.addEventListener("change", () => set(step, box.checked ? "on" : "off"));
    const words = element("small");
    const made = element("label", { className: "step" }, image, element("span", { className: "switch" }, box, title), words);
    return { step, image, box, words, element: made };
  });
  const fit = choice("Other shapes are", [["stretch", "stretched"], ["crop", "cut on both sides"], ["pad", "fitted, with black beside"]], "pad", (value) => set("fit", value));
  const notes = element("ul", { className: "notes" });
  const row = element(
    "div",
    { className: "steps" },
    element("div", { className: "step" }, first, element("span", { textContent: "Picture" })),
    ...steps.map(({ element: made }) => made),
    element("div", { className: "step last" }, last, element("span", { textContent: "Input" })),
  );
  const untouched = element("p", { className: "note" });
  const panel = element("section", { className: "panel preparation", aria: { label: "Preparation" } }, element("h3", { textContent: "Preparation" }), row, fit, untouched, notes);

  const draw = () => {
    const { result } = source;
    row.hidden = fit.hidden = result === null;
    untouched.hidden = result !== null;
    if (result === null) {
      untouched.textContent =
        lab.source.kind === "pixels"
          ? "This image comes from the address as it was prepared."
          : "Images of the data set go to the network as they are: they are prepared already.";
      notes.replaceChildren();
      return;
    }
    const { digits } = lab.set;
    const values = source.steps;
    showPicture(first, source.picture);
    for (const { step, image, box, words, element: made } of steps) {
      made.hidden = !digits && step !== "polarity";
      const stage = result.stages.find(({ step: of }) => of === step);
      showPicture(image, stage.picture);
      box.checked = stage.on;
      const how = STEP_WORDS[step][stage.on ? "on" : "off"];
      words.textContent = step === "polarity" && values.polarity === "auto" ? `${how}, found by itself` : how;
      made.classList.toggle("off", !stage.on);
    }
    fit.hidden = digits && (values.box === "on" || values.crop === "on");
    fit.select.value = values.fit;
    showInput(last, lab.input, lab.network.input);
    notes.replaceChildren(...result.notes.map((text) => element("li", { textContent: text })));
  };
  lab.listen(["prepared"], draw);
  return panel;
}
