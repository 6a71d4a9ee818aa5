//! A network of one head that is trained on a user's own arrays, evaluated, and kept in a file.

use std::path::{Path, PathBuf};

use inkling_engine::random::RngStream;
use inkling_engine::{
    ActivationRegistry, Dataset, Labels, Network, Pixels, StateKind, Trainer, UpdateRule, Workspace, evaluate,
};
use inkling_schema::{Loss, ModelError, ModelSpec, Optimizer, Schedule};
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
        label: u32,
        /// Classes of the network.
        classes: usize,
    },

    /// The labels are not of the kind that the loss of the head needs.
    #[error("the loss of the network is {}, which needs {}", .0.name(), .0.labels())]
    LabelKind(Loss),

    /// A number that an output should be is not finite, or not from 0 to 1 where the output answers yes or no.
    #[error("number {index} of the labels is {value}: {expected}")]
    Target {
        /// Its place, from 0.
        index: usize,
        /// The number.
        value: f32,
        /// What it should be.
        expected: &'static str,
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
///
/// ```
/// use inkling::{Fit, Optimizer};
///
/// let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: true };
/// let how = Fit { epochs: 3, optimizer: sgd, learning_rate: 0.05, ..Fit::default() };
/// assert_eq!(how.batch_size, 50);
/// ```
#[derive(Clone)]
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
    pub validation: Option<(Pixels<'a>, Labels<'a>)>,
    /// Epochs without a lower validation loss after which training stops.
    pub patience: Option<usize>,
    /// Seed of the order of the images.
    pub seed: u64,
    /// Called after each epoch; training stops where it says `false`.
    pub on_epoch: Option<&'a dyn Fn(&Epoch) -> bool>,
}

impl std::fmt::Debug for Fit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit")
            .field("epochs", &self.epochs)
            .field("batch_size", &self.batch_size)
            .field("optimizer", &self.optimizer)
            .field("learning_rate", &self.learning_rate)
            .field("schedule", &self.schedule)
            .field("clip_norm", &self.clip_norm)
            .field("validation", &self.validation.map(|(images, labels)| (images.len(), labels.len())))
            .field("patience", &self.patience)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
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
    /// Mean loss of the images, each before its step.
    pub loss: f64,
    /// Share of them that were right, as in [`Evaluation::accuracy`].
    pub accuracy: f64,
    /// The same of the validation images after the epoch, where there are some.
    pub validation: Option<Evaluation>,
}

/// What a model makes of images whose labels are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Share of the images that are right: of classes, those whose largest score is that of their class; of outputs that answer
    /// yes or no, those of which each is right. Not a number where the network gives numbers.
    pub accuracy: f64,
}

