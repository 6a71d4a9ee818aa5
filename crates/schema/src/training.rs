//! How a network is trained: every hyperparameter written down.

use serde::{Deserialize, Serialize};

use crate::numbers::{count, epsilon, not_negative, positive, share, some_count, some_positive};

/// Everything about training but the network and the images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// Passes over the training images.
    #[serde(deserialize_with = "count")]
    pub epochs: usize,
    /// Images of a step. The last step of an epoch takes what is left.
    #[serde(deserialize_with = "count")]
    pub batch_size: usize,
    /// Step size at the start.
    #[serde(deserialize_with = "positive")]
    pub learning_rate: f64,
    /// How the step size changes.
    pub schedule: Schedule,
    /// How a gradient becomes a step.
    pub optimizer: Optimizer,
    /// Steps in which the step size grows evenly from none to what the schedule says; none where not given.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_count")]
    pub warmup_steps: Option<usize>,
    /// The longest that the gradient of all parameters together may be: a longer one is shortened to it (Pascanu, Mikolov and
    /// Bengio 2013). Not given, none is.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_positive")]
    pub clip_norm: Option<f64>,
    /// Steps between two lines of loss and accuracy within an epoch.
    #[serde(deserialize_with = "count")]
    pub log_every: usize,
    /// A part of the training images to choose the best epoch by. Nothing is ever chosen by the test images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationSpec>,
    /// How images are changed at random each time they are trained on; not at all where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<AugmentationSpec>,
    /// How much the gradient of an image counts, by its class; all alike where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// What the factors of products are rounded to in training steps: `float32` where not given.
    #[serde(default, skip_serializing_if = "TrainingPrecision::is_float32")]
    pub precision: TrainingPrecision,
}

/// What the factors of large matrix products are rounded to in training steps: those of dense layers of more than 32 units, and of
/// convolutions that are computed by Winograd's filtering. Sums, weights, the
/// optimiser, all other layers and every evaluation are in f32, as in automatic mixed precision (Micikevicius et al. 2018;
/// Kalamkar et al. 2019 for bfloat16).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainingPrecision {
    /// Not rounded.
    #[default]
    Float32,
    /// The upper half of an f32: 8 bits of precision, and the same range. Processors with AVX512-BF16 multiply twice as fast; all
    /// others compute the same bits, slower than with f32.
    Bfloat16,
}

impl TrainingPrecision {
    /// Each with its name in files and what it says in help texts.
    pub const NAMED: [(&str, &str, TrainingPrecision); 2] = [
        ("float32", "Not rounded", TrainingPrecision::Float32),
        (
            "bfloat16",
            "8 bits of precision; faster on processors with AVX512-BF16",
            TrainingPrecision::Bfloat16,
        ),
    ];

    fn is_float32(&self) -> bool {
        *self == TrainingPrecision::Float32
    }
}

/// Random changes of training images (data augmentation; Simard, Steinkraus and Platt 2003). Each image gets its own each time,
/// from the run's seed; what comes in from beyond the edge has the value of the edge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentationSpec {
    /// It is moved by up to so many pixels along each side.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "not_negative")]
    pub shift: f64,
    /// It is turned by up to so many degrees, either way.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "not_negative")]
    pub rotation: f64,
    /// It is scaled by a factor that differs from 1 by up to this share.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "share")]
    pub scale: f64,
    /// Left and right are exchanged in half of the cases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flip: bool,
    /// Gaussian noise of this standard deviation is added, as a share of the range of a pixel.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "share")]
    pub noise: f64,
}

fn is_none(images: &usize) -> bool {
    *images == 0
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl AugmentationSpec {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        *self == AugmentationSpec::default()
    }
}

/// How much the gradient of an image counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// n / (k · n_c) for a class of n_c of all n training images, of k classes: as `class_weight="balanced"` of scikit-learn (King
    /// and Zeng 2001).
    Balanced,
}

