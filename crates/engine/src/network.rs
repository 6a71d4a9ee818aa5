//! Networks: a trunk of layers and one or more heads, built from a [`ModelSpec`].

use std::time::Duration;

use inkling_schema::{ModelError, ModelSpec, Shape, TrainingPrecision};
use rayon::prelude::*;

use crate::aligned::AlignedVec;
use crate::builder::Builder;
use crate::kernels::isa::Isa;
use crate::labels::Targets;
use crate::layers::Context;
use crate::layers::activation::ActivationRegistry;
use crate::layers::dense::deferred::Deferred;
use crate::layers::identity::Identity;
use crate::layers::parameter::{GradMode, ParamKind, Parameter};
use crate::layers::sequential::{Activations, NamedLayer, Sequential};
use crate::losses::Metrics;
use crate::optimizers::StepRule;
use crate::parallel::par_for_each;
use crate::random::RngStream;
use crate::workspace::{LayerTime, Workspace};

/// A network: a trunk of layers, whose output goes through each of one or more heads. It computes in f32, on batches of images
/// with their channels last.
///
/// ```
/// use inkling_engine::Network;
/// use inkling_schema::ModelSpec;
///
/// let text = r#"
///     input = [28, 28, 1]
///     trunk = [
///         { layer = "flatten" },
///         { layer = "dense", units = 64, initializer = "he-uniform" },
///         { layer = "relu" },
///     ]
///     heads = [{ name = "digit", layers = [{ layer = "dense", units = 10, initializer = "glorot-uniform" }] }]
/// "#;
/// let spec = ModelSpec::from_toml("mlp.toml", text)?;
/// let mut network = Network::new(&spec, 1)?;
/// assert_eq!(network.num_parameters(), 784 * 64 + 64 + 64 * 10 + 10);
///
/// let images = vec![0.5; 3 * 784];
/// let mut workspace = network.workspace(3, false);
/// network.forward(&images, false, &mut workspace);
/// assert_eq!(workspace.logits(0).len(), 3 * 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Network {
    spec: ModelSpec,
    pub(crate) isa: Isa,
    /// What the factors of products are rounded to in passes of training: f32 except within a trainer.
    pub(crate) precision: TrainingPrecision,
    parameters: usize,
    inputs: usize,
    pub(crate) trunk: Sequential,
    pub(crate) heads: Vec<Sequential>,
}

impl Network {
    /// The network with weights drawn from the streams of this seed, to compute with the current [`Isa`].
    ///
    /// # Errors
    /// [`ModelError`] where the layers do not fit each other.
    pub fn new(spec: &ModelSpec, seed: u64) -> Result<Network, ModelError> {
        Network::with_activations(spec, seed, &ActivationRegistry::new())
    }

    /// As [`Network::new`], with activations of the program's own for layers of the kind `custom`.
    ///
    /// # Errors
    /// [`ModelError`] where the layers do not fit each other, or name an activation that is not known.
    pub fn with_activations(
        spec: &ModelSpec,
        seed: u64,
        activations: &ActivationRegistry,
    ) -> Result<Network, ModelError> {
        let plan = spec.plan()?;
        let builder = Builder { seed, activations };
        let [height, width, channels] = spec.input;
        let image = Shape::Image { height, width, channels };
        let (trunk_layers, mut rest) = plan.layers.split_at(spec.trunk.len());
        let trunk = builder.sequential("trunk", trunk_layers, (image.len(), true))?;
        let mut heads = Vec::new();
        for head in &spec.heads {
            let (layers, others) = rest.split_at(head.layers.len());
            let inputs = (trunk.outputs, trunk.ignores_gradient_of_zeros);
            let mut chain = builder.sequential(&head.name, layers, inputs)?;
            if chain.layers.is_empty() {
                // Scores lie in a head's memory, so that a head that only flattens needs a layer too.
                let name = format!("{}.1", head.name);
                let output = Shape::Vector(chain.outputs);
                chain.layers.push(NamedLayer { name, output, op: Box::new(Identity::new(chain.outputs)) });
            }
            heads.push(chain);
            rest = others;
        }
        let (isa, parameters) = (Isa::current(), plan.parameters);
        let precision = TrainingPrecision::Float32;
        Ok(Network { spec: spec.clone(), isa, precision, parameters, inputs: image.len(), trunk, heads })
    }

