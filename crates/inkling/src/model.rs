//! A network that is trained on a user's own arrays, asked, and kept in a file.

use std::path::{Path, PathBuf};

use inkling_engine::random::RngStream;
use inkling_engine::{Dataset, Network, Pixels, StateKind, Trainer, Workspace, evaluate};
use inkling_schema::{ModelError, ModelSpec, Optimizer, Schedule};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use thiserror::Error;

/// Images that are evaluated at a time.
const EVALUATED: usize = 250;
/// The format of the files, as the program writes them for studies.
const FORMAT: &str = "1";

/// What can be wrong with what a model is given.
#[derive(Debug, Error)]
pub enum Error {
    /// The layers do not fit each other.
    #[error("{0}")]
    Layers(#[from] ModelError),

    /// The network has several heads, and this needs one.
    #[error("the network has {0} heads, and this is for networks of one: use `inkling::engine::Trainer`")]
    Heads(usize),

    /// There is no image.
    #[error("there are no images")]
    Empty,

    /// The numbers are not those of whole images.
    #[error(
        "{numbers} numbers are not whole images of {input:?} (height, width, channels), which have {each} each"
    )]
    Shape {
        /// Numbers that were given.
        numbers: usize,
        /// Height, width and channels of an image.
        input: [usize; 3],
        /// Numbers of an image.
        each: usize,
    },

    /// There are not as many labels as images.
    #[error("there are {labels} labels for {images} images")]
    Labels {
        /// Labels.
        labels: usize,
        /// Images.
        images: usize,
    },

    /// A label is beyond the classes.
    #[error("label {index} is {label}, and the network tells {classes} classes apart, 0 to {}", classes - 1)]
    Class {
        /// Number of the label, from 0.
        index: usize,
        /// The label.
        label: u8,
        /// Classes of the network.
        classes: usize,
    },

    /// A number of the images is not finite.
    #[error("number {index} of the images is {value}: only finite numbers can be trained on")]
    NotFinite {
        /// Its place, from 0.
        index: usize,
        /// The number.
        value: f32,
    },

    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),

    /// The loss is no finite number any more.
    #[error(
        "the training diverged in epoch {epoch}: a smaller learning rate may help. The weights are spoilt"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
    },

    /// A file cannot be read or written.
    #[error("cannot {what} `{}`: {source}", .path.display())]
    Io {
        /// "read" or "write".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A file holds no model that this version reads.
    #[error("`{}` holds no model: {reason}", .path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// How a model is trained; [`Fit::default`] has ten epochs of batches of 50 with Adam at a learning rate of 0.001.
#[derive(Debug, Clone)]
pub struct Fit<'a> {
    /// Passes over the images.
    pub epochs: usize,
    /// Images of a step.
    pub batch_size: usize,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// Step size at the start.
    pub learning_rate: f64,
    /// How the step size changes.
    pub schedule: Schedule,
    /// Gradients whose norm is larger are shortened to it.
    pub clip_norm: Option<f64>,
    /// Images and labels that are not trained on: their loss tells how it goes.
    pub validation: Option<(Pixels<'a>, &'a [u8])>,
    /// Epochs without a lower validation loss after which training stops.
    pub patience: Option<usize>,
    /// Seed of the order of the images.
    pub seed: u64,
    /// Called after each epoch; training stops where it says `false`.
    pub on_epoch: Option<fn(&Epoch) -> bool>,
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Fit {
            epochs: 10,
            batch_size: 50,
            optimizer: Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
            learning_rate: 0.001,
            schedule: Schedule::Constant,
            clip_norm: None,
            validation: None,
            patience: None,
            seed: 1,
            on_epoch: None,
        }
    }
}

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean cross-entropy of the images, each before its step.
    pub loss: f64,
    /// Share of them that were right.
    pub accuracy: f64,
    /// The same of the validation images after the epoch, where there are some.
    pub validation: Option<Evaluation>,
}

/// What a model makes of images whose classes are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of the images that are right.
    pub accuracy: f64,
}

