// The numbers that a dream changes: an image is x = σ(u), u = B·z, with the logistic function σ and a basis B.

/**
 * Converts parameters z to an image x = σ(B·z) and back. Both have height · width · channels numbers. With the parametrisation
 * "pixels", B is the identity. With "fourier", it is the real Fourier basis of the rows and columns; its orthonormal vectors are
 * scaled by frequency^−decay, with the lowest frequency of the image in place of zero, so that the mean square of the scales is one.
 */
export class ImageBasis {
  constructor(parametrisation, [height, width, channels]) {
    this.size = [height, width, channels];
    this.count = height * width * channels;
    this.fourier = null;
    if (parametrisation.kind === "fourier") {
      this.fourier = {
        vertical: realFourier(height),
        horizontal: realFourier(width),
        scales: frequencyScales(height, width, parametrisation.decay),
      };
    } else if (parametrisation.kind !== "pixels") {
      throw new Error(`There is no parametrisation “${parametrisation.kind}” in the page.`);
    }
    this.half = new Float32Array(this.count);
  }

  /** Writes the image of the parameters z to x: x = σ(B·z). */
  image(z, x) {
    if (this.fourier) this.#sum(z, x);
    else x.set(z);
    for (let i = 0; i < x.length; i++) x[i] = 1 / (1 + Math.exp(-x[i]));
  }

  /** Writes the gradient dz from the image x and its gradient dx, which is overwritten: dz = Bᵀ·(σ′·dx), σ′ = x·(1 − x). */
  backward(x, dx, dz) {
    for (let i = 0; i < x.length; i++) dx[i] *= x[i] * (1 - x[i]);
    if (this.fourier) this.#project(dx, dz, (product, scale) => product * scale);
    else dz.set(dx);
  }

  /** The parameters of an image, z = B⁻¹·σ⁻¹(x). They are finite if every number of x lies strictly between 0 and 1. */
  parameters(x) {
    const u = Float32Array.from(x, (value) => Math.log(value / (1 - value)));
    if (!this.fourier) return u;
    const z = new Float32Array(this.count);
    // The basis vectors are orthonormal before they are scaled.
    this.#project(u, z, (product, scale) => product / scale);
    return z;
  }

  /** u[i, j] = Σ over waves (k, l) of vertical[k, i] · horizontal[l, j] · scale[k, l] · z[k, l], channel by channel. */
  #sum(z, u) {
    const [height, width, channels] = this.size;
    const { vertical, horizontal, scales } = this.fourier;
    const half = this.half.fill(0);
    const row = width * channels;
    for (let k = 0; k < height; k++) {
      for (let l = 0; l < width; l++) {
        const scale = scales[k * width + l];
        for (let c = 0; c < channels; c++) {
          const from = scale * z[(k * width + l) * channels + c];
          for (let j = 0; j < width; j++) half[k * row + j * channels + c] += horizontal[l * width + j] * from;
        }
      }
    }
    u.fill(0);
    for (let k = 0; k < height; k++) {
      for (let i = 0; i < height; i++) {
        const wave = vertical[k * height + i];
        for (let j = 0; j < row; j++) u[i * row + j] += wave * half[k * row + j];
      }
    }
  }

  /** z[k, l] = finish(Σ over places (i, j) of vertical[k, i] · horizontal[l, j] · u[i, j], scale[k, l]). */
  #project(u, z, finish) {
    const [height, width, channels] = this.size;
    const { vertical, horizontal, scales } = this.fourier;
    const half = this.half.fill(0);
    const row = width * channels;
    for (let k = 0; k < height; k++) {
      for (let i = 0; i < height; i++) {
        const wave = vertical[k * height + i];
        for (let j = 0; j < row; j++) half[k * row + j] += wave * u[i * row + j];
      }
    }
    for (let k = 0; k < height; k++) {
      for (let l = 0; l < width; l++) {
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let j = 0; j < width; j++) sum += horizontal[l * width + j] * half[k * row + j * channels + c];
          z[(k * width + l) * channels + c] = finish(sum, scales[k * width + l]);
        }
      }
    }
  }
}

/** Full waves along the side of the k-th basis vector: a constant, then a cosine and a sine of each frequency. */
function wavesAlong(k) {
  return Math.ceil(k / 2);
}

/** The scale of each wave, [height, width]. */
function frequencyScales(height, width, decay) {
  const lowest = 1 / Math.max(height, width);
  const scales = new Float64Array(height * width);
  for (let k = 0; k < height; k++) {
    for (let l = 0; l < width; l++) {
      const frequency = Math.hypot(wavesAlong(k) / height, wavesAlong(l) / width);
      scales[k * width + l] = Math.max(frequency, lowest) ** -decay;
    }
  }
  const meanSquare = scales.reduce((sum, scale) => sum + scale * scale, 0) / scales.length;
  return Float32Array.from(scales, (scale) => scale / Math.sqrt(meanSquare));
}

/** The orthonormal real Fourier basis of n numbers, [n, n], vector after vector. */
export function realFourier(n) {
  const basis = new Float32Array(n * n);
  for (let k = 0; k < n; k++) {
    // The constant, and the wave that changes its sign from number to number, have no sine.
    const alone = k === 0 || 2 * wavesAlong(k) === n;
    const length = Math.sqrt((alone ? 1 : 2) / n);
    for (let i = 0; i < n; i++) {
      const angle = (2 * Math.PI * wavesAlong(k) * i) / n;
      basis[k * n + i] = length * (k % 2 === 1 || k === 0 ? Math.cos(angle) : Math.sin(angle));
    }
  }
  return basis;
}
