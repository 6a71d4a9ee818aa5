// The complementary error function, which the exact GELU needs and Math does not have.

const TERMS = 60;

/** erfc(x) = 1 − erf(x) = 2/√π · ∫ from x to ∞ of exp(−t²) dt, to about 12 digits. */
export function erfc(x) {
  if (x < 0) return 2 - erfc(-x);
  return x < 3 ? 1 - erfBySeries(x) : erfcByFraction(x);
}

/** erf(x) = 2/√π · exp(−x²) · Σ over n of 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)), whose terms are all positive. */
function erfBySeries(x) {
  let term = x, sum = x;
  for (let n = 1; n < TERMS; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x) = exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), where 1 − erf(x) would cancel. */
function erfcByFraction(x) {
  let rest = x;
  for (let n = TERMS; n > 0; n--) rest = x + n / 2 / rest;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * rest);
}
