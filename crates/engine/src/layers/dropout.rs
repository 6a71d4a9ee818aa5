//! Dropout (Srivastava et al. 2014): in training, a share of the values is set to zero and the others are scaled up so
//! that the mean stays the same; evaluation then needs no scaling.

use rayon::prelude::*;

use super::parameter::GradMode;
use super::{BackwardArgs, Context, Layer};
use crate::aligned::AlignedVec;
use crate::parallel::par_for_each;
use crate::random::RngStream;

/// The number of values of a task: enough to be worth a thread and a seek in the stream.
const TASK: usize = 1 << 13;

/// Dropout: y = mask · x, where each element of the mask is 0 with probability `rate` and 1 / (1 − rate) otherwise.
///
/// Each value has its own word of the random stream, determined by its place in the batch, so a pass advances the stream by
/// batch · outputs words, whatever the number of threads.
#[derive(Debug)]
pub(crate) struct Dropout {
    outputs: usize,
    rate: f32,
    stream: RngStream,
}

/// The mask of a batch, [capacity, outputs].
#[derive(Debug)]
pub(crate) struct Mask(AlignedVec);

impl Dropout {
    /// A layer for samples of `outputs` values.
    ///
    /// # Panics
    /// If the rate is not in [0, 1).
    pub(crate) fn new(outputs: usize, rate: f64, stream: RngStream) -> Dropout {
        assert!((0.0..1.0).contains(&rate), "a rate of {rate}");
        Dropout { outputs, rate: rate as f32, stream }
    }

    /// Draws the mask of a batch and advances the stream.
    fn draw(&mut self, mask: &mut [f32]) {
        let start = self.stream.position();
        self.stream.seek(start + mask.len() as u128);
        let (rate, scale) = (self.rate, (1.0 - self.rate).recip());
        par_for_each(mask.par_chunks_mut(TASK).enumerate(), |(task, mask)| {
            let mut stream = self.stream.clone();
            stream.seek(start + (task * TASK) as u128);
            for mask in mask {
                // A product rather than `if`, because the branch would be mispredicted often.
                *mask = scale * f32::from(u8::from(stream.uniform() >= rate));
            }
        });
    }
}

/// product = mask · x, element by element.
fn mask(mask: &[f32], x: &[f32], product: &mut [f32]) {
    assert!(mask.len() == x.len() && x.len() == product.len(), "a mask for every number");
    let parts = product.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).zip(mask.par_chunks(TASK));
    par_for_each(parts, |((product, x), mask)| {
        for ((product, &x), &mask) in product.iter_mut().zip(x).zip(mask) {
            *product = mask * x;
        }
    });
}

impl Layer for Dropout {
    type Cache = Mask;

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn ignores_gradient_of_zeros(&self, of_inputs: bool) -> bool {
        // An output that is zero is either an input that is zero, or dropped, in which case its gradient does not pass.
        of_inputs
    }

    // Even without a backward pass: a forward pass of training alone is a use of dropout too (Gal and Ghahramani 2016).
    fn alloc_cache(&self, capacity: usize, _backward: bool) -> Mask {
        Mask(AlignedVec::zeros(capacity * self.outputs))
    }

