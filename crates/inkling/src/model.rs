//! A network that is trained on a user's own arrays and evaluated.

use inkling_engine::logits::argmax;
use inkling_engine::{ActivationRegistry, Dataset, Labels, Network, Pixels, Trainer, UpdateRule};
use inkling_schema::{Head, Loss, ModelSpec};

use crate::error::Error;
use crate::fit::{Epoch, Evaluation, Fit, evaluation, train};
use crate::into_labels::IntoLabels;

/// Images that are evaluated at a time.
const EVALUATED: usize = 250;

/// A network of one head or several.
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
/// assert!(model.evaluate(Pixels::Floats(&x), labels)?[0].loss < 1e-4);
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
    /// [`Error::Layers`] where the layers do not fit each other.
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
        Ok(Model { network: Network::with_activations(spec, seed, activations)? })
    }

    /// What the network is built from.
    pub fn spec(&self) -> &ModelSpec {
        self.network.spec()
    }

    /// The network itself: its arrays, say ([`Network::state_dict`]).
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network itself, for all that this type does not do.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Trains the network on images, [n, height, width, channels], with labels for each head, and says what each epoch came to.
    /// Bytes are taken as shares of 255, other numbers as they are ([`Pixels`]). The same images, settings and seed give the
    /// same bits on any number of threads.
    ///
    /// # Errors
    /// What is wrong with the images, labels or settings, and [`Error::Diverged`].
    pub fn fit<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: impl IntoLabels<'a>,
        how: &Fit,
    ) -> Result<Vec<Epoch>, Error> {
        let begin = |network, batch, weights: &[f32]| Trainer::new(network, how.optimizer, batch, weights);
        self.fit_by(images.into(), &labels.into_labels(), how, begin)
    }

    /// As [`Model::fit`], with an optimiser of the program's own in the place of [`Fit::optimizer`].
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn fit_with_update_rule<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: impl IntoLabels<'a>,
        rule: Box<dyn UpdateRule>,
        how: &Fit,
    ) -> Result<Vec<Epoch>, Error> {
        let begin =
            |network, batch, weights: &[f32]| Trainer::with_update_rule(network, rule, batch, weights);
        self.fit_by(images.into(), &labels.into_labels(), how, begin)
    }

    fn fit_by(
        &mut self,
        images: Pixels,
        labels: &[Labels],
        how: &Fit,
        begin: impl FnOnce(Network, usize, &[f32]) -> Trainer,
    ) -> Result<Vec<Epoch>, Error> {
        let n = self.check(images, labels)?;
        if let Some((images, labels)) = &how.validation {
            self.check(*images, labels)?;
        }
        let heads = self.spec().heads.len();
        how.check(heads)?;
        let batch = how.batch_size.min(n);
        let network = std::mem::replace(&mut self.network, empty());
        let mut trainer = begin(network, batch, &how.weights(heads));
        trainer.set_clip_norm(how.clip_norm);
        trainer.set_precision(how.precision);
        let mut workspace = trainer.network().workspace(EVALUATED, false);
        let trained = train(&mut trainer, Dataset::with_labels(images, labels), how, batch, &mut workspace);
        self.network = trainer.into_network();
        trained
    }

    /// What each head makes of images whose labels are known.
    ///
    /// # Errors
    /// What is wrong with the images or labels.
    pub fn evaluate<'a>(
        &mut self,
        images: impl Into<Pixels<'a>>,
        labels: impl IntoLabels<'a>,
    ) -> Result<Vec<Evaluation>, Error> {
        let (images, labels) = (images.into(), labels.into_labels());
        self.check(images, &labels)?;
        let mut workspace = self.network.workspace(EVALUATED, false);
        Ok(evaluation(&mut self.network, &mut workspace, images, &labels))
    }

    /// What the first head gives for images, [n, outputs]: the scores (logits) of classes, the logits of yes, or numbers.
    ///
    /// # Errors
    /// What is wrong with the images.
    pub fn outputs<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<f32>, Error> {
        self.outputs_by(0, images.into())
    }

    /// As [`Model::outputs`], of the head of this name.
    ///
    /// # Errors
    /// What is wrong with the images; [`Error::NoHead`].
    pub fn outputs_of<'a>(&mut self, head: &str, images: impl Into<Pixels<'a>>) -> Result<Vec<f32>, Error> {
        let names = || self.spec().heads.iter().map(|head| head.name.as_str());
        let Some(number) = names().position(|name| name == head) else {
            let known = names().collect::<Vec<_>>().join(", ");
            return Err(Error::NoHead { head: head.to_owned(), known });
        };
        self.outputs_by(number, images.into())
    }

    fn outputs_by(&mut self, head: usize, images: Pixels) -> Result<Vec<f32>, Error> {
        let n = self.check_images(images)?;
        let dim = self.network.input_len();
        let mut workspace = self.network.workspace(EVALUATED, false);
        let (mut x, mut found) = (vec![0.0; EVALUATED * dim], Vec::new());
        for first in (0..n).step_by(EVALUATED) {
            let x = &mut x[..EVALUATED.min(n - first) * dim];
            images.read(first * dim, x);
            self.network.forward(x, false, &mut workspace);
            found.extend_from_slice(workspace.logits(head));
        }
        Ok(found)
    }

    /// The probability of each class of the first head, or of yes for each of its outputs, [n, outputs]: the softmax of the
    /// scores, or their sigmoid.
    ///
    /// # Errors
    /// What is wrong with the images; [`Error::Setting`] where the head gives numbers.
    pub fn probabilities<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<f32>, Error> {
        let outputs = self.num_outputs();
        let mut found = self.outputs(images)?;
        match self.spec().heads[0].loss {
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

    /// The class with the highest score of the first head for each image, `[n]`; of equal ones the first.
    ///
    /// # Errors
    /// What is wrong with the images; [`Error::Setting`] where the head does not tell classes apart.
    pub fn predict<'a>(&mut self, images: impl Into<Pixels<'a>>) -> Result<Vec<usize>, Error> {
        if !self.spec().heads[0].loss.is_of_classes() {
            let words = "the network does not classify: `outputs` gives what it computes";
            return Err(Error::Setting(words.into()));
        }
        let classes = self.num_outputs();
        Ok(self.outputs(images)?.chunks_exact(classes).map(argmax).collect())
    }

    /// Outputs of the first head.
    pub(crate) fn num_outputs(&self) -> usize {
        self.network.num_classes()[0]
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

    /// Checks images and their labels for each head, and gives the number of images.
    fn check(&self, images: Pixels, labels: &[Labels]) -> Result<usize, Error> {
        let (n, heads) = (self.check_images(images)?, &self.spec().heads);
        if labels.len() != heads.len() {
            return Err(Error::Heads { heads: heads.len(), given: labels.len() });
        }
        for ((head, outputs), labels) in heads.iter().zip(self.network.num_classes()).zip(labels) {
            check_labels(head, outputs, n, *labels)?;
        }
        Ok(n)
    }
}

/// Checks that labels for so many images suit a head of so many outputs.
fn check_labels(head: &Head, outputs: usize, n: usize, labels: Labels) -> Result<(), Error> {
    let loss = head.loss;
    let fits = match labels {
        Labels::Bytes(_) | Labels::Classes(_) => loss.is_of_classes(),
        Labels::Values { outputs: given, .. } => !loss.is_of_classes() && given == outputs,
    };
    if !fits {
        return Err(Error::LabelKind { head: head.name.clone(), loss });
    }
    if labels.len() != n {
        return Err(Error::Labels { labels: labels.len(), images: n });
    }
    let beyond = |label: u32| label as usize >= outputs;
    let wrong_class = match labels {
        Labels::Bytes(labels) => {
            labels.iter().position(|&label| beyond(label.into())).map(|index| (index, labels[index].into()))
        }
        Labels::Classes(labels) => {
            labels.iter().position(|&label| beyond(label)).map(|index| (index, labels[index]))
        }
        Labels::Values { .. } => None,
    };
    if let Some((index, label)) = wrong_class {
        return Err(Error::Class { index, label, classes: outputs });
    }
    let (is_right, expected): (fn(&f32) -> bool, _) = match loss {
        Loss::BinaryCrossEntropy => {
            (|value| (0.0..=1.0).contains(value), "answers are from 0 for no to 1 for yes")
        }
        _ => (|value| value.is_finite(), "only finite numbers can be learnt"),
    };
    if let Labels::Values { values, .. } = labels
        && let Some(index) = values.iter().position(|value| !is_right(value))
    {
        return Err(Error::Target { index, value: values[index], expected });
    }
    Ok(())
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
