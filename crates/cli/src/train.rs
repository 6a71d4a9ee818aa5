//! `inkling train`: one network on any images. It is a study of that network alone, and continues as any study does.

use std::path::Path;
use std::time::Instant;

use inkling_data::import::{Imported, Request};
use inkling_lab::StudyOptions;
use inkling_schema::outcome::{RunResult, StudyRecord, TrainOutcome};
use inkling_schema::{
    ClassWeights, DataSetSpec, DataSpec, DreamKind, InsideTask, MODELS, ModelSpec, NetworkTask, PageSpec,
    RunSpec, Schedule, Study, TrainingSpec, ValidationSpec, preset,
};
use inkling_store::{Reader, Store, StoreError};

use crate::args::TrainArgs;
use crate::failure::{Failure, UsageError};
use crate::study::{Asked, perform};
use crate::{model, output, own, plot, start_computing, study};

/// The study file that the folder of a training holds.
const FILE: &str = "study.toml";
/// The record of a study in its folder.
const RECORD: &str = "study.json";
/// Share of the training images that is held out where nothing else is asked for.
const VALIDATION: f64 = 0.1;
/// Lines of loss and accuracy within an epoch.
const LINES: usize = 20;
/// Classes of which each gets a dream: more find no room in a figure.
const DREAMT: usize = 30;

pub(crate) fn train(args: &TrainArgs) -> Result<(), Failure> {
    let start = Instant::now();
    start_computing(&args.compute)?;
    let (study, ready) = match &args.resume {
        Some(folder) => (held(folder)?, None),
        None => {
            refuse_other_study(&args.out)?;
            planned(args)?
        }
    };
    let out = args.resume.as_deref().unwrap_or(&args.out);
    let ready = ready.map(|set: Imported| (study.data_set[0].name.clone(), set));
    let asked = Asked {
        study: &study,
        name: FILE,
        out,
        folder: None,
        ready: ready.into_iter().collect(),
        options: StudyOptions {
            keep_file: true,
            mix_instructions: args.mix_instructions,
            ..StudyOptions::default()
        },
        board: args.tensorboard.as_deref(),
        json: args.json,
        start,
    };
    perform(asked, |store| if args.json { Ok(()) } else { draw(store) })
}

/// The study whose folder a training is to be continued in.
fn held(folder: &Path) -> Result<Study, Failure> {
    let none = || UsageError::NoTraining { path: folder.to_owned() };
    let file = folder.join(FILE);
    if !file.is_file() {
        return Err(none().into());
    }
    let text = study::read_text(&file, |path, source| UsageError::StudyFile { path, source })?;
    let study = Study::from_toml(&file.to_string_lossy(), &text)?;
    if study.network.is_some() { Ok(study) } else { Err(none().into()) }
}

