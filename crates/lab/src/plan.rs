//! From a study to its runs.

mod multitask;
mod pairs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use inkling_data::catalogue;
use inkling_data::import::{Fit, ImportError, Imported, Request, import};
use inkling_data::{About, DataSet, Sources, usual_places};
use inkling_schema::outcome::{DataSetFacts, PlannedRun};
use inkling_schema::{
    DataSetSpec, DataSlice, FitSpec, ModelSpec, NetworkTask, RunId, RunSpec, Study, Task, TestSpec, TrainRun,
    TrainingSpec,
};

pub(crate) use self::pairs::{compared, is_paired};
use crate::error::LabError;
use crate::observer::{Event, Observer};
use crate::{inside, machine, page, sweep};

/// The data sets of a study, limited to the images it asks for, by name.
pub(crate) type DataSets = BTreeMap<String, DataSet>;

/// Loads every set that the study names.
pub(crate) fn load(study: &Study, sources: &Sources, observer: &dyn Observer) -> Result<DataSets, LabError> {
    let mut sets = DataSets::new();
    for name in study.sets() {
        if !sets.contains_key(name) {
            sets.insert(name.to_owned(), load_set(study, name, sources, observer)?);
        }
    }
    Ok(sets)
}

/// Loads the set that the study calls so.
pub(crate) fn load_set(
    study: &Study,
    name: &str,
    sources: &Sources,
    observer: &dyn Observer,
) -> Result<DataSet, LabError> {
    let mut set = match study.data_set.iter().find(|own| own.name == name) {
        Some(own) => read_own(own, sources, observer)?,
        None => sources.load(catalogue::find(name)?)?,
    };
    set.train = set.train.take(study.data.train_images);
    set.test = set.test.take(study.data.test_images);
    if is_paired(study, name) {
        require_every_class(&set)?;
    }
    Ok(set)
}

/// How images get their size, as a study says it.
pub fn fit(spec: FitSpec) -> Fit {
    match spec {
        FitSpec::Stretch => Fit::Stretch,
        FitSpec::Crop => Fit::Crop,
        FitSpec::Pad => Fit::Pad,
    }
}

/// The same as a study says it.
pub fn fit_spec(fit: Fit) -> FitSpec {
    match fit {
        Fit::Stretch => FitSpec::Stretch,
        Fit::Crop => FitSpec::Crop,
        Fit::Pad => FitSpec::Pad,
    }
}

/// Reads a set of a person's own, and says what a person should know of it.
///
/// # Errors
/// [`LabError::Import`].
pub fn read_own(own: &DataSetSpec, sources: &Sources, observer: &dyn Observer) -> Result<DataSet, LabError> {
    // What is known of those sets, and was published of them, would be said of these images.
    if catalogue::find(&own.name).is_ok() {
        return Err(ImportError::Unfit {
            path: PathBuf::from(&own.source),
            problem: format!("cannot be called `{}`, as a set that the program knows", own.name),
            help: "give the data set another `name`".into(),
        }
        .into());
    }
    let default = Request::default();
    let request = Request {
        size: own.size,
        channels: own.channels,
        fit: fit(own.fit),
        test: match &own.test {
            TestSpec::Source(source) => Some(source.into()),
            TestSpec::Share(_) => None,
        },
        test_share: match own.test {
            TestSpec::Share(share) => share,
            TestSpec::Source(_) => default.test_share,
        },
        seed: own.seed,
        transposed: own.transposed,
        cache: sources.cache.clone(),
        places: usual_places(),
    };
    let ready = sources.ready.borrow_mut().remove(&own.name);
    let set = match ready {
        Some(set) => set,
        None => import(Path::new(&own.source), &request, &|_, _| {})?,
    };
    for note in &set.notes {
        observer.event(Event::OwnData { set: &own.name, note });
    }
    Ok(Imported { name: own.name.clone(), ..set }.into())
}