/// A network of one head.
///
/// ```
/// use inkling::{Fit, Labels, Loss, Model, Pixels, Sequential, layers};
///
/// // y = 2·x₁ − x₂, from numbers: vectors are images of one row and one channel.
/// let x: Vec<f32> = (0..200).map(|i| (i * 37 % 100) as f32 / 100.0).collect();
/// let y: Vec<f32> = x.chunks(2).map(|x| 2.0 * x[0] - x[1]).collect();
/// let network = Sequential::new([1, 2, 1]).flatten().dense(1).loss(Loss::MeanSquaredError).build();
///
/// let mut model = Model::new(&network, 1)?;
/// let labels = Labels::Values { values: &y, outputs: 1 };
/// model.fit(Pixels::Floats(&x), labels, &Fit { epochs: 300, learning_rate: 0.02, ..Fit::default() })?;
/// assert!(model.evaluate(Pixels::Floats(&x), labels)?.loss < 1e-4);
/// assert!((model.outputs(Pixels::Floats(&[0.5, 0.5]))?[0] - 0.5).abs() < 0.02);
/// # Ok::<(), inkling::Error>(())
/// ```
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
        Model::with_activations(spec, seed, &ActivationRegistry::new())
    }

    /// As [`Model::new`], with activations of the program's own for layers of the kind `custom`.
    ///
    /// # Errors
    /// As [`Model::new`]; [`Error::Layers`] where an activation is not known.
    pub fn with_activations(
        spec: &ModelSpec,
        seed: u64,
        activations: &ActivationRegistry,
    ) -> Result<Model, Error> {
        if spec.heads.len() != 1 {
            return Err(Error::Heads(spec.heads.len()));
        }
        Ok(Model { network: Network::with_activations(spec, seed, activations)? })
    }

    /// What the network is built from.
    pub fn spec(&self) -> &ModelSpec {
        self.network.spec()
    }

    /// The network itself, for all that this type does not do: to look inside, say.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Trains the network on images, [n, height, width, channels], with labels for each, and says what each epoch came to.
    /// Bytes are taken as shares of 255, other numbers as they are ([`Pixels`]). The same images, settings and seed give the
    /// same bits on any number of threads.
    ///
    /// # Errors
    /// What is wrong with the images, labels or settings, and [`Error::Diverged`].
    pub fn fit<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: impl Into<Labels<'a>>,
        how: &Fit,
    ) -> Result<Vec<Epoch>, Error> {
        let begin = |network, batch| Trainer::new(network, how.optimizer, batch, &[1.0]);
        self.fit_by(images.into(), labels.into(), how, begin)
    }

    /// As [`Model::fit`], with an optimiser of the program's own in the place of [`Fit::optimizer`].
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn fit_with_update_rule<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: impl Into<Labels<'a>>,
        rule: Box<dyn UpdateRule>,
        how: &Fit,
    ) -> Result<Vec<Epoch>, Error> {
        let begin = |network, batch| Trainer::with_update_rule(network, rule, batch, &[1.0]);
        self.fit_by(images.into(), labels.into(), how, begin)
    }

    fn fit_by(
        &mut self,
        images: Pixels,
        labels: Labels,
        how: &Fit,
        begin: impl FnOnce(Network, usize) -> Trainer,
    ) -> Result<Vec<Epoch>, Error> {
        let n = self.check(images, labels)?;
        if let Some((images, labels)) = how.validation {
            self.check(images, labels)?;
        }
        check_settings(how)?;
        let batch = how.batch_size.min(n);
        let mut trainer = begin(std::mem::replace(&mut self.network, empty()), batch);
        trainer.set_clip_norm(how.clip_norm);
        let mut workspace = trainer.network().workspace(EVALUATED, false);
        let labels = [labels];
        let trained = train(&mut trainer, Dataset::with_labels(images, &labels), how, batch, &mut workspace);
        self.network = trainer.into_network();
        trained
    }

    /// What the network makes of images whose labels are known.
    ///
    /// # Errors
    /// What is wrong with the images or labels.
    pub fn evaluate<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: impl Into<Labels<'a>>,
    ) -> Result<Evaluation, Error> {
        let (images, labels) = (images.into(), labels.into());
        self.check(images, labels)?;
        let mut workspace = self.network.workspace(EVALUATED, false);
        Ok(evaluation(&mut self.network, &mut workspace, images, labels))
    }

    /// What the last layer gives for images, [n, outputs]: the scores (logits) of classes, the logits of yes, or numbers.
    ///
    /// # Errors
    /// What is wrong with the images.
    pub fn outputs<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<f32>, Error> {
        let images = images.into();
        let n = self.check_images(images)?;
        let (dim, outputs) = (self.network.input_len(), self.num_outputs());
        let mut workspace = self.network.workspace(EVALUATED, false);
        let (mut x, mut found) = (vec![0.0; EVALUATED * dim], Vec::with_capacity(n * outputs));
        for first in (0..n).step_by(EVALUATED) {
            let count = EVALUATED.min(n - first);
            let x = &mut x[..count * dim];
            images.read(first * dim, x);
            self.network.forward(x, false, &mut workspace);
            found.extend_from_slice(workspace.logits(0, count * outputs));
        }
        Ok(found)
    }

    /// The probability of each class, or of yes for each output, [n, outputs]: the softmax of the scores, or their sigmoid.
    ///
    /// # Errors
    /// What is wrong with the images; [`Error::Setting`] where the network gives numbers.
    pub fn probabilities<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<f32>, Error> {
        let outputs = self.num_outputs();
        let mut found = self.outputs(images)?;
        match self.loss() {
            Loss::CrossEntropy { .. } => found.chunks_exact_mut(outputs).for_each(softmax),
            Loss::BinaryCrossEntropy => {
                found.iter_mut().for_each(|z| *z = (1.0 / (1.0 + f64::from(-*z).exp())) as f32);
            }
            Loss::MeanSquaredError => {
                return Err(Error::Setting("the network gives numbers, which have no probabilities".into()));
            }
        }
        Ok(found)
    }

    /// The class with the highest score of each image, `[n]`; of equal ones the first.
    ///
    /// # Errors
    /// What is wrong with the images; [`Error::Setting`] where the network does not tell classes apart.
    pub fn predict<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<usize>, Error> {
        if !self.loss().is_of_classes() {
            let words = "the network does not tell classes apart: `outputs` gives what it computes";
            return Err(Error::Setting(words.into()));
        }
        let classes = self.num_outputs();
        let best = |scores: &[f32]| {
            (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
        };
        Ok(self.outputs(images)?.chunks_exact(classes).map(best).collect())
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
            Some(FORMAT) => {}
            Some(other) => return Err(not(format!("it has the format {other}, and this reads {FORMAT}"))),
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

    fn num_outputs(&self) -> usize {
        self.network.num_classes()[0]
    }

    fn loss(&self) -> Loss {
        self.spec().heads[0].loss
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
    fn check(&self, images: Pixels, labels: Labels) -> Result<usize, Error> {
        let n = self.check_images(images)?;
        let (loss, outputs) = (self.loss(), self.num_outputs());
        let beyond = |label: &u32| *label as usize >= outputs;
        let class = |index: usize, label: u32| Err(Error::Class { index, label, classes: outputs });
        let fits = match labels {
            Labels::Bytes(_) | Labels::Classes(_) => loss.is_of_classes(),
            Labels::Values { outputs: given, .. } => !loss.is_of_classes() && given == outputs,
        };
        if !fits {
            return Err(Error::LabelKind(loss));
        }
        if labels.len() != n {
            return Err(Error::Labels { labels: labels.len(), images: n });
        }
        match labels {
            Labels::Bytes(labels) => match labels.iter().position(|&label| beyond(&label.into())) {
                Some(index) => class(index, labels[index].into()),
                None => Ok(n),
            },
            Labels::Classes(labels) => match labels.iter().position(beyond) {
                Some(index) => class(index, labels[index]),
                None => Ok(n),
            },
            Labels::Values { values, .. } => {
                let (is_right, expected): (fn(&f32) -> bool, _) = match loss {
                    Loss::BinaryCrossEntropy => {
                        (|value| (0.0..=1.0).contains(value), "answers are from 0 for no to 1 for yes")
                    }
                    _ => (|value| value.is_finite(), "only finite numbers can be learnt"),
                };
                match values.iter().position(|value| !is_right(value)) {
                    Some(index) => Err(Error::Target { index, value: values[index], expected }),
                    None => Ok(n),
                }
            }
        }
    }
}

/// Probabilities in the place of scores.
fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponential = |z: f32| f64::from(z - largest).exp();
    let sum: f64 = scores.iter().map(|&z| exponential(z)).sum();
    scores.iter_mut().for_each(|z| *z = (exponential(*z) / sum) as f32);
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
    let is_numbers = trainer.network().spec().heads[0].loss == Loss::MeanSquaredError;
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
        let accuracy = if is_numbers { f64::NAN } else { correct as f64 / n as f64 };
        let done = Epoch { epoch, loss: loss / n as f64, accuracy, validation };
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

fn evaluation(
    network: &mut Network,
    workspace: &mut Workspace,
    images: Pixels,
    labels: Labels,
) -> Evaluation {
    let is_numbers = network.spec().heads[0].loss == Loss::MeanSquaredError;
    let metrics = evaluate(network, workspace, Dataset::with_labels(images, &[labels]), |_, _| {})[0];
    let n = labels.len() as f64;
    let accuracy = if is_numbers { f64::NAN } else { metrics.correct as f64 / n };
    Evaluation { loss: metrics.loss_sum / n, accuracy }
}

/// What stands in a model's place while its network is trained.
fn empty() -> Network {
    let spec = crate::Sequential::new([1, 1, 1]).flatten().dense(1).build();
    Network::new(&spec, 0).expect("layers that fit")
}
