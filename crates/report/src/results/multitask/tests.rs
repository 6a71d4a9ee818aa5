//! Task 6 read back from runs, sound and damaged, and what is computed from it.

use std::collections::BTreeMap;

use inkling_schema::outcome::{Machine, RunResult, TrainingLine};
use inkling_schema::{RunId, preset};
use inkling_store::{Metadata, Store, Tensor, TensorFile};
use serde_json::json;

use super::*;
use crate::fixtures::multitask::{Asked, GARMENTS, diverge};
use crate::{McNemar, Results};

fn data() -> DataSetFacts {
    let classes = GARMENTS.map(str::to_owned).into();
    DataSetFacts {
        title: "Toy".into(),
        height: 8,
        width: 8,
        channels: 1,
        classes,
        checksum: "c".into(),
        images: None,
    }
}

/// What becomes of bytes.
type Bytes = fn(&mut Vec<u8>);

/// What a test changes before it is written.
#[derive(Default)]
struct Changed {
    /// Name of an array, and what becomes of its bytes.
    array: Option<(&'static str, Bytes)>,
    network: Option<fn(&mut Network)>,
    record: Option<fn(&mut StudyRecord)>,
}

fn write(store: &Store, network: &Network, task: &MultitaskResults, changed: &Changed) -> PlannedRun {
    let spec = RunSpec::Train(network.spec.clone());
    let id: RunId = spec.id("c");
    // Two of the networks may be one run, whose second outcome is the one to read.
    store.withdraw(id.as_ref(), |_| true).unwrap();
    let mut run = store.begin(id.as_ref(), &spec).unwrap();
    for line in &network.curve {
        run.append_metrics(&TrainingLine::Steps(line.clone())).unwrap();
    }
    for line in &network.gradients {
        run.append_metrics(&TrainingLine::Gradients(line.clone())).unwrap();
    }
    for line in &network.idle {
        run.append_metrics(&TrainingLine::Idle(line.clone())).unwrap();
    }
    // What numbers that are not finite leave behind.
    run.append_metrics(&json!({ "kind": "gradients", "step": 9, "norms": [null, 1.0], "cosine": null }))
        .unwrap();
    let mut bytes: Vec<(String, Vec<u8>)> = Vec::new();
    let mut scores: Vec<(String, usize, Vec<f32>)> = Vec::new();
    for (number, labels) in network.spec.labels.iter().enumerate() {
        let goal = Goal::of(labels);
        let answers = network.head(goal).map(|head| &network.heads[head]).unwrap();
        let suffix = if number == 0 { String::new() } else { format!("/{}", goal.name()) };
        let classes = task.classes(goal).len();
        bytes.push((format!("test_labels{suffix}"), task.labels(goal).to_vec()));
        bytes.push((format!("test_predictions{suffix}"), answers.predictions.clone()));
        let score = |&answer: &u8| {
            (0..classes).map(move |class| if class == usize::from(answer) { 4.0 } else { 0.0 })
        };
        scores.push((
            format!("test_logits{suffix}"),
            classes,
            answers.predictions.iter().flat_map(score).collect(),
        ));
    }
    if let Some((name, change)) = changed.array {
        bytes.iter_mut().filter(|(held, _)| held == name).for_each(|(_, values)| change(values));
    }
    let bytes = bytes.iter().map(|(name, values)| Tensor::new(name, &[values.len()], values));
    let scores = scores
        .iter()
        .map(|(name, classes, values)| Tensor::new(name, &[values.len() / classes, *classes], values));
    let tensors: Vec<Tensor> = bytes.chain(scores).collect();
    run.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new()).unwrap();
    let machine = Machine { cpu: "any".into(), threads: 1, instructions: "avx2".into() };
    run.finish(&RunResult {
        spec_hash: spec.hash("c"),
        data_checksum: "c".into(),
        version: "0".into(),
        sources: None,
        earlier: Vec::new(),
        machine,
        seconds: network.seconds,
        finished: None,
        outcome: network.outcome.clone(),
    })
    .unwrap();
    PlannedRun::new(id, Task::Multitask, network.name.clone(), spec)
}

/// Writes a study of these networks, changed, and reads it.
fn written_and_read(
    asked: &Asked,
    task: &MultitaskResults,
    changed: &Changed,
) -> Result<Option<MultitaskResults>, ReportError> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut study = preset("brief").unwrap();
    study.keep_only(&[Task::Multitask]);
    study.multitask = Some(asked.task.clone());
    let mut networks: Vec<Network> = task.networks().cloned().collect();
    if let Some(change) = changed.network {
        change(networks.last_mut().unwrap());
    }
    let mut record = StudyRecord {
        preset: "brief".into(),
        version: "0".into(),
        machine: Machine { cpu: "any".into(), threads: 1, instructions: "avx2".into() },
        seconds: 1.0,
        study,
        data: BTreeMap::from([("fashion-mnist".to_owned(), data())]),
        runs: networks.iter().map(|network| write(&store, network, task, changed)).collect(),
    };
    if let Some(change) = changed.record {
        change(&mut record);
    }
    store.publish_json("study.json", &record).unwrap();
    Ok(Results::read(store.reader())?.multitask)
}

