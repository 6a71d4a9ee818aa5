// Numbers as texts: short where there is little room, and never another value than they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cellText, numberText } from "../laboratory/widgets/words.js";

test("numbers of every size fit into a cell and stay what they are", () => {
  for (let exponent = -12; exponent <= 8; exponent++) {
    for (const digits of [1, 1.04, 2.5, 9.4, 9.96]) {
      for (const value of [digits * 10 ** exponent, -digits * 10 ** exponent]) {
        const text = cellText(value);
        assert.ok(text.length <= 6, `${value}: ${text}`);
        const read = Number(text.replaceAll("−", "-"));
        assert.ok(Math.abs(read - value) <= 0.5 * Math.abs(value) && Math.sign(read) === Math.sign(value), `${value}: ${text}`);
      }
    }
  }
  assert.deepEqual([0, 1, -0.57, 0.035, -0.0029, 12345].map(cellText), ["0", "1", "−0.57", "0.035", "−3e−3", "1e4"]);
  assert.equal(numberText(-0.0029), "−0.0029");
});
