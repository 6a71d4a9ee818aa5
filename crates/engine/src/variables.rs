//! Numbers that an optimiser moves, outside any network.

use inkling_spec::Optimizer;

use crate::kernels::flush::flushing_denormals;
use crate::kernels::path::Path;
use crate::kernels::update::Weights;
use crate::memory::Buffer;
use crate::optimizer::rules;

/// Numbers with their moments: what a dream changes in place of a network's weights.
#[derive(Debug, Clone)]
pub struct Variables {
    /// All filled up with zeros to whole cache lines.
    values: Buffer,
    gradient: Buffer,
    first: Buffer,
    second: Buffer,
    len: usize,
    steps: u64,
}

impl Variables {
    /// Begins with these values.
    pub fn new(values: &[f32]) -> Variables {
        let padded = || Buffer::zeros(values.len().next_multiple_of(16));
        let mut all = padded();
        all[..values.len()].copy_from_slice(values);
        let (gradient, first, second) = (padded(), padded(), padded());
        Variables { values: all, gradient, first, second, len: values.len(), steps: 0 }
    }

    /// The values as they are now.
    pub fn values(&self) -> &[f32] {
        &self.values[..self.len]
    }

    /// Moves the values down this gradient, as a network's weights would be.
    ///
    /// # Panics
    /// If there is not a gradient for every value.
    pub fn descend(&mut self, gradient: &[f32], optimizer: &Optimizer, learning_rate: f64) {
        self.gradient[..self.len].copy_from_slice(gradient);
        self.steps += 1;
        let rule = rules(optimizer, self.steps, learning_rate).weights;
        let Variables { values, gradient, first, second, .. } = self;
        flushing_denormals(|| {
            Weights { value: values, first, second }.update(Path::current(), &rule, gradient);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_to_where_the_gradient_vanishes() {
        let target: Vec<f32> = (0..37).map(|i| i as f32 / 37.0).collect();
        let adam = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        for optimizer in [adam, Optimizer::Sgd { momentum: 0.5 }] {
            let mut variables = Variables::new(&[0.5; 37]);
            for _ in 0..2000 {
                let slopes: Vec<f32> = variables.values().iter().zip(&target).map(|(x, t)| x - t).collect();
                variables.descend(&slopes, &optimizer, 0.01);
            }
            let off = variables.values().iter().zip(&target).map(|(x, t)| (x - t).abs()).fold(0.0, f32::max);
            assert!(off < 1e-3, "{optimizer:?} ends {off} away");
        }
    }
}
