// Pictures as bytes: {height, width, channels, pixels}, rows from the top, channels last; scaling, cutting and placing them.

/** A picture of one value. */
export function blankPicture(height, width, channels, value = 0) {
  return { height, width, channels, pixels: new Uint8Array(height * width * channels).fill(value) };
}

/** The luma of a picture in colour (ITU-R BT.709); a grey one is returned as it is. */
export function greyPicture(picture) {
  if (picture.channels === 1) return picture;
  const { height, width, pixels } = picture;
  const grey = new Uint8Array(height * width);
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = Math.floor((2126 * pixels[3 * i] + 7152 * pixels[3 * i + 1] + 722 * pixels[3 * i + 2]) / 10000);
  }
  return { height, width, channels: 1, pixels: grey };
}

/** The picture with so many channels: colour becomes grey by its luma, grey three equal channels. */
export function withChannels(picture, channels) {
  if (picture.channels === channels) return picture;
  if (channels === 1) return greyPicture(picture);
  const { height, width, pixels } = picture;
  return { height, width, channels, pixels: Uint8Array.from({ length: pixels.length * channels }, (_, i) => pixels[Math.floor(i / channels)]) };
}

/** Pixels of red, green, blue and opacity as a picture in colour that lies on a background of this value. */
export function opaquePicture(height, width, rgba, background) {
  const pixels = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i += 1) {
    const alpha = rgba[4 * i + 3];
    for (let c = 0; c < 3; c += 1) pixels[3 * i + c] = Math.floor((rgba[4 * i + c] * alpha + background * (255 - alpha) + 127) / 255);
  }
  return { height, width, channels: 3, pixels };
}

/** Dark and light exchanged. */
export function invertedPicture(picture) {
  return { ...picture, pixels: picture.pixels.map((value) => 255 - value) };
}

/** The part of a picture within a box {left, top, right, bottom}; right and bottom are the first column and row beyond it. */
export function cutPicture(picture, { left, top, right, bottom }) {
  const { channels, width: whole, pixels } = picture;
  const [height, width] = [bottom - top, right - left];
  const cut = new Uint8Array(height * width * channels);
  for (let row = 0; row < height; row += 1) {
    const start = ((top + row) * whole + left) * channels;
    cut.set(pixels.subarray(start, start + width * channels), row * width * channels);
  }
  return { height, width, channels, pixels: cut };
}

/** A picture laid on a black one with its upper left corner at a column and row, which may lie outside. */
export function placedPicture(picture, height, width, left, top) {
  const { channels } = picture;
  const whole = blankPicture(height, width, channels);
  for (let row = Math.max(0, -top); row < Math.min(picture.height, height - top); row += 1) {
    const [first, last] = [Math.max(0, -left), Math.min(picture.width, width - left)];
    if (first >= last) continue;
    const start = row * picture.width * channels;
    const part = picture.pixels.subarray(start + first * channels, start + last * channels);
    whole.pixels.set(part, ((top + row) * width + left + first) * channels);
  }
  return whole;
}

/** For each place of the smaller or larger side: the first of the old places that it is a mean of, and their shares. */
function triangleShares(from, to) {
  const ratio = from / to;
  const reach = Math.max(ratio, 1);
  return Array.from({ length: to }, (_, place) => {
    const middle = (place + 0.5) * ratio;
    const first = Math.min(Math.max(Math.floor(middle - reach), 0), from - 1);
    const end = Math.min(Math.max(Math.ceil(middle + reach), first + 1), from);
    const shares = Array.from({ length: end - first }, (_, i) => Math.max(1 - Math.abs(first + i - (middle - 0.5)) / reach, 0));
    const sum = shares.reduce((total, share) => total + share, 0);
    return { first, shares: Float32Array.from(shares, (share) => share / sum) };
  });
}

/**
 * A picture in another size: each pixel is a mean of those that it covers, weighted by a triangle, so that nothing is lost when a
 * large drawing becomes small; linear between pixels where it grows. As the program's own scaling (the crate `image`, Triangle).
 */
export function resizedPicture(picture, height, width) {
  if (picture.height === height && picture.width === width) return picture;
  const { channels, pixels } = picture;
  const row = picture.width * channels;
  const high = new Float32Array(height * row);
  triangleShares(picture.height, height).forEach(({ first, shares }, y) => {
    const out = high.subarray(y * row, (y + 1) * row);
    shares.forEach((share, i) => {
      const start = (first + i) * row;
      for (let x = 0; x < row; x += 1) out[x] += share * pixels[start + x];
    });
  });
  const made = new Uint8Array(height * width * channels);
  triangleShares(picture.width, width).forEach(({ first, shares }, x) => {
    for (let y = 0; y < height; y += 1) {
      for (let c = 0; c < channels; c += 1) {
        let sum = 0;
        for (let i = 0; i < shares.length; i += 1) sum += shares[i] * high[y * row + (first + i) * channels + c];
        made[(y * width + x) * channels + c] = Math.min(Math.max(Math.round(sum), 0), 255);
      }
    }
  });
  return { height, width, channels, pixels: made };
}

/** The smallest and the largest value. */
export function rangeOf(pixels) {
  let [low, high] = [255, 0];
  for (const value of pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** The values of the outermost pixels. */
export function borderOf({ height, width, channels, pixels }) {
  const values = [];
  const add = (row, column) => {
    for (let c = 0; c < channels; c += 1) values.push(pixels[(row * width + column) * channels + c]);
  };
  for (let row = 0; row < height; row += 1) {
    if (row === 0 || row + 1 === height) for (let column = 0; column < width; column += 1) add(row, column);
    else {
      add(row, 0);
      if (width > 1) add(row, width - 1);
    }
  }
  return values;
}
