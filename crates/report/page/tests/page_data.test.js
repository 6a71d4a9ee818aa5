// What the page holds and what a reader brings: blobs, images, headers of picture files, numbers in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { bytesFromBase64, bytesFromText, bytesToText } from "../laboratory/base64.js";
import { PageData, PageError, bytesOfInput, inputOfBytes, pageData } from "../laboratory/data.js";
import { checkPictureFile, statedSize } from "../laboratory/picture_file.js";
import { mistakesOf } from "../laboratory/views/pick.js";
import { colourAndInk, colourIndex, extentOf, scaleOf, signedScale, signedTable } from "../laboratory/widgets/colours.js";
import { countedText, fixedText, listText, numberText, percentText, shapeText } from "../laboratory/widgets/words.js";

const pixels = Uint8Array.from({ length: 24 }, (_, i) => i * 10);
const index = {
  sets: [{ name: "s", title: "S", shape: [2, 2, 3], classes: ["a", "b"], test: { images: { key: "images-0", gzip: true }, labels: [1, 0, 1], numbers: [7, 9, 11] }, train: null }],
  networks: [{ id: "x", set: "s" }],
};
const blobs = { "images-0": gzipSync(pixels).toString("base64"), floats: Buffer.from(Float32Array.of(1.5, -2).buffer).toString("base64"), bad: "AAAA" };
const page = new PageData(index, (key) => blobs[key] ?? null);

test("images are unpacked once, and no more are promised than there are", async () => {
  const { count, each, labels, numbers, pixels: held } = await page.images("s", "test");
  assert.deepEqual([count, each, labels[1], numbers[1]], [2, 12, 0, 9]);
  assert.deepEqual(held, pixels);
  assert.equal((await page.images("s", "test")).pixels, held);
  assert.equal((await page.images("s", "train")).count, 0);
  assert.deepEqual(await page.floats({ key: "floats", gzip: false }), Float32Array.of(1.5, -2));
  assert.equal(page.network("x").set, "s");
  assert.equal(page.set("t"), undefined);
});

test("what is missing or damaged is told", async () => {
  await assert.rejects(page.bytes({ key: "absent", gzip: false }), PageError);
  await assert.rejects(page.bytes({ key: "bad", gzip: true }), /damaged/);
  assert.equal(pageData({ getElementById: () => null }), null);
});

test("bytes go into an address and back, and into an input and back", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const length of [0, 1, 2, 3, 256]) assert.deepEqual(bytesFromText(bytesToText(all.subarray(0, length))), all.slice(0, length));
  assert.equal(bytesFromText("A"), undefined);
  assert.equal(bytesFromText("ä"), undefined);
  assert.deepEqual(bytesFromBase64("AQID"), Uint8Array.of(1, 2, 3));
  assert.deepEqual(bytesOfInput(inputOfBytes(all)), all);
});

test("picture files say how large they are before they are opened", () => {
  const png = Buffer.from("89504e470d0a1a0a0000000d49484452000000c80000012c0802000000", "hex");
  assert.deepEqual(statedSize(png), [200, 300]);
  assert.deepEqual(statedSize(Buffer.from("474946383961640032000000", "hex")), [100, 50]);
  const jpeg = Buffer.from("ffd8ffe000104a46494600010100000100010000ffc0001108001e003203", "hex");
  assert.deepEqual(statedSize(jpeg), [50, 30]);
  const bmp = Buffer.alloc(30);
  bmp.write("BM");
  bmp.writeInt32LE(4, 18);
  bmp.writeInt32LE(-6, 22);
  assert.deepEqual(statedSize(bmp), [4, 6]);
  for (const other of [Buffer.from("hello"), Buffer.alloc(0), jpeg.subarray(0, 9), png.subarray(0, 12)]) assert.equal(statedSize(other), null);
  const huge = Buffer.from(png);
  huge.writeUInt32BE(40000, 16);
  huge.writeUInt32BE(40000, 20);
  assert.throws(() => checkPictureFile("a.png", 100, huge), /“a.png” has 40000 × 40000 pixels; a picture may have 64 million/);
  assert.throws(() => checkPictureFile("a.png", 0, png), /empty/);
  assert.throws(() => checkPictureFile("a.png", 2 ** 30, png), /1024 MB/);
  assert.doesNotThrow(() => checkPictureFile("a.png", 100, png));
});

test("mistakes are those of the images that have labels", () => {
  assert.deepEqual(mistakesOf([1, 2, 3, 4], [1, 0, 3]), [1]);
});

test("numbers are written as in a text", () => {
  assert.deepEqual([0, -0.25, 1234.5, 0.00012, -1e-9, 2.0049].map((value) => numberText(value)), ["0", "−0.25", "1,235", "1.2e−4", "−1.0e−9", "2"]);
  assert.deepEqual([-0.0001, -1.5, 2].map((value) => fixedText(value, 2)), ["0.00", "−1.50", "2.00"]);
  assert.deepEqual([0, 0.0001, 0.5, 0.99999, 1].map((share) => percentText(share).replaceAll("\u00a0", " ")), ["0.0 %", "< 0.1 %", "50.0 %", "> 99.9 %", "100.0 %"]);
  assert.equal(countedText(1, "pixel"), "1 pixel");
  assert.equal(countedText(2000, "class", "classes"), "2,000 classes");
  assert.equal(listText(["a", "b", "c"]), "a, b and c");
  assert.deepEqual([shapeText([14, 14, 64]), shapeText([7, 7, 1]), shapeText([1])], ["64 maps of 14 × 14", "1 map of 7 × 7", "1 unit"]);
});

test("colours go from blue over paper to orange, and text on them can be read", () => {
  for (const dark of [false, true]) {
    const table = signedTable(dark);
    const luminance = (pixel) => {
      const linear = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255].map((value) => (value / 255 <= 0.04045 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    for (const pixel of table) {
      const [, ink] = colourAndInk(pixel);
      const [light, low] = [luminance(pixel), ink === "#000" ? 0 : 1].sort((a, b) => b - a);
      assert.ok((light + 0.05) / (low + 0.05) >= 4.5);
    }
    assert.notEqual(table[0], table[255]);
  }
  assert.deepEqual(scaleOf(...extentOf([0, 3])), { signed: false, size: 3 });
  assert.deepEqual(signedScale([-4, 3]), { signed: true, size: 4 });
  assert.deepEqual([-4, 0, 4].map((value) => colourIndex(value, { signed: true, size: 4 })), [1, 128, 255]);
  assert.deepEqual([-1, 0, 3, 9].map((value) => colourIndex(value, { signed: false, size: 3 })), [0, 0, 255, 255]);
});
