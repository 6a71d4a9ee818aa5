//! Models in files.

use std::path::Path;

use inkling_engine::{ActivationRegistry, StateKind};
use inkling_schema::{MODEL_FORMAT, ModelSpec};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use crate::error::Error;
use crate::model::Model;

impl Model {
    /// Writes the network to a file, its layers in the metadata: `inkling look` reads it, as [`Model::load`] does.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let tensors = self.network.state_dict(StateKind::Values);
        let views = tensors.iter().map(|tensor| {
            let bytes = bytemuck::cast_slice(&tensor.values);
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
            (&tensor.name, view.expect("as many numbers as the shape has"))
        });
        let json = serde_json::to_string(self.spec()).expect("a network's spec is plain data");
        let metadata = [("format".to_owned(), MODEL_FORMAT.to_owned()), ("model".to_owned(), json)];
        let bytes = serialize(views, Some(metadata.into())).expect("named tensors can be written");
        std::fs::write(path, bytes).map_err(|source| Error::Io {
            what: "write",
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a network from a file of [`Model::save`], or of a study (`runs/*/model.safetensors`).
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::NotAModel`], which says what is wrong.
    pub fn load(path: impl AsRef<Path>) -> Result<Model, Error> {
        Model::load_with_activations(path, &ActivationRegistry::new())
    }

    /// As [`Model::load`], with activations of the program's own for layers of the kind `custom`.
    ///
    /// # Errors
    /// As [`Model::load`]; [`Error::NotAModel`] also where an activation is not known.
    pub fn load_with_activations(
        path: impl AsRef<Path>,
        activations: &ActivationRegistry,
    ) -> Result<Model, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            what: "read",
            path: path.to_owned(),
            source,
        })?;
        let not = |reason: String| Error::NotAModel { path: path.to_owned(), reason };
        let (_, head) = SafeTensors::read_metadata(&bytes).map_err(|error| not(error.to_string()))?;
        let metadata = head.metadata().clone().unwrap_or_default();
        match metadata.get("format").map(String::as_str) {
            Some(MODEL_FORMAT) => {}
            Some(other) => {
                return Err(not(format!("it has the format {other}, and this reads {MODEL_FORMAT}")));
            }
            None => return Err(not("it does not say its format, as the files of this program do".into())),
        }
        let json = metadata.get("model").ok_or_else(|| not("it describes no layers".into()))?;
        let spec: ModelSpec = serde_json::from_str(json).map_err(|error| not(error.to_string()))?;
        let model = Model::with_activations(&spec, 0, activations);
        let mut model = model.map_err(|error| not(error.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| not(error.to_string()))?;
        model.network.load_state_dict(StateKind::Values, |name, shape| {
            let tensor = tensors.tensor(name).map_err(|_| not(format!("it has no tensor `{name}`")))?;
            if tensor.shape() != shape || tensor.dtype() != Dtype::F32 {
                let found = (tensor.dtype(), tensor.shape());
                return Err(not(format!("`{name}` is {found:?}, and f32 of {shape:?} was expected")));
            }
            let bytes = tensor.data().as_chunks::<4>().0;
            let values: Vec<f32> = bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            match values.iter().all(|value| value.is_finite()) {
                true => Ok(values),
                false => Err(not(format!("`{name}` holds numbers that are not finite"))),
            }
        })?;
        Ok(model)
    }
}
