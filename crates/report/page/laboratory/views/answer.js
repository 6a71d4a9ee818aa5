// The answer: the probabilities of each head with the runner-up, the logits on demand, and what they were before an intervention.
import { element, toggle } from "../widgets/element.js";
import { fixedText, percentText } from "../widgets/words.js";

/** The probability below which no bar of before is drawn, since nothing of it would be seen. */
const LEAST_BEFORE = 0.005;

/** The classes of some probabilities from the most probable on. */
export function ranked(probabilities) {
  return [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
}

/** A head's answer in a sentence. */
export function answerWords({ classes }, probabilities) {
  const [first, second] = ranked(probabilities);
  const told = `${classes[first]} with ${percentText(probabilities[first])}`;
  return second === undefined ? `${told}.` : `${told}; the runner-up is ${classes[second]} with ${percentText(probabilities[second])}.`;
}

/** The part of the page that shows what the chosen network says; it follows every pass. */
export function answerPanel(lab) {
  const told = element("p", { className: "verdict" });
  const shown = element("div", { className: "heads" });
  const before = element("p", { className: "note", hidden: true });
  const scores = toggle("Logits", lab.state.logits === "on", (on) => lab.change({ logits: on ? "on" : "" }), {
    title: "Show the scores before the softmax",
  });
  let heads = [];
  lab.listen(["network"], () => {
    heads = lab.entry.heads.map((head) => headBars(head, lab.entry.heads.length > 1));
    shown.replaceChildren(...heads.map(({ element: made }) => made));
  });
  const draw = () => {
    if (!lab.pass || heads.length === 0) return;
    const changed = lab.plain !== null && lab.plain !== lab.pass;
    const withLogits = lab.state.logits === "on";
    scores.setAttribute("aria-pressed", withLogits);
    lab.entry.heads.forEach((head, i) => {
      const { [head.name]: logits } = lab.pass.logits;
      const was = changed ? lab.plain.probabilities[head.name] : null;
      heads[i].show(lab.pass.probabilities[head.name], withLogits ? logits : null, was);
    });
    told.replaceChildren(verdict(lab));
    before.hidden = !changed;
    if (changed) {
      const [head] = lab.entry.heads;
      before.textContent = `Hollow bars: before the changes, ${answerWords(head, lab.plain.probabilities[head.name])}`;
    }
  };
  lab.listen(["pass", "theme"], draw);
  lab.listen(["state"], (changed) => changed.has("logits") && draw());
  return element(
    "section",
    { className: "panel answer", aria: { label: "Answer" } },
    element("div", { className: "panel-head" }, element("h3", { textContent: "Answer" }), scores),
    told,
    before,
    shown,
  );
}

function verdict(lab) {
  const [head] = lab.entry.heads;
  const probabilities = lab.pass.probabilities[head.name];
  const [first] = ranked(probabilities);
  const label = lab.truth(head);
  const made = element("span", {}, element("strong", { textContent: head.classes[first] }), ` ${answerWords(head, probabilities).slice(head.classes[first].length + 1)}`);
  if (label !== null) {
    const right = label === first;
    made.append(" ", element("span", { className: right ? "right" : "wrong", textContent: right ? "That is right." : `The image is labelled ${head.classes[label] ?? label}.` }));
  }
  return made;
}

/** Bars of one head. */
function headBars({ name, classes }, named) {
  const rows = classes.map((label) => {
    const bar = element("div", { className: "bar-now" });
    const was = element("div", { className: "bar-was", hidden: true });
    const percent = element("span", { className: "number" });
    const logit = element("span", { className: "number logit", hidden: true });
    const row = element("div", { className: "bar-row", aria: { role: "listitem" } });
    row.append(element("span", { className: "name", textContent: label, title: label }), element("div", { className: "bar", aria: { hidden: true } }, bar, was), percent, logit);
    return { row, bar, was, percent, logit };
  });
  const list = element("div", { className: "bars", aria: { role: "list", label: named ? `Probabilities of ${name}` : "Probabilities" } }, ...rows.map(({ row }) => row));
  const show = (probabilities, logits, before) => {
    const [first, second] = ranked(probabilities);
    rows.forEach(({ row, bar, was, percent, logit }, i) => {
      bar.style.width = `${100 * probabilities[i]}%`;
      row.classList.toggle("first", i === first);
      row.classList.toggle("second", i === second);
      percent.textContent = percentText(probabilities[i]);
      was.hidden = !before || before[i] < LEAST_BEFORE;
      if (before) was.style.width = `${100 * before[i]}%`;
      logit.hidden = !logits;
      if (logits) logit.textContent = fixedText(logits[i], 2);
    });
    list.classList.toggle("with-logits", logits !== null);
  };
  return { element: element("div", { className: "head" }, named ? element("h4", { textContent: name }) : null, list), show };
}
