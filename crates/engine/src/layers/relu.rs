//! max(0, x), for the places where it does not follow a dense or convolutional layer, which do it themselves.

use rayon::prelude::*;

use super::parameter::GradMode;
use super::{BackwardArgs, Cache, Context, Layer};
use crate::parallel::par_for_each;

/// Numbers of a task: enough to be worth a thread.
const TASK: usize = 1 << 14;

/// y = max(0, x), number by number (Nair and Hinton 2010).
#[derive(Debug)]
pub(crate) struct Relu {
    outputs: usize,
}

impl Relu {
    pub(crate) fn new(outputs: usize) -> Relu {
        Relu { outputs }
    }
}

impl Layer for Relu {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        true
    }

    fn alloc_cache(&self, _capacity: usize, _backward: bool) -> Cache {
        Cache::default()
    }

    /// y and x are [batch, outputs].
    fn forward(&mut self, _pass: &Context, x: &[f32], y: &mut [f32], _memory: &mut Cache) {
        assert_eq!(x.len(), y.len(), "as many numbers come out as go in");
        par_for_each(y.par_chunks_mut(TASK).zip(x.par_chunks(TASK)), |(y, x)| {
            for (y, &x) in y.iter_mut().zip(x) {
                // Lets what is not a number through, so that a spoilt network shows in its loss.
                *y = if x < 0.0 { 0.0 } else { x };
            }
        });
    }

    /// dx = dy where y > 0, else 0; all are [batch, outputs].
    fn backward(&mut self, _pass: &Context, args: BackwardArgs, _memory: &mut Cache, _grad_mode: GradMode) {
        let BackwardArgs { y, dy, dx: Some(dx), .. } = args else { return };
        let parts = dx.par_chunks_mut(TASK).zip(dy.par_chunks(TASK)).zip(y.par_chunks(TASK));
        par_for_each(parts, |((dx, dy), y)| {
            for ((dx, &dy), &y) in dx.iter_mut().zip(dy).zip(y) {
                *dx = if y > 0.0 { dy } else { 0.0 };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::isa::Isa;
    use crate::layers::testing::{assert_close, numerical_gradient, on_any_threads, uniform};
    use crate::random::RngStream;

    fn run(batch: usize, x: &[f32], mut dy: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
        let mut relu = Relu::new(x.len() / batch);
        let context = Context { isa: Isa::current(), batch, training: true };
        let mut cache = relu.alloc_cache(batch, true);
        let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        relu.forward(&context, x, &mut y, &mut cache);
        let args = BackwardArgs { x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
        relu.backward(&context, args, &mut cache, GradMode::Store);
        (y, dx)
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_and_its_differences(
            batch in 1_usize..5, outputs in 1_usize..20, seed in 0_u64..1000,
        ) {
            let mut stream = RngStream::new(seed, "test/relu");
            let x = uniform(&mut stream, batch * outputs);
            let dy = uniform(&mut stream, batch * outputs);
            let plain = |x: &[f64]| x.iter().map(|x| x.max(0.0)).collect::<Vec<f64>>();
            let (y, dx) = run(batch, &x, dy.clone());
            prop_assert_eq!(&y, &x.iter().map(|x| x.max(0.0)).collect::<Vec<f32>>());
            assert_close(&dx, &numerical_gradient(&x, &dy, plain), 1e-6);
        }
    }

    #[test]
    fn is_the_same_on_any_threads() {
        let mut stream = RngStream::new(1, "test/relu");
        let (x, dy) = (uniform(&mut stream, 3 * TASK + 5), uniform(&mut stream, 3 * TASK + 5));
        let (y, dx) = on_any_threads(|| run(1, &x, dy.clone()));
        assert!(y.iter().chain(&dx).all(|number| number.is_finite()));
    }

    #[test]
    fn zero_passes_no_gradient_and_what_is_no_number_shows() {
        let (y, dx) = run(1, &[0.0, -1.0, f32::NAN], vec![1.0; 3]);
        assert_eq!((y[0], y[1], &dx[..2]), (0.0, 0.0, &[0.0, 0.0][..]));
        assert!(y[2].is_nan());
    }
}
