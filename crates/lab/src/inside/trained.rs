//! A trained network, read from its file to be looked into.

use std::cell::OnceCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use inkling_data::kind::{ENOUGH, kind};
use inkling_data::{DataSet, Images};
use inkling_engine::{LayerHandle, Network, StateKind};
use inkling_schema::{
    LayerSpec, MODEL_CARD, MODEL_CLASSES, MODEL_FORMAT, ModelCard, ModelSpec, Shape, Weights,
};
use inkling_store::{StoreError, Tensors};

use super::error::LookError;
use crate::batch::EVALUATION_BATCH;
use crate::error::LabError;
use crate::model_file::{BEST, DIVERGED, LAST};

/// Parameters that there is room for, whatever they are.
const FEW: usize = 1 << 24;

/// A trained network.
#[derive(Debug)]
pub struct Trained {
    /// The network with its weights.
    pub network: Network,
    /// Name of the data set that it was trained on, where its file says so.
    pub data: Option<String>,
    /// What its file says of it, if it does.
    pub card: Option<ModelCard>,
    /// Names of the classes of each head, where its file has them without a card: those of an imported network.
    pub classes: Vec<Vec<String>>,
    /// What its file says of a training that diverged, as a clause.
    pub diverged: Option<String>,
    /// Each head's scores of the test images that it is looked into with, computed when first needed.
    scores: OnceCell<Vec<Vec<f32>>>,
}

impl Trained {
    /// Reads a `model.safetensors` of a training run: the weights that are the network's.
    ///
    /// # Errors
    /// As [`Trained::read_weights`].
    pub fn read(path: &Path) -> Result<Trained, LabError> {
        Trained::read_weights(path, None)
    }

    /// Reads a `model.safetensors` of a training run; where none are asked for, the weights that are the network's.
    ///
    /// # Errors
    /// The store's, where the file is missing or damaged or its numbers are not finite; [`LookError::NotAModel`],
    /// [`LookError::WrongTensor`], [`LookError::NoBestWeights`] and [`LookError::CannotBeBuilt`].
    pub fn read_weights(path: &Path, which: Option<Weights>) -> Result<Trained, LabError> {
        let tensors = Tensors::read(path).map_err(|error| of_another_kind(path, error))?;
        // A card of another version may have other keys: the network can be read without it.
        let card: Option<ModelCard> =
            tensors.metadata(MODEL_CARD).and_then(|card| serde_json::from_str(card).ok());
        let prefix = match (which, card.as_ref().map_or(Weights::Last, |card| card.weights)) {
            (Some(Weights::Best), Weights::Last) => BEST,
            (Some(Weights::Last), Weights::Best) => LAST,
            _ => "",
        };
        if !tensors.names().iter().any(|name| name.starts_with(prefix)) {
            return Err(LookError::NoBestWeights { path: path.to_owned() }.into());
        }
        let not_a_model = |reason: String| LookError::NotAModel { path: path.to_owned(), reason };
        if let Some(format) = tensors.metadata("format").filter(|format| *format != MODEL_FORMAT) {
            let reason =
                format!("it has the format `{format}`, and this program reads the format {MODEL_FORMAT}");
            return Err(not_a_model(reason).into());
        }
        let json = tensors.metadata("model").ok_or_else(|| {
            not_a_model(match tensors.names().first().map(String::as_str) {
                Some("components" | "b") => "it is a model of this program that has no layers".into(),
                _ => "it describes no layers, as the networks of this program do".into(),
            })
        })?;
        let spec: ModelSpec = serde_json::from_str(json)
            .map_err(|error| not_a_model(format!("its description of the layers is not one: {error}")))?;
        let cannot = |problem| LookError::CannotBeBuilt { path: path.to_owned(), problem: Box::new(problem) };
        // The description may be anything: no room is made for more than the file holds. Where it is little, the
        // missing tensor says more.
        let (described, held) = (spec.plan().map_err(cannot)?.parameters, held(&tensors));
        if described > held.max(FEW) {
            let reason = format!("its layers have {described} parameters, and it holds {held} numbers");
            return Err(not_a_model(reason).into());
        }
        if let Some(head) = spec.heads.iter().find(|head| !head.loss.is_of_classes()) {
            let (name, loss) = (&head.name, head.loss.name());
            let reason =
                format!("its head `{name}` is trained by {loss}, and only classes can be looked into");
            return Err(not_a_model(reason).into());
        }
        let mut network = Network::new(&spec, 0).map_err(cannot)?;
        let mut known = Vec::new();
        let set = network.load_state_dict(StateKind::Values, |name, shape| {
            known.push(name.to_owned());
            tensors.finite(&format!("{prefix}{name}"), shape)
        });
        set.map_err(|error| match error {
            StoreError::WrongTensor { path, name, reason } => {
                LabError::Look(LookError::WrongTensor { path, name, reason })
            }
            other => other.into(),
        })?;
        let is_known = |name: &str| {
            let plain = name.strip_prefix(BEST).or_else(|| name.strip_prefix(LAST)).unwrap_or(name);
            known.iter().any(|known| known == plain)
        };
        if let Some(extra) = tensors.names().into_iter().find(|name| !is_known(name)) {
            let reason =
                format!("it holds the tensor `{extra}`, which none of the layers that it describes has");
            return Err(not_a_model(reason).into());
        }
        let said = |key| tensors.metadata(key).map(str::to_owned);
        let classes: Vec<Vec<String>> = tensors
            .metadata(MODEL_CLASSES)
            .and_then(|classes| serde_json::from_str(classes).ok())
            .filter(|classes: &Vec<Vec<String>>| {
                network.num_classes().into_iter().eq(classes.iter().map(Vec::len))
            })
            .unwrap_or_default();
        Ok(Trained { diverged: said(DIVERGED), card, classes, ..Trained::new(network, said("data")) })
    }

