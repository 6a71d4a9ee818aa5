// A small grid of numbers in the colours of their values: a window, a kernel, their products.
import { colourAndInk, colourIndex, tableOf } from "../../widgets/colours.js";
import { element } from "../../widgets/element.js";
import { cellText, numberText } from "../../widgets/words.js";

/** The most columns of a grid whose numbers are written into its cells. */
const WRITTEN_COLUMNS = 7;

/** A grid of numbers: draw(values, columns, scale, {inside, chosen}). */
export function numberGrid(title) {
  const grid = element("div", { className: "number-grid", aria: { role: "img", label: title } });
  const made = element("figure", { className: "grid-figure" }, element("figcaption", { textContent: title }), grid);
  let cells = [];
  const draw = (values, columns, scale, { inside = null, chosen = -1, from = title } = {}) => {
    if (cells.length !== values.length || grid.dataset.columns !== String(columns)) {
      cells = Array.from(values, () => element("span"));
      grid.dataset.columns = columns;
      grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
      grid.classList.toggle("small", columns > WRITTEN_COLUMNS);
      grid.replaceChildren(...cells);
    }
    const table = tableOf(scale);
    values.forEach((value, i) => {
      const [colour, ink] = colourAndInk(table[colourIndex(value, scale)]);
      cells[i].style.background = colour;
      cells[i].style.color = ink;
      cells[i].textContent = columns > WRITTEN_COLUMNS ? "" : cellText(value);
      cells[i].title = numberText(value, 6);
      cells[i].classList.toggle("outside", inside !== null && !inside[i]);
      cells[i].classList.toggle("chosen", i === chosen);
    });
    grid.setAttribute("aria-label", `${from}: ${Array.from(values, (value) => numberText(value, 2)).join(", ")}`);
    made.firstChild.textContent = from;
  };
  return { element: made, draw };
}

/** Bars of numbers around zero on a canvas, such as the partial sums of each channel; `choose` is told which one is clicked. */
export function signedBars(label, choose) {
  const canvas = element("canvas", { className: "signed-bars", aria: { role: "img", label } });
  let count = 0;
  canvas.addEventListener("click", (event) => {
    const bounds = canvas.getBoundingClientRect();
    const at = Math.floor(((event.clientX - bounds.left) / bounds.width) * count);
    if (at >= 0 && at < count) choose(at);
  });
  const draw = (values, chosen) => {
    count = values.length;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const style = getComputedStyle(canvas);
    const table = tableOf({ signed: true });
    const each = width / count;
    values.forEach((value, i) => {
      const high = (Math.abs(value) / size) * (height / 2 - 4);
      [pen.fillStyle] = colourAndInk(table[value < 0 ? 20 : 236]);
      pen.fillRect(i * each + Math.min(each * 0.1, 1), value < 0 ? height / 2 : height / 2 - high, Math.max(each * 0.8, each - 2), Math.max(high, 0.5));
      if (i !== chosen) return;
      pen.strokeStyle = style.getPropertyValue("--chosen");
      pen.lineWidth = 2;
      pen.strokeRect(i * each + 1, 1, Math.max(each - 2, 2), height - 2);
    });
    pen.fillStyle = style.color;
    pen.fillRect(0, height / 2 - 0.5, width, 1);
  };
  return { element: canvas, draw };
}
