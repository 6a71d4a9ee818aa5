// From a drawing or a picture to the network's input, step by step, as `inkling predict` does it.
import { borderOf, cutPicture, greyPicture, invertedPicture, placedPicture, rangeOf, resizedPicture, withChannels } from "./pixels.js";

/** Share of an image's sides that a digit of MNIST fills. */
const BOX_SHARE = 20 / 28;
/** Brightness by which the border must differ from the whole for a picture to be dark on light, or light on dark. */
const POLARITY_STEP = 0.02;
/** Share of the outermost pixels by which they tell what the background is, and by which they may be a frame. */
const MOST_OF_BORDER = 0.6;
const ALL_OF_BORDER = 0.95;
/** Values of a byte between the darkest and the lightest pixel below which there is little contrast. */
const LITTLE_CONTRAST = 64;
/** Share of the sides below which what is drawn is small. */
const SMALL_SHARE = 0.3;
/** Values of a byte by which a background may differ from that of a set's images. */
const OTHER_SHADE = 48;

/** The steps and their usual values for a set: digits are cut out and centred as MNIST's were, other images are taken whole. */
export function usualSteps(set, fit = "pad") {
  const digit = set.digits ? "on" : "off";
  return { polarity: "auto", crop: digit, box: digit, mass: digit, fit };
}

/** The steps of a state: the usual ones, but for those that it names. */
export function stepsOf(set, fit, changed) {
  const steps = usualSteps(set, fit);
  for (const [step, value] of changed) if (isStepValue(step, value)) steps[step] = value;
  return steps;
}

function isStepValue(step, value) {
  if (step === "fit") return ["stretch", "crop", "pad"].includes(value);
  return value === "on" || value === "off";
}

/** What of the steps differs from the usual ones, as the state holds it. */
export function changedSteps(set, fit, steps) {
  const usual = usualSteps(set, fit);
  return Object.keys(usual)
    .filter((step) => steps[step] !== usual[step])
    .map((step) => [step, steps[step]]);
}

/**
 * The image that a network of this set is given for a picture.
 *
 * The result has `image` (a picture of the set's shape), `stages` (the picture after each step: {step, on, picture}) and `notes`
 * (sentences that its owner should know).
 */
export function prepared(picture, set, steps) {
  const [height, width, channels] = set.shape;
  const notes = [];
  const stages = [];
  const dark = isInverted(picture, set);
  const invert = steps.polarity === "auto" ? dark : steps.polarity === "on";
  let now = steps.crop === "on" || steps.mass === "on" || steps.box === "on" ? greyPicture(picture) : withChannels(picture, channels);
  if (invert) now = invertedPicture(now);
  stages.push({ step: "polarity", on: invert, picture: now });

  const box = drawnBox(now);
  if (box === null) notes.push("It is blank: every pixel has the same value.");
  else {
    const [low, high] = rangeOf(now.pixels);
    if (high - low < LITTLE_CONTRAST) notes.push(`It has little contrast: its values go from ${low} to ${high}, of 0 to 255.`);
  }
  if (steps.crop === "on" && box) now = cutPicture(now, box);
  stages.push({ step: "crop", on: steps.crop === "on", picture: now });

  if (steps.box === "on" || steps.crop === "on") {
    const share = steps.box === "on" ? BOX_SHARE : 1;
    const scale = Math.min((share * width) / now.width, (share * height) / now.height);
    const side = (length) => Math.max(Math.round(scale * length), 1);
    now = resizedPicture(now, side(now.height), side(now.width));
  } else {
    now = fittedPicture(now, height, width, steps.fit);
  }
  stages.push({ step: "box", on: steps.box === "on", picture: middlePlaced(now, height, width) });

  now = steps.mass === "on" ? massPlaced(now, height, width) : middlePlaced(now, height, width);
  stages.push({ step: "mass", on: steps.mass === "on", picture: now });
  const image = withChannels(now, channels);
  if (box !== null && invert !== dark && hasPolarity(set)) notes.push(polarityNote(set, invert));
  else if (box !== null) notes.push(...notesOn(image, set, steps.crop === "on"));
  return { image, stages, notes, inverted: invert };
}

/** A picture in a size: each side scaled for itself, cut where it covers more, or with black beside it. */
export function fittedPicture(picture, height, width, fit) {
  if (picture.height === height && picture.width === width) return picture;
  if (fit === "stretch") return resizedPicture(picture, height, width);
  const scales = [height / picture.height, width / picture.width];
  const scale = fit === "crop" ? Math.max(...scales) : Math.min(...scales);
  const side = (length) => Math.max(Math.round(scale * length), 1);
  return middlePlaced(resizedPicture(picture, side(picture.height), side(picture.width)), height, width);
}

function middlePlaced(picture, height, width) {
  return placedPicture(picture, height, width, Math.floor((width - picture.width) / 2), Math.floor((height - picture.height) / 2));
}

/** The picture laid so that the centre of mass of its brightness is the middle. */
function massPlaced(picture, height, width) {
  const [x, y] = centreOfMass(picture);
  // The mean centre of mass of MNIST's own digits is at 14.0, counted from the first of 28 pixels.
  const offset = (side, centre) => Math.ceil((side - 1) / 2 - centre);
  return placedPicture(picture, height, width, offset(width, x), offset(height, y));
}

