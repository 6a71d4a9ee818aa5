//! Networks for the tests, and files of them to change.

use inkling_schema::{Head, Initializer, LayerSpec, Loss, ModelSpec, Padding, PlannedLayer};
use prost::Message;

use super::super::messages::ModelProto;
use super::super::{Options, export};
use crate::{InterchangeError, Portable, Tensor};

pub(super) fn dense(units: usize) -> LayerSpec {
    LayerSpec::Dense { units, initializer: Initializer::HeUniform }
}

pub(super) fn conv(
    filters: usize,
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> LayerSpec {
    LayerSpec::Conv2d { filters, kernel_size, stride, padding, initializer: Initializer::HeUniform }
}

/// Words from which everything at random is made (Steele, Lea and Flood 2014).
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// A number from `least` to `most`.
    pub(super) fn from(&mut self, least: usize, most: usize) -> usize {
        least + (self.word() % (most - least + 1) as u64) as usize
    }

    fn share(&mut self) -> f64 {
        self.from(1, 98) as f64 / 99.0
    }

    fn pair(&mut self, most: usize) -> [usize; 2] {
        [self.from(1, most), self.from(1, most)]
    }

    /// A layer of any kind but `custom`, with blocks of up to so many layers within each other.
    fn layer(&mut self, depth: usize) -> LayerSpec {
        match self.from(0, if depth == 0 { 16 } else { 18 }) {
            0 => dense(self.from(1, 7)),
            1 | 2 => {
                let padding = [Padding::Same, Padding::Valid][self.from(0, 1)];
                conv(self.from(1, 5), self.pair(4), self.pair(3), padding)
            }
            3 => LayerSpec::MaxPool { pool_size: self.pair(3), stride: self.pair(2) },
            4 => LayerSpec::AvgPool { pool_size: self.pair(3), stride: self.pair(2) },
            5 => LayerSpec::GlobalAvgPool,
            6 => LayerSpec::Flatten,
            7 => LayerSpec::Relu,
            8 => LayerSpec::LeakyRelu { slope: self.share() },
            9 => LayerSpec::Elu { alpha: self.share() },
            10 => LayerSpec::Gelu,
            11 => LayerSpec::Silu,
            12 => LayerSpec::Sigmoid,
            13 => LayerSpec::Tanh,
            14 => LayerSpec::Dropout { rate: self.share() },
            15 => LayerSpec::BatchNorm { epsilon: self.share(), momentum: self.share() },
            16 => LayerSpec::LayerNorm { epsilon: self.share() },
            _ => LayerSpec::Residual {
                layers: (0..self.from(1, 3)).map(|_| self.layer(depth - 1)).collect(),
                projection: (self.from(0, 1) == 0).then_some(Initializer::GlorotUniform),
            },
        }
    }

    /// A network of layers that fit each other, with one to three heads.
    pub(super) fn model(&mut self) -> ModelSpec {
        let input = [self.from(1, 9), self.from(1, 9), self.from(1, 4)];
        let names = ["digit", "item und Gruppe", "números-2"];
        let mut model =
            ModelSpec { input, trunk: Vec::new(), heads: vec![Head::new("digit", vec![dense(3)])] };
        let fits = |trunk: &[LayerSpec]| {
            let heads =
                [vec![dense(3)], vec![LayerSpec::Flatten]].map(|layers| vec![Head::new("digit", layers)]);
            heads.into_iter().any(|heads| ModelSpec { input, trunk: trunk.to_vec(), heads }.plan().is_ok())
        };
        for _ in 0..self.from(0, 6) {
            model.trunk.push(self.layer(2));
            if !fits(&model.trunk) {
                model.trunk.pop();
            }
        }
        model.heads = names[..self.from(1, 3)]
            .iter()
            .map(|name| {
                let mut layers = Vec::new();
                for _ in 0..self.from(0, 3) {
                    layers.push(self.layer(1));
                    if !fits(&[model.trunk.clone(), layers.clone()].concat()) {
                        layers.pop();
                    }
                }
                let together = [model.trunk.clone(), layers.clone()].concat();
                let as_image = vec![Head::new("digit", vec![LayerSpec::Flatten])];
                if (ModelSpec { input, trunk: together, heads: as_image }).plan().is_ok() {
                    layers.push(LayerSpec::Flatten);
                }
                if layers.is_empty() || self.from(0, 3) > 0 {
                    layers.push(dense(self.from(1, 4)));
                }
                let loss = match self.from(0, 3) {
                    0 => Loss::MeanSquaredError,
                    1 => Loss::BinaryCrossEntropy,
                    2 => Loss::CrossEntropy { label_smoothing: self.share() },
                    _ => Loss::default(),
                };
                Head { loss, ..Head::new(*name, layers) }
            })
            .collect();
        model
    }

    /// A network with random weights.
    pub(super) fn network(&mut self) -> Portable {
        let model = self.model();
        self.weights_of(model)
    }

    /// The network with random weights, each of any bits but those of what is no number.
    pub(super) fn weights_of(&mut self, model: ModelSpec) -> Portable {
        let plan = model.plan().expect("a network that can be built");
        let (trunk, mut rest) = plan.layers.split_at(model.trunk.len());
        let mut arrays = Vec::new();
        of_layers("trunk", trunk, &mut arrays);
        for head in &model.heads {
            let (layers, others) = rest.split_at(head.layers.len());
            of_layers(&head.name, layers, &mut arrays);
            rest = others;
        }
        let tensor = |(name, shape): (String, Vec<usize>)| {
            let number = |_| f32::from_bits(self.word() as u32 & 0xbfff_ffff);
            Tensor { values: (0..shape.iter().product()).map(number).collect(), name, shape }
        };
        Portable { tensors: arrays.into_iter().map(tensor).collect(), model, card: None, classes: Vec::new() }
    }
}

