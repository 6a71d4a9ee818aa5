// Numbers, shapes and counts as a reader expects them.

/** A number with three digits that count, and a real minus sign. */
export function numberText(value, digits = 3) {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0) return "0";
  const text = size >= 1000 ? Math.round(size).toLocaleString("en") : size < 0.001 ? size.toExponential(1) : String(Number(size.toPrecision(digits)));
  return (value < 0 ? "−" : "") + text.replace("e-", "e−");
}

/** A number of at most six characters, for a narrow cell. */
export function cellText(value) {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return numberText(value);
  const text = size < 0.00995 || size >= 9999.5 ? size.toExponential(0) : String(Number(size.toPrecision(size >= 100 ? 4 : 2)));
  return (value < 0 ? "−" : "") + text.replace("e-", "e−").replace("e+", "e");
}

/** What a channel is called: red, green or blue of a picture in colour, else its number after a word. */
export function channelText(channel, inColour, word = "channel") {
  return inColour ? ["red", "green", "blue"][channel] : `${word} ${channel}`;
}

/** A number with a fixed number of decimals, for columns. */
export function fixedText(value, decimals = 3) {
  const text = Math.abs(value).toFixed(decimals);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

/** A probability in percent; neither 0 nor 100 unless it is. */
export function percentText(share) {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.1) return "<\u00a00.1\u00a0%";
  if (percent < 100 && percent > 99.9) return ">\u00a099.9\u00a0%";
  return `${percent.toFixed(1)}\u00a0%`;
}

/** A whole number with separators. */
export function countText(count) {
  return count.toLocaleString("en");
}

/** A count with its noun. */
export function countedText(count, one, many = `${one}s`) {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** What stands in a list, as prose. */
export function listText(items) {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** What a layer gives, by its shape: “64 maps of 14 × 14” or “10 numbers”. */
export function shapeText(shape, unit = "unit") {
  if (shape.length === 1) return countedText(shape[0], unit);
  const [height, width, channels] = shape;
  return `${countedText(channels, "map")} of ${height} × ${width}`;
}
