//! What a study keeps for the report's page: networks in the precision that the page has them in, and images.

mod common;

use std::path::Path;

use common::Ear;
use inkling_data::{DataSet, Sources, catalogue};
use inkling_lab::{LabError, StudyOptions, Trained, run_study};
use inkling_schema::outcome::{PageImagesOutcome, PageNetworkOutcome, PlannedRun, RunResult, StudyRecord};
use inkling_schema::{PageImagesRun, PageNetworkRun, Precision, RunSpec, Study, Task, preset};
use inkling_store::{Reader, Store, TensorFile};

/// An MLP of more than 300,000 parameters, which the page has in half precision, and a small CNN.
fn small() -> Study {
    let mut study = preset("smoke").unwrap();
    study.keep_only(&[Task::Mlp, Task::Cnn]);
    (study.data.train_images, study.data.test_images) = (400, 200);
    let mlp = study.mlp.as_mut().unwrap();
    mlp.networks.truncate(1);
    mlp.networks[0].hidden = vec![400, 200];
    study.cnn.as_mut().unwrap().networks.truncate(1);
    study.page.train_images = 55;
    study
}

fn run(study: &Study, only: &[Task], out: &Path) -> Result<StudyRecord, LabError> {
    let store = Store::open(out).unwrap();
    let options = StudyOptions { only: only.to_vec(), ..StudyOptions::default() };
    run_study(study, "test", &store, &Sources::new(None), &options, &Ear::new())?;
    Ok(store.reader().json("study.json").unwrap().unwrap())
}

fn networks(record: &StudyRecord) -> impl Iterator<Item = (&PlannedRun, &PageNetworkRun)> {
    record.runs.iter().filter_map(|run| match &run.spec {
        RunSpec::PageNetwork(spec) => Some((run, spec)),
        _ => None,
    })
}

fn images(record: &StudyRecord) -> (&PlannedRun, &PageImagesRun) {
    let of = |run: &'_ PlannedRun| matches!(run.spec, RunSpec::PageImages(_));
    let run = record.runs.iter().find(|run| of(run)).expect("the set of the networks has images");
    let RunSpec::PageImages(spec) = &run.spec else { unreachable!("found as one") };
    (run, spec)
}

fn mnist(study: &Study) -> DataSet {
    let mut set = Sources::new(None).load(catalogue::find("mnist").unwrap()).unwrap();
    set.train = set.train.take(study.data.train_images);
    set.test = set.test.take(study.data.test_images);
    set
}

#[test]
fn small_networks_keep_every_bit_and_large_ones_tell_what_half_precision_changes() {
    let (study, folder) = (small(), tempfile::tempdir().unwrap());
    let record = run(&study, &[], folder.path()).unwrap();
    let (reader, set) = (Reader::open(folder.path()).unwrap(), mnist(&study));
    let precisions: Vec<Precision> = networks(&record).map(|(_, spec)| spec.precision).collect();
    assert_eq!(precisions, [Precision::F16, Precision::F32]);
    for (run, spec) in networks(&record) {
        let found: RunResult<PageNetworkOutcome> = reader.run(run.id.as_ref()).finished().unwrap().unwrap();
        let kept = reader.run(run.id.as_ref()).tensors(TensorFile::Model).unwrap();
        let whole = reader.run(spec.of.as_ref()).tensors(TensorFile::Model).unwrap();
        assert_eq!(kept.names(), whole.names());
        for key in ["format", "model", "card", "data"] {
            assert_eq!(kept.metadata(key), whole.metadata(key), "{key}");
        }
        let mut trained =
            Trained::read(&reader.run(spec.of.as_ref()).path().join("model.safetensors")).unwrap();
        let before = trained.scores_of_images(&set.test.images).remove(0);
        let mut rounded = Vec::new();
        for name in whole.names() {
            let shape = whole.shape(&name).unwrap();
            let values: Vec<f32> = whole.values(&name, shape).unwrap();
            let of_page: Vec<f32> = match spec.precision {
                Precision::F32 => kept.values(&name, shape).unwrap(),
                Precision::F16 => kept
                    .values::<half::f16>(&name, shape)
                    .unwrap()
                    .iter()
                    .map(|value| value.to_f32())
                    .collect(),
            };
            let tolerance = if spec.precision == Precision::F32 { 0.0 } else { 1.0 / 2048.0 };
            for (value, of_page) in values.iter().zip(&of_page) {
                // Below the smallest normal number of half precision, what matters is the absolute error.
                assert!((value - of_page).abs() <= tolerance * value.abs().max(1.0 / 16384.0), "{name}");
            }
            rounded.push((name, of_page));
        }
        let find = |name: &str, _: &[usize]| {
            Ok::<_, ()>(rounded.iter().find(|(known, _)| known == name).unwrap().1.clone())
        };
        trained.network.load_state_dict(inkling_engine::StateKind::Values, find).unwrap();
        let after = trained.scores_of_images(&set.test.images).remove(0);
        let class = |scores: &[f32]| inkling_engine::logits::argmax(scores);
        let changed = before
            .chunks(10)
            .zip(after.chunks(10))
            .filter(|(before, after)| class(before) != class(after))
            .count();
        let PageNetworkOutcome { images, changed: told, .. } = found.outcome;
        assert_eq!((images, told), (200, vec![changed]));
    }
}

