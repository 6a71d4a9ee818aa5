//! Rows of the table, from what a run has written: a line of its metrics after the other, then its outcome.

use std::collections::BTreeMap;

use inkling_schema::outcome::{
    ChoiceTest, EpochOutcome, Evaluation, GradientsLine, HeadOutcome, IdleLine, PerceptronOutcome,
    PerceptronPass, PlannedRun, StepsLine, TrainOutcome, TrainingLine, TrialEpoch, TrialOutcome,
};
use inkling_schema::{PerceptronRun, Setting, TrainRun};

use super::{MetricRow, Part};

/// The rows of a network's training, with those of its outcome if it is finished.
pub fn rows_of_training(
    run: &PlannedRun,
    spec: &TrainRun,
    lines: &[TrainingLine],
    outcome: Option<&TrainOutcome>,
) -> Vec<MetricRow> {
    let mut table = Table::of_network(run, spec);
    table.lines(lines);
    if let Some(outcome) = outcome {
        table.at(None, None);
        table.push(None, None, "steps", outcome.steps as f64);
        table.push(None, None, "parameters", outcome.parameters as f64);
        table.push(None, Some(Part::Training), "seconds", outcome.train_seconds);
        table.push(None, Some(Part::Test), "seconds", outcome.test_seconds);
        if let Some(kept) = outcome.kept() {
            table.push(None, None, "kept_epoch", kept.epoch as f64);
        }
    }
    table.rows
}

/// The rows of a training of a sweep with these settings, with those of its outcome if it is finished. It has none of test images.
pub fn rows_of_trial(
    run: &PlannedRun,
    spec: &TrainRun,
    settings: &[Setting],
    lines: &[TrainingLine],
    outcome: Option<&TrialOutcome>,
) -> Vec<MetricRow> {
    let mut table = Table::of_network(run, spec);
    table.base.settings = Some(as_json(settings));
    table.lines(lines);
    if let Some(outcome) = outcome {
        table.at(None, None);
        table.push(None, None, "steps", outcome.steps as f64);
        table.push(None, None, "parameters", outcome.parameters as f64);
        table.push(None, Some(Part::Training), "seconds", outcome.train_seconds);
        if let Some(kept) = outcome.kept() {
            table.push(None, None, "kept_epoch", kept.epoch as f64);
        }
    }
    table.rows
}

/// The rows of a network of the point that a sweep chose, on the test images. They are of the choice's own run, since the training
/// `trial` saw no test image, and have the name of this training.
pub fn rows_of_choice(
    choice: &PlannedRun,
    trial: &PlannedRun,
    spec: &TrainRun,
    settings: &[Setting],
    test: &ChoiceTest,
) -> Vec<MetricRow> {
    let mut table = Table::of_network(choice, spec);
    table.base.network = trial.name();
    table.base.settings = Some(as_json(settings));
    for (head, found) in test.heads.iter().enumerate() {
        table.evaluation(head, Part::Test, found);
    }
    table.rows
}

/// A JSON object of keys and values.
fn as_json(settings: &[Setting]) -> String {
    let settings: BTreeMap<&str, _> =
        settings.iter().map(|setting| (setting.key.as_str(), &setting.value)).collect();
    serde_json::to_string(&settings).expect("a value of TOML is plain data")
}

/// The rows of a perceptron, whose passes over the training images are epochs.
pub fn rows_of_perceptron(
    run: &PlannedRun,
    spec: &PerceptronRun,
    passes: &[PerceptronPass],
    outcome: Option<&PerceptronOutcome>,
) -> Vec<MetricRow> {
    let mut table = Table::new(run, &spec.data.set, Vec::new());
    for pass in passes {
        table.at(Some(pass.iteration), None);
        table.push(None, Some(Part::Training), "error", pass.train_error);
    }
    if let Some(outcome) = outcome {
        let PerceptronOutcome { train_images, train_correct, test_images, test_correct, .. } = *outcome;
        table.at(Some(outcome.iterations), None);
        for (part, correct, images) in
            [(Part::Training, train_correct, train_images), (Part::Test, test_correct, test_images)]
        {
            table.push(None, Some(part), "accuracy", correct as f64 / images as f64);
        }
    }
    table.rows
}

/// The rows of one run so far.
struct Table<'a> {
    /// A row with what all rows of the run have in common, and with the epoch and the step of those that are being added.
    base: MetricRow,
    heads: Vec<&'a str>,
    rows: Vec<MetricRow>,
}

