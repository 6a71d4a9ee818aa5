//! Operations one after the other: a trunk or a head of a network, built from planned layers.

use std::ops::Range;
use std::time::{Duration, Instant};

use inkling_spec::{LayerSpec, Padding, PlannedLayer, Shape};

use crate::memory::Buffer;
use crate::operations::batch_norm::BatchNorm;
use crate::operations::conv2d::conv2d;
use crate::operations::dense::{Dense, Size};
use crate::operations::dropout::Dropout;
use crate::operations::geometry::Geometry;
use crate::operations::max_pool::MaxPool;
use crate::operations::parameter::Receive;
use crate::operations::relu::Relu;
use crate::operations::softmax::{Judged, cross_entropy};
use crate::operations::{Flow, Memory, Operation, Pass};
use crate::random::Stream;

/// Operations one after the other.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Numbers of one sample that come out: of the last operation, or those that go in where there is none.
    pub(crate) outputs: usize,
    /// Whether the gradient of an output that is zero changes nothing ([`Operation::ignores_gradient_of_zeros`]).
    pub(crate) ignores_gradient_of_zeros: bool,
    pub(crate) links: Vec<Link>,
}

#[derive(Debug)]
pub(crate) struct Link {
    /// Name of the layer in files, such as "trunk.2".
    pub(crate) name: String,
    /// What comes out, for one sample.
    pub(crate) output: Shape,
    pub(crate) operation: Box<dyn Operation>,
}

#[derive(Debug)]
pub(crate) struct ChainMemory {
    /// Output of each operation.
    pub(crate) ys: Vec<Buffer>,
    /// Gradient of each output; empty where nothing goes backward.
    pub(crate) dys: Vec<Buffer>,
    pub(crate) memories: Vec<Memory>,
    /// How long each operation took in the last batch, forward and backward.
    pub(crate) times: Vec<[Duration; 2]>,
}

impl Chain {
    /// `skips_zeros` says of the numbers that come in what [`Chain::ignores_gradient_of_zeros`] says of those that come out.
    pub(crate) fn new(
        part: &str,
        layers: &[PlannedLayer],
        (inputs, mut skips_zeros): (usize, bool),
        seed: u64,
    ) -> Chain {
        let mut links = Vec::new();
        let mut outputs = inputs;
        for (i, layer) in layers.iter().enumerate() {
            // ReLU right after a dense or convolutional layer is part of that layer's operation.
            let relu = matches!(layers.get(i + 1), Some(PlannedLayer { layer: LayerSpec::Relu, .. }));
            let fused = i > 0 && matches!(layers[i - 1].layer, LayerSpec::Dense { .. } | LayerSpec::Conv2d { .. });
            let name = format!("{part}.{}", i + 1);
            let stream = |purpose: &str| Stream::new(seed, &format!("{purpose}/{name}"));
            outputs = layer.output.len();
            let operation: Box<dyn Operation> = match (&layer.layer, layer.input) {
                (LayerSpec::Dense { units, initial }, _) => {
                    let size = Size { inputs: layer.input.len(), units: *units, relu, skips_zeros };
                    Box::new(Dense::new(size, *initial, &mut stream("initial")))
                }
                (LayerSpec::Conv2d { kernel, stride, padding, initial, .. }, _) => {
                    let geometry = Geometry::new(layer.input, layer.output, *kernel, *stride, *padding);
                    conv2d(geometry, relu, *initial, &mut stream("initial"))
                }
                (LayerSpec::MaxPool { size, stride }, _) => {
                    let geometry = Geometry::new(layer.input, layer.output, *size, *stride, Padding::Valid);
                    Box::new(MaxPool::new(geometry))
                }
                (LayerSpec::Flatten, _) => continue,
                (LayerSpec::Relu, _) if fused => continue,
                (LayerSpec::Relu, _) => Box::new(Relu::new(outputs)),
                (LayerSpec::Dropout { rate }, _) => Box::new(Dropout::new(outputs, *rate, stream("dropout"))),
                (LayerSpec::BatchNorm { epsilon, momentum }, input) => {
                    let features = match input {
                        Shape::Image { channels, .. } => channels,
                        Shape::Vector(units) => units,
                    };
                    Box::new(BatchNorm::new(outputs, features, *epsilon, *momentum))
                }
            };
            skips_zeros = operation.ignores_gradient_of_zeros(skips_zeros);
            links.push(Link { name, output: layer.output, operation });
        }
        Chain { outputs, ignores_gradient_of_zeros: skips_zeros, links }
    }