/// Refuses the folder of a study that has tasks: they would leave its report.
fn refuse_other_study(out: &Path) -> Result<(), Failure> {
    let held = match Reader::open(out) {
        Ok(reader) => reader.json::<StudyRecord>(RECORD),
        Err(_) => return Ok(()),
    };
    match held {
        Ok(Some(record)) if record.study.network.is_none() => {
            Err(UsageError::HoldsStudy { path: out.to_owned(), preset: record.preset }.into())
        }
        // Damage is met, and told, by what opens the folder to write.
        Ok(_) | Err(StoreError::Damaged { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The study that is asked for, and the images, if they are a person's own.
fn planned(args: &TrainArgs) -> Result<(Study, Option<Imported>), Failure> {
    let word = args.network.as_deref().unwrap_or_default();
    let (name, mut network) = network(word)?;
    let source = args.data.as_deref().unwrap_or(Path::new(""));
    let request = args.preparation.request(args.seed);
    let (data, about, ready) = images(source, &request)?;
    let About { set, shape, classes, train, test } = about;
    network.fill_in(shape, classes);
    // The source's own validation images, unless a share is asked for.
    let own = args.validation.is_none() && ready.as_ref().is_some_and(|set| set.validation.is_some());
    let share = if own { 0.0 } else { args.validation.unwrap_or(VALIDATION) };
    let held_out = (share * train as f64).round() as usize;
    let batch_size = args.batch_size.get().min((train / 10).max(1));
    let trained = train.saturating_sub(held_out);
    let augmentation = args.augmentation();
    let training = TrainingSpec {
        augmentation: (!augmentation.is_none()).then_some(augmentation),
        class_weights: args.balanced.then_some(ClassWeights::Balanced),
        precision: args.precision,
        epochs: args.epochs.get(),
        batch_size,
        learning_rate: args.learning_rate,
        schedule: Schedule::Constant,
        optimizer: args.optimizer,
        warmup_steps: None,
        clip_norm: None,
        log_every: (trained.div_ceil(batch_size) / LINES).max(1),
        validation: (own || held_out > 0).then(|| ValidationSpec {
            images: held_out,
            own,
            patience: args.patience.map(std::num::NonZeroUsize::get),
        }),
    };
    if args.patience.is_some() && training.validation.is_none() {
        return Err(UsageError::NoValidation.into());
    }
    let mut study = Study {
        seed: Some(args.seed),
        seeds: Vec::new(),
        data: DataSpec { train_images: train, test_images: test },
        data_set: data.into_iter().collect(),
        pca: None,
        perceptron: None,
        mlp: None,
        cnn: None,
        network: Some(NetworkTask { name: name.clone(), data: set, training, model: network }),
        inside: Some(look(name, classes)),
        multitask: None,
        sweep: None,
        page: PageSpec::default(),
        report: None,
    };
    study::take_seeds(&mut study, None, Some(args.seeds));
    // As it will be read again.
    let study = Study::from_toml(FILE, &study.to_toml())?;
    Ok((study, ready))
}

/// A network by name or file, what it is called, and what is left open in it. Those that ship with the program take the
/// shape and the classes of any images.
fn network(word: &str) -> Result<(String, ModelSpec), Failure> {
    let (file, text) = model::text(word)?;
    let spec = ModelSpec::from_toml(&file, &text)?;
    if MODELS.iter().any(|(name, _)| *name == word) {
        return Ok((word.to_owned(), spec.left_open()));
    }
    let name = Path::new(word).file_stem().map_or_else(|| word.into(), |stem| stem.to_string_lossy());
    Ok((name.into_owned(), spec))
}

/// What has to be known of images before a study of them is written down.
struct About {
    set: String,
    shape: [usize; 3],
    classes: usize,
    train: usize,
    test: usize,
}

/// The images that a word names: a set that the program knows, or a source of a person's own, which is read.
fn images(
    source: &Path,
    request: &Request,
) -> Result<(Option<DataSetSpec>, About, Option<Imported>), Failure> {
    if own::is_no_path(source) {
        let info = own::known_set(source)?;
        let about = About {
            set: info.name.into(),
            shape: info.shape,
            classes: info.classes.len(),
            train: info.train_count,
            test: info.test_count,
        };
        return Ok((None, about, None));
    }
    let (spec, set) = own::read(source, request)?;
    let images = &set.train.images;
    let about = About {
        set: spec.name.clone(),
        shape: [images.height, images.width, images.channels],
        classes: set.classes.len(),
        train: set.train.len(),
        test: set.test.len(),
    };
    Ok((Some(spec), about, Some(set)))
}

/// What the report shows of the inside: filters, activations and saliency of the first two classes, a dream of every class.
fn look(network: String, classes: usize) -> InsideTask {
    let usual = preset("brief").and_then(|study| study.inside).expect("the brief looks inside");
    let dreams = if classes <= DREAMT { vec![DreamKind::Classes] } else { Vec::new() };
    InsideTask { network, classes: [0, 1], images: None, judge: None, dreams: Some(dreams), ..usual }
}

/// Draws the curves of a training that has ended.
fn draw(store: &Store) -> Result<(), Failure> {
    let record: Option<StudyRecord> = store.reader().json(RECORD)?;
    let runs = record.map(|record| record.runs).unwrap_or_default();
    let Some(run) = runs.iter().find(|run| matches!(run.spec, RunSpec::Train(_))) else { return Ok(()) };
    let folder = store.run(run.id.as_ref());
    if let Some(result) = folder.finished::<RunResult<TrainOutcome>>()? {
        plot::curves(&result.outcome.epochs).iter().for_each(|line| output::line(line));
        output::line(&format!("Model: {}", folder.path().join("model.safetensors").display()));
    }
    Ok(())
}