impl ClassWeights {
    /// The weight of each class, by the labels of the training images. A class without images has the weight 1.
    pub fn of(self, labels: &[u8], classes: usize) -> Vec<f32> {
        let mut counts = vec![0_usize; classes];
        labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        let weight = |&count: &usize| match (self, count) {
            (ClassWeights::Balanced, 0) => 1.0,
            (ClassWeights::Balanced, count) => labels.len() as f64 / (classes * count) as f64,
        };
        counts.iter().map(|count| weight(count) as f32).collect()
    }
}

/// How the learning rate η changes over the steps t = 0 … T − 1 of all epochs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// η stays.
    Constant,
    /// η falls along half a cosine from its start to `last` times its start (Loshchilov and Hutter 2017).
    Cosine {
        /// Share of the start that is left at the end.
        #[serde(deserialize_with = "share")]
        last: f64,
    },
    /// η is multiplied by `factor` after every so many epochs.
    Step {
        /// Epochs between two changes.
        #[serde(deserialize_with = "count")]
        every: usize,
        /// What η is multiplied by.
        #[serde(deserialize_with = "positive")]
        factor: f64,
    },
}

/// How a gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// Kingma and Ba (2015), moments corrected for their start at zero.
    Adam {
        /// Decay of the mean of the gradients, β₁.
        #[serde(deserialize_with = "share")]
        beta_1: f64,
        /// Decay of the mean of their squares, β₂.
        #[serde(deserialize_with = "share")]
        beta_2: f64,
        /// What is added to the root of the second moment, ε.
        #[serde(deserialize_with = "epsilon")]
        epsilon: f64,
    },
    /// Adam with decay of the weights apart from the gradient (Loshchilov and Hutter 2019); biases do not decay.
    AdamW {
        /// Decay of the mean of the gradients, β₁.
        #[serde(deserialize_with = "share")]
        beta_1: f64,
        /// Decay of the mean of their squares, β₂.
        #[serde(deserialize_with = "share")]
        beta_2: f64,
        /// What is added to the root of the second moment, ε.
        #[serde(deserialize_with = "epsilon")]
        epsilon: f64,
        /// Share of a weight that is taken off in a step of learning rate 1.
        #[serde(deserialize_with = "not_negative")]
        weight_decay: f64,
    },
    /// Stochastic gradient descent with momentum (Polyak 1964): v ← μ·v + g, w ← w − η·v.
    Sgd {
        /// Share of the last step that is kept, μ.
        #[serde(deserialize_with = "share")]
        momentum: f64,
        /// Whether the step looks ahead (Nesterov 1983, as in Sutskever et al. 2013): w ← w − η·(g + μ·v).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        nesterov: bool,
    },
    /// RMSprop (Tieleman and Hinton 2012): v ← α·v + (1 − α)·g², w ← w − η·g / (√v + ε).
    RmsProp {
        /// Decay of the mean of the squares, α.
        #[serde(deserialize_with = "share")]
        alpha: f64,
        /// What is added to the root, ε.
        #[serde(deserialize_with = "epsilon")]
        epsilon: f64,
    },
    /// Lion (Chen et al. 2023): w ← w − η·(sign(β₁·m + (1 − β₁)·g) + λ·w), then m ← β₂·m + (1 − β₂)·g; biases do not decay.
    Lion {
        /// Share of m in the direction of a step, β₁.
        #[serde(deserialize_with = "share")]
        beta_1: f64,
        /// Decay of the mean of the gradients, β₂.
        #[serde(deserialize_with = "share")]
        beta_2: f64,
        /// Share of a weight that is taken off in a step of learning rate 1, λ.
        #[serde(deserialize_with = "not_negative")]
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Optimisers with their usual settings, each with the name that other programs have for it and with what is usual.
    pub const USUAL: [(&'static str, &'static str, Optimizer); 5] = [
        (
            "adam",
            "β₁ = 0.9, β₂ = 0.999, ε = 1e-8",
            Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
        ),
        (
            "adamw",
            "the same with a weight decay of 0.01",
            Optimizer::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
        ),
        ("sgd", "gradient descent with a momentum of 0.9", Optimizer::Sgd { momentum: 0.9, nesterov: false }),
        ("rmsprop", "α = 0.99, ε = 1e-8", Optimizer::RmsProp { alpha: 0.99, epsilon: 1e-8 }),
        (
            "lion",
            "β₁ = 0.9, β₂ = 0.99; it wants a third to a tenth of Adam's learning rate",
            Optimizer::Lion { beta_1: 0.9, beta_2: 0.99, weight_decay: 0.0 },
        ),
    ];

    /// Momentum above which plain gradient steps add up to more than twenty of one.
    const HEAVY: f64 = 0.95;

    /// What would make its steps steadier, where it takes steps that may grow without bound, in words: "a larger `epsilon`".
    pub(crate) fn unsteady(&self) -> Vec<&'static str> {
        let mut helps = Vec::new();
        match *self {
            Optimizer::Adam { beta_1, beta_2, epsilon }
            | Optimizer::AdamW { beta_1, beta_2, epsilon, .. } => {
                // Without gradients a step grows by β₁/√β₂ each time.
                if beta_2 < beta_1 * beta_1 {
                    helps.push("a larger `beta_2`");
                }
                if epsilon < 1e-8 {
                    helps.push("a larger `epsilon`");
                }
            }
            Optimizer::RmsProp { epsilon, .. } if epsilon < 1e-10 => helps.push("a larger `epsilon`"),
            Optimizer::RmsProp { .. } | Optimizer::Lion { .. } => {}
            Optimizer::Sgd { momentum, .. } => {
                if momentum > Self::HEAVY {
                    helps.push("a smaller `momentum`");
                }
            }
        }
        let decays = |weight_decay: f64| weight_decay > 1.0;
        if matches!(*self, Optimizer::AdamW { weight_decay, .. } | Optimizer::Lion { weight_decay, .. } if decays(weight_decay))
        {
            helps.push("a smaller `weight_decay`");
        }
        helps
    }
}