    /// A network that is trained, and the name of the data set that it was trained on.
    pub fn new(network: Network, data: Option<String>) -> Trained {
        Trained { network, data, card: None, classes: Vec::new(), diverged: None, scores: OnceCell::new() }
    }

    /// Height, width and channels of an image.
    pub fn input(&self) -> [usize; 3] {
        self.network.spec().input
    }

    /// The layer of this name.
    ///
    /// # Errors
    /// [`LookError::NoLayer`] with the names that there are.
    pub fn layer(&self, name: &str) -> Result<LayerHandle, LookError> {
        let layers = self.network.layer_handles();
        let known = || list(layers.iter().map(|layer| format!("`{}` ({})", layer.name, layer.shape)));
        let found = layers.iter().find(|layer| layer.name == name).cloned();
        found.ok_or_else(|| LookError::NoLayer { layer: name.into(), known: known() })
    }

    /// The last layer of a head, which gives its scores.
    ///
    /// # Errors
    /// [`LookError::NoHead`] with the names that there are.
    pub fn scores_of(&self, head: &str) -> Result<LayerHandle, LookError> {
        let number = self.head(head)?;
        let layers = self.network.layer_handles();
        Ok(layers.into_iter().find(|layer| layer.scores_of == Some(number)).expect("a head has scores"))
    }

    /// The number of the head of this name.
    ///
    /// # Errors
    /// [`LookError::NoHead`] with the names that there are.
    pub fn head(&self, name: &str) -> Result<usize, LookError> {
        let heads = &self.network.spec().heads;
        heads.iter().position(|known| known.name == name).ok_or_else(|| {
            let known = list(heads.iter().map(|head| format!("`{}`", head.name)));
            LookError::NoHead { head: name.into(), known }
        })
    }

    /// Name of the first head, by which images are classified where no other is asked.
    pub fn first_head(&self) -> &str {
        &self.network.spec().heads[0].name
    }

    /// Name of the head that a layer is in; of the first one where all heads share it.
    pub fn head_of(&self, layer: &LayerHandle) -> &str {
        &self.network.spec().heads[layer.head().unwrap_or(0)].name
    }

    /// Refuses a class that a head does not know.
    ///
    /// # Errors
    /// [`LookError::NoHead`] and [`LookError::NoClass`]; `names` are the classes' names for its message, where known.
    pub fn check_class(&self, head: &str, class: usize, names: &[impl AsRef<str>]) -> Result<(), LookError> {
        let classes = self.scores_of(head)?.shape.len();
        if class < classes {
            return Ok(());
        }
        let known: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let names = if known.len() == classes { format!(": {}", known.join(", ")) } else { String::new() };
        Err(LookError::NoClass { class, head: head.into(), last: classes - 1, names })
    }

    /// The names of the convolutions, those within residual blocks too, in order.
    pub fn convolutions(&self) -> Vec<String> {
        self.names_of(|layer| matches!(layer, LayerSpec::Conv2d { .. }))
    }

    /// The layers whose outputs are the feature maps of a convolution or of a residual block of convolutions, in order.
    pub fn feature_maps(&self) -> Vec<LayerHandle> {
        let names =
            self.names_of(|layer| matches!(layer, LayerSpec::Conv2d { .. } | LayerSpec::Residual { .. }));
        let is_one =
            |layer: &LayerHandle| matches!(layer.shape, Shape::Image { .. }) && names.contains(&layer.name);
        self.network.layer_handles().into_iter().filter(is_one).collect()
    }

