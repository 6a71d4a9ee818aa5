//! What dreams raise: functions of a layer's output, with their gradients.

use inkling_engine::LayerHandle;
use inkling_schema::{Objective, Shape};

use crate::inside::error::LookError;
use crate::inside::trained::{Trained, as_image, log_probability, probability};

/// An objective that the network has: a function of one layer's output for one picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ResolvedObjective {
    /// One number of the output.
    Number(usize),
    /// ln of the softmax probability of a class.
    LogProbability(usize),
    /// The mean of a channel.
    Channel { channel: usize, channels: usize },
    /// The mean square of all numbers.
    MeanSquare,
}

/// The layer that an objective looks at, and what it is there. `names` are the classes' names for error messages.
///
/// # Errors
/// [`LookError`]: the network has no such layer, head, class, channel or place.
pub(crate) fn resolve(
    objective: &Objective,
    trained: &Trained,
    names: &[&str],
) -> Result<(LayerHandle, ResolvedObjective), LookError> {
    let no_unit = |layer: &LayerHandle, what: String, hint| {
        let (layer, shape) = (layer.name.clone(), layer.shape.to_string());
        LookError::NoUnit { layer, what, shape, hint }
    };
    match objective {
        Objective::ClassLogit { head, class } => {
            trained.check_class(head, *class, names)?;
            Ok((trained.scores_of(head)?, ResolvedObjective::Number(*class)))
        }
        Objective::ClassProbability { head, class } => {
            trained.check_class(head, *class, names)?;
            Ok((trained.scores_of(head)?, ResolvedObjective::LogProbability(*class)))
        }
        Objective::Neuron { layer, position } => {
            let layer = trained.layer(layer)?;
            let number = match (layer.shape, &position[..]) {
                (Shape::Image { height, width, channels }, &[row, column, channel])
                    if row < height && column < width && channel < channels =>
                {
                    (row * width + column) * channels + channel
                }
                (Shape::Vector(units), &[unit]) if unit < units => unit,
                _ => {
                    let hint = match layer.shape {
                        Shape::Image { .. } => "; a place in it is row, column and channel, from 0",
                        Shape::Vector(_) => "; a place in it is the unit's number, from 0",
                    };
                    return Err(no_unit(&layer, format!("place {position:?}"), hint));
                }
            };
            Ok((layer, ResolvedObjective::Number(number)))
        }
        Objective::Channel { layer, channel } => {
            let layer = trained.layer(layer)?;
            let [_, _, channels] = as_image(layer.shape);
            if *channel >= channels {
                return Err(no_unit(&layer, format!("channel {channel}"), "; channels are counted from 0"));
            }
            Ok((layer, ResolvedObjective::Channel { channel: *channel, channels }))
        }
        Objective::LayerMeanSquare { layer } => Ok((trained.layer(layer)?, ResolvedObjective::MeanSquare)),
    }
}

impl ResolvedObjective {
    /// The objective for the output y of one picture.
    pub(crate) fn value(&self, y: &[f32]) -> f64 {
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
    pub(crate) fn grad(&self, y: &[f32], dy: &mut [f32]) {
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

    /// The class that it is of, if it is of one: `scores` says whether the layer gives a head's scores.
    pub(crate) fn class(&self, scores: bool) -> Option<usize> {
        match *self {
            ResolvedObjective::Number(class) | ResolvedObjective::LogProbability(class) if scores => {
                Some(class)
            }
            _ => None,
        }
    }
}
