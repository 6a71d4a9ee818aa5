// Numbers of 16 bits (IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction) as numbers of 32.

/** The value of a half-precision number by its bits. */
export function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  // The smallest exponent is that of numbers without the leading 1, so that they reach down to zero evenly.
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The values of half-precision numbers, given their bits as a Uint16Array. */
export function halfValues(bits) {
  return Float32Array.from(bits, halfValue);
}
