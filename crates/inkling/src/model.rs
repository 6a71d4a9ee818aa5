//! A network of one head that is trained on a user's own arrays and evaluated.

use inkling_engine::logits::argmax;
use inkling_engine::{ActivationRegistry, Dataset, Labels, Network, Pixels, Trainer, UpdateRule};
use inkling_schema::{Loss, ModelSpec};

use crate::error::Error;
use crate::fit::{Epoch, Evaluation, Fit, evaluation, train};

/// Images that are evaluated at a time.
const EVALUATED: usize = 250;

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
    pub(crate) network: Network,
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
        how.check()?;
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
            found.extend_from_slice(workspace.logits(0));
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
        Ok(self.outputs(images)?.chunks_exact(classes).map(argmax).collect())
    }

    pub(crate) fn num_outputs(&self) -> usize {
        self.network.num_classes()[0]
    }

    fn loss(&self) -> Loss {
        self.spec().heads[0].loss
    }

    /// Checks images, and gives their number.
    pub(crate) fn check_images(&self, images: Pixels) -> Result<usize, Error> {
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

/// What stands in a model's place while its network is trained.
fn empty() -> Network {
    let spec = crate::Sequential::new([1, 1, 1]).flatten().dense(1).build();
    Network::new(&spec, 0).expect("layers that fit")
}
