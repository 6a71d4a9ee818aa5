// The served trainings: a perceptron and a small network, which work as far as they are told and report what they did.

import { PerceptronTraining } from "../runner/perceptron.js";
import { seededStream } from "../runner/random.js";
import { MlpTraining } from "../runner/train.js";

/**
 * Trains a perceptron: `options` are {pixels, labels, rule, learningRate, seed}, as `PerceptronTraining` has them. The caller tells
 * "image", "correction" or "pass", how far to go; each is answered by a report {w, b, answer, passes, corrections, errors, diverged,
 * place, last, corrected}: `last` is the step that ended it, and `corrected` the last step that corrected the weights, or null. The
 * first report is that of the start.
 */
export async function serveTrainPerceptron(shared, [{ pixels, labels, rule, learningRate, seed }], job) {
  const [stream, orders] = [seededStream(seed, "perceptron/initial"), seededStream(seed, "perceptron/order")];
  const training = new PerceptronTraining({ pixels, labels, rule, learningRate, stream, orders });
  let corrected = null;
  await answerEach(job, (far) => {
    let last = null;
    if (far !== "start") {
      do {
        last = training.step();
        if (last.corrected) corrected = { ...last };
      } while (!last.endOfPass && (far === "pass" || (far === "correction" && !last.corrected)));
    }
    const { w, b, answer, passes, corrections, errors, diverged, place, n } = training;
    const { w: answerW, b: answerB } = answer;
    return {
      report: { w: w.slice(), b, answer: { w: answerW.slice(), b: answerB }, passes, corrections, errors: errors.slice(), diverged, place: place === n ? 0 : place, last, corrected },
      isOver: diverged !== null,
    };
  });
}

/**
 * Trains a small network: `options` are those of `MlpTraining`, with a `seed`. The caller tells "batch" or "epoch"; each is answered by a
 * report {parameters, history, epochs, place, of, loss, diverged}. The first report is that of the start.
 */
export async function serveTrainMlp(shared, [{ seed, ...options }], job) {
  const training = new MlpTraining({ ...options, stream: seededStream(seed, "mlp") });
  let loss = null;
  await answerEach(job, async (far) => {
    if (far !== "start") {
      let endOfEpoch = false;
      do ({ loss, endOfEpoch } = training.step());
      while (far === "epoch" && !endOfEpoch && (await job.rest()));
    }
    const { history, epochs, place, order, diverged } = training;
    const parameters = training.network.parameters.map((tensor) => tensor.slice());
    return {
      report: { parameters, history: history.slice(), epochs, place: place % order.length, of: order.length, loss, diverged },
      isOver: diverged !== null,
    };
  });
}

/** Answers what the job is told, one after the other, with what `answer` reports for it, until the job is stopped or it is over. */
async function answerEach(job, answer) {
  const told = ["start"];
  job.onTold = (far) => {
    told.push(far);
    job.paused = false;
  };
  for (;;) {
    if (told.length === 0) job.paused = true;
    if (!(await job.rest())) return;
    if (told.length === 0) continue;
    const { report, isOver } = await answer(told.shift());
    job.report(report);
    if (isOver) return;
  }
}
