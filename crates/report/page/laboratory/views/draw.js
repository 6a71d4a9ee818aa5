// The view Draw: a pad for mouse, finger, pen and keyboard.
import { PAD_UNITS, PEN_COLOURS, PEN_WIDTHS, padSize } from "../drawing.js";
import { button, element, slider } from "../widgets/element.js";

/** Units between two points of a stroke, and units that an arrow key moves the pen. */
const LEAST_STEP = 2;
const KEY_STEP = 6;

/** The pad with its pen: thickness, undo, clear, and colours for images in colour. */
export function drawPanel(lab, source) {
  const canvas = element("canvas", { className: "pad-canvas" });
  const cursor = element("div", { className: "pad-cursor", hidden: true, aria: { hidden: true } });
  const pad = element(
    "div",
    {
      className: "pad",
      tabIndex: 0,
      aria: {
        role: "application",
        roledescription: "drawing pad",
        label: "Drawing pad. Arrow keys move the pen, Space lowers and lifts it, Control+Z takes back the last stroke.",
      },
    },
    canvas,
    cursor,
  );
  const pen = { width: PEN_WIDTHS.usual, colour: 0 };
  const hint = element("p", { className: "pad-hint", textContent: "Draw here" });
  pad.append(hint);
  let stroke = null;
  /** Height and width of the pad, and the place of the pen as column and row, in units. */
  let [high, wide] = [PAD_UNITS, PAD_UNITS];
  let at = [PAD_UNITS / 2, PAD_UNITS / 2];

  const strokes = () => {
    const { img } = lab.state;
    return img?.kind === "draw" ? img.strokes : [];
  };
  const shown = () => (source.image.kind === "draw" ? source.image.strokes : []);

  /** Draws strokes as smooth lines in the screen's own resolution; the network's picture is made elsewhere. */
  const line = (ink, { width, colour, points }, from = 0) => {
    const scale = canvas.width / wide;
    ink.lineCap = ink.lineJoin = "round";
    ink.lineWidth = width * scale;
    ink.strokeStyle = `rgb(${PEN_COLOURS[colour].rgb.join(",")})`;
    ink.beginPath();
    const first = Math.max(from - 1, 0);
    ink.moveTo((points[2 * first] + 0.5) * scale, (points[2 * first + 1] + 0.5) * scale);
    for (let i = first; 2 * i < points.length; i += 1) ink.lineTo((points[2 * i] + 0.5) * scale, (points[2 * i + 1] + 0.5) * scale);
    ink.stroke();
  };
  const redraw = () => {
    if (pad.clientWidth === 0 || !lab.set) return;
    const width = Math.round(pad.clientWidth * (devicePixelRatio || 1));
    const height = Math.round((width * high) / wide);
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const ink = canvas.getContext("2d");
    ink.fillStyle = source.paper === 0 ? "#000" : "#fff";
    ink.fillRect(0, 0, width, height);
    pad.classList.toggle("example", Boolean(source.image.example));
    pad.classList.toggle("dark-paper", source.paper === 0);
    for (const made of shown()) line(ink, made);
    if (stroke) line(ink, stroke);
    hint.hidden = shown().length > 0 && !source.image.example;
    undo.disabled = clear.disabled = strokes().length === 0;
  };

  const start = (x, y) => {
    // The first stroke takes the place of the example, or of another image.
    if (source.image.kind !== "draw" || source.image.example) lab.change({ img: { kind: "draw", strokes: [] }, paint: [] });
    stroke = { width: pen.width, colour: pen.colour, points: [x, y] };
    hint.hidden = true;
    pad.classList.remove("example");
    line(canvas.getContext("2d"), stroke);
    source.ink(stroke, 0);
  };
  const go = (x, y) => {
    const { points } = stroke;
    if (Math.hypot(x - points.at(-2), y - points.at(-1)) < LEAST_STEP) return false;
    points.push(x, y);
    line(canvas.getContext("2d"), stroke, points.length / 2 - 1);
    return true;
  };
  const end = () => {
    if (!stroke) return;
    const all = [...strokes(), stroke];
    stroke = null;
    source.adopt(all);
    lab.change({ img: { kind: "draw", strokes: all } });
  };

  const place = (event) => {
    const bounds = pad.getBoundingClientRect();
    const unit = (share, side) => Math.min(Math.max(Math.floor(share * side), 0), side - 1);
    return [unit((event.clientX - bounds.left) / bounds.width, wide), unit((event.clientY - bounds.top) / bounds.height, high)];
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !lab.set) return;
    event.preventDefault();
    pad.focus({ preventScroll: true });
    pad.setPointerCapture(event.pointerId);
    end();
    at = place(event);
    start(...at);
    showCursor(false);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!stroke || !pad.hasPointerCapture(event.pointerId)) return;
    const from = stroke.points.length / 2;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const moved of events.length > 0 ? events : [event]) go(...place(moved));
    if (stroke.points.length / 2 > from) source.ink(stroke, from);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    pad.addEventListener(name, (event) => pad.hasPointerCapture(event.pointerId) && end());
  }

  const showCursor = (isShown = true) => {
    cursor.hidden = !isShown;
    cursor.style.left = `${(100 * at[0]) / wide}%`;
    cursor.style.top = `${(100 * at[1]) / high}%`;
    cursor.classList.toggle("down", stroke !== null);
  };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  pad.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") takeBack();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (arrows[event.key]) {
      const step = event.shiftKey ? 1 : KEY_STEP;
      at = at.map((value, axis) => Math.min(Math.max(value + step * arrows[event.key][axis], 0), [wide, high][axis] - 1));
      if (stroke && go(...at)) source.ink(stroke, stroke.points.length / 2 - 1);
      showCursor();
    } else if (event.key === " ") {
      if (stroke) {
        end();
        lab.say("The pen is lifted.");
      } else {
        start(...at);
        lab.say("The pen is down.");
      }
      showCursor();
    } else if (event.key === "Escape" && stroke) {
      end();
      showCursor();
    } else return;
    event.preventDefault();
  });
  pad.addEventListener("focus", () => pad.matches(":focus-visible") && showCursor());
  pad.addEventListener("blur", () => {
    end();
    showCursor(false);
  });

  const takeBack = () => {
    if (stroke) end();
    const left = strokes().slice(0, -1);
    lab.change({ img: { kind: "draw", strokes: left } });
    lab.say(left.length > 0 ? "The last stroke is gone." : "The pad is empty.");
  };
  const undo = button("Undo", takeBack, { title: "Take back the last stroke" });
  const clear = button("Clear", () => {
    lab.change({ img: { kind: "draw", strokes: [] }, paint: [] });
    lab.say("The pad is empty.");
    pad.focus();
  }, { title: "Clear the pad" });
  const thickness = slider("Pen", { least: PEN_WIDTHS.least, most: PEN_WIDTHS.most, step: 2, value: pen.width, words: (value) => `${value} of ${PAD_UNITS}` }, (value) => {
    pen.width = value;
  });
  const colours = element(
    "fieldset",
    { className: "colours", hidden: true },
    element("legend", { textContent: "Colour" }),
    ...PEN_COLOURS.map(({ name, rgb }, i) => {
      const input = element("input", { type: "radio", name: "lab-pen-colour", value: String(i), checked: i === 0, aria: { label: name } });
      input.addEventListener("change", () => (pen.colour = i));
      const dot = element("span", { className: "dot", title: name });
      dot.style.background = `rgb(${rgb.join(",")})`;
      return element("label", {}, input, dot);
    }),
  );
  lab.listen(["network"], () => {
    [high, wide] = padSize(lab.set.shape);
    pad.style.aspectRatio = `${wide} / ${high}`;
    at = [Math.min(at[0], wide - 1), Math.min(at[1], high - 1)];
    const inColour = lab.set.shape[2] === 3;
    colours.hidden = !inColour;
    if (!inColour) pen.colour = 0;
    else if (source.paper === 0 && pen.colour === 0) {
      pen.colour = 1;
      colours.querySelectorAll("input")[1].checked = true;
    }
    redraw();
  });
  lab.listen(["prepared"], () => stroke || redraw());
  new ResizeObserver(redraw).observe(pad);
  return element("div", { className: "draw" }, pad, element("div", { className: "row" }, undo, clear, thickness), colours);
}
