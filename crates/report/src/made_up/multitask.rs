//! Made-up networks of Task 6 for tests: plausible answers and curves, the same every time.

use inkling_schema::found::{
    DataSetFacts, Diverged, Divergence, EpochOutcome, Evaluation, GradientsLine, HeadOutcome, HeadSteps,
    IdleLine, StepsLine, TrainOutcome,
};
use inkling_schema::{DataSlice, Labels, MultitaskTask, TrainRun, Weighting, preset};

use super::chance;
use crate::results::{Answers, Goal, HeadedNetwork, MultitaskResults};

/// The names of all figures of Task 6.
pub(crate) const FIGURES: [&str; 7] = [
    "multitask_architectures",
    "multitask_accuracy",
    "multitask_tradeoff",
    "multitask_curves",
    "multitask_gradients",
    "multitask_classes",
    "multitask_idle",
];

/// The names of Fashion-MNIST's classes.
pub(crate) const GARMENTS: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// What the tests vary.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) task: MultitaskTask,
    /// Whether there are single-task networks.
    pub(crate) single: [bool; 2],
    pub(crate) epochs: usize,
    pub(crate) train_images: usize,
    pub(crate) test_images: usize,
    /// Whether gradients and idle panels were measured.
    pub(crate) gradients: bool,
    pub(crate) idle: bool,
}

impl Asked {
    /// The brief's networks on so many images, without other weightings.
    pub(crate) fn brief(train_images: usize, test_images: usize) -> Asked {
        let task = preset("brief").and_then(|study| study.multitask).expect("the brief has task 6");
        let (gradients, idle) = (true, true);
        Asked { task, single: [true; 2], epochs: 5, train_images, test_images, gradients, idle }
    }

    /// The same for a set of other classes, in so many groups, by turns.
    pub(crate) fn of(classes: usize, groups: usize) -> Asked {
        let mut asked = Asked::brief(3000, 1000);
        let template = asked.task.groups[0].clone();
        asked.task.groups = (0..groups)
            .map(|group| {
                let mut made = template.clone();
                made.name = format!("group {group}");
                made.classes =
                    (0..classes as u8).filter(|&class| usize::from(class) % groups == group).collect();
                made
            })
            .collect();
        asked
    }

    /// With every other weighting, from so many seeds.
    pub(crate) fn with_weightings(mut self, seeds: u64) -> Asked {
        self.task.weightings = vec![
            Weighting::Uncertainty { learning_rate: 0.025 },
            Weighting::GradNorm { alpha: 1.5, learning_rate: 0.025 },
            Weighting::PcGrad,
            Weighting::Fixed { weights: vec![1.0, 1.0] },
        ];
        self.task.seeds = (1..=seeds).collect();
        self
    }

    /// What was found.
    pub(crate) fn results(&self, data: &DataSetFacts) -> MultitaskResults {
        let classes = data.classes.len();
        let mapping = self.task.mapping(classes).expect("groups of these classes");
        let labels: Vec<u8> = (0..self.test_images).map(|i| (i * 7 % classes) as u8).collect();
        let group_labels = labels.iter().map(|&class| mapping[usize::from(class)]).collect();
        let mut found = MultitaskResults {
            data: data.clone(),
            groups: self.task.groups.iter().map(|group| group.name.clone()).collect(),
            mapping,
            labels,
            group_labels,
            single: [None, None],
            lambdas: Vec::new(),
            others: Vec::new(),
        };
        for goal in Goal::BOTH.into_iter().filter(|goal| self.single[goal.index()]) {
            let network = self.network(&found, &[goal], Weighting::default(), (1, goal.index()));
            found.single[goal.index()] = Some(HeadedNetwork { name: goal.name().into(), ..network });
        }
        for (i, &lambda) in self.task.lambdas.iter().enumerate() {
            let weighting = Weighting::Fixed { weights: vec![lambda, 1.0 - lambda] };
            let network = self.network(&found, &Goal::BOTH, weighting, (1, 10 + i));
            found.lambdas.push((lambda, HeadedNetwork { name: format!("λ = {lambda}"), ..network }));
        }
        for (i, weighting) in self.task.weightings.iter().enumerate() {
            for &seed in &self.task.seeds {
                let salt = 100 * (i + 1) + seed as usize;
                let network = self.network(&found, &Goal::BOTH, weighting.clone(), (seed, salt));
                found.others.push(HeadedNetwork { name: format!("weighting {i}, seed {seed}"), ..network });
            }
        }
        found
    }

