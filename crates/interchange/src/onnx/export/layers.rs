//! The nodes of each layer.

use inkling_schema::{LayerSpec, Padding, PlannedLayer, Shape};

use super::graph::{Graph, Value, float, int, ints};
use super::messages::AttributeProto;
use super::{Layout, same_padding};
use crate::InterchangeError;

impl Graph<'_> {
    /// Adds the layers of a trunk, a head or a block, by its name, and gives what comes out of the last.
    pub(super) fn layers(
        &mut self,
        part: &str,
        planned: &[PlannedLayer],
        mut value: Value,
    ) -> Result<Value, InterchangeError> {
        for (i, plan) in planned.iter().enumerate() {
            value = self.layer(&format!("{part}.{}", i + 1), plan, value)?;
        }
        Ok(value)
    }

    /// Adds a layer by its name.
    fn layer(&mut self, name: &str, plan: &PlannedLayer, x: Value) -> Result<Value, InterchangeError> {
        let x = match needed_layout(plan) {
            Some(layout) => self.arranged(name, x, layout),
            None => x,
        };
        let layout = x.layout;
        let features = plan.input.features();
        let parameter = |kind: &str| format!("{name}.{kind}");
        let output = match &plan.layer {
            LayerSpec::Dense { units, .. } => {
                let weight = self.weight(parameter("weight"), &[features, *units])?;
                let bias = self.weight(parameter("bias"), &[*units])?;
                self.node(name, "Gemm", &[&x.name, &weight, &bias], Vec::new())
            }
            LayerSpec::Conv2d { filters, kernel_size, stride, padding, .. } => {
                let [height, width] = *kernel_size;
                let weight = self.filters(parameter("weight"), [height, width, features, *filters])?;
                let bias = self.weight(parameter("bias"), &[*filters])?;
                let mut settings = windows(*kernel_size, *stride);
                settings.push(ints("pads", &pads(plan, *kernel_size, *stride, *padding)));
                self.node(name, "Conv", &[&x.name, &weight, &bias], settings)
            }
            LayerSpec::MaxPool { pool_size, stride } => {
                self.node(name, "MaxPool", &[&x.name], windows(*pool_size, *stride))
            }
            LayerSpec::AvgPool { pool_size, stride } => {
                self.node(name, "AveragePool", &[&x.name], windows(*pool_size, *stride))
            }
            LayerSpec::GlobalAvgPool => {
                let mean = self.node(&parameter("mean"), "GlobalAveragePool", &[&x.name], Vec::new());
                self.node(name, "Flatten", &[&mean], vec![int("axis", 1)])
            }
            LayerSpec::Flatten => self.node(name, "Flatten", &[&x.name], vec![int("axis", 1)]),
            LayerSpec::Dropout { rate } => {
                let ratio = self.scalar(&parameter("ratio"), *rate as f32);
                self.node(name, "Dropout", &[&x.name, &ratio], Vec::new())
            }
            LayerSpec::BatchNorm { epsilon, momentum } => {
                let mut inputs = vec![x.name.clone()];
                for kind in ["scale", "shift", "running_mean", "running_variance"] {
                    inputs.push(self.weight(parameter(kind), &[features])?);
                }
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                // ONNX has the share that the running statistics keep.
                let settings = vec![float("epsilon", *epsilon), float("momentum", 1.0 - *momentum)];
                self.node(name, "BatchNormalization", &inputs, settings)
            }
            LayerSpec::LayerNorm { epsilon } => {
                let scale = self.weight(parameter("scale"), &[features])?;
                let shift = self.weight(parameter("shift"), &[features])?;
                let settings = vec![int("axis", -1), float("epsilon", *epsilon)];
                self.node(name, "LayerNormalization", &[&x.name, &scale, &shift], settings)
            }
            LayerSpec::Residual { layers, .. } => {
                let (inner, projection) = plan.inner.split_at(layers.len());
                let sum = self.layers(name, inner, x.clone())?;
                let shortcut = match projection.first() {
                    Some(projection) => self.layer(&parameter("projection"), projection, x)?,
                    None => x,
                };
                let shortcut = self.arranged(&parameter("shortcut"), shortcut, sum.layout);
                let name = self.node(name, "Add", &[&sum.name, &shortcut.name], Vec::new());
                return Ok(Value { name, ..sum });
            }
            activation => self.activation(name, activation, &x.name),
        };
        Ok(Value { name: output, shape: plan.output, layout })
    }

    /// Adds a function of each number by itself.
    fn activation(&mut self, name: &str, layer: &LayerSpec, x: &str) -> String {
        let part = |word: &str| format!("{name}.{word}");
        match layer {
            LayerSpec::LeakyRelu { slope } => {
                self.node(name, "LeakyRelu", &[x], vec![float("alpha", *slope)])
            }
            LayerSpec::Elu { alpha } => self.node(name, "Elu", &[x], vec![float("alpha", *alpha)]),
            // x · (1 + erf(x / √2)) · ½, in the order of PyTorch's files, which inference engines recognise.
            LayerSpec::Gelu => {
                let root = self.scalar(&part("root_of_two"), std::f32::consts::SQRT_2);
                let one = self.scalar(&part("one"), 1.0);
                let half = self.scalar(&part("half"), 0.5);
                let scaled = self.node(&part("scaled"), "Div", &[x, &root], Vec::new());
                let erf = self.node(&part("erf"), "Erf", &[&scaled], Vec::new());
                let sum = self.node(&part("sum"), "Add", &[&erf, &one], Vec::new());
                let product = self.node(&part("product"), "Mul", &[x, &sum], Vec::new());
                self.node(name, "Mul", &[&product, &half], Vec::new())
            }
            LayerSpec::Silu => {
                let gate = self.node(&part("gate"), "Sigmoid", &[x], Vec::new());
                self.node(name, "Mul", &[x, &gate], Vec::new())
            }
            LayerSpec::Sigmoid => self.node(name, "Sigmoid", &[x], Vec::new()),
            LayerSpec::Tanh => self.node(name, "Tanh", &[x], Vec::new()),
            other => {
                assert_eq!(*other, LayerSpec::Relu, "the plan refuses layers that ONNX lacks");
                self.node(name, "Relu", &[x], Vec::new())
            }
        }
    }

    /// A value with its axes in this order.
    fn arranged(&mut self, name: &str, x: Value, layout: Layout) -> Value {
        if matches!(x.shape, Shape::Vector(_)) || x.layout == layout {
            return x;
        }
        let order = match layout {
            Layout::Nchw => "channels_first",
            Layout::Nhwc => "channels_last",
        };
        let permutation = vec![ints("perm", &layout.permutation())];
        let name = self.node(&format!("{name}.{order}"), "Transpose", &[&x.name], permutation);
        Value { name, shape: x.shape, layout }
    }
}