    /// What the network was built from.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    pub(crate) fn context(&self, batch: usize, training: bool) -> Context {
        let pairs = training && self.precision == TrainingPrecision::Bfloat16;
        Context { isa: self.isa, batch, training, pairs }
    }

    /// Number of trained parameters.
    pub fn num_parameters(&self) -> usize {
        self.parameters
    }

    /// Numbers of one image.
    pub fn input_len(&self) -> usize {
        self.inputs
    }

    /// Classes of each head.
    pub fn num_classes(&self) -> Vec<usize> {
        self.heads.iter().map(|head| head.outputs).collect()
    }

    /// Memory for batches of up to `capacity` images. Without `training` it takes less, and has no room for gradients.
    pub fn workspace(&self, capacity: usize, training: bool) -> Workspace {
        let heads: Vec<Activations> =
            self.heads.iter().map(|head| head.activations(capacity, training)).collect();
        let several = training && heads.len() > 1;
        Workspace {
            capacity,
            x: AlignedVec::zeros(capacity * self.inputs),
            trunk: self.trunk.activations(capacity, training),
            metrics: vec![Metrics::default(); heads.len()],
            heads,
            outputs: self.num_classes(),
            context: None,
            ones: AlignedVec::zeros(0),
            dtrunk: AlignedVec::zeros(if several { capacity * self.trunk.outputs } else { 0 }),
        }
    }

    /// Computes the outputs of every head for images x, [batch, inputs]. [`Workspace::logits`] returns them.
    ///
    /// # Panics
    /// If x does not hold whole images, or more than the workspace has room for.
    pub fn forward(&mut self, x: &[f32], training: bool, workspace: &mut Workspace) {
        self.forward_heads(x, training, workspace, |_| true);
    }

    /// As [`Network::forward`], for some of the heads by their numbers. The outputs of the others are left as they were.
    pub(crate) fn forward_heads(
        &mut self,
        x: &[f32],
        training: bool,
        workspace: &mut Workspace,
        wanted: impl Fn(usize) -> bool,
    ) {
        let batch = x.len() / self.inputs;
        assert!(x.len().is_multiple_of(self.inputs) && batch > 0, "images of {} numbers", self.inputs);
        assert!(
            batch <= workspace.capacity(),
            "a batch of {batch} in a workspace for {}",
            workspace.capacity()
        );
        let context = self.context(batch, training);
        workspace.context = Some(context);
        self.trunk.forward(&context, x, &mut workspace.trunk);
        let z = workspace.trunk.output(x, batch * self.trunk.outputs);
        let heads = self.heads.iter_mut().zip(&mut workspace.heads).enumerate();
        heads
            .filter(|(h, _)| wanted(*h))
            .for_each(|(_, (head, activations))| head.forward(&context, z, activations));
    }

    /// The backward pass of the batch of the last forward pass, for the loss Σ over heads of weight times mean loss.
    /// `grad_mode` says what becomes of the parameters' gradients; `dx` takes that of the images. The metrics of each head are
    /// left in the workspace. A head of weight zero is left out: it has no metrics, and its parameters stay. On the trunk a
    /// head's gradient is multiplied by its entry of `shares` if there are `shares`, else by its weight.
    pub(crate) fn backward(
        &mut self,
        x: &[f32],
        targets: Targets,
        shares: Option<&[f32]>,
        workspace: &mut Workspace,
        mut dx: Option<&mut [f32]>,
        grad_mode: GradMode,
    ) {
        let batch = x.len() / self.inputs;
        assert_eq!(targets.loss_weights.len(), self.heads.len(), "a weight for each head");
        assert_eq!(targets.labels.len(), self.heads.len(), "labels for each head");
        assert!(targets.loss_weights.iter().any(|&weight| weight != 0.0), "a head that has a weight");
        let context = workspace.context.expect("a pass that went forward");
        assert_eq!(context.batch, batch, "the images that went forward");
        let features = batch * self.trunk.outputs;
        let Workspace { trunk, heads, dtrunk, metrics, .. } = workspace;
        metrics.fill(Metrics::default());
        let mut first = true;
        for (h, (head, activations)) in self.heads.iter_mut().zip(heads).enumerate() {
            if targets.loss_weights[h] == 0.0 {
                continue;
            }
            let labels = targets.labels[h].labels();
            assert_eq!(labels.len(), batch, "a label for each image");
            let kind = self.spec.heads[h].loss;
            let class_weights = if h == 0 { targets.class_weights } else { &[] };
            metrics[h] = head.loss(kind, activations, labels, targets.loss_weights[h], class_weights);
            let z = trunk.acts.last().map_or(x, |y| &y[..features]);
            let dz = trunk.grads.last_mut().map(|dy| &mut dy[..features]).or(dx.as_deref_mut());
            let layers = (0..head.layers.len(), None);
            let Some(sum) = dz else {
                head.backward(&context, z, layers, activations, None, grad_mode);
                continue;
            };
            let dz = if first { &mut *sum } else { &mut dtrunk[..features] };
            head.backward(&context, z, layers, activations, Some(&mut *dz), grad_mode);
            if let Some(shares) = shares {
                let factor = shares[h] / targets.loss_weights[h];
                dz.iter_mut().for_each(|dz| *dz *= factor);
            }
            if !first {
                sum.iter_mut().zip(&dtrunk[..features]).for_each(|(sum, dz)| *sum += dz);
            }
            first = false;
        }
        let layers = (0..self.trunk.layers.len(), None);
        self.trunk.backward(&context, x, layers, trunk, dx, grad_mode);
    }

    /// The loss of a batch of images x, [batch, inputs], as the sum over heads of weight times mean loss, and the gradient of
    /// every parameter, which [`Network::state_dict`] returns. The network computes as in training: dropout draws masks from its
    /// stream, batch normalisation uses the statistics of the batch and updates its running ones. The weights do not change.
    pub fn gradients(&mut self, x: &[f32], targets: Targets, workspace: &mut Workspace) -> f64 {
        self.forward(x, true, workspace);
        self.backward(x, targets, None, workspace, None, GradMode::Store);
        workspace.loss(targets)
    }

    /// The gradient of the images, [batch, inputs], for the loss of [`Network::gradients`], with the same side effects.
    /// [`Network::input_gradient`] has no side effects, and computes as in evaluation.
    ///
    /// # Panics
    /// If `dx` is not as long as `x`.
    pub fn image_gradients(
        &mut self,
        x: &[f32],
        targets: Targets,
        workspace: &mut Workspace,
        dx: &mut [f32],
    ) {
        assert_eq!(x.len(), dx.len(), "a gradient for every number");
        self.forward(x, true, workspace);
        self.backward(x, targets, None, workspace, Some(dx), GradMode::Skip);
    }

    /// Updates every parameter of the trunk and of the heads with a weight by its stored gradient. Where the norm of all these
    /// gradients together is larger than `norm`, they are first scaled down to it.
    pub(crate) fn step_clipped(&mut self, norm: f64, targets: Targets, rule: &dyn StepRule) {
        let isa = self.isa;
        let mut squares = 0.0;
        self.each_trained(targets, |parameter| squares += sum_of_squares(&parameter.gradient));
        let factor = (norm / squares.sqrt()).min(1.0) as f32;
        self.each_trained(targets, |parameter| {
            let mut gradient = std::mem::take(&mut parameter.gradient);
            par_for_each(gradient.par_chunks_mut(CHUNK), |part| part.iter_mut().for_each(|g| *g *= factor));
            let sink = parameter.grad_sink(isa, GradMode::Step(rule));
            par_for_each(gradient.par_chunks(CHUNK).enumerate(), |(number, part)| {
                // SAFETY: each chunk once.
                #[expect(unsafe_code, reason = "tasks hand in disjoint chunks")]
                unsafe {
                    sink.take(number * CHUNK, part);
                }
            });
            parameter.gradient = gradient;
        });
    }

    /// Calls `work` with every trained parameter of the trunk and of the heads with a weight.
    fn each_trained(&mut self, targets: Targets, mut work: impl FnMut(&mut Parameter)) {
        let heads = self.heads.iter_mut().zip(targets.loss_weights).filter(|(_, weight)| **weight != 0.0);
        let parts = std::iter::once(&mut self.trunk).chain(heads.map(|(head, _)| head));
        for layer in parts.flat_map(|part| &mut part.layers) {
            layer.visit_mut(&mut |layer| {
                let parameters = layer.op.parameters_mut().iter_mut();
                parameters.filter(|parameter| parameter.kind != ParamKind::Buffer).for_each(&mut work);
            });
        }
    }

    /// The time that each layer took for the last batch of this workspace.
    pub fn timings(&self, workspace: &Workspace) -> Vec<LayerTime> {
        let chains =
            std::iter::once((&self.trunk, &workspace.trunk)).chain(self.heads.iter().zip(&workspace.heads));
        let layers = chains.flat_map(|(chain, activations)| chain.layers.iter().zip(&activations.timings));
        let time = |(layer, &[forward, backward]): (&NamedLayer, &[Duration; 2])| LayerTime {
            name: layer.name.clone(),
            forward,
            backward,
        };
        layers.map(time).collect()
    }

    /// Begins the moments that an optimiser keeps at zero, and gives up all others.
    pub(crate) fn alloc_moments(&mut self, kept: [bool; 2]) {
        self.visit_mut(&mut |layer| {
            layer.op.parameters_mut().iter_mut().for_each(|parameter| parameter.alloc_moments(kept));
        });
    }

    /// Applies the optimiser's steps that layers have deferred.
    pub(crate) fn settle(&mut self) {
        self.visit_mut(&mut |layer| layer.op.settle());
    }

    /// Whether no layer has deferred steps.
    pub(crate) fn is_settled(&self) -> bool {
        let mut is_settled = true;
        self.visit(&mut |layer| {
            let mut parameters = layer.op.parameters().iter();
            is_settled &=
                parameters.all(|parameter| parameter.deferred.as_ref().is_none_or(Deferred::is_settled));
        });
        is_settled
    }

    /// Visits the random streams that training draws from, with the layer's name.
    pub(crate) fn visit_streams(&mut self, visit: &mut dyn FnMut(&str, &mut RngStream)) {
        self.visit_mut(&mut |layer| {
            let NamedLayer { name, op, .. } = layer;
            op.stream().into_iter().for_each(|stream| visit(name, stream));
        });
    }

    /// Visits every layer, those within blocks too, in the order in which files have them.
    pub(crate) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a NamedLayer)) {
        let heads = self.heads.iter().flat_map(|head| &head.layers);
        self.trunk.layers.iter().chain(heads).for_each(|layer| layer.visit(visit));
    }

    /// As [`Network::visit`].
    pub(crate) fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut NamedLayer)) {
        let heads = self.heads.iter_mut().flat_map(|head| &mut head.layers);
        self.trunk.layers.iter_mut().chain(heads).for_each(|layer| layer.visit_mut(visit));
    }
}

/// Numbers of a task that goes through a gradient.
const CHUNK: usize = 1 << 14;

/// Σ g², the same on any number of threads: each of 64 parts in f64, then their sum.
fn sum_of_squares(gradient: &[f32]) -> f64 {
    let part = gradient.len().div_ceil(64).max(1);
    let mut sums = [0.0_f64; 64];
    let parts = sums.par_iter_mut().zip(gradient.par_chunks(part));
    par_for_each(parts, |(sum, part)| *sum = part.iter().map(|&g| f64::from(g) * f64::from(g)).sum());
    sums.iter().sum()
}
