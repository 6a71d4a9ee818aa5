// The preparation: polarity, box, centre of mass, scaling, each by itself and together.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blankPicture, invertedPicture, opaquePicture, placedPicture, resizedPicture, withChannels } from "../laboratory/pixels.js";
import { centreOfMass, changedSteps, drawnBox, fittedPicture, isInverted, prepared, stepsOf, usualSteps } from "../laboratory/prepare.js";

const mnist = { title: "MNIST", shape: [28, 28, 1], digits: true, brightness: [0.0002, 0.131] };
const usual = usualSteps(mnist);

/** A stroke in a corner of a large picture, as in the tests of `inkling predict`. */
const stroke = (paper, ink) => {
  const picture = blankPicture(200, 300, 1, paper);
  for (let y = 20; y < 120; y += 1) for (let x = 10; x < 30; x += 1) picture.pixels[y * 300 + x] = ink;
  return picture;
};

test("a digit fills its box and lies in the middle wherever it was drawn, whatever its polarity", () => {
  for (const picture of [stroke(0, 255), stroke(255, 0), stroke(40, 200), stroke(200, 40)]) {
    const { image, notes } = prepared(picture, mnist, usual);
    const lit = [...image.pixels.keys()].filter((i) => image.pixels[i] > 100);
    const rows = lit.map((i) => Math.floor(i / 28));
    const columns = lit.map((i) => i % 28);
    assert.deepEqual([Math.min(...rows), Math.max(...rows)], [4, 23]);
    assert.deepEqual([Math.min(...columns), Math.max(...columns)], [12, 15]);
    assert.deepEqual([image.height, image.width, image.channels], [28, 28, 1]);
    assert.deepEqual(notes.filter((note) => !note.startsWith("Its background")), []);
  }
});

test("each step can be switched off, and only that changes", () => {
  const picture = stroke(255, 0);
  const without = (step, value = "off") => prepared(picture, mnist, { ...usual, [step]: value });
  assert.ok(without("polarity").image.pixels[14 * 28 + 14] > 200);
  assert.match(without("polarity").notes.join(), /switch the polarity on/);
  assert.match(prepared(stroke(0, 255), mnist, { ...usual, polarity: "on" }).notes.join(), /switch the polarity off/);
  // Without its box the digit reaches from edge to edge.
  const filled = without("box").image;
  assert.deepEqual([drawnBox(filled).top, drawnBox(filled).bottom], [0, 28]);
  // Without the centre of mass the box is in the middle.
  const seven = blankPicture(100, 100, 1);
  for (let i = 10; i < 90; i += 1) for (let j = 0; j < 8; j += 1) seven.pixels[(10 + j) * 100 + i] = seven.pixels[i * 100 + 82 + j] = 255;
  const boxed = drawnBox(prepared(seven, mnist, { ...usual, mass: "off" }).image);
  assert.deepEqual([boxed.left, boxed.right], [4, 24]);
  const massed = drawnBox(prepared(seven, mnist, usual).image);
  assert.ok(massed.left < 4 && massed.top > 4, JSON.stringify(massed));
  // Without cropping the whole picture is fitted, its margins included.
  const whole = prepared(picture, mnist, { ...usual, crop: "off", box: "off", mass: "off" }).image;
  assert.ok(drawnBox(whole).left < 4);
  assert.equal(prepared(picture, mnist, usual).stages.length, 4);
});

test("a blank picture is told and harms nothing", () => {
  for (const value of [0, 255, 77]) {
    const { image, notes } = prepared(blankPicture(50, 40, 1, value), mnist, usual);
    assert.match(notes[0], /blank/);
    assert.equal(image.pixels.length, 784);
  }
  assert.match(prepared(stroke(100, 120), mnist, usual).notes[0], /little contrast/);
});

test("polarity is found by itself, behind a frame and in colour, and left alone where a set has none", () => {
  assert.equal(isInverted(stroke(255, 0), mnist), true);
  assert.equal(isInverted(stroke(0, 255), mnist), false);
  assert.equal(isInverted(withChannels(stroke(230, 30), 3), mnist), true);
  const framed = placedPicture(blankPicture(26, 26, 1, 255), 28, 28, 1, 1);
  for (let i = 10; i < 18; i += 1) framed.pixels[i * 28 + 14] = 0;
  assert.equal(isInverted(framed, mnist), true);
  const photographs = { ...mnist, digits: false, shape: [32, 32, 3], brightness: [0.47, 0.48] };
  assert.equal(isInverted(stroke(255, 0), photographs), false);
});

test("images in colour are taken whole, with the fit of the set", () => {
  const set = { title: "Shapes", shape: [32, 24, 3], digits: false, brightness: [0.5, 0.5] };
  const red = { height: 64, width: 64, channels: 3, pixels: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i % 3 === 0 ? 200 : 10)) };
  for (const fit of ["stretch", "crop", "pad"]) {
    const { image } = prepared(red, set, usualSteps(set, fit));
    assert.deepEqual([image.height, image.width, image.channels], [32, 24, 3]);
    assert.equal(image.pixels[(16 * 24 + 12) * 3], 200);
    assert.equal(image.pixels[3 * 12], fit === "pad" ? 0 : 200);
  }
  const { image } = prepared(stroke(0, 255), set, usualSteps(set));
  assert.equal(image.channels, 3);
});

test("scaling keeps the mean, and transparency lies on its background", () => {
  const picture = { height: 90, width: 70, channels: 1, pixels: Uint8Array.from({ length: 6300 }, (_, i) => (i * 7919) % 256) };
  const mean = ({ pixels }) => pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  assert.ok(Math.abs(mean(resizedPicture(picture, 9, 7)) - mean(picture)) < 2);
  assert.equal(resizedPicture(picture, 90, 70), picture);
  assert.deepEqual(resizedPicture({ height: 1, width: 1, channels: 1, pixels: Uint8Array.of(9) }, 3, 2).pixels, new Uint8Array(6).fill(9));
  assert.deepEqual([...opaquePicture(1, 2, [10, 20, 30, 255, 0, 0, 0, 0], 255).pixels], [10, 20, 30, 255, 255, 255]);
  assert.deepEqual(fittedPicture(picture, 10, 10, "stretch").pixels.length, 100);
  assert.deepEqual(centreOfMass(placedPicture(blankPicture(2, 2, 1, 9), 10, 10, 4, 6)), [4.5, 6.5]);
  assert.deepEqual([...placedPicture(blankPicture(2, 2, 1, 9), 2, 2, -1, 1).pixels], [0, 0, 9, 0]);
});

test("steps that differ from the usual ones go into the state and come back", () => {
  const steps = { ...usual, polarity: "off", mass: "off" };
  assert.deepEqual(changedSteps(mnist, "pad", steps), [["polarity", "off"], ["mass", "off"]]);
  assert.deepEqual(stepsOf(mnist, "pad", [["polarity", "off"], ["mass", "off"], ["fit", "on"]]), steps);
  assert.deepEqual(invertedPicture(blankPicture(1, 1, 1, 3)).pixels, Uint8Array.of(252));
});