    /// y and x are [batch, outputs].
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], Mask(kept): &mut Mask) {
        if context.training {
            let drawn = &mut kept[..x.len()];
            self.draw(drawn);
            mask(drawn, x, y);
        } else {
            y.copy_from_slice(x);
        }
    }

    /// dx = mask · dy, [batch, outputs].
    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        Mask(kept): &mut Mask,
        _grad_mode: GradMode,
    ) {
        let BackwardArgs { dy, dx: Some(dx), .. } = args else { return };
        if context.training {
            mask(&kept[..dy.len()], dy, dx);
        } else {
            dx.copy_from_slice(dy);
        }
    }

    fn stream(&mut self) -> Option<&mut RngStream> {
        Some(&mut self.stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::isa::Isa;
    use crate::layers::reference::dropout as definition;
    use crate::layers::testing::{assert_close, numerical_gradient, on_any_threads, uniform, wide};

    fn dropout(outputs: usize, rate: f64) -> Dropout {
        Dropout::new(outputs, rate, RngStream::new(7, "dropout/test"))
    }

    /// y and dx.
    fn run(dropout: &mut Dropout, training: bool, x: &[f32], dy: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let batch = x.len() / dropout.outputs;
        let context = Context { isa: Isa::current(), batch, training, pairs: false };
        let mut cache = dropout.alloc_cache(batch + 1, true);
        let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        dropout.forward(&context, x, &mut y, &mut cache);
        let args = BackwardArgs { x, y: &y, dy: &mut dy.to_vec(), dx: Some(&mut dx) };
        dropout.backward(&context, args, &mut cache, GradMode::Store);
        (y, dx)
    }

    /// The mask, drawn one element after the other.
    fn plain_mask(rate: f32, skip: usize, count: usize) -> Vec<f64> {
        let mut stream = RngStream::new(7, "dropout/test");
        let words = (0..skip + count).map(|_| if stream.uniform() < rate { 0.0 } else { 1.0 / (1.0 - rate) });
        wide(&words.skip(skip).collect::<Vec<f32>>())
    }

    #[test]
    fn agrees_with_the_plain_mask_and_its_differences() {
        let mut stream = RngStream::new(1, "test/dropout");
        let (x, dy) = (uniform(&mut stream, 6 * 13), uniform(&mut stream, 6 * 13));
        let mut dropout = dropout(13, 0.3);
        for step in 0..3 {
            let mask = plain_mask(0.3, step * x.len(), x.len());
            let (y, dx) = run(&mut dropout, true, &x, &dy);
            // In f64 a product of two f32 numbers is exact.
            let exact = definition::forward(&wide(&x), &mask);
            assert!(y.iter().zip(exact).all(|(&y, exact)| y == exact as f32));
            assert_close(&dx, &numerical_gradient(&x, &dy, |x| definition::forward(x, &mask)), 1e-6);
        }
        assert_eq!(dropout.stream.position(), 3 * 6 * 13, "a word for each number");
    }

    #[test]
    fn drops_its_rate_and_keeps_the_mean() {
        let n = 100_000;
        for rate in [0.0, 0.1, 0.5, 0.9] {
            let (y, _) = run(&mut dropout(n, rate), true, &vec![1.0; n], &vec![0.0; n]);
            let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64 / n as f64;
            let error = (rate * (1.0 - rate) / n as f64).sqrt();
            assert!((dropped - rate).abs() <= 4.0 * error, "{dropped} of {rate}");
            let mean = y.iter().map(|&y| f64::from(y)).sum::<f64>() / n as f64;
            assert!((mean - 1.0).abs() <= 4.0 * error / (1.0 - rate) + 1e-6, "{mean}");
        }
    }

    #[test]
    fn evaluation_changes_and_draws_nothing() {
        let (x, dy) = ([1.0, -2.0, 3.0], [0.5, 0.25, 1.0]);
        let mut dropout = dropout(3, 0.5);
        assert_eq!(run(&mut dropout, false, &x, &dy), (x.to_vec(), dy.to_vec()));
        assert_eq!(dropout.stream.position(), 0);
    }

    #[test]
    fn goes_on_from_a_position_with_the_same_bits() {
        let (x, dy) = (vec![1.0; 5 * 7], vec![1.0; 5 * 7]);
        let mut whole = dropout(7, 0.4);
        run(&mut whole, true, &x, &dy);
        let position = whole.stream().expect("it draws").position();
        let second = run(&mut whole, true, &x, &dy);
        let mut resumed = dropout(7, 0.4);
        resumed.stream().expect("it draws").seek(position);
        assert_eq!(run(&mut resumed, true, &x, &dy), second);
        // Two small batches draw the same mask as one large batch.
        let mut halves = dropout(7, 0.4);
        let first = run(&mut halves, true, &x[..14], &dy[..14]).0;
        let rest = run(&mut halves, true, &x[14..], &dy[14..]).0;
        assert_eq!([first, rest].concat(), run(&mut dropout(7, 0.4), true, &x, &dy).0);
    }

    #[test]
    fn is_the_same_on_any_threads() {
        let mut stream = RngStream::new(3, "test/dropout");
        let (x, dy) = (uniform(&mut stream, 3 * TASK + 6), uniform(&mut stream, 3 * TASK + 6));
        let steps = || {
            let mut dropout = dropout(x.len() / 2, 0.25);
            [run(&mut dropout, true, &x, &dy), run(&mut dropout, true, &x, &dy)]
        };
        let [first, second] = on_any_threads(steps);
        assert_ne!(first, second);
        let exact = definition::forward(&wide(&x), &plain_mask(0.25, 0, x.len()));
        assert!(
            first.0.iter().zip(exact).all(|(&y, exact)| y == exact as f32),
            "each task draws from its own place"
        );
    }
}