fn small() -> Asked {
    let mut asked = Asked::brief(300, 200);
    asked.task.lambdas = vec![0.0, 0.5];
    asked
}

#[test]
fn networks_come_back_as_they_were_written_and_where_they_belong() {
    let mut asked = small().with_weightings(2);
    // One that the sweep has too, from two seeds: the first of the sweep's is the sweep's.
    asked.task.weightings.push(Weighting::Fixed { weights: vec![0.5, 0.5] });
    let mut made = asked.results(&data());
    // One spec is one run.
    *made.others.iter_mut().rev().nth(1).unwrap() = made.lambdas[1].1.clone();
    let read = written_and_read(&asked, &made, &Changed::default()).unwrap().unwrap();
    assert_eq!((&read.labels, &read.group_labels), (&made.labels, &made.group_labels));
    assert_eq!((&read.groups, &read.mapping), (&made.groups, &made.mapping));
    let lambdas: Vec<f64> = read.lambdas.iter().map(|(lambda, _)| *lambda).collect();
    assert_eq!((lambdas.as_slice(), read.others.len()), (&[0.0, 0.5][..], 10));
    for (read, made) in read.networks().zip(made.networks()) {
        assert_eq!((&read.name, &read.spec, &read.outcome), (&made.name, &made.spec, &made.outcome));
        assert_eq!((&read.curve, &read.gradients, &read.idle), (&made.curve, &made.gradients, &made.idle));
        for (read, made) in read.heads.iter().zip(&made.heads) {
            assert_eq!((&read.predictions, &read.free), (&made.predictions, &made.free));
        }
        assert_eq!(read.heads.len(), made.heads.len());
    }
    let names: Vec<String> = read.weightings().into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["uncertainty", "GradNorm", "PCGrad", "fixed 1 : 1", "fixed 0.5 : 0.5"]);
}

#[test]
fn what_is_missing_or_diverged_is_absent() {
    let mut asked = small();
    asked.single = [false, true];
    asked.task.lambdas.clear();
    let made = asked.results(&data());
    let read = written_and_read(&asked, &made, &Changed::default()).unwrap().unwrap();
    assert!(read.single(Goal::Item).is_none() && read.lambdas.is_empty() && read.labels.is_empty());
    assert!(read.single(Goal::Group).unwrap().test(Goal::Group).is_some());
    assert!(read.comparisons().mcnemar.is_empty() && read.comparisons().verdicts.is_empty());
    assert!(read.costs().is_none() && read.class_changes().is_empty());
    let asked = small();
    let mut made = asked.results(&data());
    diverge(made.single[0].as_mut().unwrap(), 2);
    let read = written_and_read(&asked, &made, &Changed::default()).unwrap().unwrap();
    let item = read.single(Goal::Item).unwrap();
    assert!(item.kept().is_none() && item.test(Goal::Item).is_none() && read.free(item).is_none());
    assert_eq!(item.tests(Goal::Item).len(), 1);
    // What is left: the group head of the λ that trained both heads beside the group network.
    assert_eq!(read.comparisons().mcnemar.len(), 1);
}

#[test]
fn what_does_not_fit_is_an_error_that_names_the_file() {
    let message = |changed: Changed| match written_and_read(&small(), &small().results(&data()), &changed) {
        Err(error) => error.to_string(),
        Ok(_) => "no error".into(),
    };
    let array = |name, change| message(Changed { array: Some((name, change)), ..Changed::default() });
    let record = |change| message(Changed { record: Some(change), ..Changed::default() });
    let network = |change| message(Changed { network: Some(change), ..Changed::default() });
    for (found, file, words) in [
        (array("test_predictions", |held| held.truncate(9)), "arrays", "`test_predictions`"),
        (
            array("test_predictions/group", |held| held[3] = 3),
            "arrays",
            "a class of the head `group` is out of range: there are 3",
        ),
        (array("test_labels", |held| held[0] = 200), "arrays", "a label is out of range: there are 10"),
        (
            array("test_labels/group", |held| held[0] = (held[0] + 1) % 3),
            "arrays",
            "labels of the group are not those",
        ),
        (network(|found| found.outcome.epochs[0].further.clear()), "result", "not as many heads"),
        (network(|found| found.outcome.epochs[0].further[0].test.images = 0), "result", "no images"),
        (record(|record| record.study.multitask = None), "study.json", "not its settings"),
        (
            record(|record| record.data.clear()),
            "study.json",
            "does not describe the data set `fashion-mnist`",
        ),
        (
            record(|record| record.study.multitask.as_mut().unwrap().groups[0].classes.truncate(1)),
            "study.json",
            "the classes of `fashion-mnist` and its groups do not fit",
        ),
        (
            record(|record| record.study.multitask.as_mut().unwrap().groups.swap(0, 1)),
            "study.json",
            "groups the classes in another way",
        ),
        (
            record(|record| {
                if let RunSpec::Train(spec) = &mut record.runs[0].spec {
                    spec.labels.clear();
                }
            }),
            "study.json",
            "the run `item` has labels for 0 heads and 1 heads",
        ),
    ] {
        assert!(found.contains(file) && found.contains(words), "{found}");
    }
}

