// The computing side: receives calls as messages and answers with results, steps and errors. It runs in a Worker, or on the page.

import { Job } from "./job.js";
import { newShared, served } from "./served.js";

/*
 * Messages to it:   {call, name, args}      a call of a served function, by a number of its own
 *                   {call, signal, data}    to a call that runs: "pause", "resume", "stop", "seen" of a step, or "tell"
 * Messages from it: {ready: true}           once, when it can be called
 *                   {call, step}            a step of a long call
 *                   {call, result}          its result, or
 *                   {call, error}           a sentence
 */

export class Server {
  /** `post(message, transfer)` sends a message to the page. */
  constructor(post) {
    this.post = post;
    this.shared = newShared();
    this.jobs = new Map();
  }

  receive({ call, name, args, signal, data }) {
    if (signal) this.jobs.get(call)?.signal(signal, data);
    else this.run(call, name, args);
  }

  async run(call, name, args) {
    const job = new Job((step) => this.post({ call, step }, []));
    this.jobs.set(call, job);
    try {
      if (!Object.hasOwn(served, name)) throw new Error(`The laboratory cannot compute “${name}”.`);
      const result = await served[name](this.shared, args, job);
      this.post({ call, result }, job.transfer);
    } catch (error) {
      this.post({ call, error: error instanceof Error ? error.message : String(error) }, []);
    } finally {
      this.jobs.delete(call);
    }
  }
}

/** Serves in a Worker, whose global object `scope` is. */
export function serve(scope) {
  const server = new Server((message, transfer) => scope.postMessage(message, transfer));
  scope.onmessage = ({ data }) => server.receive(data);
  scope.postMessage({ ready: true });
}
