//! Layers in words.

use crate::model::{Initializer, LayerSpec, Padding};

fn times([height, width]: [usize; 2]) -> String {
    format!("{height}×{width}")
}

impl LayerSpec {
    /// The layer with all its hyperparameters, for a table: "conv2d 32 of 4×4, stride 2×2, same, He uniform".
    pub fn description(&self) -> String {
        let initializer = |initializer: Initializer| match initializer {
            Initializer::HeUniform => "He uniform",
            Initializer::GlorotUniform => "Glorot uniform",
        };
        match *self {
            LayerSpec::Dense { units, initializer: how } => format!("dense {units}, {}", initializer(how)),
            LayerSpec::Conv2d { filters, kernel_size: kernel, stride, padding, initializer: how } => {
                let padding = match padding {
                    Padding::Same => "same",
                    Padding::Valid => "valid",
                };
                let (kernel, stride) = (times(kernel), times(stride));
                format!("conv2d {filters} of {kernel}, stride {stride}, {padding}, {}", initializer(how))
            }
            LayerSpec::Residual { projection: None, .. } => "residual, identity shortcut".into(),
            LayerSpec::Residual { projection: Some(_), .. } => "residual, projected shortcut".into(),
            _ => match self.pooling() {
                Some((size, stride)) => format!("{} {}, stride {}", self.kind(), times(size), times(stride)),
                None => self.kind_and_numbers(),
            },
        }
    }

    /// The layer in two or three words, for a drawing: "conv 4×4", "max pool 2×2", "batch norm".
    pub fn caption(&self) -> String {
        let kind = self.kind().replace('-', " ");
        match (self, self.pooling()) {
            (LayerSpec::Conv2d { kernel_size, .. }, _) => format!("conv {}", times(*kernel_size)),
            (_, Some((size, _))) => format!("{kind} {}", times(size)),
            _ => kind,
        }
    }

    /// The kind and the hyperparameters as files write them: "dropout, rate 0.5".
    fn kind_and_numbers(&self) -> String {
        let members = serde_json::to_value(self).expect("layers have a JSON form");
        let members = members.as_object().into_iter().flatten().filter(|(key, _)| *key != "layer");
        let words = members.map(|(key, value)| format!("{} {value}", key.replace('_', " ")));
        std::iter::once(self.kind().to_owned()).chain(words).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_described_and_captioned() {
        let conv = LayerSpec::Conv2d {
            filters: 32,
            kernel_size: [4, 3],
            stride: [2, 1],
            padding: Padding::Same,
            initializer: Initializer::HeUniform,
        };
        let pool = LayerSpec::MaxPool { pool_size: [2, 2], stride: [1, 2] };
        let norm = LayerSpec::BatchNorm { epsilon: 0.001, momentum: 0.1 };
        for (layer, description, caption) in [
            (conv, "conv2d 32 of 4×3, stride 2×1, same, He uniform", "conv 4×3"),
            (pool, "max-pool 2×2, stride 1×2", "max pool 2×2"),
            (norm, "batch-norm, epsilon 0.001, momentum 0.1", "batch norm"),
            (LayerSpec::GlobalAvgPool, "global-avg-pool", "global avg pool"),
        ] {
            assert_eq!((layer.description().as_str(), layer.caption().as_str()), (description, caption));
        }
    }
}
