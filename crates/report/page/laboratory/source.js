// Where the network's input comes from: a drawing, an image that the page holds, or a picture of the reader's own.
import { blankPad, drawnPicture, inkStroke } from "./drawing.js";
import { inputOfBytes } from "./data.js";
import { prepared, stepsOf } from "./prepare.js";

/** A seven, drawn with the usual pen, so that there is something to see before a reader draws. */
const EXAMPLE_STROKES = [
  {
    width: 24,
    colour: 0,
    points: [70, 72, 84, 70, 100, 69, 118, 68, 136, 67, 152, 66, 168, 65, 182, 64, 184, 70, 180, 80, 174, 92, 168, 104, 161, 117, 154, 130, 147, 144, 140, 158, 134, 172, 128, 186, 123, 200],
  },
];

/** The source of the input: follows the state, and draws strokes while the pen moves. */
export class ImageSource {
  constructor(lab) {
    this.lab = lab;
    /** What is drawn on, and the strokes that it shows. */
    this.pad = null;
    this.inked = null;
    /** The picture that a reader opened, and the image of the state that it became. */
    this.file = null;
    /** What the preparation made of the drawing or the picture; null for images of the page. */
    this.result = null;
    lab.listen(["network"], () => this.refresh());
    lab.listen(["state"], (changed) => {
      if (changed.has("img") || changed.has("prep") || (changed.has("hide") && !lab.state.img)) this.refresh();
      else if (changed.has("paint") || changed.has("off") || changed.has("set")) lab.paint();
    });
  }

  /** The steps of the preparation. */
  get steps() {
    const { set, fit, state } = this.lab;
    return stepsOf(set, fit, state.prep);
  }

  /** White, but for colour images on dark ground, on which black lines would be lost. */
  get paper() {
    const { shape, brightness } = this.lab.set;
    return shape[2] === 3 && brightness[0] < 0.35 ? 0 : 255;
  }

  /** Which image is asked for: that of the state, else an example of a drawing, else the first test image. */
  get image() {
    const { state, set } = this.lab;
    if (state.img) return state.img;
    if (set.digits && !state.hide.includes("draw")) return { kind: "draw", strokes: EXAMPLE_STROKES, example: true };
    return { kind: "test", number: set.test?.numbers?.[0] ?? 0 };
  }

  /** Gives the network what the state asks for. */
  async refresh() {
    const { lab } = this;
    if (!lab.network) return;
    const image = this.image;
    if (image.kind === "draw") this.drawing(image.strokes);
    else if (image.kind === "pixels") this.pixels(image);
    else await this.held(image).catch((error) => lab.warnAlso(error.message));
  }

  drawing(strokes) {
    if (this.inked !== strokes || this.inkedFor !== this.lab.set) {
      this.pad = drawnPicture(strokes, this.lab.set.shape, this.paper);
      this.adopt(strokes);
    }
    this.feedPad();
  }

  /** Draws the points of a stroke from number `from` on, at once, while the pen moves. The state learns of it when the pen is lifted. */
  ink(stroke, from) {
    if (!this.pad || this.inkedFor !== this.lab.set) this.pad = blankPad(this.lab.set.shape, this.paper);
    inkStroke(this.pad, stroke, from);
    this.feedPad();
  }

  /** Strokes that are already on the pad. */
  adopt(strokes) {
    this.inked = strokes;
    this.inkedFor = this.lab.set;
  }

  feedPad() {
    const { lab } = this;
    this.picture = this.pad;
    this.result = prepared(this.pad, lab.set, this.steps);
    lab.feedBytes(this.result.image.pixels, { kind: "draw", label: null, number: null, words: "the drawing" });
    lab.emit("prepared");
  }

  /** A picture that a reader opened. */
  open(picture, name) {
    this.file = { picture, name, image: null };
    this.prepareFile();
  }

  prepareFile() {
    const { lab, file } = this;
    this.result = prepared(file.picture, lab.set, this.steps);
    this.picture = file.picture;
    file.image = { kind: "pixels", bytes: this.result.image.pixels };
    file.steps = lab.state.prep;
    file.set = lab.set;
    lab.change({ img: file.image, paint: [] });
  }

  pixels(image) {
    const { lab, file } = this;
    const isFile = file !== null && file.image === image;
    if (isFile && (file.steps !== lab.state.prep || file.set !== lab.set)) {
      this.prepareFile();
      return;
    }
    const [height, width, channels] = lab.set.shape;
    if (image.bytes.length !== height * width * channels) {
      lab.warnAlso(`The address names an image of ${image.bytes.length} numbers; those of ${lab.set.title} have ${height * width * channels}.`);
      lab.change({ img: null });
      return;
    }
    if (!isFile) [this.result, this.picture] = [null, null];
    const words = isFile ? `the picture “${file.name}”` : "the image of the address";
    lab.feed(inputOfBytes(image.bytes), { kind: "pixels", label: null, number: null, words });
    lab.emit("prepared");
  }

  /** A test or training image of the page. */
  async held({ kind, number }) {
    const { lab } = this;
    const set = lab.set;
    const images = await lab.page.images(set.name, kind);
    if (lab.set !== set || this.image.kind !== kind || this.image.number !== number) return;
    const index = images.numbers.slice(0, images.count).indexOf(number);
    const named = kind === "test" ? "test image" : "training image";
    if (index < 0) {
      if (images.count === 0 || lab.state.img === null) {
        // A set without images can still be drawn for.
        this.drawing([]);
        return;
      }
      lab.warnAlso(`The page holds no ${named} ${number} of ${set.title}.`);
      lab.change({ img: null });
      return;
    }
    [this.result, this.picture] = [null, null];
    const label = images.labels[index];
    const words = `${named} ${number} (${set.classes[label]})`;
    lab.feedBytes(images.pixels.subarray(index * images.each, (index + 1) * images.each), { kind, label, number, index, words });
    lab.emit("prepared");
  }
}