/// Each part of a set that has fewer images than the study asks for: the set's title, the part, and both numbers.
pub(crate) fn smaller_sets<'a>(
    study: &Study,
    sets: &'a DataSets,
) -> impl Iterator<Item = (&'a str, &'static str, usize, usize)> {
    let asked = [("training", study.data.train_images), ("test", study.data.test_images)];
    let parts = sets.values().flat_map(move |set| {
        let there = [set.train.len(), set.test.len()];
        asked
            .into_iter()
            .zip(there)
            .map(|((part, asked), there)| (set.about.title.as_str(), part, asked, there))
    });
    parts.filter(|(_, _, asked, there)| there < asked)
}

fn require_every_class(set: &DataSet) -> Result<(), LabError> {
    for (part, samples) in [("train", &set.train), ("test", &set.test)] {
        for (label, class) in set.about.classes.iter().enumerate() {
            if !samples.labels.iter().any(|&found| usize::from(found) == label) {
                let images = samples.len();
                let (class, title) = (class.clone(), set.about.title.clone());
                return Err(LabError::MissingClass { class, part, images, title });
            }
        }
    }
    Ok(())
}

/// What a reader of the results needs to know of the sets.
pub(crate) fn facts(sets: &DataSets) -> BTreeMap<String, DataSetFacts> {
    let facts = |set: &DataSet| DataSetFacts {
        title: set.about.title.clone(),
        height: set.about.shape[0],
        width: set.about.shape[1],
        channels: set.about.shape[2],
        classes: set.about.classes.clone(),
        checksum: set.checksum.clone(),
        images: Some(set.about.images),
    };
    sets.iter().map(|(name, set)| (name.clone(), facts(set))).collect()
}

pub(crate) fn slice(set: &DataSet) -> DataSlice {
    DataSlice { set: set.about.name.clone(), train_images: set.train.len(), test_images: set.test.len() }
}

fn planned(task: Task, title: &str, set: &DataSet, spec: RunSpec) -> PlannedRun {
    PlannedRun::new(spec.id(&set.checksum), task, title, spec)
}

/// Every run of a study, in the order in which a reader meets them.
///
/// # Errors
/// The first thing in the study that cannot be done, so that nothing is trained before it shows.
pub(crate) fn expand(study: &Study, sets: &DataSets) -> Result<Vec<PlannedRun>, LabError> {
    let set = |name: &str| &sets[name];
    let mut runs = Vec::new();
    if let Some(pca) = &study.pca {
        runs.extend(pairs::expand_pca(pca, set(&pca.data))?);
    }
    for (number, seed) in study.all_seeds().into_iter().enumerate() {
        let of_seed = expand_seed(study, sets, seed, number == 0)?;
        let other = (number > 0).then_some(seed);
        // One judge may do for the networks of several seeds.
        let is_new = |run: &PlannedRun| {
            number == 0 || !runs.iter().any(|known| known.id == run.id && known.task == run.task)
        };
        let of_seed: Vec<PlannedRun> = of_seed.into_iter().filter(is_new).collect();
        runs.extend(of_seed.into_iter().map(|run| PlannedRun { seed: other, ..run }));
    }
    if let Some(inside) = &study.inside {
        runs.extend(inside::likeness(inside, &runs, |run| set_of(run, sets)));
    }
    runs.extend(sweep::expand(study, sets)?);
    check_apart(&runs)?;
    check_memory(&runs)?;
    runs.extend(page::expand(study, &runs, sets));
    Ok(runs)
}

/// The set of a run on images.
pub(crate) fn set_of<'a>(run: &PlannedRun, sets: &'a DataSets) -> &'a DataSet {
    &sets[&run.spec.data().expect("networks are trained on images").set]
}

