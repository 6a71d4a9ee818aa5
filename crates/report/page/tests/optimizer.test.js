// Optimisers against their definitions in 64-bit numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOptimizer } from "../laboratory/runner/optimizer.js";
import { seededStream } from "../laboratory/runner/random.js";

const adam = ({ beta_1, beta_2, epsilon, weight_decay = 0 }) => (w, t, g, rate) => {
  w.first = beta_1 * w.first + (1 - beta_1) * g;
  w.second = beta_2 * w.second + (1 - beta_2) * g * g;
  const [mean, square] = [w.first / (1 - beta_1 ** t), w.second / (1 - beta_2 ** t)];
  w.value -= rate * weight_decay * w.value + (rate * mean) / (Math.sqrt(square) + epsilon);
};
const definitions = [
  [{ kind: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }, adam],
  [{ kind: "adam-w", beta_1: 0.9, beta_2: 0.99, epsilon: 1e-7, weight_decay: 0.1 }, adam],
  [
    { kind: "sgd", momentum: 0.9 },
    ({ momentum }) => (w, t, g, rate) => {
      w.first = momentum * w.first + g;
      w.value -= rate * w.first;
    },
  ],
  [
    { kind: "sgd", momentum: 0.8, nesterov: true },
    ({ momentum }) => (w, t, g, rate) => {
      w.first = momentum * w.first + g;
      w.value -= rate * (g + momentum * w.first);
    },
  ],
  [
    { kind: "rms-prop", alpha: 0.9, epsilon: 1e-6 },
    ({ alpha, epsilon }) => (w, t, g, rate) => {
      w.second = alpha * w.second + (1 - alpha) * g * g;
      w.value -= (rate * g) / (Math.sqrt(w.second) + epsilon);
    },
  ],
  [
    { kind: "lion", beta_1: 0.9, beta_2: 0.99, weight_decay: 0.01 },
    ({ beta_1, beta_2, weight_decay }) => (w, t, g, rate) => {
      w.value -= rate * (Math.sign(beta_1 * w.first + (1 - beta_1) * g) + weight_decay * w.value);
      w.first = beta_2 * w.first + (1 - beta_2) * g;
    },
  ],
];

for (const [spec, definition] of definitions) {
  test(`${spec.kind}${spec.nesterov ? " with Nesterov's momentum" : ""} follows its definition`, () => {
    const stream = seededStream(2, "test/optimizer");
    const count = 40;
    const values = Float32Array.from({ length: count }, () => stream.normal());
    const plain = Array.from(values, (value) => ({ value, first: 0, second: 0 }));
    const optimizer = createOptimizer(spec, count);
    const step = definition(spec);
    for (let t = 1; t <= 60; t++) {
      const gradient = Float32Array.from({ length: count }, (_, i) => stream.normal() * 10 ** ((i % 5) - 3));
      optimizer.step(values, gradient, 0.01);
      plain.forEach((w, i) => step(w, t, gradient[i], 0.01));
    }
    for (let i = 0; i < count; i++) assert.ok(Math.abs(values[i] - plain[i].value) < 2e-5, `${i}: ${values[i]} ${plain[i].value}`);
  });
}

test("biases do not decay, and an unknown optimiser is refused", () => {
  const spec = { kind: "adam-w", beta_1: 0.9, beta_2: 0.99, epsilon: 1e-8, weight_decay: 0.5 };
  const [weight, bias] = [Float32Array.of(1), Float32Array.of(1)];
  createOptimizer(spec, 1).step(weight, Float32Array.of(0), 0.1);
  createOptimizer(spec, 1).step(bias, Float32Array.of(0), 0.1, false);
  assert.ok(Math.abs(weight[0] - 0.95) < 1e-6 && bias[0] === 1);
  assert.throws(() => createOptimizer({ kind: "newton" }, 1), /newton/);
});
