//! Task 6: networks of several heads, whatever weighs their losses; those that must end alike do; what cannot be is
//! refused.

mod common;

use std::path::Path;

use common::{
    Ear, dir, finished, outcome, planned, set, train_in, training, two_headed, uninterrupted, weightings,
};
use inkling_data::{DataSet, Sources, catalogue};
use inkling_lab::{LabError, StudyOptions, run_study};
use inkling_schema::outcome::{Checks, IdleLine, PlannedRun, StudyRecord, TrainingLine};
use inkling_schema::{
    ClassRef, Head, Initializer, Labels, LayerSpec, Loss, Optimizer, RunSpec, Schedule, Study, Task,
    TrainRun, TrainingSpec, ValidationSpec, Weighting, preset,
};
use inkling_store::{Reader, Store, TensorFile, Tensors};
use miette::Diagnostic;

/// Task 6 of the smoke study on a few images of Fashion-MNIST, four steps an epoch.
fn small() -> Study {
    let mut study = preset("smoke").unwrap();
    study.keep_only(&[Task::Multitask]);
    (study.data.train_images, study.data.test_images) = (180, 120);
    study.multitask.as_mut().unwrap().training.epochs = 3;
    study
}

fn run(study: &Study, out: &Path) -> Result<StudyRecord, LabError> {
    run_study(
        study,
        "test",
        &Store::open(out).unwrap(),
        &Sources::new(None),
        &StudyOptions::default(),
        &Ear::new(),
    )?;
    Ok(Reader::open(out).unwrap().json("study.json").unwrap().unwrap())
}

fn fashion(study: &Study) -> DataSet {
    let mut set = Sources::new(None).load(catalogue::find("fashion-mnist").unwrap()).unwrap();
    set.train = set.train.take(study.data.train_images);
    set.test = set.test.take(study.data.test_images);
    set
}

fn spec(run: &PlannedRun) -> &TrainRun {
    let RunSpec::Train(spec) = &run.spec else { panic!("{} is no training", run.title) };
    spec
}

/// Every tensor of a file whose name begins so, as bits.
fn bits(tensors: &Tensors, prefixes: &[String]) -> Vec<(String, Vec<u32>)> {
    let wanted = |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let of = |name: String| {
        let values = tensors.values::<f32>(&name, tensors.shape(&name).unwrap()).unwrap();
        (name, values.iter().map(|value| value.to_bits()).collect())
    };
    tensors.names().into_iter().filter(wanted).map(of).collect()
}

#[test]
fn with_all_the_weight_on_one_head_a_network_ends_as_the_single_task_one_to_the_bit() {
    let (study, folder) = (small(), tempfile::tempdir().unwrap());
    let record = run(&study, folder.path()).unwrap();
    let networks = record.runs.iter().filter(|run| !run.spec.is_for_the_page());
    let titles: Vec<&str> = networks.map(|run| run.title.as_str()).collect();
    assert_eq!(titles, ["item", "group", "λ = 0", "λ = 0.25", "λ = 0.5", "λ = 0.75", "λ = 1"]);
    let find = |title: &str| record.runs.iter().find(|run| run.title == title).unwrap();

    // What stands still is seen at the first step and the eleventh, and in layers that are alike it is the same.
    let idle = |title: &str| -> Vec<IdleLine> {
        let lines: Vec<TrainingLine> = dir(folder.path(), find(title)).metrics().unwrap();
        let idle = lines.into_iter().filter_map(|line| match line {
            TrainingLine::Idle(line) => Some(line),
            _ => None,
        });
        idle.collect()
    };
    for (title, other) in [("item", "λ = 1"), ("group", "λ = 0"), ("λ = 0.5", "λ = 0.5")] {
        let lines = idle(title);
        assert_eq!(lines.iter().map(|line| line.step).collect::<Vec<_>>(), [1, 11], "{title}");
        assert_eq!(lines, idle(other), "{title}");
        for line in lines {
            assert!(line.layer.starts_with("trunk."), "{line:?}");
            let shares = [line.idle_panels, line.dead_units, line.silent_inputs];
            assert!(shares.iter().all(|share| (0.0..1.0).contains(share)), "{line:?}");
        }
    }

    // What the study itself says of it.
    let reader = Reader::open(folder.path()).unwrap();
    let checks: Checks = reader.json("checks.json").unwrap().unwrap();
    let pairs = [("item", "λ = 1", "λ = 0.75"), ("group", "λ = 0", "λ = 0.25")];
    assert_eq!(checks.same_bits.len(), 2);
    for (found, (single, two_headed, _)) in checks.same_bits.iter().zip(pairs) {
        assert_eq!((&found.single, &found.two_headed), (&find(single).id, &find(two_headed).id));
        assert!(found.differing.is_empty() && found.numbers > 10_000, "{found:?}");
    }

    // The weights and both moments, as a checkpoint after two epochs of three holds them.
    let set = fashion(&study);
    let checkpoint = |title: &str| {
        let folder = tempfile::tempdir().unwrap();
        let run = find(title);
        assert!(train_in(folder.path(), run, &set, &Ear::until(9)).is_err());
        dir(folder.path(), run).checkpoints().next().unwrap().unwrap()
    };
    for (single, two_headed, between) in pairs {
        let of = |parts: &[&str]| -> Vec<String> {
            let kinds = ["value", "first-moment", "second-moment"];
            kinds.iter().flat_map(|kind| parts.iter().map(move |part| format!("{kind}/{part}."))).collect()
        };
        let shared = of(&["trunk", single]);
        let alone = bits(checkpoint(single).tensors(), &shared);
        assert!(alone.len() == 3 * 14 && alone == bits(checkpoint(two_headed).tensors(), &shared));
        assert!(alone != bits(checkpoint(between).tensors(), &shared));
        // The other head has not moved.
        let other = if single == "item" { "group" } else { "item" };
        let head = |title: &str| bits(checkpoint(title).tensors(), &[format!("first-moment/{other}.")]);
        assert!(head(two_headed).iter().flat_map(|(_, values)| values).all(|value| *value == 0));
        assert!(head(between).iter().flat_map(|(_, values)| values).any(|value| *value != 0));
    }
    // Untrained or not, an accuracy is there for every head.
    let untrained = outcome(&dir(folder.path(), find("λ = 1")));
    assert!(
        untrained.epochs.iter().all(|epoch| epoch.further.len() == 1 && epoch.further[0].test.images == 120)
    );
}

