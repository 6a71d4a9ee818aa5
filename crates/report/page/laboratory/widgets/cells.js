// A field of cells on one canvas: the maps of a layer, or its units. It is a list box whose only option in the document is the one
// that is pointed at, so that a thousand units cost no more than one.
import { colourIndex, tableOf } from "./colours.js";
import { element } from "./element.js";

/** Space between two cells, in pixels of the screen at least. */
const CELL_GAP = 3;
/** A middle grey, as ImageData holds it. */
const UNIT_FRAME = 0xff888888;

export class CellField {
  /**
   * @param label the accessible name
   * @param describe the words for a channel, such as “Map 5, mean 0.3”
   * @param open called with the channel that a person chooses
   * @param prefix for ids in the document, unique
   */
  constructor({ label, describe, open, prefix }) {
    this.describe = describe;
    this.open = open;
    this.count = 0;
    this.order = [];
    this.at = 0;
    this.canvas = element("canvas", { className: "pixels", aria: { hidden: true } });
    this.overlay = element("canvas", { className: "marks", aria: { hidden: true } });
    this.option = element("div", { id: `${prefix}-option`, className: "cursor", aria: { role: "option", selected: false } });
    this.element = element(
      "div",
      { className: "cells", tabIndex: 0, aria: { role: "listbox", label, activedescendant: this.option.id } },
      this.canvas,
      this.overlay,
      this.option,
    );
    this.told = () => {};
    this.element.addEventListener("pointermove", (event) => this.point(event));
    this.element.addEventListener("pointerleave", () => {
      if (document.activeElement !== this.element) this.element.classList.remove("pointed");
      this.told(null);
    });
    this.element.addEventListener("click", (event) => {
      if (this.point(event)) this.open(this.order[this.at]);
    });
    this.element.addEventListener("focus", () => this.move(this.at));
    this.element.addEventListener("blur", () => this.told(null));
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** Says what each cell is: so many of this height and width, about `cell` pixels of the screen wide, in so much room. */
  lay({ count, height, width, cell, room }) {
    const each = Math.max(Math.round(cell / Math.max(height, width)), 1);
    // A value takes zoom × zoom pixels of the canvas, and one of those scale × scale of the screen, so that gaps can be narrow.
    const isUnit = height * width === 1;
    const zoom = isUnit ? each : Math.max(Math.floor(each / 2), 1);
    const scale = Math.max(Math.round(each / zoom), 1);
    const gap = Math.max(Math.round(CELL_GAP / scale), 1);
    const [wide, high] = [width * zoom + gap, height * zoom + gap];
    const columns = Math.max(Math.min(Math.floor((room / scale + gap) / wide), count), 1);
    const rows = Math.ceil(count / columns);
    const layout = `${count} ${height} ${width} ${each} ${columns}`;
    if (layout === this.layout) return;
    Object.assign(this, { layout, count, height, width, isUnit, zoom, scale, gap, wide, high, columns });
    this.canvas.width = columns * wide - gap;
    this.canvas.height = rows * high - gap;
    this.pen = this.canvas.getContext("2d");
    this.held = this.pen.createImageData(this.canvas.width, this.canvas.height);
    this.words = new Uint32Array(this.held.data.buffer);
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.style.width = `${this.canvas.width * scale}px`;
      canvas.style.height = `${this.canvas.height * scale}px`;
    }
    this.option.setAttribute("aria-setsize", count);
    if (this.order.length !== count) this.order = Array.from({ length: count }, (_, i) => i);
    this.at = Math.min(this.at, count - 1);
    this.marked = "";
    this.place();
  }

