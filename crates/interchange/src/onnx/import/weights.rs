//! Layers with weights, which are brought into the engine's layouts.

use inkling_schema::LayerSpec;

use super::super::Layout;
use super::super::messages::NodeProto;
use super::graph::Heads;
use super::layer::{Form, INITIALIZER, Layer, Parameter};
use super::settings::Settings;
use super::step::Step;
use super::values::Array;
use super::walk::{At, Reader};
use super::windows::{Fit, fit, places};
use super::{decimal, here};
use crate::InterchangeError;

/// Momentum of batch normalisation, where a file's is none that the engine has. It matters in training alone.
const MOMENTUM: f64 = 0.1;

impl<'a> Reader<'a> {
    /// `Gemm`, a dense layer.
    pub(super) fn dense(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let settings = Settings::new(node, &["alpha", "beta", "transA", "transB"])?;
        let factors = [settings.float("alpha", 1.0), settings.float("beta", 1.0)];
        if factors != [1.0; 2] || settings.int("transA", 0) != 0 {
            return Err(InterchangeError::new(
                format!("{} has factors, or transposes its first input", here(node)),
                "a Gemm is read as a dense layer: with alpha = 1, beta = 1 and transA = 0",
            ));
        }
        let is_transposed = settings.int("transB", 0) != 0;
        let weight = self.graph.needed(node, 1)?;
        let bias = self.graph.array(node, 2)?;
        let layer = self.dense_layer(node, at.form, &weight, is_transposed, bias)?;
        let units = layer.parameters[1].values.len();
        Ok((Some(layer), At { value: self.output(node)?, form: Form::vector(units) }))
    }

    /// `MatMul`, a dense layer, whose bias is the `Add` that may follow.
    pub(super) fn product(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        Settings::new(node, &[])?;
        let weight = self.graph.needed(node, 1)?;
        let mut value = self.output(node)?;
        let mut bias = None;
        if let &[next] = self.graph.readers(value, Heads::MAX).as_slice() {
            let sum = &self.graph.nodes[next];
            let other = usize::from(sum.input.first().is_some_and(|name| name == value));
            let is_bias = sum.op_type == "Add"
                && sum.input.get(other).is_some_and(|name| self.graph.is_constant(name))
                && !self.graph.is_end(value, Heads::MAX);
            if is_bias {
                bias = self.graph.array(sum, other)?;
                value = self.output(sum)?;
            }
        }
        let layer = self.dense_layer(node, at.form, &weight, false, bias)?;
        let units = layer.parameters[1].values.len();
        Ok((Some(layer), At { value, form: Form::vector(units) }))
    }

    fn dense_layer(
        &mut self,
        node: &NodeProto,
        form: Form,
        weight: &Array,
        is_transposed: bool,
        bias: Option<Array>,
    ) -> Result<Layer, InterchangeError> {
        let (Form::Vector { len, .. }, &[rows, columns]) = (form, weight.dims.as_slice()) else {
            return Err(unfit(node, form, weight));
        };
        let (inputs, units) = if is_transposed { (columns, rows) } else { (rows, columns) };
        if inputs != len {
            return Err(unfit(node, form, weight));
        }
        let mut values = self.allocate(node, inputs.saturating_mul(units))?;
        for input in 0..inputs {
            let place = form.place(input);
            values.extend((0..units).map(|unit| {
                weight.at(if is_transposed { unit * inputs + place } else { place * units + unit })
            }));
        }
        let bias = self.vector(node, bias, units, Form::vector(units), 0.0)?;
        let weight = Parameter { name: "weight", shape: vec![inputs, units], values };
        let spec = LayerSpec::Dense { units, initializer: INITIALIZER };
        Ok(Layer::new(spec, vec![weight, Parameter { name: "bias", ..bias }]))
    }