/// The runs of the tasks that depend on a seed. Of another seed than the study's first these are the networks, and more where
/// a task says so.
pub(crate) fn expand_seed(
    study: &Study,
    sets: &DataSets,
    seed: u64,
    is_first: bool,
) -> Result<Vec<PlannedRun>, LabError> {
    let set = |name: &str| &sets[name];
    let mut runs = Vec::new();
    if let Some(task) = study.perceptron.as_ref().filter(|task| is_first || task.all_seeds) {
        runs.extend(pairs::expand_perceptrons(task, set(&task.data), seed));
    }
    if let Some(task) = &study.mlp {
        let networks = Networks::new(Task::Mlp, set(&task.data), &task.training, seed)?;
        for network in &task.networks {
            let model = |about: &About| network.model(about.shape, about.classes.len(), task.initializer);
            runs.push(networks.run(&network.name, model)?);
        }
    }
    if let Some(task) = &study.cnn {
        let networks = Networks::new(Task::Cnn, set(&task.data), &task.training, seed)?;
        for network in &task.networks {
            let model = |about: &About| {
                network.model(about.shape, about.classes.len(), task.padding, task.initializer)
            };
            runs.push(networks.run(&network.name, model)?);
        }
    }
    if let Some(task) = &study.network {
        let networks = Networks::new(Task::Network, set(&task.data), &task.training, seed)?;
        check_shape(task, &networks.set.about)?;
        runs.push(networks.run(&task.name, |_| task.model.clone())?);
    }
    if let Some(inside) = &study.inside {
        let of =
            |run: &&PlannedRun| matches!(run.task, Task::Cnn | Task::Network) && run.title == inside.network;
        let network = runs.iter().find(of).expect("a study is checked when it is read");
        let set = set_of(network, sets);
        if is_first {
            runs.extend(inside::expand(inside, network, set, seed)?);
        } else if inside.all_seeds {
            runs.extend(inside::expand_again(inside, network, set, seed)?);
        }
    }
    if let Some(task) = &study.multitask {
        let set = set(&task.data);
        check_size(Task::Multitask, set, &task.training)?;
        runs.extend(multitask::expand(task, set, (seed, is_first), &study.all_seeds())?);
    }
    Ok(runs)
}

/// Says of each network that does not read all of its images how much it leaves out, once for networks that are alike.
pub(crate) fn warn_of_holes(runs: &[PlannedRun], observer: &dyn Observer) {
    let mut known: Vec<&ModelSpec> = Vec::new();
    for run in runs {
        let (RunSpec::Train(train) | RunSpec::Trial(train)) = &run.spec else { continue };
        if known.contains(&&train.model) {
            continue;
        }
        known.push(&train.model);
        if let Some(warning) = train.model.plan().ok().and_then(|plan| plan.unread_warning()) {
            let title = run.full_title();
            observer.event(Event::Unread { title: &title, warning: &warning });
        }
    }
}

/// Refuses two names for one run: a comparison of a network with itself.
fn check_apart(runs: &[PlannedRun]) -> Result<(), LabError> {
    let mut seen: BTreeMap<(Task, &RunId), &PlannedRun> = BTreeMap::new();
    // Dreams may be there to show several things at once.
    for run in runs.iter().filter(|run| matches!(run.spec, RunSpec::Train(_) | RunSpec::Trial(_))) {
        if let Some(other) = seen.insert((run.task, &run.id), run) {
            let [one, other] = [other, run].map(|run| run.title.clone());
            return Err(LabError::SameRun { task: run.task.name(), one, other });
        }
    }
    Ok(())
}

/// Refuses a network that this machine's memory cannot hold while it is trained.
pub(crate) fn check_memory(runs: &[PlannedRun]) -> Result<(), LabError> {
    let Some(memory) = machine::memory() else { return Ok(()) };
    for run in runs {
        let (RunSpec::Train(spec) | RunSpec::Trial(spec)) = &run.spec else { continue };
        let plan = spec.model.plan().map_err(|error| LabError::network(run, error))?;
        let needed = plan.training_bytes(spec.training.batch_size);
        if needed > memory {
            let network = run.title.clone();
            return Err(LabError::Memory { task: run.task.name(), network, needed, memory });
        }
    }
    Ok(())
}

/// Refuses a network that was written down for other images or classes than the set has.
fn check_shape(task: &NetworkTask, about: &About) -> Result<(), LabError> {
    let refuse = |problem: String| {
        Err(LabError::OtherShape { network: task.name.clone(), problem, title: about.title.clone() })
    };
    let words = |[height, width, channels]: [usize; 3]| format!("{height} × {width} × {channels}");
    if task.model.input != about.shape {
        return refuse(format!(
            "it takes images of {} (height, width, channels), and the images have {}",
            words(task.model.input),
            words(about.shape)
        ));
    }
    let scores = task.model.plan().ok().and_then(|plan| plan.layers.last().map(|layer| layer.output.len()));
    match scores.filter(|&scores| scores != about.classes.len()) {
        Some(scores) => {
            refuse(format!("it has {scores} scores, and there are {} classes", about.classes.len()))
        }
        None => Ok(()),
    }
}