/// Ten images of four classes in two groups, with these answers of a two-headed network under λ = 0.5.
fn ten(items: [u8; 10], groups: [u8; 10]) -> MultitaskResults {
    let classes = ["a", "b", "c", "d"].map(str::to_owned).into();
    let data = DataSetFacts {
        title: "Toy".into(),
        height: 8,
        width: 8,
        channels: 1,
        classes,
        checksum: "c".into(),
        images: None,
    };
    let mut asked = Asked::of(4, 2);
    (asked.test_images, asked.task.lambdas) = (10, vec![0.5]);
    let mut task = asked.results(&data);
    task.labels = vec![0, 1, 2, 3, 0, 1, 2, 3, 0, 1];
    task.group_labels = task.labels.iter().map(|label| label % 2).collect();
    let right = (task.labels.clone(), task.group_labels.clone());
    let set = |network: &mut Network, goal: Goal, said: &[u8]| {
        let labels = if goal == Goal::Item { &right.0 } else { &right.1 };
        let answers = network.answers_mut(goal).unwrap();
        (answers.labels, answers.predictions) = (labels.clone(), said.to_vec());
    };
    set(task.single[0].as_mut().unwrap(), Goal::Item, &right.0);
    task.single[0].as_mut().unwrap().heads[0].free = right.1.clone();
    set(task.single[1].as_mut().unwrap(), Goal::Group, &right.1);
    set(&mut task.lambdas[0].1, Goal::Item, &items);
    set(&mut task.lambdas[0].1, Goal::Group, &groups);
    task
}

#[test]
fn contradictions_pairs_and_classes_counted_by_hand() {
    // Items wrong at 0 (for class 1) and at 2 (for class 0, of the same group); groups wrong at 3.
    let task = ten([1, 1, 0, 3, 0, 1, 2, 3, 0, 1], [0, 1, 0, 0, 0, 1, 0, 1, 0, 1]);
    let found = task.contradictions(&task.lambdas[0].1).unwrap();
    assert_eq!(found, Contradictions { count: 2, share: 0.2, item_right: 1, group_right: 1 });
    let tests = task.comparisons().mcnemar;
    let counts =
        |test: &McNemar<GoalPair>| (test.pair.goal, test.pair.pairing, test.only_first, test.only_second);
    let counts: Vec<_> = tests.iter().map(counts).collect();
    let lambda = Pairing::Lambda(0);
    assert_eq!(
        counts,
        [(Goal::Item, lambda, 0, 2), (Goal::Group, lambda, 0, 1), (Goal::Group, Pairing::Free, 0, 0)]
    );
    // 2 · (1/4) and three tests.
    assert!((tests[0].p - 0.5).abs() < 1e-12 && tests.iter().all(|test| test.adjusted == 1.0));
    let changes = task.class_changes();
    let changes = changes.iter().filter(|change| change.goal == Goal::Item);
    let recalls: Vec<(f64, f64)> = changes.map(|change| (change.recall, change.single)).collect();
    assert_eq!(recalls, [(2.0 / 3.0, 1.0), (1.0, 1.0), (0.5, 1.0), (1.0, 1.0)]);
    assert_eq!(task.baselines(Goal::Item), Baselines { chance: 0.25, majority: 0.3 });
    assert_eq!(task.baselines(Goal::Group), Baselines { chance: 0.5, majority: 0.5 });
    assert_eq!(task.free(task.single(Goal::Item).unwrap()).unwrap().correct, 10);
}

#[test]
fn an_untrained_head_is_in_no_comparison() {
    let asked = Asked::brief(300, 200);
    let task = asked.results(&data());
    let first = &task.lambdas[0].1;
    assert!(!first.trained(Goal::Item) && first.trained(Goal::Group));
    assert!(task.contradictions(first).is_none() && first.free().is_none() && first.cosines().is_empty());
    assert!(task.lambdas[4].1.losses(Goal::Group).is_empty());
    // Three item heads, three group heads, the free baseline: one that was trained alone is in no comparison either.
    assert_eq!((task.comparisons().mcnemar.len(), task.joint().count()), (7, 3));
    let of_groups = |change: &&ClassChange| change.goal == Goal::Group;
    assert_eq!(task.class_changes().iter().filter(of_groups).count(), 3 * 3);
    assert_eq!(task.own_free().len(), 3);
    let costs = task.costs().unwrap();
    // Of the size of these images, not the brief's.
    assert!(costs.joint_parameters < costs.single_parameters);
    assert_eq!(costs.joint_bytes, 12 * costs.joint_parameters);
    let found = task.lambdas[2].1.gradients_found().unwrap();
    assert!(found.measurements == 30 && found.mean_cosine > 0.3 && found.norm_ratio.unwrap() < 1.0);
}
