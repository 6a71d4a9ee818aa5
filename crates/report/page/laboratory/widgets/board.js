// A board of pixels: an enlarged image in which a pointer or the arrow keys choose a pixel, with frames drawn over it.
import { element } from "./element.js";
import { imageCanvas } from "./image.js";

export class PixelBoard {
  /**
   * @param label the accessible name; how to use the keys is added
   * @param choose called with row and column whenever a pixel is pointed at with the button down, or reached with an arrow key;
   *   the third argument is "press" for a click, Space or Enter, "drag" while the pointer moves, and "move" for an arrow key
   * @param words what to say of a row and a column
   */
  constructor({ label, choose, words = (row, column) => `Row ${row}, column ${column}`, say = () => {} }) {
    Object.assign(this, { choose, words, say, rows: 1, columns: 1, at: [0, 0], frames: [] });
    this.image = imageCanvas(label);
    this.image.setAttribute("aria-hidden", "true");
    this.overlay = element("canvas", { className: "marks", aria: { hidden: true } });
    this.element = element(
      "div",
      { className: "board", tabIndex: 0, aria: { role: "application", roledescription: "pixel board", label: `${label}. The arrow keys choose a pixel.` } },
      this.image,
      this.overlay,
    );
    this.pressed = false;
    this.element.addEventListener("pointerdown", (event) => {
      this.pressed = true;
      this.element.setPointerCapture(event.pointerId);
      this.pointed(event, "press");
    });
    this.element.addEventListener("pointermove", (event) => this.pressed && this.pointed(event, "drag"));
    for (const end of ["pointerup", "pointercancel"]) this.element.addEventListener(end, () => (this.pressed = false));
    this.element.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.drawFrames()).observe(this.element);
  }

  /** Says how many pixels there are; the image is drawn on `board.image` by the caller. */
  lay(rows, columns) {
    if (rows === this.rows && columns === this.columns) return;
    [this.rows, this.columns] = [rows, columns];
    this.element.style.aspectRatio = `${columns} / ${rows}`;
    this.at = [Math.min(this.at[0], rows - 1), Math.min(this.at[1], columns - 1)];
    this.drawFrames();
  }

  /** Draws frames over the image: {top, left, height, width, kind}, kind being "window", "place" or "paint"; they may
   *  reach beyond it. */
  frame(frames) {
    this.frames = frames;
    this.drawFrames();
  }

  drawFrames() {
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    if (width === 0) return;
    const ratio = devicePixelRatio || 1;
    const { overlay } = this;
    [overlay.width, overlay.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const pen = overlay.getContext("2d");
    pen.scale(ratio, ratio);
    const [x, y] = [width / this.columns, height / this.rows];
    const style = getComputedStyle(this.element);
    for (const { top, left, height: high, width: wide, kind } of this.frames) {
      const box = [left * x, top * y, wide * x, high * y];
      const inset = [Math.max(box[0], 0) + 1, Math.max(box[1], 0) + 1];
      const size = [Math.min(box[0] + box[2], width) - inset[0] - 1, Math.min(box[1] + box[3], height) - inset[1] - 1];
      if (kind !== "paint") {
        pen.lineWidth = 4;
        pen.strokeStyle = "#000";
        pen.strokeRect(...inset, ...size);
      }
      pen.lineWidth = kind === "paint" ? 1 : 2;
      pen.strokeStyle = style.getPropertyValue(kind === "window" ? "--window" : "--chosen") || "#fff";
      pen.strokeRect(...inset, ...size);
    }
  }

  pointed(event, how) {
    const bounds = this.element.getBoundingClientRect();
    const place = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    const row = place((event.clientY - bounds.top) / bounds.height, this.rows);
    const column = place((event.clientX - bounds.left) / bounds.width, this.columns);
    this.at = [row, column];
    this.choose(row, column, how);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (event.key === " " || event.key === "Enter") this.choose(...this.at, "press");
    else if (event.key in steps) {
      const [down, right] = steps[event.key];
      const clamp = (value, count) => Math.min(Math.max(value, 0), count - 1);
      this.at = [clamp(this.at[0] + down, this.rows), clamp(this.at[1] + right, this.columns)];
      this.choose(...this.at, "move");
    } else return;
    event.preventDefault();
    this.say(this.words(...this.at));
  }
}