#[test]
fn images_are_those_of_the_set_and_their_draw_has_a_seed() {
    let (study, folder) = (small(), tempfile::tempdir().unwrap());
    let record = run(&study, &[], folder.path()).unwrap();
    let set = mnist(&study);
    let (run_of, spec) = images(&record);
    assert_eq!((spec.test, spec.train), (200, 55));
    let dir = Reader::open(folder.path()).unwrap().run(run_of.id.as_ref());
    let found: RunResult<PageImagesOutcome> = dir.finished().unwrap().unwrap();
    assert_eq!((found.outcome.test, found.outcome.train), (200, 55));
    let arrays = dir.tensors(TensorFile::Arrays).unwrap();
    assert_eq!(arrays.values::<u8>("test_images", &[200, 28, 28, 1]).unwrap(), set.test.images.pixels);
    assert_eq!(arrays.values::<u8>("test_labels", &[200]).unwrap(), set.test.labels);
    let numbers: Vec<u32> = arrays.values("train_numbers", &[55]).unwrap();
    let pixels: Vec<u8> = arrays.values("train_images", &[55, 28, 28, 1]).unwrap();
    let labels: Vec<u8> = arrays.values("train_labels", &[55]).unwrap();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    for ((number, pixels), label) in numbers.iter().zip(pixels.chunks(784)).zip(&labels) {
        assert_eq!(set.train.images.image(*number as usize), pixels);
        assert_eq!(set.train.labels[*number as usize], *label);
    }
    assert!((0..10).all(|class| labels.contains(&class)), "every class has its share");

    let again = tempfile::tempdir().unwrap();
    run(&study, &[], again.path()).unwrap();
    let (reader, other) = (Reader::open(again.path()).unwrap(), Reader::open(folder.path()).unwrap());
    for planned in record.runs.iter().filter(|run| run.spec.is_for_the_page()) {
        for file in [TensorFile::Model, TensorFile::Arrays] {
            let bytes = |reader: &Reader| reader.run(planned.id.as_ref()).bytes(file).ok();
            assert!(bytes(&reader) == bytes(&other), "{}", planned.title);
        }
    }
}

#[test]
fn what_a_study_names_is_there_and_what_was_trained_earlier_is_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = small();
    study.page.networks = Some(Vec::new());
    let record = run(&study, &[], folder.path()).unwrap();
    assert!(record.runs.iter().all(|run| !run.spec.is_for_the_page()));
    // Only one task is asked for; what the page has of the other one needs no training.
    study.page.networks = Some(vec!["mlp 2 hidden".into()]);
    let record = run(&study, &[Task::Cnn], folder.path()).unwrap();
    let titles: Vec<&str> = networks(&record).map(|(run, _)| run.title.as_str()).collect();
    assert_eq!(titles, ["2 hidden for the page"]);
    let reader = Reader::open(folder.path()).unwrap();
    assert!(
        networks(&record).all(|(run, _)| reader.run(run.id.as_ref()).path().join("result.json").exists())
    );
}
