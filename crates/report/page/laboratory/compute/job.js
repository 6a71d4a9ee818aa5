// A computation that may take long: it works in slices, between which its thread does other things, and can be paused and stopped.

/** Milliseconds of a slice: short enough that a page which computes by itself still draws 60 times a second. */
const JOB_SLICE = 12;

/** Steps that the page may have yet to look at before a job waits for it: a fast job must not bury the page. */
const MOST_UNSEEN = 4;

/**
 * What a served function has of its call. It reports steps with `report`, and calls `rest` between two pieces of work:
 *
 *   while (await job.rest()) { …; job.report({ … }); }
 */
export class Job {
  /** `send` takes what the caller is to receive as a step. */
  constructor(send) {
    this.send = send;
    this.unseen = 0;
    this.stopped = false;
    this.paused = false;
    /** Buffers of the result that the caller may have without a copy. */
    this.transfer = [];
    /** Takes what the caller tells the job while it runs. */
    this.onTold = () => {};
    this.sliceEnd = performance.now() + JOB_SLICE;
    this.wake = null;
  }

  /** Reports a step to the caller. */
  report(step) {
    this.unseen += 1;
    this.send(step);
  }

  /** Waits while the job is paused or far ahead of the page, and lets others work if a slice is over. False if the job is to stop. */
  async rest() {
    if (performance.now() > this.sliceEnd) {
      await nextTask();
      this.sliceEnd = performance.now() + JOB_SLICE;
    }
    while ((this.paused || this.unseen >= MOST_UNSEEN) && !this.stopped) {
      await new Promise((resolve) => (this.wake = resolve));
      this.sliceEnd = performance.now() + JOB_SLICE;
    }
    return !this.stopped;
  }

  /** What the caller says: "pause", "resume", "stop", "seen" of a step, or "tell" with something for `onTold`. */
  signal(signal, data) {
    if (signal === "pause") this.paused = true;
    if (signal === "resume") this.paused = false;
    if (signal === "stop") this.stopped = true;
    if (signal === "seen") this.unseen -= 1;
    if (signal === "tell") this.onTold(data);
    this.wake?.();
  }
}

/** Waits until the thread has done what waits for it, such as receiving messages and drawing; unlike timers, at once if nothing does. */
export function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