    /// `Conv`.
    pub(super) fn convolution(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let known = ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"];
        let settings = Settings::new(node, &known)?;
        let weight = self.graph.needed(node, 1)?;
        let (Form::Image { shape, layout: Layout::Nchw, pads: around }, &[filters, channels, height, width]) =
            (at.form, weight.dims.as_slice())
        else {
            return Err(unfit(node, at.form, &weight));
        };
        let kernel_size = [height, width];
        let is_plain = settings.int("group", 1) == 1
            && settings.ints("dilations").is_none_or(|dilations| dilations == [1, 1]);
        if !is_plain {
            return Err(InterchangeError::new(
                format!("{} has groups or dilations", here(node)),
                "convolutions are read whose filters see all channels, and neighbouring pixels",
            ));
        }
        let stated =
            settings.ints("kernel_shape").is_none_or(|_| settings.pair("kernel_shape") == Some(kernel_size));
        if channels != shape[2] || !stated {
            return Err(unfit(node, at.form, &weight));
        }
        let (stride, pads) = places(node, settings, shape, kernel_size)?;
        let pads = [0, 1, 2, 3].map(|side| around[side].saturating_add(pads[side]));
        let Fit { padding, size, kernel_size, lead } = fit(node, shape, kernel_size, stride, pads)?;
        let numbers =
            kernel_size.iter().fold(channels.saturating_mul(filters), |all, &side| all.saturating_mul(side));
        let mut values = self.allocate(node, numbers)?;
        for row in 0..kernel_size[0] {
            for column in 0..kernel_size[1] {
                // Zeros where the engine's kernel is wider than the file's.
                let place = row.checked_sub(lead[0]).zip(column.checked_sub(lead[1]));
                let place = place.filter(|&(row, column)| row < height && column < width);
                for channel in 0..channels {
                    let at = |filter: usize| {
                        place.map_or(0.0, |(row, column)| {
                            weight.at(((filter * channels + channel) * height + row) * width + column)
                        })
                    };
                    values.extend((0..filters).map(at));
                }
            }
        }
        let bias = self.graph.array(node, 2)?;
        let bias = self.vector(node, bias, filters, Form::vector(filters), 0.0)?;
        let weight = Parameter {
            name: "weight",
            shape: vec![kernel_size[0], kernel_size[1], channels, filters],
            values,
        };
        let spec = LayerSpec::Conv2d { filters, kernel_size, stride, padding, initializer: INITIALIZER };
        let layer = Layer::new(spec, vec![weight, Parameter { name: "bias", ..bias }]);
        let form = Form::image([size[0], size[1], filters], Layout::Nchw);
        Ok((Some(layer), At { value: self.output(node)?, form }))
    }

    /// `BatchNormalization`.
    pub(super) fn batch_norm(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let settings = Settings::new(node, &["epsilon", "momentum", "training_mode"])?;
        if settings.int("training_mode", 0) != 0 {
            return Err(InterchangeError::new(
                format!("{} uses the statistics of the batch, as in training", here(node)),
                "export the network in evaluation mode (`model.eval()` in PyTorch)",
            ));
        }
        let features = at.form.features().ok_or_else(|| misplaced(node, at.form))?;
        let mut parameters = Vec::new();
        for (input, name) in ["scale", "shift", "running_mean", "running_variance"].into_iter().enumerate() {
            let array = self.graph.needed(node, input + 1)?;
            let parameter = self.vector(node, Some(array), features, at.form, 0.0)?;
            parameters.push(Parameter { name, ..parameter });
        }
        // ONNX has the share that the running statistics keep. The difference is rounded to the digits of 32 bits.
        let share = decimal((1.0 - decimal(settings.float("momentum", 0.9))) as f32);
        let momentum = if share > 0.0 && share <= 1.0 { share } else { MOMENTUM };
        let spec = LayerSpec::BatchNorm { epsilon: decimal(settings.float("epsilon", 1e-5)), momentum };
        Ok((Some(Layer::new(spec, parameters)), At { value: self.output(node)?, form: at.form }))
    }