    fn spec(&self, task: &MultitaskResults, goals: &[Goal], weighting: Weighting, seed: u64) -> TrainRun {
        let heads: Vec<(&str, usize)> =
            goals.iter().map(|&goal| (goal.name(), task.classes(goal).len())).collect();
        let input = [task.data.height, task.data.width, 1];
        let labels = goals.iter().map(|goal| match goal {
            Goal::Item => Labels::Classes,
            Goal::Group => Labels::Groups(task.mapping.clone()),
        });
        let mut training = self.task.training.clone();
        training.epochs = self.epochs;
        TrainRun {
            data: DataSlice {
                set: self.task.data.clone(),
                train_images: self.train_images,
                test_images: self.test_images,
            },
            model: self.task.network.model(input, &heads, self.task.initializer),
            training,
            seed,
            labels: labels.collect(),
            weighting,
            gradients_every: Some(self.task.gradients_every),
        }
    }

    fn network(
        &self,
        task: &MultitaskResults,
        goals: &[Goal],
        weighting: Weighting,
        (seed, salt): (u64, usize),
    ) -> HeadedNetwork {
        let spec = self.spec(task, goals, weighting, seed);
        let parameters = spec.model.plan().expect("the brief's networks can be built").parameters;
        let trains = |goal: Goal| {
            goals.iter().position(|&other| other == goal).is_some_and(|head| spec.weighting.trains(head))
        };
        let answers = |goal: Goal| goals.contains(&goal).then(|| said(task, goal, trains(goal), salt));
        let answers = Goal::BOTH.map(answers);
        let per_epoch = self.train_images.div_ceil(spec.training.batch_size);
        let steps = self.epochs * per_epoch;
        let evaluation = |goal: Goal, epoch: usize, train: bool| {
            let predictions = &answers[goal.index()].as_ref().expect("a head").predictions;
            let right = predictions.iter().zip(task.labels(goal)).filter(|(a, b)| a == b).count();
            let rate = right as f64 / self.test_images as f64;
            let left = self.epochs - epoch;
            let rate =
                if trains(goal) { rate - 0.012 * left as f64 + if train { 0.02 } else { 0.0 } } else { rate };
            let images = if train { self.train_images } else { self.test_images };
            let correct = ((rate.clamp(0.0, 1.0) * images as f64).round() as usize).min(images);
            Evaluation { images, correct, loss: 2.3 * (1.0 - rate.min(1.0)) + 0.01 }
        };
        let epochs = (1..=self.epochs).map(|epoch| EpochOutcome {
            epoch,
            step: epoch * per_epoch,
            train: evaluation(goals[0], epoch, true),
            validation: None,
            test: evaluation(goals[0], epoch, false),
            further: goals[1..]
                .iter()
                .map(|&goal| HeadOutcome {
                    train: evaluation(goal, epoch, true),
                    validation: None,
                    test: evaluation(goal, epoch, false),
                })
                .collect(),
        });
        let curve = (1..=40).map(|part| {
            let at = |goal: Goal| {
                let base = if goal == Goal::Item { 0.25 } else { 0.15 };
                base + (-(part as f64) / 9.0).exp()
                    * (0.6 + 0.3 * chance(part * 3 + salt + 40 * goal.index()))
            };
            let head = |(i, &goal): (usize, &Goal)| HeadSteps {
                loss: trains(goal).then(|| at(goal)),
                accuracy: trains(goal).then(|| 1.0 - at(goal) / 3.0),
                weight: match &spec.weighting {
                    Weighting::Fixed { weights } => weights[i],
                    _ => 0.5,
                },
            };
            StepsLine {
                step: steps * part / 40,
                loss: at(goals[0]),
                accuracy: 1.0 - at(goals[0]) / 3.0,
                learning_rate: 0.001,
                heads: if goals.len() > 1 {
                    goals.iter().enumerate().map(head).collect()
                } else {
                    Vec::new()
                },
            }
        });
        let gradients = (1..=30).map(|part| {
            let norm =
                |goal: Goal| if trains(goal) { 1.0 + chance(part + salt) + goal.index() as f64 } else { 0.0 };
            let both = goals.iter().all(|&goal| trains(goal));
            GradientsLine {
                step: steps * part / 30,
                norms: goals.iter().map(|&goal| norm(goal)).collect(),
                cosine: both.then(|| 0.7 - 0.5 * part as f64 / 30.0 + 0.5 * (chance(part * 7 + salt) - 0.5)),
                pairs: Vec::new(),
            }
        });
        let idle = (1..=30).map(|part| {
            let grown = 1.0 - (-(part as f64) / 8.0).exp();
            IdleLine {
                step: steps * part / 30,
                layer: "trunk.10".into(),
                idle_panels: 0.7 * grown + 0.02 * chance(part + salt),
                dead_units: 0.5 * grown + 0.02 * chance(part + salt + 5),
                silent_inputs: 0.3 * grown + 0.02 * chance(part + salt + 9),
            }
        });
        let (gradients, idle) = (
            if self.gradients && goals.len() > 1 { gradients.collect() } else { Vec::new() },
            if self.idle { idle.collect() } else { Vec::new() },
        );
        HeadedNetwork {
            name: String::new(),
            outcome: TrainOutcome {
                parameters,
                steps,
                epochs: epochs.collect(),
                train_seconds: parameters as f64 / 30_000.0 + 20.0 * chance(salt),
                test_seconds: 1.0 + chance(salt + 1),
                diverged: None,
                best_epoch: None,
                stopped_early: false,
            },
            curve: curve.collect(),
            gradients,
            idle,
            answers,
            seconds: 10.0,
            spec,
        }
    }
}