/** The centre of mass of a picture's brightness, in pixels from the first: column and row. */
export function centreOfMass({ height, width, channels, pixels }) {
  let [mass, xMoment, yMoment] = [0, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let i = y * width * channels; i < (y + 1) * width * channels; i += 1) {
      mass += pixels[i];
      xMoment += pixels[i] * Math.floor((i - y * width * channels) / channels);
      yMoment += pixels[i] * y;
    }
  }
  return [xMoment / (mass || 1), yMoment / (mass || 1)];
}

/** The box of what is clearly lighter than the darkest value; null of a picture of one value. */
export function drawnBox(picture) {
  const { height, width, channels, pixels } = picture;
  const [low, high] = rangeOf(pixels);
  if (low === high) return null;
  const threshold = low + Math.floor((high - low) / 4);
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let lit = false;
      for (let c = 0; c < channels; c += 1, i += 1) lit ||= pixels[i] > threshold;
      if (!lit) continue;
      if (x < box.left) box.left = x;
      if (x >= box.right) box.right = x + 1;
      if (y < box.top) box.top = y;
      box.bottom = y + 1;
    }
  }
  return box;
}

/** Whether a picture is dark on light where a set's images are light on dark, or the reverse. */
export function isInverted(picture, set) {
  // Small, since a photograph's grain tells nothing; the program looks at the image in the set's size too.
  const [height, width] = set.shape;
  const small = withoutFrame(fittedWhole(greyPicture(picture), height, width));
  return seenBackground(small, set.brightness).inverted;
}

/** Scaled until it fits, without anything beside it, which would look like a frame. */
function fittedWhole(picture, height, width) {
  const scale = Math.min(height / picture.height, width / picture.width, 1);
  const side = (length) => Math.max(Math.round(scale * length), 1);
  return resizedPicture(picture, side(picture.height), side(picture.width));
}

function seenBackground(image, [setBorder, setWhole]) {
  const lit = lightShare(image);
  if (Math.max(lit, 1 - lit) <= MOST_OF_BORDER) return { inverted: false, value: null };
  const values = borderOf(image).sort((a, b) => a - b);
  const value = values[Math.floor(values.length / 2)];
  const border = value / 255;
  const whole = image.pixels.reduce((sum, one) => sum + one, 0) / (image.pixels.length * 255);
  const setIsSeen = Math.abs(setBorder - setWhole) > POLARITY_STEP;
  // Seen against its own middle, or, where that tells nothing, by how light the background is.
  const isSeen = Math.abs(border - whole) > POLARITY_STEP;
  const against = isSeen && border > whole !== setBorder > setWhole;
  const nearer = !isSeen && Math.abs(1 - border - setBorder) < Math.abs(border - setBorder);
  return { inverted: setIsSeen && (against || nearer), value };
}

/** Share of the outermost values above the middle between the smallest and the largest value. */
function lightShare(image) {
  const [low, high] = rangeOf(image.pixels);
  const middle = low + Math.floor((high - low) / 2);
  const border = borderOf(image);
  return border.filter((value) => value > middle).length / border.length;
}

/** The image without a frame: rings of outermost pixels that lie on the other side of the middle than the ring within. */
function withoutFrame(image) {
  let inner = image;
  while (Math.min(inner.height, inner.width) > 4) {
    const within = cutPicture(inner, { left: 1, top: 1, right: inner.width - 1, bottom: inner.height - 1 });
    const [outer, next] = [lightShare(inner), lightShare(within)];
    const isFrame = (outer > ALL_OF_BORDER && next < 1 - MOST_OF_BORDER) || (outer < 1 - ALL_OF_BORDER && next > MOST_OF_BORDER);
    if (!isFrame) break;
    inner = within;
  }
  return inner;
}

/** Whether a set's images are dark on light or light on dark, rather than as light at their edges as within. */
const hasPolarity = ({ brightness: [border, whole] }) => Math.abs(border - whole) > POLARITY_STEP;

function polarityNote({ title, brightness: [border, whole] }, inverted) {
  const [own, theirs] = border < whole ? ["dark on light", "light on dark"] : ["light on dark", "dark on light"];
  return `It is ${own} now, and the images of ${title} are ${theirs}: switch the polarity ${inverted ? "off" : "on"}.`;
}

/** What makes the finished image unlike those that the network knows. */
function notesOn(image, set, cropped) {
  const notes = [];
  const { value } = seenBackground(withoutFrame(image), set.brightness);
  const usual = Math.round(255 * set.brightness[0]);
  if (value !== null && Math.abs(value - usual) > OTHER_SHADE) {
    notes.push(`Its background has the value ${value} of 255, and that of the images of ${set.title} is about ${usual}: the answer may be due to that.`);
  }
  const drawn = drawnBox(image);
  const [height, width] = set.shape;
  if (!cropped && drawn) {
    const [rows, columns] = [drawn.bottom - drawn.top, drawn.right - drawn.left];
    if (rows < SMALL_SHARE * height && columns < SMALL_SHARE * width) {
      notes.push(`What is drawn takes only ${rows} × ${columns} of ${height} × ${width} pixels.`);
    }
  }
  return notes;
}