/// The order of the axes of images in which a layer works, if it is not every order.
fn needed_layout(plan: &PlannedLayer) -> Option<Layout> {
    let Shape::Image { height, width, channels } = plan.input else { return None };
    match plan.layer {
        LayerSpec::Conv2d { .. }
        | LayerSpec::MaxPool { .. }
        | LayerSpec::AvgPool { .. }
        | LayerSpec::GlobalAvgPool
        | LayerSpec::BatchNorm { .. } => Some(Layout::Nchw),
        LayerSpec::LayerNorm { .. } => Some(Layout::Nhwc),
        // With one channel or one pixel, the numbers come in the same order either way.
        LayerSpec::Flatten => (channels > 1 && height * width > 1).then_some(Layout::Nhwc),
        _ => None,
    }
}

/// The settings of a layer whose windows slide over an image.
fn windows(kernel: [usize; 2], stride: [usize; 2]) -> Vec<AttributeProto> {
    vec![ints("kernel_shape", &kernel), ints("strides", &stride)]
}

/// The zeros around an image: above, to the left, below, to the right.
fn pads(plan: &PlannedLayer, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> [usize; 4] {
    let (
        Padding::Same,
        Shape::Image { height, width, .. },
        Shape::Image { height: rows, width: columns, .. },
    ) = (padding, plan.input, plan.output)
    else {
        return [0; 4];
    };
    let [above, below] = same_padding(height, kernel[0], stride[0], rows);
    let [left, right] = same_padding(width, kernel[1], stride[1], columns);
    [above, left, below, right]
}
