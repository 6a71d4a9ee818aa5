//! Networks: a trunk of operations and one or more heads, built from a [`ModelSpec`].

use std::time::Duration;

use inkling_spec::{ModelError, ModelSpec, Shape};

use crate::chain::{Chain, ChainMemory, Link};
use crate::kernels::path::Path;
use crate::memory::Buffer;
use crate::operations::Pass;
use crate::operations::dense::deferred::Deferred;
use crate::operations::identity::Identity;
use crate::operations::parameter::{Parameter, Receive, Role};
use crate::operations::softmax::Judged;
#[cfg(test)]
use crate::optimizer::Rules;
use crate::random::Stream;

/// A network that can be trained and asked.
#[derive(Debug)]
pub struct Network {
    spec: ModelSpec,
    pub(crate) path: Path,
    parameters: usize,
    inputs: usize,
    pub(crate) trunk: Chain,
    pub(crate) heads: Vec<Chain>,
}

/// All memory that a network needs for batches of up to a capacity: made once, so that a step allocates nothing.
#[derive(Debug)]
pub struct Workspace {
    capacity: usize,
    /// Pixels of a batch as numbers, [capacity, inputs].
    pub(crate) x: Buffer,
    pub(crate) trunk: ChainMemory,
    pub(crate) heads: Vec<ChainMemory>,
    /// The last pass that went forward.
    pub(crate) seen: Option<Pass>,
    /// Ones, in place of a ReLU's output, as many as were needed so far.
    pub(crate) ones: Buffer,
    /// Gradient of the trunk's output as one head gives it, where there are several.
    dtrunk: Buffer,
    /// What each head made of the last batch that went backward.
    pub(crate) judged: Vec<Judged>,
}

/// What the heads should say of a batch, and how much each counts.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// The class of each image, head after head: [heads, batch].
    pub labels: &'a [u8],
    /// Share of each head's mean cross-entropy in the loss, `[heads]`.
    pub weights: &'a [f32],
}

/// How long a layer took in the last batch of a workspace; ReLU right after it is part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerTime {
    /// Name of the layer, such as "trunk.2".
    pub name: String,
    /// The forward pass.
    pub forward: Duration,
    /// The backward pass with the update of the weights; zero where there was none.
    pub backward: Duration,
}

/// An array of a network under its name, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Layer and parameter, such as "trunk.2.weight".
    pub name: String,
    /// A dense weight is [inputs, units], a convolution's [kernel height, kernel width, channels, filters].
    pub shape: Vec<usize>,
    /// Values, the last index the fastest.
    pub values: Vec<f32>,
}

/// An array of a network, to be read when it is needed.
#[derive(Debug)]
pub struct ArrayView<'a> {
    /// As an [`Array`]'s.
    pub name: String,
    parameter: &'a Parameter,
    part: Part,
}

impl ArrayView<'_> {
    /// As an [`Array`]'s.
    pub fn shape(&self) -> &[usize] {
        &self.parameter.shape
    }

    /// Writes values from the one with this number on, the last index the fastest.
    ///
    /// # Panics
    /// If the array has not so many, or a matrix is not read by whole rows.
    pub fn read(&self, first: usize, values: &mut [f32]) {
        assert!(
            first + values.len() <= self.shape().iter().product(),
            "values of {} beyond its last",
            self.name
        );
        self.parameter.read(self.part, first, values);
    }
}

/// Which arrays of a network's parameters are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the network computes with.
    Values,
    /// The optimiser's first moments.
    FirstMoments,
    /// The optimiser's second moments.
    SecondMoments,
    /// Gradients kept by [`Network::gradients`].
    Gradients,
}

impl Network {
    /// The network with weights drawn from the streams of this seed, to compute with the current [`Path`].
    ///
    /// # Errors
    /// [`ModelError`] where the layers do not fit each other.
    pub fn new(spec: &ModelSpec, seed: u64) -> Result<Network, ModelError> {
        let plan = spec.plan()?;
        let [height, width, channels] = spec.input;
        let image = Shape::Image { height, width, channels };
        let (trunk_layers, mut rest) = plan.layers.split_at(spec.trunk.len());
        let trunk = Chain::new("trunk", trunk_layers, (image.len(), true), seed);
        let mut heads = Vec::new();
        for head in &spec.heads {
            let (layers, others) = rest.split_at(head.layers.len());
            let mut chain =
                Chain::new(&head.name, layers, (trunk.outputs, trunk.ignores_gradient_of_zeros), seed);
            if chain.links.is_empty() {
                // Scores lie in a head's memory, so that a head that only flattens needs an operation too.
                let name = format!("{}.1", head.name);
                let output = Shape::Vector(chain.outputs);
                chain.links.push(Link { name, output, operation: Box::new(Identity::new(chain.outputs)) });
            }
            heads.push(chain);
            rest = others;
        }
        let (path, parameters) = (Path::current(), plan.parameters);
        Ok(Network { spec: spec.clone(), path, parameters, inputs: image.len(), trunk, heads })
    }

