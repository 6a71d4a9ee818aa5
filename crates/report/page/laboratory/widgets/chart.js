// Curves over whole steps, as a drawing that scales: axes, a few ticks, lines of their own colour and dash, and a key.
import { element } from "./element.js";
import { numberText } from "./words.js";

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
/** Units of the drawing, and the margins for the numbers of the axes. */
const CHART_SIZE = { width: 320, height: 170, left: 42, right: 10, top: 10, bottom: 30 };

function svgElement(name, attributes = {}, text = "") {
  const made = document.createElementNS(SVG_NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/**
 * A chart: `title` names what is drawn upwards and `along` what is drawn to the right; `names` are those of the curves. `range` fixes [low, high];
 * without it the chart begins at 0 and fits. `format` writes a number of the vertical axis. `chart.draw(curves, words)` takes for each curve its
 * points [[x, y], …], and describes them in words to those who do not see it.
 */
export function curveChart({ title, along, names, range = null, format = numberText }) {
  const drawing = svgElement("svg", { viewBox: `0 0 ${CHART_SIZE.width} ${CHART_SIZE.height}`, role: "img", class: "lab-chart-drawing" });
  const key = element("ul", { className: "lab-chart-key" });
  names.forEach((name, i) => key.append(element("li", {}, lineSample(i), name)));
  const made = element("figure", { className: "lab-chart" }, element("figcaption", { textContent: title }), drawing);
  if (names.length > 1) made.append(key);
  made.draw = (curves, words) => {
    drawing.setAttribute("aria-label", `${title}. ${words}`);
    drawing.replaceChildren(...chartParts(curves, { along, range, format }));
  };
  made.draw(names.map(() => []), "Nothing is drawn yet.");
  return made;
}

function lineSample(number) {
  const sample = svgElement("svg", { viewBox: "0 0 24 8", class: "lab-chart-sample", "aria-hidden": "true" });
  sample.append(svgElement("path", { d: "M0 4H24", class: `lab-curve lab-curve-${number}` }));
  return sample;
}

function chartParts(curves, { along, range, format }) {
  const { width, height, left, right, top, bottom } = CHART_SIZE;
  const points = curves.flat().filter(([, y]) => Number.isFinite(y));
  const lastX = Math.max(1, ...points.map(([x]) => x));
  const [low, high] = range ?? [Math.min(0, ...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y), 1e-9)];
  const [low1, high1] = range || points.length > 0 ? [low, high] : [0, 1];
  const toX = (x) => left + ((width - left - right) * x) / lastX;
  const toY = (y) => height - bottom - ((height - top - bottom) * (y - low1)) / (high1 - low1 || 1);
  const parts = [];
  for (const y of niceTicks(low1, high1, 4)) {
    parts.push(svgElement("path", { d: `M${left} ${toY(y).toFixed(1)}H${width - right}`, class: "lab-chart-grid" }));
    parts.push(svgElement("text", { x: left - 5, y: (toY(y) + 3.5).toFixed(1), "text-anchor": "end" }, format(y)));
  }
  for (const x of niceTicks(0, lastX, 5).filter(Number.isInteger)) {
    parts.push(svgElement("text", { x: toX(x).toFixed(1), y: height - bottom + 13, "text-anchor": "middle" }, numberText(x)));
  }
  parts.push(svgElement("path", { d: `M${left} ${top}V${height - bottom}H${width - right}`, class: "lab-chart-axis" }));
  parts.push(svgElement("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, along));
  curves.forEach((curve, number) => {
    const drawn = curve.filter(([, y]) => Number.isFinite(y)).map(([x, y]) => `${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`);
    if (drawn.length === 0) return;
    parts.push(svgElement("path", { d: `M${drawn.join("L")}`, class: `lab-curve lab-curve-${number}` }));
    const [x, y] = drawn.at(-1).split(" ");
    parts.push(svgElement("circle", { cx: x, cy: y, r: 2.4, class: `lab-curve-end lab-curve-${number}` }));
  });
  return parts;
}

/** About `count` round numbers from low to high. */
export function niceTicks(low, high, count) {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(6)));
  return ticks;
}
