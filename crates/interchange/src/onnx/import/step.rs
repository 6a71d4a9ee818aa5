//! Which layer each operator is.

use inkling_schema::LayerSpec;

use super::super::LARGEST_BYTE;
use super::super::messages::NodeProto;
use super::layer::Layer;
use super::settings::Settings;
use super::walk::{At, Reader};
use super::{decimal, here, shown};
use crate::InterchangeError;

/// The operators that are read, for messages.
const OPERATORS: &str = "Add, AveragePool, BatchNormalization, Constant, Conv, Div, Dropout, Elu, Erf, Flatten, Gelu, Gemm, \
                         GlobalAveragePool, Identity, LayerNormalization, LeakyRelu, LogSoftmax, MatMul, MaxPool, Mul, Pad, \
                         ReduceMean, Relu, Reshape, Sigmoid, Softmax, Tanh and Transpose";

/// What a node becomes, and what comes after it.
pub(super) type Step<'a> = Result<(Option<Layer>, At<'a>), InterchangeError>;

impl<'a> Reader<'a> {
    /// What the only node that reads a value becomes.
    pub(super) fn step(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        if !matches!(node.domain.as_str(), "" | "ai.onnx") {
            return Err(unknown(node));
        }
        if !matches!(node.op_type.as_str(), "Mul" | "Add")
            && node.input.first().is_none_or(|name| name != at.value)
        {
            return Err(InterchangeError::new(
                format!("{} does not read {} as its first input", here(node), shown(at.value)),
                "operators are read whose first input is the images or what layers make of them",
            ));
        }
        match node.op_type.as_str() {
            "Identity" => Ok((None, At { value: self.output(node)?, form: at.form })),
            "Gemm" => self.dense(node, at),
            "MatMul" => self.product(node, at),
            "Conv" => self.convolution(node, at),
            "MaxPool" | "AveragePool" => self.pooling(node, at),
            "GlobalAveragePool" | "ReduceMean" => self.mean(node, at),
            "Flatten" | "Reshape" => self.flatten(node, at),
            "Transpose" => self.transpose(node, at),
            "Pad" => self.pad(node, at),
            "BatchNormalization" => self.batch_norm(node, at),
            "LayerNormalization" => self.layer_norm(node, at),
            "Div" | "Mul" => self.preparation(node, at),
            _ => {
                let layer = Layer::new(self.function(node)?, Vec::new());
                Ok((Some(layer), At { value: self.output(node)?, form: at.form }))
            }
        }
    }

    /// A layer without weights that works on each number by itself.
    fn function(&self, node: &NodeProto) -> Result<LayerSpec, InterchangeError> {
        let settings = |known| Settings::new(node, known);
        Ok(match node.op_type.as_str() {
            "Relu" => settings(&[]).map(|_| LayerSpec::Relu)?,
            "Sigmoid" => settings(&[]).map(|_| LayerSpec::Sigmoid)?,
            "Tanh" => settings(&[]).map(|_| LayerSpec::Tanh)?,
            "LeakyRelu" => {
                LayerSpec::LeakyRelu { slope: decimal(settings(&["alpha"])?.float("alpha", 0.01)) }
            }
            "Elu" => LayerSpec::Elu { alpha: decimal(settings(&["alpha"])?.float("alpha", 1.0)) },
            "Gelu" => match settings(&["approximate"])?.text("approximate") {
                b"" | b"none" => LayerSpec::Gelu,
                _ => {
                    return Err(InterchangeError::new(
                        format!("{} is an approximation of GELU by tanh, which is not read", here(node)),
                        "export the network with the exact function (`nn.GELU()` in PyTorch)",
                    ));
                }
            },
            "Dropout" => LayerSpec::Dropout { rate: decimal(self.rate(node)?) },
            "Add" | "Softmax" | "LogSoftmax" | "Erf" | "Constant" => {
                return Err(InterchangeError::new(
                    format!("{} is at a place where it is not read", here(node)),
                    "Add is read as a bias or a residual block, Softmax and LogSoftmax at the end, Erf within GELU",
                ));
            }
            _ => return Err(unknown(node)),
        })
    }

    /// The rate of a dropout: since version 12 an input, before an attribute.
    fn rate(&self, node: &NodeProto) -> Result<f32, InterchangeError> {
        let settings = Settings::new(node, &["ratio", "seed"])?;
        let training = node.input.get(2).is_some_and(|name| !name.is_empty());
        match (node.input.get(1).filter(|name| !name.is_empty()), self.graph.scalar(node, 1)?) {
            _ if training => Err(InterchangeError::new(
                format!("{} has an input that says whether to train", here(node)),
                "export the network in evaluation mode (`model.eval()` in PyTorch)",
            )),
            (None, _) => Ok(settings.float("ratio", 0.5)),
            (Some(_), Some(rate)) => Ok(rate),
            (Some(name), None) => Err(InterchangeError::new(
                format!("{} has a rate, {}, that is no single constant number", here(node), shown(name)),
                "export the network in evaluation mode, with constants folded",
            )),
        }
    }

    /// A division by 255, or a multiplication by its reciprocal, before the first layer: the network gets bytes.
    fn preparation(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        Settings::new(node, &[])?;
        let other = usize::from(node.input.first().is_some_and(|name| name == at.value));
        let factor = match (node.op_type.as_str(), self.graph.scalar(node, other)?) {
            ("Div", Some(divisor)) => Some(divisor.recip()),
            ("Mul", factor) => factor,
            _ => None,
        };
        let divides = factor.is_some_and(|factor| (factor * LARGEST_BYTE - 1.0).abs() < 1e-6);
        if !divides || self.is_prepared || self.layers > 0 {
            return Err(InterchangeError::new(
                format!("{} multiplies or divides by what is not read", here(node)),
                "a division of the images by 255 is read before the first layer, and SiLU and GELU as layers; fold other factors \
                 into the weights",
            ));
        }
        self.is_prepared = true;
        Ok((None, At { value: self.output(node)?, form: at.form }))
    }
}

fn unknown(node: &NodeProto) -> InterchangeError {
    InterchangeError::new(
        format!("{} is an operator that is not read", here(node)),
        format!("replace it; those that are read are {OPERATORS}"),
    )
}