    /// What the network was built from.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Numbers of one image.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Classes of each head.
    pub fn classes(&self) -> Vec<usize> {
        self.heads.iter().map(|head| head.outputs).collect()
    }

    /// Memory for batches of up to `capacity` images; less where the network is not to be trained with it.
    pub fn workspace(&self, capacity: usize, training: bool) -> Workspace {
        let heads: Vec<ChainMemory> = self.heads.iter().map(|head| head.memory(capacity, training)).collect();
        let several = training && heads.len() > 1;
        Workspace {
            capacity,
            x: Buffer::zeros(capacity * self.inputs),
            trunk: self.trunk.memory(capacity, training),
            judged: vec![Judged::default(); heads.len()],
            heads,
            seen: None,
            ones: Buffer::zeros(0),
            dtrunk: Buffer::zeros(if several { capacity * self.trunk.outputs } else { 0 }),
        }
    }

    /// Computes the scores (logits) of every head for images x of [batch, inputs]; [`Workspace::logits`] has them.
    ///
    /// # Panics
    /// If x holds no whole images or more than the workspace has room for.
    pub fn forward(&mut self, x: &[f32], training: bool, workspace: &mut Workspace) {
        self.forward_heads(x, training, workspace, |_| true);
    }

    /// As [`Network::forward`], of some of the heads, by their numbers; the others' scores are left as they were.
    pub(crate) fn forward_heads(
        &mut self,
        x: &[f32],
        training: bool,
        workspace: &mut Workspace,
        wanted: impl Fn(usize) -> bool,
    ) {
        let batch = x.len() / self.inputs;
        assert!(x.len().is_multiple_of(self.inputs) && batch > 0, "images of {} numbers", self.inputs);
        assert!(batch <= workspace.capacity, "a batch of {batch} in a workspace for {}", workspace.capacity);
        let pass = Pass { path: self.path, batch, training };
        workspace.seen = Some(pass);
        self.trunk.forward(&pass, x, &mut workspace.trunk);
        let z = workspace.trunk.output(x, batch * self.trunk.outputs);
        let heads = self.heads.iter_mut().zip(&mut workspace.heads).enumerate();
        heads.filter(|(h, _)| wanted(*h)).for_each(|(_, (head, memory))| head.forward(&pass, z, memory));
    }

    /// The loss of the batch that went forward last, and its gradient: Σ over heads of weight times mean cross-entropy.
    /// What becomes of the parameters' gradients is up to `receive`; `dx` takes that of the images. What each head has
    /// judged is in the workspace. A head of weight zero is passed by: it judges nothing, and its parameters stay. On the
    /// trunk a head's gradient counts with its share where there are `shares`, else with its weight.
    pub(crate) fn backward(
        &mut self,
        x: &[f32],
        targets: Targets,
        shares: Option<&[f32]>,
        workspace: &mut Workspace,
        mut dx: Option<&mut [f32]>,
        receive: Receive,
    ) {
        let batch = x.len() / self.inputs;
        assert_eq!(targets.weights.len(), self.heads.len(), "a weight for each head");
        assert_eq!(targets.labels.len(), self.heads.len() * batch, "a label for each head and image");
        assert!(targets.weights.iter().any(|&weight| weight != 0.0), "a head that has a weight");
        let pass = Pass { path: self.path, batch, training: true };
        let features = batch * self.trunk.outputs;
        let Workspace { trunk, heads, dtrunk, judged, .. } = workspace;
        judged.fill(Judged::default());
        let mut first = true;
        for (h, (head, memory)) in self.heads.iter_mut().zip(heads).enumerate() {
            if targets.weights[h] == 0.0 {
                continue;
            }
            let labels = &targets.labels[h * batch..(h + 1) * batch];
            judged[h] = head.judge(memory, labels, targets.weights[h]);
            let z = trunk.ys.last().map_or(x, |y| &y[..features]);
            let dz = trunk.dys.last_mut().map(|dy| &mut dy[..features]).or(dx.as_deref_mut());
            let links = (0..head.links.len(), None);
            let Some(sum) = dz else {
                head.backward(&pass, z, links, memory, None, receive);
                continue;
            };
            let dz = if first { &mut *sum } else { &mut dtrunk[..features] };
            head.backward(&pass, z, links, memory, Some(&mut *dz), receive);
            if let Some(shares) = shares {
                let factor = shares[h] / targets.weights[h];
                dz.iter_mut().for_each(|dz| *dz *= factor);
            }
            if !first {
                sum.iter_mut().zip(&dtrunk[..features]).for_each(|(sum, dz)| *sum += dz);
            }
            first = false;
        }
        let links = (0..self.trunk.links.len(), None);
        self.trunk.backward(&pass, x, links, trunk, dx, receive);
    }

    /// Mean loss over the batch and the gradient of every parameter, which [`Network::arrays`] gives; the weights stay.
    pub fn gradients(&mut self, x: &[f32], targets: Targets, workspace: &mut Workspace) -> f64 {
        self.forward(x, true, workspace);
        self.backward(x, targets, None, workspace, None, Receive::Keep);
        workspace.loss(targets)
    }

