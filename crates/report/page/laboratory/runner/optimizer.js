// Optimisers: how a gradient becomes a step. The definitions are those of the engine, for arrays of 32-bit numbers.

/**
 * An optimiser for `count` numbers, from its table in a study ({kind: "adam", beta_1, beta_2, epsilon}, …). Its method
 * `step(values, gradient, learningRate, decays)` moves the values down the gradient; `decays` says whether weight decay applies,
 * which it does not to biases.
 */
export function createOptimizer(spec, count) {
  const make = {
    adam: () => adamSteps(spec, 0, count),
    "adam-w": () => adamSteps(spec, spec.weight_decay, count),
    sgd: () => sgdSteps(spec, count),
    "rms-prop": () => rmsPropSteps(spec, count),
    lion: () => lionSteps(spec, count),
  }[spec.kind];
  if (!make) throw new Error(`There is no optimiser “${spec.kind}” in the page.`);
  return { step: make() };
}

/** Adam (Kingma and Ba 2015); with weight decay AdamW (Loshchilov and Hutter 2019). */
function adamSteps(spec, weightDecay, count) {
  const [beta1, beta2, epsilon] = [spec.beta_1, spec.beta_2, spec.epsilon].map(Math.fround);
  // From the 64-bit numbers, because 1 − β of a rounded β is inexact.
  const [less1, less2] = [1 - spec.beta_1, 1 - spec.beta_2].map(Math.fround);
  const first = new Float32Array(count);
  const second = new Float32Array(count);
  let steps = 0;
  return (values, gradient, learningRate, decays = true) => {
    steps += 1;
    const rate = Math.fround(learningRate / (1 - spec.beta_1 ** steps));
    const root = Math.fround(1 / Math.sqrt(1 - spec.beta_2 ** steps));
    const decay = decays ? Math.fround(learningRate * weightDecay) : 0;
    for (let i = 0; i < count; i++) {
      const g = gradient[i];
      const m = Math.fround(beta1 * first[i] + less1 * g);
      const v = Math.fround(beta2 * second[i] + less2 * g * g);
      first[i] = m;
      second[i] = v;
      values[i] -= decay * values[i] + (rate * m) / (Math.sqrt(v) * root + epsilon);
    }
  };
}

/** Gradient descent with momentum (Polyak 1964), or Nesterov's (Sutskever et al. 2013). */
function sgdSteps({ momentum, nesterov = false }, count) {
  const kept = new Float32Array(count);
  return (values, gradient, learningRate) => {
    for (let i = 0; i < count; i++) {
      const g = gradient[i];
      const m = Math.fround(momentum * kept[i] + g);
      kept[i] = m;
      values[i] -= learningRate * (nesterov ? g + momentum * m : m);
    }
  };
}

/** RMSprop (Tieleman and Hinton 2012). */
function rmsPropSteps({ alpha, epsilon }, count) {
  const square = new Float32Array(count);
  return (values, gradient, learningRate) => {
    for (let i = 0; i < count; i++) {
      const g = gradient[i];
      const v = Math.fround(alpha * square[i] + (1 - alpha) * g * g);
      square[i] = v;
      values[i] -= (learningRate * g) / (Math.sqrt(v) + epsilon);
    }
  };
}

/** Lion (Chen et al. 2023): steps of one length in the direction of a sign. */
function lionSteps({ beta_1: beta1, beta_2: beta2, weight_decay: weightDecay }, count) {
  const mean = new Float32Array(count);
  return (values, gradient, learningRate, decays = true) => {
    const decay = decays ? learningRate * weightDecay : 0;
    for (let i = 0; i < count; i++) {
      const g = gradient[i];
      const along = beta1 * mean[i] + (1 - beta1) * g;
      values[i] -= decay * values[i] + learningRate * Math.sign(along);
      mean[i] = beta2 * mean[i] + (1 - beta2) * g;
    }
  };
}
