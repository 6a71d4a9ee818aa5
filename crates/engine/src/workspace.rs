//! The memory of a network's passes.

use std::time::Duration;

use crate::aligned::AlignedVec;
use crate::labels::Targets;
use crate::layers::Context;
use crate::layers::sequential::Activations;
use crate::losses::Metrics;

/// The memory that a network needs for batches of up to a capacity. It is allocated once, so that a step allocates nothing.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) capacity: usize,
    /// The images of a batch, [capacity, inputs].
    pub(crate) x: AlignedVec,
    pub(crate) trunk: Activations,
    pub(crate) heads: Vec<Activations>,
    /// Outputs of each head.
    pub(crate) outputs: Vec<usize>,
    /// The last forward pass.
    pub(crate) context: Option<Context>,
    /// Ones, which stand for a ReLU's output where its gradient passes unmasked; as many as were needed so far.
    pub(crate) ones: AlignedVec,
    /// The gradient of the trunk's output from one of several heads, [capacity, features].
    pub(crate) dtrunk: AlignedVec,
    /// The metrics of each head in the last backward pass.
    pub(crate) metrics: Vec<Metrics>,
}

/// The time that a layer took for the last batch of a workspace. A ReLU right after it is part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerTime {
    /// Name of the layer, such as "trunk.2".
    pub name: String,
    /// The forward pass.
    pub forward: Duration,
    /// The backward pass with the update of the weights; zero where there was none.
    pub backward: Duration,
}

impl Workspace {
    /// Most images of a batch.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The outputs of a head for the images of the last forward pass, [batch, outputs]: logits of classes, or what its loss is
    /// computed from otherwise.
    ///
    /// # Panics
    /// If there was no forward pass, or there is no such head.
    pub fn logits(&self, head: usize) -> &[f32] {
        let context = self.context.expect("images that went forward first");
        self.heads[head].output(&[], context.batch * self.outputs[head])
    }

    /// The metrics of each head in the last backward pass.
    pub(crate) fn metrics(&self) -> &[Metrics] {
        &self.metrics
    }

    /// Σ over heads of weight times mean loss.
    pub(crate) fn loss(&self, targets: Targets) -> f64 {
        let batch = targets.labels[0].labels().len();
        let parts = self.metrics.iter().zip(targets.loss_weights);
        parts.map(|(metrics, &weight)| f64::from(weight) * metrics.loss_sum / batch as f64).sum()
    }
}
