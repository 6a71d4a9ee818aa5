// Writes a folder of small colour pictures in five classes, the same ones each time: node pictures.mjs FOLDER [COUNT OF A CLASS]
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { crc32, deflateSync } from "node:zlib";

const SIDE = 12;

/** For each class its colour and whether a place at (x, y) from the middle of the shape, of this radius, is a part of it. */
const CLASSES = {
  "red disc": { colour: [210, 50, 40], inside: (x, y, r) => Math.hypot(x, y) < r },
  "green bars": { colour: [50, 170, 60], inside: (x, y, r) => Math.abs(x) < r && (Math.round(y) & 1) === 0 },
  "blue cross": { colour: [60, 90, 220], inside: (x, y, r) => Math.min(Math.abs(x), Math.abs(y)) < 1 && Math.max(Math.abs(x), Math.abs(y)) < r },
  "yellow ring": { colour: [225, 200, 50], inside: (x, y, r) => Math.abs(Math.hypot(x, y) - r) < 1 },
  "grey & white square": { colour: [205, 205, 205], inside: (x, y, r) => Math.max(Math.abs(x), Math.abs(y)) < r - 0.5 },
};

/** Numbers from 0 to 1 that look random (Park and Miller's generator). */
const random = (seed) => {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
};

/** A PNG file of bytes, `channels` of them for a pixel: 1 is grey, 3 is colour. */
export function png(width, height, channels, bytes) {
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 1 ? 0 : 2], 8);
  const row = width * channels;
  const rows = Array.from({ length: height }, (_, y) => [Buffer.from([0]), Buffer.from(bytes.slice(y * row, (y + 1) * row))]);
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.concat(rows.flat()))), chunk("IEND", Buffer.alloc(0))]);
}

/** The bytes of a picture of a class: its shape somewhere near the middle of a dark ground, with noise. */
function picture({ colour, inside }, uniform) {
  const [left, top, radius] = [5.5 + 3 * (uniform() - 0.5), 5.5 + 3 * (uniform() - 0.5), 3 + 1.5 * uniform()];
  // Another class lends some of its colour, so that neither colour nor shape alone says all.
  const [other, share] = [Object.values(CLASSES)[Math.floor(5 * uniform())].colour, 0.65 * uniform()];
  const tint = colour.map((value, i) => (1 - share) * value + share * other[i] + 50 * (uniform() - 0.5));
  return Array.from({ length: 3 * SIDE * SIDE }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % SIDE, Math.floor(i / 3 / SIDE)];
    const value = (inside(x - left, y - top, radius) ? tint[i % 3] : 55) + 110 * (uniform() - 0.5);
    return Math.round(Math.min(Math.max(value, 0), 255));
  });
}

/** Writes `count` pictures of each class, each class in a folder of its own. */
export function writePictures(folder, count) {
  const uniform = random(7);
  for (const [name, made] of Object.entries(CLASSES)) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < count; i += 1) writeFileSync(join(folder, name, `${i}.png`), png(SIDE, SIDE, 3, picture(made, uniform)));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) writePictures(process.argv[2], Number(process.argv[3] ?? 60));
