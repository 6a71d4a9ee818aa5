//! A study on images of a person's own: `inkling study --data leaves`.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use inkling_data::import::{Imported, Request, is_source, published, published_set};
use inkling_data::{SetInfo, Sources, catalogue};
use inkling_schema::{DataSetSpec, Study, Task, TestSpec};

use crate::failure::{Failure, UsageError};
use crate::message;

/// Puts a person's own images in the place of the sets that a study names, where that is what `--data` means: the folder or
/// file is a source of images, and holds none of the sets. Gives back the images, by the name that the study has for them.
pub(crate) fn adapt(
    study: &mut Study,
    only: &[Task],
    folder: Option<&Path>,
) -> Result<Option<(String, Imported)>, Failure> {
    let Some(source) = folder.filter(|folder| is_source(folder)) else { return Ok(None) };
    let known = Sources::new(Some(source.to_owned()));
    let sets = || study.sets().filter_map(|name| catalogue::find(name).ok());
    if sets().any(|set| known.locate(set).is_ok_and(|place| place.is_some())) {
        return Ok(None);
    }
    own_study(study, source, only).map(Some)
}

/// Numbers of an image that tasks 1 and 2 can still compute with: their matrices have as many rows and columns.
const MOST_VALUES: usize = 4096;

/// Makes a study one of a person's own images, and gives these back with the name that the study has for them. Images in colour
/// are read as grey where tasks 1 or 2 are asked for and they have too many values.
pub(crate) fn own_study(
    study: &mut Study,
    source: &Path,
    only: &[Task],
) -> Result<(String, Imported), Failure> {
    let asked = |task: &Task| only.is_empty() || only.contains(task);
    let squared = study
        .tasks()
        .iter()
        .filter(|task| asked(task))
        .any(|task| matches!(task, Task::Pca | Task::Perceptron));
    let cache = inkling_data::cache_folder();
    let places = inkling_data::usual_places();
    let mut request = Request { cache, places, ..Request::default() };
    let (mut spec, mut set) = read(source, &request)?;
    if squared && set.train.images.channels > 1 && set.train.images.dim() > MOST_VALUES {
        request.channels = Some(1);
        (spec, set) = read(source, &request)?;
        message::note(&format!(
            "the images are read as grey: in colour, they have more than the {MOST_VALUES} values that tasks 1 and 2 compute with \
             in reasonable time; a study file can say `channels = 3`"
        ));
    }
    replace(study, &spec.name);
    fit(study, &set);
    let name = spec.name.clone();
    study.data_set = vec![spec];
    Ok((name, set))
}