    pub(crate) fn memory(&self, capacity: usize, training: bool) -> ChainMemory {
        let outputs = |scale: usize| {
            let buffer = |link: &Link| Buffer::zeros(scale * capacity * link.operation.outputs());
            self.links.iter().map(buffer).collect()
        };
        ChainMemory {
            ys: outputs(1),
            dys: outputs(usize::from(training)),
            memories: self.links.iter().map(|link| link.operation.memory(capacity, training)).collect(),
            times: vec![[Duration::ZERO; 2]; self.links.len()],
        }
    }

    pub(crate) fn forward(&mut self, pass: &Pass, x: &[f32], memory: &mut ChainMemory) {
        let mut before = x.len();
        for (i, link) in self.links.iter_mut().enumerate() {
            let (ys, rest) = memory.ys.split_at_mut(i);
            let x = ys.last().map_or(x, |y| &y[..before]);
            before = pass.batch * link.operation.outputs();
            let start = Instant::now();
            link.operation.forward(pass, x, &mut rest[0][..before], &mut memory.memories[i]);
            memory.times[i] = [start.elapsed(), Duration::ZERO];
        }
    }

    /// Goes backward through these operations, from the gradient of the last one's output in `memory`. Where `heard` is
    /// given, it stands for that output: a ReLU lets the gradient through where it is above zero. `dx` is that of the whole
    /// chain's input, and is left alone unless the first operation is among these.
    pub(crate) fn backward(
        &mut self,
        pass: &Pass,
        x: &[f32],
        (links, heard): (Range<usize>, Option<&[f32]>),
        memory: &mut ChainMemory,
        mut dx: Option<&mut [f32]>,
        receive: Receive,
    ) {
        let end = links.end;
        for i in links.rev() {
            let count = |link: &Link| pass.batch * link.operation.outputs();
            let n = count(&self.links[i]);
            let before = i.checked_sub(1).map(|j| count(&self.links[j]));
            let (dys, rest) = memory.dys.split_at_mut(i);
            let flow = Flow {
                x: before.map_or(x, |before| &memory.ys[i - 1][..before]),
                y: heard.filter(|_| i + 1 == end).unwrap_or(&memory.ys[i][..n]),
                dy: &mut rest[0][..n],
                dx: match before {
                    Some(before) => Some(&mut dys[i - 1][..before]),
                    None => dx.take(),
                },
            };
            let start = Instant::now();
            self.links[i].operation.backward(pass, flow, &mut memory.memories[i], receive);
            memory.times[i][1] = start.elapsed();
        }
    }
}

impl Chain {
    /// As a head: judges the scores that came forward, and leaves weight times the gradient of the mean cross-entropy in
    /// their place of `memory`.
    pub(crate) fn judge(&self, memory: &mut ChainMemory, labels: &[u8], weight: f32) -> Judged {
        let scores = labels.len() * self.outputs;
        let last = memory.ys.len() - 1;
        let (logits, dlogits) = (&memory.ys[last][..scores], &mut memory.dys[last][..scores]);
        cross_entropy(self.outputs, logits, labels, weight / labels.len() as f32, Some(dlogits))
    }
}

impl ChainMemory {
    /// What came out of the chain: the last operation's output, or the input where there is none.
    pub(crate) fn output<'a>(&'a self, x: &'a [f32], count: usize) -> &'a [f32] {
        self.ys.last().map_or(x, |y| &y[..count])
    }
}
