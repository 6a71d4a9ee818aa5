//! What one two-headed network costs beside two single-task ones.

use inkling_schema::outcome::TrainOutcome;
use serde::Serialize;

use super::{Goal, MultitaskResults};

/// Bytes that training keeps for a parameter: its weight and Adam's two moments, four bytes each.
const BYTES: usize = 12;

/// What both single-task networks together cost, and what the two-headed network does that has the median time to train of
/// those whose two heads were trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    /// Trainable parameters.
    pub single_parameters: usize,
    /// The same of the two-headed network, and so below.
    pub joint_parameters: usize,
    /// Bytes of weights and both moments.
    pub single_bytes: usize,
    /// See `single_bytes`.
    pub joint_bytes: usize,
    /// Seconds of training steps.
    pub single_train_seconds: f64,
    /// See `single_train_seconds`.
    pub joint_train_seconds: f64,
    /// Seconds to classify the test images once.
    pub single_test_seconds: f64,
    /// See `single_test_seconds`.
    pub joint_test_seconds: f64,
}

impl MultitaskResults {
    /// `None` where one of the two sides is missing or diverged.
    pub fn costs(&self) -> Option<Costs> {
        let [item, group] =
            Goal::BOTH.map(|goal| self.single(goal).filter(|network| network.kept().is_some()));
        let (item, group) = (&item?.outcome, &group?.outcome);
        let mut joint: Vec<&TrainOutcome> = self.joint().map(|(_, network)| &network.outcome).collect();
        joint.sort_by(|p, q| p.train_seconds.total_cmp(&q.train_seconds));
        let joint = *joint.get(joint.len().checked_sub(1)? / 2)?;
        let single_parameters = item.parameters + group.parameters;
        Some(Costs {
            single_parameters,
            joint_parameters: joint.parameters,
            single_bytes: BYTES * single_parameters,
            joint_bytes: BYTES * joint.parameters,
            single_train_seconds: item.train_seconds + group.train_seconds,
            joint_train_seconds: joint.train_seconds,
            single_test_seconds: item.test_seconds + group.test_seconds,
            joint_test_seconds: joint.test_seconds,
        })
    }
}
