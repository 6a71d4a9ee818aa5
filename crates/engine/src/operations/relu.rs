//! max(0, x), for the places where it does not follow a dense or convolutional layer, which do it themselves.

use rayon::prelude::*;

use super::parameter::Receive;
use super::{Flow, Memory, Operation, Pass};
use crate::parallel::for_each_part;

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

impl Operation for Relu {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        true
    }

    fn memory(&self, _capacity: usize, _backward: bool) -> Memory {
        Memory::default()
    }

    /// y and x are [batch, outputs].
    fn forward(&mut self, _pass: &Pass, x: &[f32], y: &mut [f32], _memory: &mut Memory) {
        assert_eq!(x.len(), y.len(), "as many numbers come out as go in");
        for_each_part(y.par_chunks_mut(TASK).zip(x.par_chunks(TASK)), |(y, x)| {
            for (y, &x) in y.iter_mut().zip(x) {
                // Lets what is not a number through, so that a spoilt network shows in its loss.
                *y = if x < 0.0 { 0.0 } else { x };
            }
        });
    }

    /// dx = dy where y > 0, else 0; all are [batch, outputs].
    fn backward(&mut self, _pass: &Pass, flow: Flow, _memory: &mut Memory, _receive: Receive) {
        let Flow { y, dy, dx: Some(dx), .. } = flow else { return };
        let parts = dx.par_chunks_mut(TASK).zip(dy.par_chunks(TASK)).zip(y.par_chunks(TASK));
        for_each_part(parts, |((dx, dy), y)| {
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
    use crate::kernels::path::Path;
    use crate::operations::testing::{assert_close, numbers, on_any_threads, slopes};
    use crate::random::Stream;

    fn run(batch: usize, x: &[f32], mut dy: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
        let mut relu = Relu::new(x.len() / batch);
        let pass = Pass { path: Path::current(), batch, training: true };
        let mut memory = relu.memory(batch, true);
        let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        relu.forward(&pass, x, &mut y, &mut memory);
        let flow = Flow { x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
        relu.backward(&pass, flow, &mut memory, Receive::Keep);
        (y, dx)
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_and_its_differences(
            batch in 1_usize..5, outputs in 1_usize..20, seed in 0_u64..1000,
        ) {
            let mut stream = Stream::new(seed, "test/relu");
            let x = numbers(&mut stream, batch * outputs);
            let dy = numbers(&mut stream, batch * outputs);
            let plain = |x: &[f64]| x.iter().map(|x| x.max(0.0)).collect::<Vec<f64>>();
            let (y, dx) = run(batch, &x, dy.clone());
            prop_assert_eq!(&y, &x.iter().map(|x| x.max(0.0)).collect::<Vec<f32>>());
            assert_close(&dx, &slopes(&x, &dy, plain), 1e-6);
        }
    }

    #[test]
    fn is_the_same_on_any_threads() {
        let mut stream = Stream::new(1, "test/relu");
        let (x, dy) = (numbers(&mut stream, 3 * TASK + 5), numbers(&mut stream, 3 * TASK + 5));
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