#[test]
fn two_heads_leave_what_readers_need_of_both() {
    let (set, folder) = (set(150, 300), tempfile::tempdir().unwrap());
    let weighting = Weighting::Fixed { weights: vec![0.25, 0.75] };
    let validation = Some(ValidationSpec { images: 30, own: false, patience: None });
    let run = two_headed(&set, TrainingSpec { validation, ..training(4) }, weighting);
    train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
    let dir = dir(folder.path(), &run);
    let found = outcome(&dir);
    let last = &found.epochs[3];
    let half = last.further[0];
    assert_eq!((last.further.len(), half.train.images, half.test.images), (1, 120, 300));
    assert!(half.test.accuracy() > 0.7 && half.test.loss < 0.7, "{half:?}");
    // The best epoch is that of the least weighted sum.
    let sum = |epoch: &inkling_schema::outcome::EpochOutcome| {
        0.25 * epoch.validation.unwrap().loss + 0.75 * epoch.further[0].validation.unwrap().loss
    };
    let best = found.epochs.iter().min_by(|a, b| sum(a).total_cmp(&sum(b))).unwrap().epoch;
    assert_eq!(found.best_epoch, Some(best));

    let arrays = dir.tensors(TensorFile::Arrays).unwrap();
    let halves: Vec<u8> = set.test.labels.iter().map(|label| label / 2).collect();
    assert_eq!(arrays.values::<u8>("test_labels", &[300]).unwrap(), set.test.labels);
    assert_eq!(arrays.values::<u8>("test_labels/half", &[300]).unwrap(), halves);
    for (suffix, classes, correct) in [("", 4, last.test.correct), ("/half", 2, half.test.correct)] {
        let logits = arrays.values::<f32>(&format!("test_logits{suffix}"), &[300, classes]).unwrap();
        let labels = arrays.values::<u8>(&format!("test_labels{suffix}"), &[300]).unwrap();
        let predictions = arrays.values::<u8>(&format!("test_predictions{suffix}"), &[300]).unwrap();
        assert_eq!(predictions.iter().zip(&labels).filter(|(a, b)| a == b).count(), correct);
        for (scores, &prediction) in logits.chunks_exact(classes).zip(&predictions) {
            assert!(scores.iter().all(|score| *score <= scores[usize::from(prediction)]));
        }
    }

    let lines: Vec<TrainingLine> = dir.metrics().unwrap();
    let (mut looked_at, mut idle_at) = (Vec::new(), Vec::new());
    for line in &lines {
        match line {
            TrainingLine::Steps(steps) => {
                let [class, half] = &steps.heads[..] else { panic!("{steps:?}") };
                let sum = 0.25 * class.loss.unwrap() + 0.75 * half.loss.unwrap();
                assert!((steps.loss - sum).abs() < 1e-12 && Some(steps.accuracy) == class.accuracy);
                assert_eq!((class.weight, half.weight), (0.25, 0.75));
            }
            TrainingLine::Gradients(line) => {
                assert!(line.norms.len() == 2 && line.norms.iter().all(|norm| *norm > 0.0), "{line:?}");
                assert!(line.cosine.unwrap().abs() <= 1.0 && line.pairs.is_empty());
                looked_at.push(line.step);
            }
            TrainingLine::Idle(line) => idle_at.push(line.step),
            _ => {}
        }
    }
    assert_eq!(looked_at, [1, 6, 11, 16, 21]);
    assert_eq!(idle_at, looked_at);
}

