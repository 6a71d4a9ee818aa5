//! Tests of the table of metrics: rows of made-up runs, and every form read back.

use std::io::Write;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row};
use inkling_schema::outcome::{
    ChoiceTest, Divergence, EpochOutcome, Evaluation, GradientsLine, HeadOutcome, HeadPair, HeadSteps,
    HeadValidated, IdleLine, PerceptronOutcome, PerceptronPass, PlannedRun, StepsLine, TrainOutcome,
    TrainingLine, TrialEpoch, TrialOutcome,
};
use inkling_schema::{
    ChoiceRun, DataSlice, Head, ModelSpec, PerceptronRule, PerceptronRun, RunSpec, Setting, Task, TrainRun,
    Weights, preset,
};
use proptest::prelude::*;

use super::*;

/// A run of the smoke study that a test names.
fn planned(title: &str, spec: RunSpec) -> PlannedRun {
    let task = match spec {
        RunSpec::Perceptron(_) => Task::Perceptron,
        RunSpec::Trial(_) | RunSpec::Choice(_) => Task::Sweep,
        _ => Task::Multitask,
    };
    PlannedRun::new(spec.id("data"), task, title, spec)
}

fn data() -> DataSlice {
    DataSlice { set: "fashion-mnist".into(), train_images: 100, test_images: 50 }
}

/// A training of a network with heads of these names.
fn training(heads: &[&str]) -> TrainRun {
    let training = preset("smoke").unwrap().mlp.unwrap().training;
    let heads = heads.iter().map(|&name| Head::new(name, Vec::new())).collect();
    let model = ModelSpec { input: [28, 28, 1], trunk: Vec::new(), heads };
    TrainRun::of_classes(data(), model, training, 1)
}

fn evaluation(correct: usize) -> Evaluation {
    Evaluation { images: 4, correct, loss: 0.5 * correct as f64 }
}

/// Rows without what all of a run have in common: head, part, epoch, step, metric and value.
fn short(rows: &[MetricRow]) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let line = |row: &MetricRow| {
        let (epoch, step) = (row.epoch.map(|epoch| epoch.to_string()), row.step.map(|step| step.to_string()));
        let (head, part) = (row.head.clone(), row.part.map(|part| part.name().to_owned()));
        let words = [head, part, epoch, step].map(or_dash).join(" ");
        format!("{words} {} {}", row.metric, row.value)
    };
    rows.iter().map(line).collect()
}

fn outcome(epochs: Vec<EpochOutcome>) -> TrainOutcome {
    TrainOutcome {
        parameters: 12,
        steps: 20,
        epochs,
        train_seconds: 1.5,
        test_seconds: 0.25,
        diverged: None,
        best_epoch: None,
        stopped_early: false,
        weights: Weights::Last,
    }
}

#[test]
fn a_network_with_one_head() {
    let spec = training(&["class"]);
    let run = planned("2 hidden", RunSpec::Train(spec.clone()));
    let epoch = EpochOutcome {
        epoch: 1,
        step: 20,
        train: evaluation(3),
        validation: Some(evaluation(1)),
        test: evaluation(2),
        further: Vec::new(),
    };
    let lines = [
        TrainingLine::Steps(StepsLine {
            step: 10,
            loss: 2.0,
            accuracy: 0.5,
            learning_rate: 0.1,
            heads: Vec::new(),
        }),
        TrainingLine::Idle(IdleLine {
            step: 11,
            layer: "trunk.1".into(),
            idle_panels: 0.25,
            dead_units: 0.5,
            silent_inputs: 0.75,
        }),
        TrainingLine::Epoch(epoch.clone()),
    ];
    let rows = rows_of_training(&run, &spec, &lines, Some(&outcome(vec![epoch])));
    assert_eq!(
        short(&rows),
        [
            "- - - 10 learning_rate 0.1",
            "class training - 10 loss 2",
            "class training - 10 accuracy 0.5",
            "- - - 11 idle_panels 0.25",
            "- - - 11 dead_units 0.5",
            "- - - 11 silent_inputs 0.75",
            "class training 1 20 loss 1.5",
            "class training 1 20 accuracy 0.75",
            "class validation 1 20 loss 0.5",
            "class validation 1 20 accuracy 0.25",
            "class test 1 20 loss 1",
            "class test 1 20 accuracy 0.5",
            "- - - - steps 20",
            "- - - - parameters 12",
            "- training - - seconds 1.5",
            "- test - - seconds 0.25",
            "- - - - kept_epoch 1",
        ]
    );
    let MetricRow { run: id, task, network, data_set, .. } = &rows[0];
    assert_eq!((id.as_str(), task.as_str()), (run.id.as_ref(), "multitask"));
    assert_eq!((network.as_str(), data_set.as_str()), ("2 hidden", "fashion-mnist"));
}

