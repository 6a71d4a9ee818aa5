//! Facts of one network layer by layer: shapes and parameters, worked out.

use inkling_schema::{LayerSpec, PlannedLayer, Shape};
use serde::Serialize;

use crate::{Network, NetworksResults};

/// Widths of the networks that the brief asks for: a multilayer perceptron, a convolutional network.
const BRIEF: [&[usize]; 2] = [&[1000, 1000], &[32, 64, 128]];

/// The brief's network, or where the study has none, its first.
#[derive(Debug, Serialize)]
pub(super) struct Worked<'a> {
    name: &'a str,
    /// Lengths of the vectors between the dense layers, the flattened image first.
    vectors: Vec<usize>,
    /// The layers that have parameters.
    layers: Vec<WorkedLayer>,
    /// Side of the square image before the first convolution and after each; empty where an image is no square.
    sides: Vec<usize>,
    parameters: usize,
    /// Multiplications with additions for an image.
    multiply_adds: usize,
    /// Share of the parameters that lie in dense layers.
    dense_share: f64,
}

#[derive(Debug, Serialize)]
struct WorkedLayer {
    /// "convolution" or "dense".
    kind: &'static str,
    kernel: String,
    stride: String,
    output: String,
    /// How its parameters add up.
    sum: String,
    parameters: usize,
    multiply_adds: usize,
}

impl<'a> Worked<'a> {
    /// `None` without a network that can be planned.
    pub(super) fn new(task: &'a NetworksResults) -> Option<Self> {
        let asked = |network: &&Network| BRIEF.contains(&network.widths.as_slice());
        let network = task.networks.iter().find(asked).or(task.networks.first())?;
        let plan = network.spec.model.plan().ok()?;
        let layers: Vec<WorkedLayer> = plan.all_layers().filter_map(WorkedLayer::new).collect();
        let dense = || plan.all_layers().filter(|layer| matches!(layer.layer, LayerSpec::Dense { .. }));
        let convolutions =
            || plan.all_layers().filter(|layer| matches!(layer.layer, LayerSpec::Conv2d { .. }));
        let first = convolutions().next().map(|layer| layer.input);
        let images = first.into_iter().chain(convolutions().map(|layer| layer.output));
        let sides: Option<Vec<usize>> = images
            .map(|shape| match shape {
                Shape::Image { height, width, .. } if height == width => Some(height),
                _ => None,
            })
            .collect();
        let first = dense().next().map(|layer| layer.input.len());
        Some(Worked {
            name: &network.name,
            vectors: first.into_iter().chain(dense().map(|layer| layer.output.len())).collect(),
            sides: sides.unwrap_or_default(),
            parameters: plan.parameters,
            multiply_adds: layers.iter().map(|layer| layer.multiply_adds).sum(),
            dense_share: dense().map(|layer| layer.parameters).sum::<usize>() as f64 / plan.parameters as f64,
            layers,
        })
    }
}

impl WorkedLayer {
    fn new(planned: &PlannedLayer) -> Option<Self> {
        let (kind, kernel, stride, sum) = match (&planned.layer, planned.input) {
            (
                LayerSpec::Conv2d { filters, kernel_size: [h, w], stride, .. },
                Shape::Image { channels, .. },
            ) => (
                "convolution",
                format!("{h} × {w}"),
                if stride[0] == stride[1] {
                    stride[0].to_string()
                } else {
                    format!("{} × {}", stride[0], stride[1])
                },
                format!("({h} · {w} · {channels} + 1) · {filters}"),
            ),
            (LayerSpec::Dense { units, .. }, input) => {
                ("dense", String::new(), String::new(), format!("({} + 1) · {units}", input.len()))
            }
            _ => return None,
        };
        let output = planned.output.to_string().replace('×', " × ");
        let (parameters, multiply_adds) = (planned.parameters, planned.multiply_adds);
        Some(WorkedLayer { kind, kernel, stride, output, sum, parameters, multiply_adds })
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::DataSetFacts;

    use super::*;
    use crate::fixtures::{self, Shape};

    #[test]
    fn the_briefs_networks_worked_out() {
        let data = DataSetFacts {
            title: "MNIST".into(),
            height: 28,
            width: 28,
            channels: 1,
            classes: (0..10).map(|digit| digit.to_string()).collect(),
            checksum: "c".into(),
            images: None,
        };
        let shape = Shape { test_images: 100, ..Shape::SMALL };
        let cnns = fixtures::cnns(&data, shape);
        let cnn = Worked::new(&cnns).unwrap();
        assert_eq!((cnn.name, cnn.parameters), ("3 conv", 227_306));
        assert_eq!(cnn.sides, [28, 28, 14, 7]);
        let sums: Vec<&str> = cnn.layers.iter().map(|layer| layer.sum.as_str()).collect();
        let conv = ["(4 · 4 · 1 + 1) · 32", "(4 · 4 · 32 + 1) · 64", "(4 · 4 · 64 + 1) · 128"];
        assert_eq!((&sums[..3], sums[3]), (&conv[..], "(6272 + 1) · 10"));
        let parts: Vec<usize> = cnn.layers.iter().map(|layer| layer.parameters).collect();
        assert_eq!(parts, [544, 32_832, 131_200, 62_730]);
        // 28² · 16 · 32 + 14² · 512 · 64 + 7² · 1024 · 128 + 6272 · 10, by hand.
        assert_eq!(cnn.multiply_adds, 401_408 + 6_422_528 + 6_422_528 + 62_720);

        let mlps = fixtures::mlps(&data, shape);
        let mlp = Worked::new(&mlps).unwrap();
        assert_eq!((mlp.vectors.as_slice(), mlp.parameters), (&[784, 1000, 1000, 10][..], 1_796_010));
        assert_eq!(mlp.dense_share, 1.0);
        assert!(mlp.sides.is_empty());
    }
}