#[test]
fn gradients_of_every_pair_of_trained_heads_are_compared() {
    let set = set(150, 60);
    // The first line of gradients of a network with three heads under these weights.
    let line = |weights: [f64; 3]| {
        let mut run = two_headed(&set, training(1), Weighting::Fixed { weights: weights.into() });
        let RunSpec::Train(spec) = &mut run.spec else { unreachable!() };
        let head = Head { name: "parity".into(), ..spec.model.heads[1].clone() };
        spec.model.heads.push(head);
        spec.labels.push(Labels::Groups(vec![0, 1, 0, 1, 0, 1, 0, 1, 0, 1]));
        let metrics = uninterrupted(&run, &set).metrics;
        let lines = metrics.lines().map(|line| serde_json::from_str::<TrainingLine>(line).unwrap());
        let mut gradients = lines.filter_map(|line| match line {
            TrainingLine::Gradients(line) => Some(line),
            _ => None,
        });
        gradients.next().expect("two heads are trained at least")
    };
    let all = line([0.5, 0.25, 0.25]);
    let pairs: Vec<_> = all.pairs.iter().map(|pair| (pair.a, pair.b)).collect();
    assert_eq!(pairs, [(0, 1), (0, 2), (1, 2)]);
    assert!(all.pairs.iter().all(|pair| pair.cosine.is_some_and(|cosine| cosine.abs() <= 1.0)), "{all:?}");
    assert_eq!(all.cosine, all.pairs[0].cosine);

    // What is compared are the heads' own gradients, which their weights do not change.
    let outer = line([0.5, 0.0, 0.5]);
    assert_eq!((outer.norms[1], outer.cosine), (0.0, None));
    assert_eq!(outer.pairs, [all.pairs[1]]);
}