#[test]
fn charts_are_named_by_what_they_show() {
    let row = MetricRow {
        run: "0123456789abcdef".into(),
        task: "mlp".into(),
        network: "2 hidden".into(),
        data_set: "mnist".into(),
        head: Some("class".into()),
        part: Some(Part::Test),
        epoch: Some(3),
        step: Some(120),
        metric: "loss".into(),
        value: 0.5,
        settings: None,
    };
    let within = MetricRow { part: Some(Part::Training), epoch: None, ..row.clone() };
    let rate = MetricRow { head: None, metric: "learning_rate".into(), ..within.clone() };
    let perceptron = MetricRow { head: None, step: None, ..row.clone() };
    let whole = MetricRow { step: None, ..rate.clone() };
    let found = [row, within, rate, perceptron, whole].map(|row| row.chart());
    let expected = [
        Some(("loss/test/class".into(), 120)),
        Some(("steps/loss/class".into(), 120)),
        Some(("steps/learning_rate".into(), 120)),
        Some(("loss/test".into(), 3)),
        None,
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_training_that_diverged_keeps_no_epoch() {
    let spec = training(&["class"]);
    let run = planned("2 hidden", RunSpec::Train(spec.clone()));
    let diverged = Some(Divergence { epoch: 1, step: 3, what: Default::default() });
    let outcome = TrainOutcome { diverged, ..outcome(Vec::new()) };
    let rows = rows_of_training(&run, &spec, &[], Some(&outcome));
    assert!(rows.iter().all(|row| row.metric != "kept_epoch"));
    assert!(rows_of_training(&run, &spec, &[], None).is_empty());
}

#[test]
fn a_network_with_several_heads() {
    let spec = training(&["item", "group", "colour"]);
    let run = planned("λ = 0.5", RunSpec::Train(spec.clone()));
    let head = |loss: f64, weight: f64| HeadSteps { loss: Some(loss), accuracy: Some(0.5 * loss), weight };
    let untrained = HeadSteps { loss: None, accuracy: None, weight: 0.0 };
    let pair = |a, b, cosine| HeadPair { a, b, cosine };
    let further =
        |correct| HeadOutcome { train: evaluation(correct), validation: None, test: evaluation(correct) };
    let lines = [
        TrainingLine::Gradients(GradientsLine {
            step: 1,
            norms: vec![3.0, 4.0, 0.0],
            cosine: Some(0.5),
            pairs: vec![pair(0, 1, Some(0.5)), pair(0, 2, None)],
        }),
        TrainingLine::Gradients(GradientsLine {
            step: 2,
            norms: vec![3.0, 4.0],
            cosine: Some(0.25),
            pairs: Vec::new(),
        }),
        TrainingLine::Steps(StepsLine {
            step: 10,
            loss: 1.75,
            accuracy: 0.5,
            learning_rate: 0.1,
            heads: vec![head(1.0, 0.5), head(2.0, 0.75), untrained],
        }),
        TrainingLine::Epoch(EpochOutcome {
            epoch: 1,
            step: 20,
            train: evaluation(4),
            validation: None,
            test: evaluation(4),
            further: vec![further(2), further(0)],
        }),
    ];
    assert_eq!(
        short(&rows_of_training(&run, &spec, &lines, None)),
        [
            "item training - 1 gradient_norm 3",
            "group training - 1 gradient_norm 4",
            "colour training - 1 gradient_norm 0",
            "item and group training - 1 gradient_cosine 0.5",
            "item training - 2 gradient_norm 3",
            "group training - 2 gradient_norm 4",
            "item and group training - 2 gradient_cosine 0.25",
            "- - - 10 learning_rate 0.1",
            "- training - 10 loss 1.75",
            "item - - 10 loss_weight 0.5",
            "item training - 10 loss 1",
            "item training - 10 accuracy 0.5",
            "group - - 10 loss_weight 0.75",
            "group training - 10 loss 2",
            "group training - 10 accuracy 1",
            "colour - - 10 loss_weight 0",
            "item training 1 20 loss 2",
            "item training 1 20 accuracy 1",
            "item test 1 20 loss 2",
            "item test 1 20 accuracy 1",
            "group training 1 20 loss 1",
            "group training 1 20 accuracy 0.5",
            "group test 1 20 loss 1",
            "group test 1 20 accuracy 0.5",
            "colour training 1 20 loss 0",
            "colour training 1 20 accuracy 0",
            "colour test 1 20 loss 0",
            "colour test 1 20 accuracy 0",
        ]
    );
}

/// A training of a sweep has rows of training and validation images alone, and the choice those of test images.
#[test]
fn a_sweep() {
    let spec = training(&["class"]);
    let settings = [("mlp.training.learning_rate", "0.5"), ("mlp.networks.small.hidden", "[4, 2]")]
        .map(|(key, value)| Setting::parse(&format!("{key}={value}")).unwrap());
    let run = PlannedRun {
        seed: Some(2),
        ..planned("small, learning_rate = 0.5, hidden = [4, 2]", RunSpec::Trial(spec.clone()))
    };
    let head = HeadValidated { trained: true, train: evaluation(3), validation: evaluation(1) };
    let epoch = TrialEpoch { epoch: 1, step: 20, heads: vec![head] };
    let outcome = TrialOutcome {
        parameters: 12,
        steps: 20,
        epochs: vec![epoch.clone()],
        train_seconds: 1.5,
        diverged: None,
        best_epoch: Some(1),
        stopped_early: false,
        weights: Weights::Last,
    };
    let rows = rows_of_trial(&run, &spec, &settings, &[TrainingLine::Trial(epoch)], Some(&outcome));
    assert_eq!(
        short(&rows),
        [
            "class training 1 20 loss 1.5",
            "class training 1 20 accuracy 0.75",
            "class validation 1 20 loss 0.5",
            "class validation 1 20 accuracy 0.25",
            "- - - - steps 20",
            "- - - - parameters 12",
            "- training - - seconds 1.5",
            "- - - - kept_epoch 1",
        ]
    );
    let written = r#"{"mlp.networks.small.hidden":[4,2],"mlp.training.learning_rate":0.5}"#;
    assert!(rows.iter().all(|row| row.settings.as_deref() == Some(written)), "{rows:?}");

    let points = vec![vec![run.id.clone()]];
    let choice = planned("small, the chosen point", RunSpec::Choice(ChoiceRun { data: data(), points }));
    let test = ChoiceTest { run: run.id.clone(), heads: vec![evaluation(2)] };
    let rows = rows_of_choice(&choice, &run, &spec, &settings, &test);
    assert_eq!(short(&rows), ["class test - - loss 1", "class test - - accuracy 0.5"]);
    let MetricRow { run: id, task, network, .. } = &rows[0];
    assert_eq!((id.as_str(), task.as_str(), network.clone()), (choice.id.as_ref(), "sweep", run.name()));
    assert!(rows.iter().all(|row| row.chart().is_none() && row.settings.as_deref() == Some(written)));
}

#[test]
fn a_perceptron() {
    let spec = PerceptronRun {
        data: data(),
        a: 3,
        b: 5,
        rule: PerceptronRule::Online,
        learning_rate: 0.1,
        max_iterations: 1000,
        tolerance: 1e-3,
        seed: 1,
    };
    let run = planned("3 or 5", RunSpec::Perceptron(spec.clone()));
    let passes =
        [(1, 0.25), (2, 0.0)].map(|(iteration, train_error)| PerceptronPass { iteration, train_error });
    let outcome = PerceptronOutcome {
        iterations: 2,
        converged: true,
        train_images: 4,
        train_correct: 4,
        test_images: 4,
        test_correct: 3,
        diverged: None,
    };
    assert_eq!(
        short(&rows_of_perceptron(&run, &spec, &passes, Some(&outcome))),
        [
            "- training 1 - error 0.25",
            "- training 2 - error 0",
            "- training 2 - accuracy 1",
            "- test 2 - accuracy 0.75",
        ]
    );
}

/// The rows of a Parquet file, by its crate's own reader.
fn read_parquet(bytes: &[u8]) -> Vec<MetricRow> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let text = |field: &Field| match field {
        Field::Str(text) => Some(text.clone()),
        Field::Null => None,
        other => panic!("{other:?} is no text"),
    };
    let part = |name: String| {
        [Part::Training, Part::Validation, Part::Test].into_iter().find(|part| part.name() == name).unwrap()
    };
    let row = |row: Row| {
        let names: Vec<&String> = row.get_column_iter().map(|(name, _)| name).collect();
        assert_eq!(names, COLUMNS);
        let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
        let texts = |column: usize| text(fields[column]);
        MetricRow {
            run: texts(0).unwrap(),
            task: texts(1).unwrap(),
            network: texts(2).unwrap(),
            data_set: texts(3).unwrap(),
            head: texts(4),
            part: texts(5).map(part),
            epoch: match fields[6] {
                Field::Int(epoch) => Some(u32::try_from(*epoch).unwrap()),
                _ => None,
            },
            step: match fields[7] {
                Field::Long(step) => Some(u64::try_from(*step).unwrap()),
                _ => None,
            },
            metric: texts(8).unwrap(),
            value: match fields[9] {
                Field::Double(value) => *value,
                other => panic!("{other:?} is no number"),
            },
            settings: texts(10),
        }
    };
    reader.get_row_iter(None).unwrap().map(|found| row(found.unwrap())).collect()
}

fn any_row() -> impl Strategy<Value = MetricRow> {
    let part = prop_oneof![Just(Part::Training), Just(Part::Validation), Just(Part::Test)];
    let text = || "[^\r\n]{1,8}";
    let texts = (text(), text(), text(), text(), text());
    let finite = any::<f64>().prop_filter("finite", |value| value.is_finite());
    let counts = (prop::option::of(0..=i32::MAX as u32), prop::option::of(0..=i64::MAX as u64));
    let optional = (prop::option::of(text()), prop::option::of(text()));
    (texts, optional, prop::option::of(part), counts, finite).prop_map(
        |((run, task, network, data_set, metric), (head, settings), part, (epoch, step), value)| MetricRow {
            run,
            task,
            network,
            data_set,
            head,
            part,
            epoch,
            step,
            metric,
            value,
            settings,
        },
    )
}

proptest! {
    #[test]
    fn every_form_is_read_as_it_was_written(rows in prop::collection::vec(any_row(), 0..40)) {
        let from_json: Vec<MetricRow> = serde_json::from_slice(&json(&rows)).unwrap();
        prop_assert_eq!(&from_json, &rows);
        let bytes = csv(&rows);
        let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
        prop_assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
        let from_csv: Vec<MetricRow> = reader.deserialize().map(|row| row.unwrap()).collect();
        prop_assert_eq!(&from_csv, &rows);
        prop_assert_eq!(&read_parquet(&parquet(&rows)), &rows);
    }
}