/// Names and shapes of the arrays of layers, as the engine has them.
fn of_layers(part: &str, layers: &[PlannedLayer], arrays: &mut Vec<(String, Vec<usize>)>) {
    layers.iter().enumerate().for_each(|(i, plan)| of_layer(&format!("{part}.{}", i + 1), plan, arrays));
}

fn of_layer(name: &str, plan: &PlannedLayer, arrays: &mut Vec<(String, Vec<usize>)>) {
    let features = plan.input.features();
    let mut add = |kind: &str, shape: &[usize]| arrays.push((format!("{name}.{kind}"), shape.to_vec()));
    match &plan.layer {
        LayerSpec::Dense { units, .. } => {
            add("weight", &[features, *units]);
            add("bias", &[*units]);
        }
        LayerSpec::Conv2d { filters, kernel_size: [height, width], .. } => {
            add("weight", &[*height, *width, features, *filters]);
            add("bias", &[*filters]);
        }
        LayerSpec::BatchNorm { .. } => {
            ["scale", "shift", "running_mean", "running_variance"]
                .iter()
                .for_each(|kind| add(kind, &[features]));
        }
        LayerSpec::LayerNorm { .. } => ["scale", "shift"].iter().for_each(|kind| add(kind, &[features])),
        LayerSpec::Residual { layers, .. } => {
            let (inner, projection) = plan.inner.split_at(layers.len());
            of_layers(name, inner, arrays);
            projection.iter().for_each(|plan| of_layer(&format!("{name}.projection"), plan, arrays));
        }
        _ => {}
    }
}

/// A small network of a convolution and two dense layers.
pub(super) fn small() -> Portable {
    let trunk = vec![conv(2, [2, 2], [2, 2], Padding::Same), LayerSpec::Relu, LayerSpec::Flatten, dense(3)];
    let head = vec![LayerSpec::Tanh, dense(2)];
    Random(1).weights_of(ModelSpec { input: [5, 4, 3], trunk, heads: vec![Head::new("digit", head)] })
}

/// The file of a network, with its messages changed.
pub(super) fn changed(network: &Portable, change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let file = export(network, &Options::default()).expect("a network that ONNX holds");
    let mut model = ModelProto::decode(file.as_slice()).expect("a file that was written");
    change(&mut model);
    model.encode_to_vec()
}

/// What an error says and what it tells to do.
pub(super) fn words(error: &InterchangeError) -> String {
    format!("{error}\n{}", error.help())
}