impl<'a> Table<'a> {
    fn of_network(run: &PlannedRun, spec: &'a TrainRun) -> Table<'a> {
        let heads = spec.model.heads.iter().map(|head| head.name.as_str()).collect();
        Table::new(run, &spec.data.set, heads)
    }

    fn new(run: &PlannedRun, data_set: &str, heads: Vec<&'a str>) -> Table<'a> {
        let base = MetricRow {
            run: run.id.to_string(),
            task: run.task.name().into(),
            network: run.name(),
            data_set: data_set.into(),
            head: None,
            part: None,
            epoch: None,
            step: None,
            metric: String::new(),
            value: 0.0,
            settings: None,
        };
        Table { base, heads, rows: Vec::new() }
    }

    /// Sets the epoch and the step of the rows that follow.
    fn at(&mut self, epoch: Option<usize>, step: Option<usize>) {
        self.base.epoch = epoch.map(|epoch| u32::try_from(epoch).unwrap_or(u32::MAX));
        self.base.step = step.map(|step| step as u64);
    }

    fn push(&mut self, head: Option<usize>, part: Option<Part>, metric: &str, value: f64) {
        let head = head.map(|head| self.name(head));
        self.named(head, part, metric, value);
    }

    fn named(&mut self, head: Option<String>, part: Option<Part>, metric: &str, value: f64) {
        let row = MetricRow { head, part, metric: metric.into(), value, ..self.base.clone() };
        self.rows.push(row);
    }

    fn name(&self, head: usize) -> String {
        self.heads.get(head).map_or_else(|| format!("head {head}"), |&name| name.to_owned())
    }

    fn lines(&mut self, lines: &[TrainingLine]) {
        for line in lines {
            match line {
                TrainingLine::Steps(line) => self.steps(line),
                TrainingLine::Epoch(line) => self.epoch(line),
                TrainingLine::Trial(line) => self.trial(line),
                TrainingLine::Gradients(line) => self.gradients(line),
                TrainingLine::Idle(line) => self.idle(line),
            }
        }
    }

    fn steps(&mut self, line: &StepsLine) {
        let part = Some(Part::Training);
        self.at(None, Some(line.step));
        self.push(None, None, "learning_rate", line.learning_rate);
        if line.heads.is_empty() {
            self.push(Some(0), part, "loss", line.loss);
            self.push(Some(0), part, "accuracy", line.accuracy);
            return;
        }
        // The line's own accuracy is that of a head.
        self.push(None, part, "loss", line.loss);
        for (number, head) in line.heads.iter().enumerate() {
            let number = Some(number);
            self.push(number, None, "loss_weight", head.weight);
            head.loss.into_iter().for_each(|loss| self.push(number, part, "loss", loss));
            head.accuracy.into_iter().for_each(|share| self.push(number, part, "accuracy", share));
        }
    }

    fn epoch(&mut self, line: &EpochOutcome) {
        self.at(Some(line.epoch), Some(line.step));
        let first = HeadOutcome { train: line.train, validation: line.validation, test: line.test };
        for (number, head) in [first].iter().chain(&line.further).enumerate() {
            self.evaluation(number, Part::Training, &head.train);
            head.validation.iter().for_each(|found| self.evaluation(number, Part::Validation, found));
            self.evaluation(number, Part::Test, &head.test);
        }
    }

    fn trial(&mut self, line: &TrialEpoch) {
        self.at(Some(line.epoch), Some(line.step));
        for (number, head) in line.heads.iter().enumerate() {
            self.evaluation(number, Part::Training, &head.train);
            self.evaluation(number, Part::Validation, &head.validation);
        }
    }

    fn evaluation(&mut self, head: usize, part: Part, found: &Evaluation) {
        self.push(Some(head), Some(part), "loss", found.loss);
        self.push(Some(head), Some(part), "accuracy", found.accuracy());
    }

    fn gradients(&mut self, line: &GradientsLine) {
        self.at(None, Some(line.step));
        let part = Some(Part::Training);
        for (head, &norm) in line.norms.iter().enumerate() {
            self.push(Some(head), part, "gradient_norm", norm);
        }
        let first_two = [(0, 1, line.cosine)];
        let pairs = line.pairs.iter().map(|pair| (pair.a, pair.b, pair.cosine));
        let pairs: Vec<(usize, usize, Option<f64>)> =
            if line.pairs.is_empty() { first_two.into() } else { pairs.collect() };
        for (a, b, cosine) in pairs {
            let both = Some(format!("{} and {}", self.name(a), self.name(b)));
            cosine.into_iter().for_each(|cosine| self.named(both.clone(), part, "gradient_cosine", cosine));
        }
    }

    fn idle(&mut self, line: &IdleLine) {
        self.at(None, Some(line.step));
        for (metric, share) in [
            ("idle_panels", line.idle_panels),
            ("dead_units", line.dead_units),
            ("silent_inputs", line.silent_inputs),
        ] {
            self.push(None, None, metric, share);
        }
    }
}
