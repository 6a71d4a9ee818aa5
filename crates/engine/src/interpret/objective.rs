//! Objectives of feature visualisation: functions of a layer's output, with their gradients.

use crate::logits::{log_probability, probability};

/// A function of the output of one layer for one image. Images are stored with their channels last, so that the numbers
/// of an output are counted as (row · width + column) · channels + channel.
#[derive(Debug, Clone, PartialEq)]
pub enum ResolvedObjective {
    /// One number of the output.
    Number(usize),
    /// ln of the softmax probability of a class.
    LogProbability(usize),
    /// The mean of a channel.
    Channel {
        /// The channel.
        channel: usize,
        /// The channels that there are.
        channels: usize,
    },
    /// The mean square of all numbers.
    MeanSquare,
}

impl ResolvedObjective {
    /// The objective's value for the output y of one image.
    ///
    /// # Panics
    /// If y has no such number or class.
    pub fn value(&self, y: &[f32]) -> f64 {
        match *self {
            ResolvedObjective::Number(number) => f64::from(y[number]),
            ResolvedObjective::LogProbability(class) => log_probability(y, class),
            ResolvedObjective::Channel { channel, channels } => {
                let numbers = y.iter().skip(channel).step_by(channels);
                numbers.map(|&y| f64::from(y)).sum::<f64>() * channels as f64 / y.len() as f64
            }
            ResolvedObjective::MeanSquare => {
                y.iter().map(|&y| f64::from(y).powi(2)).sum::<f64>() / y.len() as f64
            }
        }
    }

    /// Writes the gradient of [`ResolvedObjective::value`] with respect to y to dy.
    ///
    /// # Panics
    /// As [`ResolvedObjective::value`], and if dy is shorter than y.
    pub fn grad(&self, y: &[f32], dy: &mut [f32]) {
        dy.fill(0.0);
        match *self {
            ResolvedObjective::Number(number) => dy[number] = 1.0,
            ResolvedObjective::LogProbability(class) => {
                for (j, dy) in dy.iter_mut().enumerate() {
                    *dy = -probability(y, j) as f32;
                }
                // 1 − p without cancellation: the probability of the others.
                dy[class] = 0.0;
                dy[class] = -dy.iter().sum::<f32>();
            }
            ResolvedObjective::Channel { channel, channels } => {
                let share = channels as f32 / y.len() as f32;
                dy.iter_mut().skip(channel).step_by(channels).for_each(|dy| *dy = share);
            }
            ResolvedObjective::MeanSquare => {
                let share = 2.0 / y.len() as f32;
                dy.iter_mut().zip(y).for_each(|(dy, y)| *dy = share * y);
            }
        }
    }

    /// The class whose score or probability it is, if it is one; `is_output` says whether the layer's output is a
    /// head's logits.
    pub fn class(&self, is_output: bool) -> Option<usize> {
        match *self {
            ResolvedObjective::Number(class) | ResolvedObjective::LogProbability(class) if is_output => {
                Some(class)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_the_values() {
        let y = [0.3_f32, -1.2, 0.7, 2.1, -0.4, 0.9];
        for objective in [
            ResolvedObjective::Number(4),
            ResolvedObjective::LogProbability(3),
            ResolvedObjective::LogProbability(1),
            ResolvedObjective::Channel { channel: 1, channels: 3 },
            ResolvedObjective::MeanSquare,
        ] {
            let mut dy = [f32::NAN; 6];
            objective.grad(&y, &mut dy);
            for i in 0..y.len() {
                let moved = |by: f32| {
                    let mut y = y;
                    y[i] += by;
                    (f64::from(y[i]), objective.value(&y))
                };
                let ((above, high), (below, low)) = (moved(1e-2), moved(-1e-2));
                let difference = (high - low) / (above - below);
                assert!(
                    (f64::from(dy[i]) - difference).abs() < 1e-4,
                    "{objective:?}, {i}: {} {difference}",
                    dy[i]
                );
            }
        }
    }
}