#[test]
fn lines_have_the_accuracy_of_the_first_head_that_is_trained() {
    let set = set(150, 100);
    let weighting = Weighting::Fixed { weights: vec![0.0, 1.0] };
    let found = uninterrupted(&two_headed(&set, training(2), weighting), &set);
    let mut count = 0;
    for line in found.metrics.lines().map(|line| serde_json::from_str::<TrainingLine>(line).unwrap()) {
        if let TrainingLine::Steps(steps) = line {
            assert_eq!(Some(steps.accuracy), steps.heads[1].accuracy, "{steps:?}");
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn a_head_that_is_not_trained_is_judged_but_has_no_loss_in_lines() {
    let set = set(150, 100);
    let found = uninterrupted(&two_headed(&set, training(2), weightings()[1].clone()), &set);
    let lines = found.metrics.lines().map(|line| serde_json::from_str::<TrainingLine>(line).unwrap());
    for line in lines {
        match line {
            TrainingLine::Steps(steps) => {
                let [class, half] = &steps.heads[..] else { panic!("{steps:?}") };
                assert_eq!((class.loss, class.weight), (Some(steps.loss), 1.0));
                assert_eq!((half.loss, half.accuracy, half.weight), (None, None, 0.0));
            }
            TrainingLine::Epoch(epoch) => assert!(epoch.further[0].train.loss > 0.0),
            TrainingLine::Idle(_) => {}
            other => panic!("nothing to compare, and yet {other:?}"),
        }
    }
}

#[test]
fn looking_at_gradients_changes_no_bit_and_threads_do_not_show() {
    let set = set(150, 60);
    for weighting in weightings() {
        let looked = two_headed(&set, training(2), weighting);
        let plain = RunSpec::Train(TrainRun { gradients_every: None, ..spec(&looked).clone() });
        let plain = PlannedRun { id: plain.id(&set.checksum), spec: plain, ..looked.clone() };
        let (one, other) = (uninterrupted(&looked, &set), uninterrupted(&plain, &set));
        assert!((&one.outcome, &one.arrays) == (&other.outcome, &other.arrays));
        // The cards differ in what was looked at, the weights in nothing.
        assert!(common::weights(&one.model) == common::weights(&other.model));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert!(pool.install(|| uninterrupted(&looked, &set)) == one, "{:?}", spec(&looked).weighting);
    }
}

#[test]
fn every_weighting_is_interrupted_and_resumed_to_the_same_bits_and_they_differ() {
    let set = set(150, 60);
    let mut models = Vec::new();
    for weighting in weightings() {
        let run = two_headed(&set, training(4), weighting);
        let whole = uninterrupted(&run, &set);
        for steps in [1, 9, 17, 30] {
            let folder = tempfile::tempdir().unwrap();
            let ear = Ear::until(steps);
            assert!(matches!(train_in(folder.path(), &run, &set, &ear), Err(LabError::Interrupted)));
            let again = Ear::new();
            train_in(folder.path(), &run, &set, &again).unwrap();
            assert_eq!(again.count("UnfitCheckpoint"), 0);
            assert!(
                finished(&dir(folder.path(), &run)) == whole,
                "{:?}, {steps} steps",
                spec(&run).weighting
            );
        }
        assert!(!models.contains(&whole.model), "{:?}", spec(&run).weighting);
        models.push(whole.model);
    }
}

#[test]
fn a_loss_that_is_not_finite_in_any_trained_head_ends_the_run() {
    let set = set(150, 60);
    let schedule = Schedule::Step { every: 1, factor: 1e12 };
    let steep = TrainingSpec {
        schedule,
        optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: false },
        ..training(4)
    };
    for weighting in weightings() {
        let folder = tempfile::tempdir().unwrap();
        let run = two_headed(&set, steep.clone(), weighting);
        train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
        let found = outcome(&dir(folder.path(), &run));
        assert!(found.diverged.is_some_and(|place| place.epoch == 2), "{found:?}");
    }
}

/// What the person reads of a study that cannot be done, and the advice.
fn refusal(change: impl FnOnce(&mut Study)) -> (String, String) {
    let mut study = small();
    change(&mut study);
    let folder = tempfile::tempdir().unwrap();
    let ear = Ear::new();
    let store = Store::open(folder.path()).unwrap();
    let error =
        run_study(&study, "test", &store, &Sources::new(None), &StudyOptions::default(), &ear).unwrap_err();
    assert_eq!(ear.count("Stage"), 0, "nothing is trained before the whole study is known to be possible");
    (error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default())
}

#[test]
fn groups_networks_and_batches_that_cannot_be_are_refused_before_any_training() {
    let (message, help) = refusal(|study| {
        study.multitask.as_mut().unwrap().groups[0].classes.retain(|class| *class != ClassRef::Number(9));
    });
    assert!(message.contains("Fashion-MNIST's classes: class 9 (Ankle boot) is in no group"), "{message}");
    assert!(help.contains("0 (T-shirt/top)") && help.contains("9 (Ankle boot)"), "{help}");
    let (message, _) =
        refusal(|study| study.multitask.as_mut().unwrap().groups[1].classes.push(ClassRef::Number(10)));
    assert!(message.contains("the group `gendered` holds class 10, and the last one is 9"), "{message}");
    let (message, help) = refusal(|study| study.multitask.as_mut().unwrap().network.head[0] = 0);
    assert!(message.contains("`item` of task multitask") && message.contains("no units"), "{message}");
    assert!(help.contains("in `multitask.network`"), "{help}");
    let (message, _) = refusal(|study| study.multitask.as_mut().unwrap().training.batch_size = 200);
    assert!(
        message.contains("`multitask.training.batch_size` is 200") && message.contains("180"),
        "{message}"
    );
}

#[test]
fn heads_labels_and_weights_that_do_not_belong_together_are_refused() {
    let refusal = |change: &dyn Fn(&mut TrainRun, &mut DataSet)| {
        let mut set = set(150, 60);
        let mut run = two_headed(&set, training(1), Weighting::PcGrad);
        let RunSpec::Train(spec) = &mut run.spec else { unreachable!() };
        change(spec, &mut set);
        let folder = tempfile::tempdir().unwrap();
        train_in(folder.path(), &run, &set, &Ear::new()).unwrap_err().to_string()
    };
    let words = |change: &dyn Fn(&mut TrainRun, &mut DataSet), words: &str| {
        let message = refusal(change);
        assert!(message.starts_with("the network `two`") && message.contains(words), "{message}");
    };
    words(&|spec, _| spec.labels.truncate(1), "it has 2 heads, and labels for 1");
    let three = Weighting::Fixed { weights: vec![1.0; 3] };
    words(&|spec, _| spec.weighting = three.clone(), "it has 2 heads, and weights for 3");
    words(&|_, set| set.test.images.count += 1, "there are 61 test images, and labels for 60");
    let four = Labels::Groups(vec![0, 0, 1, 1]);
    words(
        &|spec, _| spec.labels[1] = four.clone(),
        "the head `half` has groups for 4 classes, and MNIST has 10",
    );
    let beyond = Labels::Groups(vec![0, 0, 1, 2, 0, 0, 0, 0, 0, 0]);
    words(&|spec, _| spec.labels[1] = beyond.clone(), "the head `half` has 2 scores, and a label is 2");
    words(&|spec, _| spec.model.heads[1].layers.clear(), "the head `half` has no layers");
    words(
        &|spec, _| spec.model.heads[1].loss = Loss::MeanSquaredError,
        "the head `half` is trained by mean squared error, and the data sets of a study have classes",
    );
    let none =
        Head::new("half", vec![LayerSpec::Dense { units: 0, initializer: Initializer::GlorotUniform }]);
    words(&|spec, _| spec.model.heads[1] = none.clone(), "it has no units");
    let units = |units| vec![LayerSpec::Dense { units, initializer: Initializer::GlorotUniform }];
    words(
        &|spec, _| spec.model.heads[1].layers = units(300),
        "the head `half` has 300 classes, and a study's heads have 256 at most",
    );
}

#[test]
fn a_checkpoint_whose_weighting_is_another_is_unfit_and_says_so() {
    let set = set(150, 60);
    let run = two_headed(&set, training(3), Weighting::Uncertainty { learning_rate: 0.01 });
    let whole = uninterrupted(&run, &set);
    let folder = tempfile::tempdir().unwrap();
    assert!(train_in(folder.path(), &run, &set, &Ear::until(9)).is_err());
    let checkpoint = dir(folder.path(), &run).checkpoints().next().unwrap().unwrap();
    let state = checkpoint.tensors().metadata("standing").unwrap();
    assert!(state.contains("weighting"), "{state}");
    // A network with one head keeps nothing of the kind, and its checkpoints stay as they were.
    let single = planned(&set, training(3));
    assert!(train_in(folder.path(), &single, &set, &Ear::until(9)).is_err());
    let held = dir(folder.path(), &single).checkpoints().next().unwrap().unwrap();
    assert!(!held.tensors().metadata("standing").unwrap().contains("weighting"));

    let mut changed: serde_json::Value = serde_json::from_str(state).unwrap();
    changed["weighting"] = "3".into();
    let all: Vec<(String, Vec<usize>, Vec<f32>)> = checkpoint
        .tensors()
        .names()
        .into_iter()
        .map(|name| {
            let shape = checkpoint.tensors().shape(&name).unwrap().to_vec();
            let values = checkpoint.tensors().values::<f32>(&name, &shape).unwrap();
            (name, shape, values)
        })
        .collect();
    let tensors: Vec<_> =
        all.iter().map(|(name, shape, values)| inkling_store::Tensor::new(name, shape, values)).collect();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = store.resume(run.id.as_ref(), &run.spec).unwrap().unwrap();
    let metadata = [("standing".to_owned(), changed.to_string())].into_iter().collect();
    writer.write_checkpoint(&tensors, &metadata).unwrap();
    drop(writer);
    drop(store);
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    let unfit = ear.all("UnfitCheckpoint");
    assert!(unfit.len() == 1 && unfit[0].contains("its weighting of the heads"), "{unfit:?}");
    assert!(finished(&dir(folder.path(), &run)) == whole);
}

#[test]
fn every_study_file_parses_and_plans() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let study = Study::from_toml(&path.display().to_string(), &text).unwrap();
        let out = tempfile::tempdir().unwrap();
        // Interrupted before its first step, when all of it is planned.
        let store = Store::open(out.path()).unwrap();
        let ended =
            run_study(&study, "test", &store, &Sources::new(None), &StudyOptions::default(), &Ear::until(0));
        assert!(matches!(ended, Err(LabError::Interrupted)), "{ended:?}");
        let record: StudyRecord = Reader::open(out.path()).unwrap().json("study.json").unwrap().unwrap();
        let mut titles: Vec<&str> = record.runs.iter().map(|run| run.title.as_str()).collect();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), record.runs.len(), "{}", path.display());
        files += 1;
    }
    assert!(files > 0);
}
