// The client: calls on the page and through a Worker, newest wins, jobs that pause and stop, errors as sentences.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { connect } from "../laboratory/compute/client.js";
import { served } from "../laboratory/compute/served.js";
import { serve } from "../laboratory/compute/worker.js";
import { Network } from "../laboratory/runner/network.js";
import { readModel } from "../laboratory/runner/model.js";
import { smallModel } from "./support/models.js";

/** A Worker as browsers have it, but in this thread; `behaviour` is what its script does. */
function fakeWorker(behaviour) {
  return class {
    constructor() {
      const scope = { postMessage: (data, transfer) => this.deliver(data, transfer) };
      this.receive = (data) => scope.onmessage({ data });
      setTimeout(() => behaviour(scope, this));
    }
    deliver(data, transfer) {
      const copy = structuredClone(data, { transfer });
      setTimeout(() => this.onmessage({ data: copy }));
    }
    postMessage(data) {
      const copy = structuredClone(data);
      setTimeout(() => this.receive(copy));
    }
    terminate() {
      this.receive = () => {};
    }
  };
}

afterEach(() => {
  delete globalThis.Worker;
  delete served.counting;
});

const ways = {
  "on the page": () => connect({ program: "", worker: false }),
  "through a Worker": () => {
    globalThis.Worker = fakeWorker((scope) => serve(scope));
    return connect({ program: "" });
  },
  "where new Worker throws": () => {
    globalThis.Worker = class {
      constructor() {
        throw new Error("forbidden");
      }
    };
    return connect({ program: "" });
  },
  "where a Worker fails before it starts": () => {
    globalThis.Worker = fakeWorker((scope, worker) => worker.onerror({ preventDefault() {} }));
    return connect({ program: "" });
  },
};

for (const [way, make] of Object.entries(ways)) {
  test(`answers as the network does, ${way}`, async () => {
    const compute = make();
    const bytes = smallModel();
    const network = new Network(readModel(bytes));
    await compute.load("one", bytes);
    const x = Float32Array.from({ length: 36 }, (_, i) => (i % 7) / 7);
    const pass = await compute.forward("one", x);
    const expected = network.forward(x);
    assert.deepEqual(Object.keys(pass.outputs), network.layers.map(({ name }) => name));
    for (const [name, output] of Object.entries(pass.outputs)) assert.deepEqual(output, expected.outputs.get(name), name);
    assert.deepEqual(pass.logits, expected.logits);
    assert.deepEqual(pass.probabilities, expected.probabilities);

    const edited = await compute.forward("one", x, { silenced: [{ layer: "trunk.1", channel: 0 }] });
    assert.notDeepEqual(edited.logits, pass.logits);
    const gradient = await compute.saliency("one", { head: "class", target: 1, x, method: "gradient" });
    assert.equal(gradient.length, 36);
    const integrated = await compute.saliency("one", { head: "class", target: 1, x, method: "integrated", steps: 8 });
    assert.equal(integrated.length, 36);
  });

  test(`features are computed once and searched, ${way}`, async () => {
    const compute = make();
    await compute.load("one", smallModel());
    const images = Uint8Array.from({ length: 5 * 36 }, (_, i) => (i * 37) % 256);
    const first = compute.features("one", "trunk.1", images);
    assert.equal(compute.features("one", "trunk.1", images), first);
    const features = await first;
    const length = features.length / 5;
    const query = features.slice(2 * length, 3 * length);
    for (let again = 0; again < 2; again++) {
      const found = await compute.nearest(features, query, 2);
      assert.equal(found[0].index, 2);
      assert.equal(found[0].distance, 0);
      assert.equal(found.length, 2);
    }
  });

  test(`errors travel as sentences, ${way}`, async () => {
    const compute = make();
    await assert.rejects(compute.forward("other", new Float32Array(36)), { message: "The network other is not loaded." });
    await assert.rejects(compute.load("one", new Uint8Array(3)), { message: /^The model file has 3 bytes/ });
    await compute.load("one", smallModel());
    await assert.rejects(compute.forward("one", new Float32Array(7)), { message: "The network takes images of 6 × 6 × 1, which are not 7 numbers." });
    await assert.rejects(compute.features("one", "trunk.9", new Uint8Array(36)), { message: /no layer “trunk.9”/ });
    await assert.rejects(compute.call("nothing", []).done, { message: "The laboratory cannot compute “nothing”." });
    // After an error the next call is answered.
    assert.ok(await compute.forward("one", new Float32Array(36)));
  });

  test(`the newest of several calls wins, ${way}`, async () => {
    const compute = make();
    await compute.load("one", smallModel());
    const x = (value) => new Float32Array(36).fill(value);
    const calls = [0.1, 0.2, 0.3, 0.4].map((value) => compute.forward("one", x(value)));
    const other = compute.forward("one", x(0.5), null, { purpose: "comparison" });
    const answers = await Promise.all(calls);
    assert.deepEqual(answers.map((answer) => answer !== null), [true, false, false, true]);
    assert.notDeepEqual(answers[3].logits, answers[0].logits);
    assert.ok(await other);
    assert.ok(await compute.forward("one", x(0.6)));
    // A long one stops when a newer one comes.
    const integrated = { head: "class", target: 0, x: x(0.3), method: "integrated" };
    const long = compute.saliency("one", { ...integrated, steps: 1e9 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const short = compute.saliency("one", { ...integrated, steps: 2 });
    assert.equal(await long, null);
    assert.equal((await short).length, 36);
  });

  test(`a job reports, pauses, goes on, listens and stops, and others are served meanwhile, ${way}`, async () => {
    served.counting = async (shared, [first], job) => {
      let count = first;
      job.onTold = (to) => (count = to);
      while (await job.rest()) job.report({ count: count++ });
      return { count };
    };
    const compute = make();
    await compute.load("one", smallModel());
    const seen = [];
    const job = compute.call("counting", [5], ({ count }) => seen.push(count));
    const soon = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    await soon(60);
    job.pause();
    await soon(250);
    assert.equal(seen[0], 5);
    const paused = seen.length;
    assert.ok(await compute.forward("one", new Float32Array(36)));
    await soon(60);
    assert.equal(seen.length, paused);
    job.tell(1e6);
    job.resume();
    await soon(250);
    assert.ok(seen.at(-1) >= 1e6);
    assert.ok(await compute.forward("one", new Float32Array(36)));
    job.stop();
    const { count } = await job.done;
    assert.equal(count - 1, seen.at(-1));
  });
}

test("a Worker that fails later ends its calls and all that follow with a sentence", async () => {
  let worker;
  globalThis.Worker = fakeWorker((scope, made) => {
    worker = made;
    serve(scope);
  });
  const compute = connect({ program: "" });
  await compute.load("one", smallModel());
  assert.ok(compute.usesWorker);
  const call = compute.forward("one", new Float32Array(36));
  worker.onerror({ preventDefault() {} });
  await assert.rejects(call, { message: /has stopped; reload the page/ });
  await assert.rejects(compute.forward("one", new Float32Array(36)), { message: /has stopped; reload the page/ });
});