    /// The gradient of the images, [batch, inputs], for the loss of [`Network::gradients`].
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
        self.backward(x, targets, None, workspace, Some(dx), Receive::Discard);
    }

    /// Moves every parameter by its kept gradient.
    #[cfg(test)]
    pub(crate) fn apply(&mut self, rules: &Rules) {
        let path = self.path;
        for parameter in self.links_mut().flat_map(|link| link.operation.parameters_mut()) {
            if parameter.role == Role::Statistic {
                continue;
            }
            let gradient = parameter.gradient.clone();
            // SAFETY: one part at a time.
            #[expect(unsafe_code, reason = "hands in the whole gradient")]
            unsafe {
                parameter.receiver(path, Receive::Update(rules)).take(0, &gradient);
            }
        }
    }

    /// The arrays of this part in the order of the layers.
    pub fn arrays(&self, part: Part) -> Vec<Array> {
        let array = |view: ArrayView| {
            let mut values = vec![0.0; view.shape().iter().product()];
            view.read(0, &mut values);
            Array { shape: view.shape().to_vec(), values, name: view.name }
        };
        self.views(part).map(array).collect()
    }

    /// As [`Network::arrays`], without a copy of the values: a large network's parts are better read one by one.
    pub fn views(&self, part: Part) -> impl Iterator<Item = ArrayView<'_>> {
        let kept = move |parameter: &&Parameter| part == Part::Values || parameter.role != Role::Statistic;
        self.links().flat_map(move |link| {
            link.operation.parameters().iter().filter(kept).map(move |parameter| {
                let name = format!("{}.{}", link.name, parameter.name);
                ArrayView { name, parameter, part }
            })
        })
    }

    /// Sets the arrays of this part: `find` gives the values of a name and shape.
    ///
    /// # Errors
    /// The first error of `find`; what came before is set.
    ///
    /// # Panics
    /// If `find` gives another number of values than the shape has.
    pub fn set_arrays<E>(
        &mut self,
        part: Part,
        mut find: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<(), E> {
        for link in self.links_mut() {
            for parameter in link.operation.parameters_mut() {
                let buffer = match part {
                    Part::Values => &mut parameter.value,
                    _ if parameter.role == Role::Statistic => continue,
                    Part::FirstMoments => &mut parameter.first,
                    Part::SecondMoments => &mut parameter.second,
                    Part::Gradients => &mut parameter.gradient,
                };
                let values = find(&format!("{}.{}", link.name, parameter.name), &parameter.shape)?;
                assert_eq!(values.len(), parameter.shape.iter().product::<usize>(), "values for the shape");
                parameter.layout.pack(&values, buffer);
            }
        }
        Ok(())
    }

    /// How long each layer took in the last batch of this workspace.
    pub fn times(&self, workspace: &Workspace) -> Vec<LayerTime> {
        let chains =
            std::iter::once((&self.trunk, &workspace.trunk)).chain(self.heads.iter().zip(&workspace.heads));
        let links = chains.flat_map(|(chain, memory)| chain.links.iter().zip(&memory.times));
        let time = |(link, &[forward, backward]): (&Link, &[Duration; 2])| LayerTime {
            name: link.name.clone(),
            forward,
            backward,
        };
        links.map(time).collect()
    }

    /// Has every weight take the steps that its layer has put off.
    pub(crate) fn settle(&mut self) {
        self.links_mut().for_each(|link| link.operation.settle());
    }

    /// Whether no layer has put steps off.
    pub(crate) fn is_settled(&self) -> bool {
        let mut parameters = self.links().flat_map(|link| link.operation.parameters());
        parameters.all(|parameter| parameter.deferred.as_ref().is_none_or(Deferred::is_settled))
    }

    /// The random streams that training draws from, by the layer's name.
    pub(crate) fn streams(&mut self) -> impl Iterator<Item = (&str, &mut Stream)> {
        self.links_mut().filter_map(|link| Some((link.name.as_str(), link.operation.stream()?)))
    }

    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.trunk.links.iter().chain(self.heads.iter().flat_map(|head| &head.links))
    }

    pub(crate) fn links_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.trunk.links.iter_mut().chain(self.heads.iter_mut().flat_map(|head| &mut head.links))
    }
}

impl Workspace {
    /// Most images of a batch.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The scores of a head for the last batch: `count` numbers, [batch, classes].
    pub fn logits(&self, head: usize, count: usize) -> &[f32] {
        self.heads[head].output(&[], count)
    }

    /// What each head made of the last batch that went backward.
    pub(crate) fn judged(&self) -> &[Judged] {
        &self.judged
    }

    /// Σ over heads of weight times mean cross-entropy.
    fn loss(&self, targets: Targets) -> f64 {
        let batch = targets.labels.len() / self.judged.len();
        let parts = self.judged.iter().zip(targets.weights);
        parts.map(|(judged, &weight)| f64::from(weight) * judged.loss / batch as f64).sum()
    }
}