/// Refuses training on more images than there are.
fn check_size(task: Task, set: &DataSet, training: &TrainingSpec) -> Result<(), LabError> {
    let (images, title) = (set.train.len(), &set.about.title);
    let too_few = |key, asked, there, after| {
        let title = title.clone();
        Err(LabError::TooFewImages { task: task.name(), key, asked, there, title, after })
    };
    let held_out = training.validation.as_ref().map_or(0, |validation| validation.images);
    if held_out >= images {
        return too_few("validation.images", held_out, images, "");
    }
    if training.batch_size > images - held_out {
        let after = if held_out > 0 { " after those for validation" } else { "" };
        return too_few("batch_size", training.batch_size, images - held_out, after);
    }
    Ok(())
}

/// What the networks of a task have in common.
struct Networks<'a> {
    task: Task,
    set: &'a DataSet,
    training: &'a TrainingSpec,
    seed: u64,
}

impl<'a> Networks<'a> {
    /// # Errors
    /// [`LabError::TooFewImages`] where the set is smaller than what the study takes of it.
    fn new(
        task: Task,
        set: &'a DataSet,
        training: &'a TrainingSpec,
        seed: u64,
    ) -> Result<Networks<'a>, LabError> {
        check_size(task, set, training)?;
        Ok(Networks { task, set, training, seed })
    }

    /// The run of a network: `model` gives it for a set.
    fn run(&self, name: &str, model: impl Fn(&About) -> ModelSpec) -> Result<PlannedRun, LabError> {
        let model = model(&self.set.about);
        let plan = model.plan();
        let (data, training) = (slice(self.set), self.training.clone());
        let spec = RunSpec::Train(TrainRun::of_classes(data, model, training, self.seed));
        let run = planned(self.task, name, self.set, spec);
        plan.map_err(|error| LabError::network(&run, error))?;
        Ok(run)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use inkling_schema::{Head, Initializer, LayerSpec, Padding, preset};

    use super::*;

    /// Keeps the warnings that it hears.
    struct Ear(Mutex<Vec<String>>);

    impl Observer for Ear {
        fn event(&self, event: Event) {
            if let Event::Unread { title, warning } = event {
                self.0.lock().unwrap().push(format!("{title}: {warning}"));
            }
        }

        fn interrupted(&self) -> bool {
            false
        }
    }

    #[test]
    fn networks_that_pass_pixels_by_are_warned_of_once_each() {
        let training = preset("smoke").unwrap().mlp.unwrap().training;
        let run = |title: &str, stride: usize, seed: u64| {
            let (initializer, padding) = (Initializer::HeUniform, Padding::Valid);
            let (kernel, stride) = ([2; 2], [stride; 2]);
            let convolution =
                LayerSpec::Conv2d { filters: 1, kernel_size: kernel, stride, padding, initializer };
            let layers = vec![LayerSpec::Dense { units: 10, initializer }];
            let heads = vec![Head::new("class", layers)];
            let model = ModelSpec { input: [28, 28, 1], trunk: vec![convolution, LayerSpec::Flatten], heads };
            let data = DataSlice { set: "mnist".into(), train_images: 100, test_images: 100 };
            let spec = RunSpec::Train(TrainRun::of_classes(data, model, training.clone(), seed));
            PlannedRun::new(spec.id("none"), Task::Cnn, title, spec)
        };
        let ear = Ear(Mutex::default());
        let runs =
            [run("whole", 2, 1), run("holes", 5, 1), run("the same, another seed", 5, 2), run("more", 9, 1)];
        warn_of_holes(&runs, &ear);
        let heard = ear.0.into_inner().unwrap();
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert!(heard[0].starts_with("cnn holes: 81.6 % of the image's pixels"), "{heard:?}");
        assert!(heard[1].starts_with("cnn more: "), "{heard:?}");
    }
}
