// The softmax taken apart: scores become powers of e, and each of these its share of their sum.
import { softmaxOpened } from "../../arithmetic.js";
import { element } from "../../widgets/element.js";
import { fixedText, numberText, percentText } from "../../widgets/words.js";

/** Parts of the view of a head's softmax. */
export function softmaxParts(lab, { head }) {
  const body = element("tbody");
  const foot = element("tfoot");
  const columns = ["Class", "Score", "Less the largest", "e to this", "Share of the sum", ""];
  const table = element("table", { className: "softmax" }, element("thead", {}, element("tr", {}, ...columns.map((title, i) => element("th", { scope: "col", className: i > 0 && i < 5 ? "number" : "", textContent: title })))), body, foot);
  const draw = () => {
    const logits = lab.pass.logits[head.name];
    const { shifted, powers, sum, shares } = softmaxOpened(logits);
    body.replaceChildren(
      ...head.classes.map((name, i) => {
        const bar = element("div", { className: "bar-now" });
        bar.style.width = `${100 * shares[i]}%`;
        const numbers = [fixedText(logits[i]), fixedText(shifted[i]), numberText(powers[i], 4), percentText(shares[i])];
        return element(
          "tr",
          {},
          element("th", { scope: "row", textContent: name }),
          ...numbers.map((textContent) => element("td", { className: "number", textContent })),
          element("td", { className: "share", aria: { hidden: true } }, element("div", { className: "bar" }, bar)),
        );
      }),
    );
    foot.replaceChildren(element("tr", {}, element("th", { scope: "row", textContent: "Sum" }), element("td"), element("td"), element("td", { className: "number", textContent: numberText(sum, 5) }), element("td", { className: "number", textContent: "100 %" }), element("td")));
  };
  const words = "Scores (logits) can be any numbers. Each becomes a power of e, which is positive, and its share of the sum of all powers is the probability. The largest score is subtracted first: this changes no share, and no power becomes too large for the computer.";
  return { element: element("div", { className: "opened" }, element("p", { className: "note", textContent: words }), element("div", { className: "scroll" }, table)), draw };
}