    /// The names of all layers of a kind, those within blocks too.
    fn names_of(&self, is_one: impl Fn(&LayerSpec) -> bool) -> Vec<String> {
        let plan = self.network.spec().plan().expect("a network that was built");
        let found = plan.all_layers().filter(|layer| is_one(&layer.layer));
        // A place is the part and the number of the layer in it, "trunk 3"; a name has a full stop between them.
        let name = |place: &str| place.rsplit_once(' ').map(|(part, number)| format!("{part}.{number}"));
        found.filter_map(|layer| name(&layer.place)).collect()
    }

    /// The scores that each head gives images, which have the shape that the network takes: [n, classes] by head.
    pub fn scores_of_images(&mut self, images: &Images) -> Vec<Vec<f32>> {
        // Not `evaluate`, which wants a label that it knows for every head.
        let network = &mut self.network;
        let (dim, heads) = (network.input_len(), network.num_classes().len());
        let batch = EVALUATION_BATCH.min(images.len().max(1));
        let mut workspace = network.workspace(batch, false);
        let mut x = vec![0.0; batch * dim];
        let mut scores = vec![Vec::new(); heads];
        for pixels in images.pixels.chunks(x.len()) {
            let x = &mut x[..pixels.len()];
            inkling_engine::normalize_pixels(pixels, x);
            network.forward(x, false, &mut workspace);
            for (head, scores) in scores.iter_mut().enumerate() {
                scores.extend_from_slice(workspace.logits(head));
            }
        }
        scores
    }

    /// Scores of a head, by its number, on all test images, [n, classes].
    pub(crate) fn test_scores(&mut self, head: usize, set: &DataSet) -> &[f32] {
        if self.scores.get().is_none() {
            let scores = self.scores_of_images(&set.test.images);
            let _ = self.scores.set(scores);
        }
        &self.scores.get().expect("just computed")[head]
    }
}

/// The error for a file that cannot be read as tensors: where it is of another kind, that says more than what is wrong
/// with its first bytes.
fn of_another_kind(path: &Path, error: StoreError) -> LabError {
    let StoreError::Damaged { .. } = error else { return error.into() };
    let mut start = Vec::new();
    // Where it cannot be read again, the error is as good as it was.
    let read = File::open(path).and_then(|file| file.take(ENOUGH as u64).read_to_end(&mut start));
    match kind(&start).filter(|_| read.is_ok()) {
        Some(kind) if !kind.contains("safetensors") => {
            LookError::NotAModel { path: path.to_owned(), reason: format!("it is {kind}") }.into()
        }
        _ => error.into(),
    }
}

/// Numbers in a tensor file.
fn held(tensors: &Tensors) -> usize {
    let count = |name: &String| tensors.shape(name).map_or(0, |shape| shape.iter().product());
    tensors.names().iter().map(count).sum()
}

/// Names as a list: "a, b, c".
pub(crate) fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Height, width and channels of a layer's output; a vector is one pixel.
pub(crate) fn as_image(shape: Shape) -> [usize; 3] {
    match shape {
        Shape::Image { height, width, channels } => [height, width, channels],
        Shape::Vector(units) => [1, 1, units],
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::MODELS;

    use super::*;

    #[test]
    fn convolutions_within_blocks_have_filters_and_blocks_have_feature_maps() {
        let of = |name: &str| {
            let text = MODELS.iter().find(|(known, _)| *known == name).unwrap().1;
            let spec = ModelSpec::from_toml(name, text).unwrap();
            Trained::new(Network::new(&spec, 1).unwrap(), None)
        };
        let names = |layers: Vec<LayerHandle>| layers.into_iter().map(|layer| layer.name).collect::<Vec<_>>();
        let residual = of("resnet-8");
        let filters = residual.convolutions();
        assert_eq!(filters[..3], ["trunk.1", "trunk.4.1", "trunk.4.4"]);
        assert_eq!(filters[5..], ["trunk.6.projection", "trunk.8.1", "trunk.8.4", "trunk.8.projection"]);
        assert_eq!(names(residual.feature_maps()), ["trunk.1", "trunk.4", "trunk.6", "trunk.8"]);
        let plain = of("cnn");
        assert_eq!(plain.convolutions(), names(plain.feature_maps()));
        assert!(of("mlp").convolutions().is_empty() && of("mlp").feature_maps().is_empty());
    }
}