    /// `LayerNormalization`.
    pub(super) fn layer_norm(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let settings = Settings::new(node, &["axis", "epsilon", "stash_type"])?;
        let features = match (at.form, settings.int("axis", -1)) {
            (Form::Vector { len, .. }, -1 | 1) => len,
            (Form::Image { shape, layout: Layout::Nhwc, pads: [0, 0, 0, 0] }, -1 | 3) => shape[2],
            _ => return Err(misplaced(node, at.form)),
        };
        let scale = self.graph.needed(node, 1)?;
        let scale = self.vector(node, Some(scale), features, at.form, 1.0)?;
        let shift = self.graph.array(node, 2)?;
        let shift = self.vector(node, shift, features, at.form, 0.0)?;
        let parameters = vec![Parameter { name: "scale", ..scale }, Parameter { name: "shift", ..shift }];
        let spec = LayerSpec::LayerNorm { epsilon: decimal(settings.float("epsilon", 1e-5)) };
        Ok((Some(Layer::new(spec, parameters)), At { value: self.output(node)?, form: at.form }))
    }

    /// A number for each feature of a form, in the engine's order; `missing` where the file has none.
    fn vector(
        &mut self,
        node: &NodeProto,
        array: Option<Array>,
        features: usize,
        form: Form,
        missing: f32,
    ) -> Result<Parameter, InterchangeError> {
        let mut values = self.allocate(node, features)?;
        match array {
            None => values.resize(features, missing),
            Some(array) => {
                let is_vector = array.dims.last() == Some(&features) && array.len() == features;
                if !is_vector {
                    return Err(InterchangeError::new(
                        format!(
                            "{} has an array of {:?} where it needs {features} numbers",
                            here(node),
                            array.dims
                        ),
                        "the file is damaged: export the network again",
                    ));
                }
                values.extend((0..features).map(|feature| array.at(form.place(feature))));
            }
        }
        Ok(Parameter { name: "", shape: vec![features], values })
    }

    /// Memory for so many weights, if the file is large enough to have them.
    fn allocate(&mut self, node: &NodeProto, count: usize) -> Result<Vec<f32>, InterchangeError> {
        self.room = self.room.checked_sub(count).ok_or_else(|| {
            InterchangeError::new(
                format!("up to {}, its layers have more weights than the file has numbers", here(node)),
                "layers that share their weights are not read",
            )
        })?;
        Ok(Vec::with_capacity(count))
    }
}

impl Layer {
    /// Takes in the batch normalisation that follows, a linear function too.
    pub(super) fn absorb(&mut self, norm: &Layer) {
        let LayerSpec::BatchNorm { epsilon, .. } = norm.spec() else { unreachable!("it follows") };
        let value = |parameter: usize, feature: usize| f64::from(norm.parameters[parameter].values[feature]);
        let factor = |feature: usize| value(0, feature) / (value(3, feature) + epsilon).sqrt();
        let [weight, bias] = self.parameters.as_mut_slice() else {
            unreachable!("a projection has two arrays")
        };
        let features = bias.values.len();
        for (i, weight) in weight.values.iter_mut().enumerate() {
            *weight = (f64::from(*weight) * factor(i % features)) as f32;
        }
        for (feature, bias) in bias.values.iter_mut().enumerate() {
            let centred = f64::from(*bias) - value(2, feature);
            *bias = (centred * factor(feature) + value(1, feature)) as f32;
        }
    }
}

/// What is refused where weights do not fit what comes in.
fn unfit(node: &NodeProto, form: Form, weight: &Array) -> InterchangeError {
    let help = match form {
        Form::Image { layout: Layout::Nhwc, .. } => {
            "transpose the images to [batch, channels, height, width] before it"
        }
        _ => "a Conv reads images, and a Gemm or MatMul vectors: flatten images before it",
    };
    InterchangeError::new(
        format!("{} has weights of {:?}, but its input is {form}", here(node), weight.dims),
        help,
    )
}

/// What is refused where a layer normalises along other axes than the engine does.
fn misplaced(node: &NodeProto, form: Form) -> InterchangeError {
    InterchangeError::new(
        format!("{} normalises along axes of {form} along which it is not read", here(node)),
        "BatchNormalization is read of channels on the second axis, LayerNormalization of vectors or of channels on the last axis",
    )
}
