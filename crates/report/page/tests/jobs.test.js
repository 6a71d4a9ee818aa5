// Served dreams and trainings: they report, rest, go on when told, and end when stopped.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connect } from "../laboratory/compute/client.js";
import { mnist } from "./mnist.js";

const model = new Uint8Array(readFileSync(new URL("golden/dream_network.safetensors", import.meta.url)));
const [{ ascent }] = JSON.parse(readFileSync(new URL("golden/dreams.json", import.meta.url), "utf8"));
const compute = connect({ program: "", worker: false });

/** The reports of a job as an async queue: `next()` gives the next one. */
const reports = (start) => {
  const [kept, waiting] = [[], []];
  const job = start((report) => (waiting.length > 0 ? waiting.shift()(report) : kept.push(report)));
  return { job, kept, next: () => new Promise((resolve) => (kept.length > 0 ? resolve(kept.shift()) : waiting.push(resolve))) };
};

test("a dream rests after its steps, goes on when it is told, and ends when it is stopped", async () => {
  await compute.load("dreamer", model);
  const options = {
    objective: { kind: "class-logit", head: "class", class: 2 },
    start: { kind: "noise", level: 0.5, deviation: 0.5 },
    ascent: { ...ascent, steps: 3 },
    seed: 1,
  };
  const { job, kept, next } = reports((onStep) => compute.dream("dreamer", options, onStep));
  for (let step = 0; step <= 3; step++) {
    const report = await next();
    assert.equal(report.step, step);
    assert.equal(report.rests, step === 3);
    assert.equal(report.image.length, 784);
    assert.equal(report.probabilities.class.length, 10);
  }
  job.tell({ steps: 4 });
  assert.equal((await next()).step, 4);
  job.stop();
  assert.equal(await job.done, 4);
  assert.equal(kept.length, 0);
});

test("a dream of a class that is not there ends with a sentence", async () => {
  await compute.load("dreamer", model);
  const options = { objective: { kind: "class-logit", head: "class", class: 12 }, start: { kind: "grey", level: 0.5 }, ascent, seed: 1 };
  await assert.rejects(compute.dream("dreamer", options, () => {}).done, { message: "The head “class” has no class 12." });
});

test("a perceptron goes as far as it is told", async () => {
  const { pixels, labels } = mnist("train", 60);
  const signs = Int8Array.from(labels, (label) => (label < 5 ? -1 : 1));
  const options = { pixels, labels: signs, rule: "online", learningRate: 0.1, seed: 1 };
  const { job, next } = reports((onStep) => compute.trainPerceptron(options, onStep));
  assert.equal((await next()).last, null);
  job.tell("image");
  const first = await next();
  assert.equal(first.place, 1);
  assert.deepEqual(first.errors, []);
  job.tell("correction");
  const second = await next();
  assert.ok(second.last.corrected || second.passes === 1);
  job.tell("pass");
  const third = await next();
  assert.equal(third.passes, 1);
  assert.equal(third.errors.length, 1);
  assert.ok(third.corrected.corrected);
  job.stop();
  await job.done;
});

test("a small network reports its curves epoch by epoch", async () => {
  const { pixels, labels } = mnist("train", 100);
  const heldOut = mnist("t10k", 50);
  const optimizer = { kind: "adam", beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
  const options = { pixels, labels, heldOut, hidden: 8, classes: 10, optimizer, learningRate: 0.01, batchSize: 10, seed: 1 };
  const { job, next } = reports((onEpoch) => compute.trainMlp(options, onEpoch));
  assert.equal((await next()).epochs, 0);
  job.tell("batch");
  assert.equal((await next()).place, 10);
  job.tell("epoch");
  job.tell("epoch");
  assert.equal((await next()).epochs, 1);
  const last = await next();
  assert.deepEqual(last.history.map(({ epoch }) => epoch), [1, 2]);
  assert.ok(last.history[1].train.loss < last.history[0].train.loss);
  assert.equal(last.parameters[0].length, 784 * 8);
  job.stop();
  await job.done;
});