  /** Draws values with channels last in the colours of a scale, the channel order[i] at place i. */
  draw(values, order, scale) {
    const { height, width, wide, high, zoom, columns, count, words } = this;
    const [table, row] = [tableOf(scale), this.canvas.width];
    this.order = order;
    for (let i = 0; i < count; i += 1) {
      const start = Math.floor(i / columns) * high * row + (i % columns) * wide;
      let from = order[i];
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1, from += count) {
          const word = table[colourIndex(values[from], scale)];
          const to = start + y * zoom * row + x * zoom;
          for (let v = 0; v < zoom; v += 1) words.fill(word, to + v * row, to + v * row + zoom);
          if (this.isUnit) this.frameUnit(to);
        }
      }
    }
    this.pen.putImageData(this.held, 0, 0);
  }

  /** A grey frame around a unit, without which one of the paper's own colour would not be seen. */
  frameUnit(to) {
    const { words, zoom } = this;
    const row = this.canvas.width;
    for (let v = 0; v < zoom; v += 1) {
      words[to + v] = words[to + (zoom - 1) * row + v] = UNIT_FRAME;
      words[to + v * row] = words[to + v * row + zoom - 1] = UNIT_FRAME;
    }
  }

  /** Draws pictures of bytes, that of order[i] at place i; `bytes` gives one, of one channel or three. */
  drawPictures(order, bytes, channels) {
    const { height, width, wide, high, zoom, columns, words } = this;
    const row = this.canvas.width;
    this.order = order;
    order.forEach((number, i) => {
      const start = Math.floor(i / columns) * high * row + (i % columns) * wide;
      const pixels = bytes(number);
      for (let p = 0; p < height * width; p += 1) {
        const [red, green, blue] = channels === 1 ? [pixels[p], pixels[p], pixels[p]] : pixels.subarray(3 * p, 3 * p + 3);
        const word = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
        const to = start + Math.floor(p / width) * zoom * row + (p % width) * zoom;
        for (let v = 0; v < zoom; v += 1) words.fill(word, to + v * row, to + v * row + zoom);
      }
    });
    this.pen.putImageData(this.held, 0, 0);
  }

  /** Marks channels: `dead` with a line across, `off` with a cross, `chosen` with a frame; each a Set of channels. */
  mark({ dead = new Set(), off = new Set(), chosen = -1 }) {
    const places = this.order.map((channel, i) => (dead.has(channel) || off.has(channel) || channel === chosen ? `${i}${off.has(channel) ? "x" : dead.has(channel) ? "d" : "c"}` : ""));
    const key = `${this.layout} ${devicePixelRatio} ${places.join()}`;
    if (key === this.marked) return;
    this.marked = key;
    const ratio = devicePixelRatio || 1;
    const { overlay, scale } = this;
    [overlay.width, overlay.height] = [Math.round(this.canvas.width * scale * ratio), Math.round(this.canvas.height * scale * ratio)];
    const pen = overlay.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    const colours = { off: style.getPropertyValue("--off"), dead: style.getPropertyValue("--dead"), chosen: style.getPropertyValue("--chosen") };
    this.order.forEach((channel, i) => {
      const [x, y, w, h] = this.boxOf(i);
      const line = (kind, thick, ...ends) => {
        for (const [width, colour] of [[thick + 2, "#000"], [thick, colours[kind]]]) {
          pen.beginPath();
          for (const [x0, y0, x1, y1] of ends) {
            pen.moveTo(x0, y0);
            pen.lineTo(x1, y1);
          }
          pen.lineWidth = width;
          pen.strokeStyle = colour;
          pen.stroke();
        }
      };
      if (off.has(channel)) line("off", Math.min(2.5, w / 8), [x, y, x + w, y + h], [x + w, y, x, y + h]);
      else if (dead.has(channel)) line("dead", Math.min(2, w / 10), [x, y + h, x + w, y]);
      if (channel === chosen) {
        pen.lineWidth = 2;
        pen.strokeStyle = colours.chosen;
        pen.strokeRect(x + 1, y + 1, w - 2, h - 2);
      }
    });
  }

  /** Left, top, width and height of a place, in pixels of the screen. */
  boxOf(i) {
    const { wide, high, gap, scale, columns } = this;
    return [(i % columns) * wide * scale, Math.floor(i / columns) * high * scale, (wide - gap) * scale, (high - gap) * scale];
  }

  /** Moves the cursor to what a pointer is at; false between the cells. */
  point(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - bounds.left) / this.scale / this.wide);
    const row = Math.floor((event.clientY - bounds.top) / this.scale / this.high);
    const i = row * this.columns + column;
    if (column < 0 || column >= this.columns || i < 0 || i >= this.count) return false;
    this.move(i);
    return true;
  }

  /** Moves the cursor to a place and says what is there. */
  move(i) {
    this.at = i;
    this.element.classList.add("pointed");
    this.place();
    const words = this.describe(this.order[i]);
    this.option.setAttribute("aria-label", words);
    this.option.setAttribute("aria-posinset", i + 1);
    this.told(words);
  }

  place() {
    if (this.count === 0) return;
    const [x, y, w, h] = this.boxOf(this.at);
    Object.assign(this.option.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns };
    if (event.key === "Enter" || event.key === " ") this.open(this.order[this.at]);
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(this.count - 1);
    else if (event.key in steps) {
      const next = this.at + steps[event.key];
      if (next >= 0 && next < this.count) this.move(next);
    } else return;
    event.preventDefault();
  }
}