/// A network of one head.
#[derive(Debug)]
pub struct Model {
    network: Network,
}

impl Model {
    /// A network with weights drawn from this seed.
    ///
    /// # Errors
    /// [`Error::Layers`] where the layers do not fit each other, [`Error::Heads`] where there is not one head.
    pub fn new(spec: &ModelSpec, seed: u64) -> Result<Model, Error> {
        if spec.heads.len() != 1 {
            return Err(Error::Heads(spec.heads.len()));
        }
        Ok(Model { network: Network::new(spec, seed)? })
    }

    /// What the network is built from.
    pub fn spec(&self) -> &ModelSpec {
        self.network.spec()
    }

    /// The network itself, for all that this type does not do: to look inside, say.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Trains the network on images, [n, height, width, channels], with a label each, and says what each epoch came to.
    /// Bytes are taken as shares of 255, other numbers as they are ([`Pixels`]). The same images, settings and seed give the
    /// same bits on any number of threads.
    ///
    /// # Errors
    /// What is wrong with the images, labels or settings, and [`Error::Diverged`].
    pub fn fit<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: &[u8],
        how: &Fit,
    ) -> Result<Vec<Epoch>, Error> {
        let images = images.into();
        let n = self.check(images, labels)?;
        if let Some((images, labels)) = how.validation {
            self.check(images, labels)?;
        }
        check_settings(how)?;
        let batch = how.batch_size.min(n);
        let network = std::mem::replace(&mut self.network, empty());
        let mut trainer = Trainer::new(network, how.optimizer, batch, &[1.0]);
        trainer.set_clip_norm(how.clip_norm);
        let mut workspace = trainer.network().workspace(EVALUATED, false);
        let trained = train(&mut trainer, Dataset::new(images, &[labels]), how, batch, &mut workspace);
        self.network = trainer.into_network();
        trained
    }

    /// What the network makes of images whose classes are known.
    ///
    /// # Errors
    /// What is wrong with the images or labels.
    pub fn evaluate<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: &[u8],
    ) -> Result<Evaluation, Error> {
        let images = images.into();
        self.check(images, labels)?;
        let mut workspace = self.network.workspace(EVALUATED, false);
        Ok(evaluation(&mut self.network, &mut workspace, images, labels))
    }

    /// The scores (logits) of images, [n, classes].
    ///
    /// # Errors
    /// What is wrong with the images.
    pub fn logits<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<f32>, Error> {
        let images = images.into();
        let n = self.check_images(images)?;
        let mut workspace = self.network.workspace(EVALUATED, false);
        let mut logits = Vec::with_capacity(n * self.classes());
        let none = vec![0; n];
        evaluate(&mut self.network, &mut workspace, Dataset::new(images, &[&none]), |_, scores| {
            logits.extend_from_slice(scores);
        });
        Ok(logits)
    }

    /// The class with the highest score of each image, `[n]`; of equal ones the first.
    ///
    /// # Errors
    /// What is wrong with the images.
    pub fn predict<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<usize>, Error> {
        let classes = self.classes();
        let best = |scores: &[f32]| {
            (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
        };
        Ok(self.logits(images)?.chunks_exact(classes).map(best).collect())
    }

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
        let metadata = [("format".to_owned(), FORMAT.to_owned()), ("model".to_owned(), json)];
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
            Some(FORMAT) => {}
            Some(other) => return Err(not(format!("it has the format {other}, and this reads {FORMAT}"))),
            None => return Err(not("it does not say its format, as the files of this program do".into())),
        }
        let json = metadata.get("model").ok_or_else(|| not("it describes no layers".into()))?;
        let spec: ModelSpec = serde_json::from_str(json).map_err(|error| not(error.to_string()))?;
        let mut model = Model::new(&spec, 0).map_err(|error| not(error.to_string()))?;
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

    fn classes(&self) -> usize {
        self.network.num_classes()[0]
    }

    /// Checks images, and gives their number.
    fn check_images(&self, images: Pixels) -> Result<usize, Error> {
        let (numbers, each) = (images.len(), self.network.input_len());
        if numbers == 0 {
            return Err(Error::Empty);
        }
        if !numbers.is_multiple_of(each) {
            return Err(Error::Shape { numbers, input: self.spec().input, each });
        }
        if let Pixels::Floats(floats) = images
            && let Some(index) = floats.iter().position(|value| !value.is_finite())
        {
            return Err(Error::NotFinite { index, value: floats[index] });
        }
        Ok(numbers / each)
    }

    /// Checks images and their labels, and gives their number.
    fn check(&self, images: Pixels, labels: &[u8]) -> Result<usize, Error> {
        let n = self.check_images(images)?;
        if labels.len() != n {
            return Err(Error::Labels { labels: labels.len(), images: n });
        }
        let classes = self.classes();
        match labels.iter().position(|&label| usize::from(label) >= classes) {
            Some(index) => Err(Error::Class { index, label: labels[index], classes }),
            None => Ok(n),
        }
    }
}