/// What a head says: most of what makes an image hard is common to all, and an untrained head always says one class.
fn said(task: &MultitaskResults, goal: Goal, trained: bool, salt: usize) -> Answers {
    let (right, classes) = (task.labels(goal), task.classes(goal).len());
    let rate = if goal == Goal::Item { 0.095 } else { 0.075 } + 0.01 * (chance(salt + 31) - 0.5);
    let say = |i: usize, right: u8| {
        let hard = 0.8 * chance(i) + 0.2 * chance(i * 64 + salt * 7 + 900_000);
        if !trained {
            (salt % classes) as u8
        } else if hard > 1.0 - (0.32 * rate).sqrt() {
            let away = 1 + (chance(i + 77).powi(2) * (classes - 1) as f64) as usize;
            ((usize::from(right) + away) % classes) as u8
        } else {
            right
        }
    };
    let predictions: Vec<u8> = right.iter().enumerate().map(|(i, &right)| say(i, right)).collect();
    let (free, free_loss) = match goal {
        Goal::Item => (predictions.iter().map(|&class| task.mapping[usize::from(class)]).collect(), 0.25),
        Goal::Group => (Vec::new(), 0.0),
    };
    Answers { predictions, free, free_loss }
}

/// The same network, its training stopped in an epoch by a loss that is no number.
pub(crate) fn diverge(network: &mut HeadedNetwork, epoch: usize) {
    let per_epoch = network.steps_per_epoch();
    let step = (epoch - 1) * per_epoch + per_epoch / 3 + 1;
    network.outcome.diverged = Some(Divergence { epoch, step, what: Diverged::Network });
    network.outcome.steps = step;
    network.outcome.epochs.truncate(epoch - 1);
    network.curve.retain(|line| line.step < step);
    network.gradients.retain(|line| line.step < step);
    network.idle.retain(|line| line.step < step);
}