/// Reads a source, with a bar where it takes a while.
pub(crate) fn import(source: &Path, request: &Request) -> Result<Imported, Failure> {
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("reading {bar:30} {pos}/{len} images  {eta} left");
    bar.set_style(style.expect("the template is fixed"));
    let set = inkling_data::import::import(source, request, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(set?)
}

/// Reads a person's own images, and says how a study file names them: by the name of their source, and absolute paths.
pub(crate) fn read(source: &Path, request: &Request) -> Result<(DataSetSpec, Imported), Failure> {
    let set = import(source, request)?;
    let spec = DataSetSpec {
        name: name_of(&set.name),
        source: absolute(source),
        size: request.size,
        channels: request.channels,
        fit: inkling_lab::fit_spec(request.fit),
        test: match &request.test {
            Some(test) => TestSpec::Source(absolute(test)),
            None => TestSpec::Share(request.test_share),
        },
        seed: request.seed,
        transposed: request.transposed,
        groups: Vec::new(),
    };
    Ok((spec, set))
}

/// Whether the word in the place of a source is neither a path nor the name of a set whose files lie on disk.
pub(crate) fn is_no_path(source: &Path) -> bool {
    !source.exists() && published_set(source).is_none()
}

/// Resolves the paths of a study's own images, which begin in the folder of its file, so that they hold wherever the study is
/// read again.
pub(crate) fn resolve(study: &mut Study, base: &Path) {
    for set in &mut study.data_set {
        set.source = located(base, &set.source);
        if let TestSpec::Source(test) = &mut set.test {
            *test = located(base, test);
        }
    }
}

/// A source in a study file of this folder: an absolute path, or the name of a set.
fn located(base: &Path, source: &str) -> String {
    let path = base.join(source);
    if path.exists() || published_set(Path::new(source)).is_none() { absolute(&path) } else { source.into() }
}

/// A path from the root on; the name of a set is no path.
fn absolute(path: &Path) -> String {
    if let Some(set) = published_set(path) {
        return set.name;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.to_string_lossy().into_owned()
}

/// The set that the program knows by the name in the place of a source.
pub(crate) fn known_set(source: &Path) -> Result<&'static SetInfo, UsageError> {
    let word = source.to_string_lossy();
    catalogue::find(&word).map_err(|_| UsageError::UnknownImages {
        word: word.clone().into_owned(),
        known: known_names().join(", "),
    })
}

/// The names of sets that can stand in the place of a source. Those of other sizes of the same images would fill a page.
fn known_names() -> Vec<String> {
    let in_catalogue = catalogue::SETS.iter().map(|set| set.name.to_owned());
    let others = published().into_iter().map(|set| set.name).filter(|name| !name.contains('_'));
    in_catalogue.chain(others).collect()
}

/// The name that a study has for a set: letters, digits and the like, and not that of a set that the program knows.
fn name_of(source: &str) -> String {
    let name: String = source.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    if catalogue::find(&name).is_ok() { format!("my {name}") } else { name }
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || [' ', '-', '_'].contains(&letter)
}

/// Lets every task use one set. Task 6 needs groups of the classes, which only a study file can say.
fn replace(study: &mut Study, name: &str) {
    let tasks = [
        study.pca.as_mut().map(|task| &mut task.data),
        study.perceptron.as_mut().map(|task| &mut task.data),
        study.mlp.as_mut().map(|task| &mut task.data),
        study.cnn.as_mut().map(|task| &mut task.data),
    ];
    for data in tasks.into_iter().flatten() {
        name.clone_into(data);
    }
    if study.multitask.take().is_some() {
        message::note("task 6 is left out: a study file can give it groups of these classes");
    }
}

/// Steps that a network is trained for at least, if that takes no more than so many epochs.
const STEPS: usize = 500;
const EPOCHS: usize = 100;

/// Makes a study that was written for tens of thousands of images of ten classes fit a set: no more components than an image
/// has pixels or the set images; batches of a tenth of the training images at most, and as many epochs as some hundred steps
/// take; classes to look into that there are.
fn fit(study: &mut Study, set: &Imported) {
    let (images, pixels) = (set.train.len(), set.train.images.dim());
    if let Some(pca) = &mut study.pca {
        pca.components = pca.components.min(pixels).min(images.saturating_sub(1)).max(1);
        pca.reconstructions.retain(|&components| components < pca.components);
        pca.reconstructions.push(pca.components);
    }
    let batch = (images / 10).max(1);
    let trainings = [
        study.mlp.as_mut().map(|task| &mut task.training),
        study.cnn.as_mut().map(|task| &mut task.training),
    ];
    let used = images.min(study.data.train_images);
    let mut longest = 0;
    for training in trainings.into_iter().flatten() {
        training.batch_size = training.batch_size.min(batch);
        let enough = STEPS.div_ceil(used.div_ceil(training.batch_size)).min(EPOCHS);
        training.epochs = training.epochs.max(enough);
        longest = longest.max(enough);
    }
    if let Some(judge) = study.inside.as_mut().and_then(|inside| inside.judge.as_mut()) {
        judge.epochs = judge.epochs.max(longest);
    }
    if let Some(inside) = &mut study.inside
        && inside.classes.iter().any(|&class| usize::from(class) >= set.classes.len())
    {
        inside.classes = [0, 1];
    }
}