fn check_settings(how: &Fit) -> Result<(), Error> {
    let wrong = |words: &str| Err(Error::Setting(words.to_owned()));
    match how {
        Fit { epochs: 0, .. } => wrong("`epochs` is zero"),
        Fit { batch_size: 0, .. } => wrong("`batch_size` is zero"),
        Fit { learning_rate, .. } if !(learning_rate.is_finite() && *learning_rate > 0.0) => {
            wrong("`learning_rate` is no finite number above zero")
        }
        Fit { clip_norm: Some(norm), .. } if !(norm.is_finite() && *norm > 0.0) => {
            wrong("`clip_norm` is no finite number above zero")
        }
        Fit { patience: Some(_), validation: None, .. } => wrong("`patience` needs `validation` images"),
        _ => Ok(()),
    }
}

fn train(
    trainer: &mut Trainer,
    images: Dataset,
    how: &Fit,
    batch: usize,
    workspace: &mut Workspace,
) -> Result<Vec<Epoch>, Error> {
    let n = images.len();
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut shuffle = RngStream::new(how.seed, "shuffle");
    let steps_per_epoch = n.div_ceil(batch);
    let (mut epochs, mut step, mut lowest) = (Vec::new(), 0, (f64::INFINITY, 0));
    for epoch in 1..=how.epochs {
        shuffle.shuffle(&mut order);
        let (mut loss, mut correct) = (0.0, 0);
        for batch in order.chunks(batch) {
            let factor = how.schedule.factor(step, how.epochs * steps_per_epoch, steps_per_epoch);
            let metrics = trainer.step(images, batch, how.learning_rate * factor)[0];
            loss += metrics.loss_sum;
            correct += metrics.correct;
            step += 1;
        }
        if !loss.is_finite() {
            return Err(Error::Diverged { epoch });
        }
        let validation = how
            .validation
            .map(|(images, labels)| evaluation(trainer.network_mut(), workspace, images, labels));
        let done = Epoch { epoch, loss: loss / n as f64, accuracy: correct as f64 / n as f64, validation };
        let goes_on = how.on_epoch.is_none_or(|tell| tell(&done));
        if let Some(found) = validation.filter(|found| found.loss < lowest.0) {
            lowest = (found.loss, epoch);
        }
        epochs.push(done);
        let stalls = how.patience.is_some_and(|patience| epoch - lowest.1 >= patience);
        if !goes_on || stalls {
            break;
        }
    }
    Ok(epochs)
}

fn evaluation(network: &mut Network, workspace: &mut Workspace, images: Pixels, labels: &[u8]) -> Evaluation {
    let metrics = evaluate(network, workspace, Dataset::new(images, &[labels]), |_, _| {})[0];
    let n = labels.len() as f64;
    Evaluation { loss: metrics.loss_sum / n, accuracy: metrics.correct as f64 / n }
}

/// What stands in a model's place while its network is trained.
fn empty() -> Network {
    let spec = crate::Sequential::new([1, 1, 1]).flatten().dense(1).build();
    Network::new(&spec, 0).expect("layers that fit")
}
