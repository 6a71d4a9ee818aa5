//! Functions of a layer's output, and their gradients with respect to images.

use inkling_engine::{LayerHandle, Network, Workspace};

/// A function of a layer's output for one image.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Function {
    Number(usize),
    /// Of every so many numbers one, from this on.
    ChannelMean(usize, usize),
    MeanSquare,
    LogProbability(usize),
}

impl Function {
    /// The gradient with respect to y; dy is zero before.
    fn output_grad(self, y: &[f32], dy: &mut [f32]) {
        match self {
            Function::Number(at) => dy[at] = 1.0,
            Function::ChannelMean(first, step) => {
                let share = 1.0 / (y.len() / step) as f32;
                dy[first..].iter_mut().step_by(step).for_each(|dy| *dy = share);
            }
            Function::MeanSquare => {
                let share = 2.0 / y.len() as f32;
                dy.iter_mut().zip(y).for_each(|(dy, y)| *dy = share * y);
            }
            Function::LogProbability(class) => {
                let exponentials: Vec<f64> = y.iter().map(|&y| f64::from(y).exp()).collect();
                let sum: f64 = exponentials.iter().sum();
                dy.iter_mut().zip(&exponentials).for_each(|(dy, e)| *dy = (-e / sum) as f32);
                // 1 − p without cancellation.
                let others = exponentials.iter().enumerate().filter(|(j, _)| *j != class);
                dy[class] = (others.map(|(_, e)| e).sum::<f64>() / sum) as f32;
            }
        }
    }
}

/// The gradient of the sum of a function over the images of a batch.
pub(crate) fn gradient(
    network: &mut Network,
    x: &[f32],
    layer: &LayerHandle,
    function: Function,
    workspace: &mut Workspace,
) -> Vec<f32> {
    let mut dx = vec![f32::NAN; x.len()];
    let n = layer.shape.len();
    network.input_gradient(x, layer, workspace, &mut dx, |y, dy| {
        y.chunks_exact(n).zip(dy.chunks_exact_mut(n)).for_each(|(y, dy)| function.output_grad(y, dy));
    });
    dx
}