/// Images that are not trained on but used to choose the best epoch: a part of the training images, drawn with the run's seed, or
/// those that the data set has of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationSpec {
    /// Training images held out; none where the set's own validation images are used.
    #[serde(default, skip_serializing_if = "is_none", deserialize_with = "count")]
    pub images: usize,
    /// Whether the validation images are those that the data set has of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Training stops after so many epochs without a lower loss on these images; it does not stop where not given.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_count")]
    pub patience: Option<usize>,
}

impl TrainingSpec {
    /// The learning rate at `step` of `steps`, both counted over all epochs, with so many steps in an epoch.
    pub fn learning_rate_at(&self, step: usize, steps: usize, steps_per_epoch: usize) -> f64 {
        let warm = self.warmup_steps.map_or(1.0, |warmup| (step + 1).min(warmup) as f64 / warmup as f64);
        self.learning_rate * self.schedule.factor(step, steps, steps_per_epoch) * warm
    }
}

impl Schedule {
    /// Whether the learning rate of a step depends on how many epochs there will be: then a training for more epochs is
    /// another one from its first step on.
    pub fn depends_on_length(self) -> bool {
        matches!(self, Schedule::Cosine { .. })
    }

    /// What the initial learning rate is multiplied by at `step` of `steps`, both counted over all epochs, with so many
    /// steps in an epoch.
    pub fn factor(self, step: usize, steps: usize, steps_per_epoch: usize) -> f64 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine { last } => {
                let share = step as f64 / steps.max(1) as f64;
                last + (1.0 - last) * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
            }
            Schedule::Step { every, factor } => {
                let changes = step / steps_per_epoch.max(1) / every;
                factor.powi(i32::try_from(changes).unwrap_or(i32::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Study, preset};

    #[test]
    fn a_precision_is_kept_and_left_out_where_it_is_the_usual_one() {
        let study = preset("smoke").expect("a preset").to_toml();
        assert!(!study.contains("precision"), "{study}");
        for (name, _, precision) in TrainingPrecision::NAMED {
            let given = study.replace("[mlp.training]", &format!("[mlp.training]\nprecision = \"{name}\""));
            let read = Study::from_toml("mine.toml", &given).expect("it is valid");
            assert_eq!(read.mlp.as_ref().expect("the task").training.precision, precision);
            let written = Study::from_toml("mine.toml", &read.to_toml()).expect("it is valid");
            assert_eq!(written, read);
        }
        let wrong = study.replace("[mlp.training]", "[mlp.training]\nprecision = \"bfloat\"");
        let error = Study::from_toml("mine.toml", &wrong).expect_err("no such precision");
        assert!(error.to_string().contains("bfloat"), "{error}");
    }

    #[test]
    fn what_makes_steps_unsteady_is_named_before_the_learning_rate() {
        let adam = |beta_2, epsilon| Optimizer::Adam { beta_1: 0.9, beta_2, epsilon }.unsteady();
        assert!(adam(0.999, 1e-8).is_empty() && adam(0.82, 1e-7).is_empty());
        assert_eq!(adam(0.0, 1e-8), ["a larger `beta_2`"]);
        assert_eq!(adam(0.8, 1e-12), ["a larger `beta_2`", "a larger `epsilon`"]);
        let decaying = Optimizer::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 50.0 };
        assert_eq!(decaying.unsteady(), ["a smaller `weight_decay`"]);
        assert_eq!(Optimizer::Sgd { momentum: 0.99, nesterov: false }.unsteady(), ["a smaller `momentum`"]);
        assert!(Optimizer::Sgd { momentum: 0.9, nesterov: false }.unsteady().is_empty());
    }

    #[test]
    fn balanced_classes_count_alike_and_rare_ones_more() {
        // As scikit-learn's compute_class_weight has it.
        assert_eq!(ClassWeights::Balanced.of(&[0, 0, 0, 1], 2), [2.0 / 3.0, 2.0]);
        assert_eq!(ClassWeights::Balanced.of(&[0, 1, 0, 1], 2), [1.0, 1.0]);
        assert_eq!(ClassWeights::Balanced.of(&[0, 0], 2), [0.5, 1.0]);
    }

    #[test]
    fn rates_grow_evenly_while_a_training_warms_up() {
        let mut training = preset("smoke").unwrap().mlp.unwrap().training;
        (training.learning_rate, training.schedule) = (0.5, Schedule::Step { every: 1, factor: 0.1 });
        training.warmup_steps = Some(4);
        let rates: Vec<f64> = (0..11).map(|step| training.learning_rate_at(step, 20, 10)).collect();
        assert_eq!(rates[..4], [0.125, 0.25, 0.375, 0.5]);
        assert_eq!((rates[9], rates[10]), (0.5, 0.05));
    }

    #[test]
    fn schedules_start_at_one_and_fall_as_they_say() {
        let cosine = Schedule::Cosine { last: 0.1 };
        assert_eq!(Schedule::Constant.factor(77, 100, 10), 1.0);
        assert_eq!(cosine.factor(0, 100, 10), 1.0);
        assert!((cosine.factor(50, 100, 10) - 0.55).abs() < 1e-12);
        assert!((cosine.factor(100, 100, 10) - 0.1).abs() < 1e-12);
        let step = Schedule::Step { every: 2, factor: 0.5 };
        let factors: Vec<f64> = [0, 19, 20, 39, 40].iter().map(|&t| step.factor(t, 100, 10)).collect();
        assert_eq!(factors, [1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn a_schedule_that_does_not_depend_on_the_length_is_the_same_for_every_length() {
        let schedules =
            [Schedule::Constant, Schedule::Step { every: 1, factor: 0.1 }, Schedule::Cosine { last: 0.5 }];
        for schedule in schedules {
            let factors = |steps| (0..40).map(|t| schedule.factor(t, steps, 10)).collect::<Vec<f64>>();
            assert_eq!(factors(40) != factors(80), schedule.depends_on_length(), "{schedule:?}");
        }
    }
}
