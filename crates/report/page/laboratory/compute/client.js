// The page's side of the computations: every call is a promise, answered by a Worker or, where Workers are forbidden, by the page itself.

import { nextTask } from "./job.js";
import { Server } from "./worker.js";

/** An error of a computation; its message is a sentence. */
export class ComputeError extends Error {}

/**
 * The computing side. `program` is the text of the laboratory's own bundle, which the Worker runs; with `worker` false, or
 * where the browser does not allow it, the page computes by itself, long work in slices.
 */
export function connect({ program, worker = true }) {
  return new ComputeClient(program, worker);
}

export class ComputeClient {
  constructor(program, worker) {
    /** The calls without an answer, by number: {message, onStep, resolve, reject}. */
    this.calls = new Map();
    this.lastCall = 0;
    /** By purpose: the number of the call that runs, and the one that waits for its end. */
    this.lanes = new Map();
    /** Features of images by network and layer, and numbers of arrays that the computing side has. */
    this.keptFeatures = new WeakMap();
    this.sentArrays = new WeakMap();
    const receive = (message) => this.receive(message);
    this.link = (worker && linkToWorker(program, receive, (started) => this.workerFailed(started))) || linkToPage(receive);
  }

  /** Whether a Worker computes, not the page itself. */
  get usesWorker() {
    return this.link.isWorker;
  }

  /** Gives the computing side a model file's bytes; once for each network, before any call that names its id. */
  load(id, bytes) {
    return this.call("load", [id, bytes]).done;
  }

  /**
   * What every layer answers to an image: {outputs, logits, probabilities}, each by name. Null if a newer call for the same
   * purpose, by default the network, came before this one's turn. `options` are those of Network.forward.
   */
  forward(id, x, edits = null, { purpose = id, ...options } = {}) {
    return this.newest(`forward ${purpose}`, "forward", [id, x, edits, options]);
  }

  /** Saliency of each number of the image x, for {head, target, x, method: "gradient" | "integrated", steps, edits}. Null as in `forward`. */
  saliency(id, { purpose = id, ...question }) {
    return this.newest(`${question.method} ${purpose}`, "saliency", [id, question]);
  }

  /**
   * A layer's output for each of n images of bytes, [n, outputs], computed once and then kept as long as `images` are. `onProgress` gets the
   * share that is done.
   */
  features(id, layer, images, onProgress = () => {}) {
    const kept = this.keptFeatures.get(images) ?? new Map();
    this.keptFeatures.set(images, kept);
    const key = `${id} ${layer}`;
    if (!kept.has(key)) {
      const { done } = this.call("features", [id, layer, images], onProgress);
      kept.set(key, done);
      done.catch(() => kept.delete(key));
    }
    return kept.get(key);
  }

  /** The k rows of `features` that are nearest to `query`: [{index, distance}], nearest first. The array is sent once. */
  nearest(features, query, k) {
    const isSent = this.sentArrays.has(features);
    if (!isSent) this.sentArrays.set(features, this.lastCall + 1);
    return this.call("nearest", [this.sentArrays.get(features), isSent ? null : features, query, k]).done;
  }

  /** Starts a dream of a network; gives {pause, resume, stop, tell, done}. */
  dream(id, options, onStep) {
    return this.call("dream", [id, options], onStep);
  }

  /** Starts to train a perceptron; as `dream`. */
  trainPerceptron(options, onStep) {
    return this.call("trainPerceptron", [options], onStep);
  }

  /** Starts to train a small network; as `dream`. */
  trainMlp(options, onEpoch) {
    return this.call("trainMlp", [options], onEpoch);
  }

  /** Calls a served function. `done` is the promise of its result; the others send it a signal while it runs. */
  call(name, args, onStep = () => {}) {
    const call = ++this.lastCall;
    const message = { call, name, args };
    const done = new Promise((resolve, reject) => this.calls.set(call, { message, onStep, resolve, reject }));
    this.link.post(message);
    const signal = (name) => (data) => this.calls.has(call) && this.link.post({ call, signal: name, data });
    return { done, pause: signal("pause"), resume: signal("resume"), stop: signal("stop"), tell: signal("tell") };
  }

  /** A call that takes the place of one for the same purpose which waits, so that there are never more than one that runs and one that waits. */
  newest(purpose, name, args) {
    return new Promise((resolve, reject) => {
      const lane = this.lanes.get(purpose) ?? { running: null, waiting: null };
      this.lanes.set(purpose, lane);
      lane.waiting?.resolve(null);
      lane.waiting = { name, args, resolve, reject };
      if (lane.running) lane.running.stop();
      else this.runNext(purpose, lane);
    });
  }

  async runNext(purpose, lane) {
    while (lane.waiting) {
      const { name, args, resolve, reject } = lane.waiting;
      lane.waiting = null;
      lane.running = this.call(name, args);
      await lane.running.done.then(resolve, reject);
    }
    this.lanes.delete(purpose);
  }

  receive(message) {
    const waiting = this.calls.get(message.call);
    if (!waiting) return;
    if ("step" in message) {
      // First, so that a listener which fails does not halt the job.
      this.link.post({ call: message.call, signal: "seen" });
      waiting.onStep(message.step);
      return;
    }
    this.calls.delete(message.call);
    if ("error" in message) waiting.reject(new ComputeError(message.error));
    else waiting.resolve(message.result);
  }

  /** A Worker that never started was forbidden: the page takes over. One that had started and fails takes its calls with it. */
  workerFailed(started) {
    const receive = (message) => this.receive(message);
    this.link = started ? linkToNothing(receive) : linkToPage(receive);
    for (const { message } of [...this.calls.values()]) this.link.post(message);
  }
}

/** A link to a Worker that runs the program; null where it cannot be made. `onFailure` is told whether the Worker had started. */
function linkToWorker(program, onMessage, onFailure) {
  let started = false;
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  const worker = makeWorker(url);
  if (!worker) return null;
  worker.onmessage = ({ data }) => {
    if (!data.ready) return onMessage(data);
    started = true;
    URL.revokeObjectURL(url);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    worker.terminate();
    onFailure(started);
  };
  return { isWorker: true, post: (message) => worker.postMessage(message) };
}

/** Some browsers throw where a policy forbids Workers; others send the Worker an error later. */
function makeWorker(url) {
  try {
    return new Worker(url);
  } catch {
    return null;
  }
}

/** A link to a server on the page itself. Messages are copied, and come later and in order, as those of a Worker do. */
function linkToPage(onMessage) {
  const server = new Server(postTo(onMessage));
  const post = postTo((message) => server.receive(message));
  return { isWorker: false, post: (message) => post(message, []) };
}

/** A function that posts messages to `receive`. */
function postTo(receive) {
  let before = Promise.resolve();
  return (message, transfer) => {
    const copy = structuredClone(message, { transfer });
    before = before.then(nextTask).then(() => receive(copy));
  };
}

/** What is left of a Worker that has failed: every call ends in an error. */
function linkToNothing(onMessage) {
  const error = "The computation in the background has stopped; reload the page to go on.";
  return { isWorker: false, post: ({ call }) => Promise.resolve().then(() => onMessage({ call, error })) };
}
