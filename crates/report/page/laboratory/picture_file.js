// Picture files that a reader opens: what they are, how large they are, and their pixels.

/** The largest file and the largest picture that are opened. */
const LARGEST_FILE = 64 << 20;
const MOST_PIXELS = 64_000_000;
/** Pixels on the longer side to which the browser makes a picture smaller before it is prepared. */
const LONGEST_SIDE = 1024;

/** Why a picture could not be opened; its message is a sentence. */
export class PictureError extends Error {}

/** Width and height that the header of a PNG, GIF, BMP or JPEG file states; null of other kinds. */
export function statedSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = (...signature) => signature.every((byte, i) => bytes[i] === byte);
  if (starts(0x89, 0x50, 0x4e, 0x47) && bytes.length >= 24) return [view.getUint32(16), view.getUint32(20)];
  if (starts(0x47, 0x49, 0x46) && bytes.length >= 10) return [view.getUint16(6, true), view.getUint16(8, true)];
  if (starts(0x42, 0x4d) && bytes.length >= 26) return [view.getInt32(18, true), Math.abs(view.getInt32(22, true))];
  if (!starts(0xff, 0xd8)) return null;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    // Frames of every kind of compression; the markers between them are tables.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/** Throws where a file is too large to be opened, or says of itself that its picture is. */
export function checkPictureFile(name, size, head) {
  if (size === 0) throw new PictureError(`“${name}” is empty.`);
  if (size > LARGEST_FILE) throw new PictureError(`“${name}” has ${Math.round(size / (1 << 20))} MB; a picture may have ${LARGEST_FILE >> 20} MB. Save it smaller.`);
  const [width, height] = statedSize(head) ?? [1, 1];
  if (width * height > MOST_PIXELS) {
    throw new PictureError(`“${name}” has ${width} × ${height} pixels; a picture may have ${MOST_PIXELS / 1e6} million. Save it smaller.`);
  }
}

/** The pixels of a picture file: {height, width, rgba}, made smaller where it is large. */
export async function readPictureFile(file) {
  const head = new Uint8Array(await file.slice(0, 1 << 16).arrayBuffer());
  checkPictureFile(file.name, file.size, head);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new PictureError(`“${file.name}” is no picture that this browser can read. PNG, JPEG, GIF, BMP and WebP files can be opened.`);
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(Math.round(side * scale), 1));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { height, width, rgba: pen.getImageData(0, 0, width, height).data };
}
