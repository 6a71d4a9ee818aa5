//! What one two-headed network costs beside two single-task ones.

use super::super::network::Network;
use super::{Goal, MultitaskResults};

/// Bytes that training keeps for a parameter: its weight and Adam's two moments, four bytes each.
const BYTES: usize = 12;

/// What networks cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Trainable parameters.
    pub parameters: usize,
    /// Seconds of training steps.
    pub train_seconds: f64,
    /// Seconds to classify the test images once.
    pub test_seconds: f64,
}

impl Cost {
    /// Bytes of weights and both moments.
    pub fn bytes(&self) -> usize {
        BYTES * self.parameters
    }

    fn of(network: &Network) -> Cost {
        let found = &network.outcome;
        Cost {
            parameters: found.parameters,
            train_seconds: found.train_seconds,
            test_seconds: found.test_seconds,
        }
    }
}

/// One two-headed network and two single-task ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Both single-task networks together.
    pub single: Cost,
    /// The two-headed network with the median time to train of those whose two heads were trained.
    pub joint: Cost,
}

impl MultitaskResults {
    /// `None` where one of the two sides is missing or diverged.
    pub fn costs(&self) -> Option<Costs> {
        let [item, group] =
            Goal::BOTH.map(|goal| self.single(goal).filter(|network| network.kept().is_some()));
        let (item, group) = (Cost::of(item?), Cost::of(group?));
        let mut joint: Vec<Cost> = self.joint().map(|(_, network)| Cost::of(network)).collect();
        joint.sort_by(|p, q| p.train_seconds.total_cmp(&q.train_seconds));
        let joint = *joint.get(joint.len().checked_sub(1)? / 2)?;
        let single = Cost {
            parameters: item.parameters + group.parameters,
            train_seconds: item.train_seconds + group.train_seconds,
            test_seconds: item.test_seconds + group.test_seconds,
        };
        Some(Costs { single, joint })
    }
}
