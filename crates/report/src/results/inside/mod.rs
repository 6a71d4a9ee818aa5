//! Task 5: what was found inside a network, read from its runs.

mod activations;
mod dreams;
mod filters;
#[cfg(test)]
mod tests;

use inkling_schema::outcome::{
    DataSetFacts, Evaluation, LikenessOutcome, PlannedRun, StudyRecord, TrainOutcome,
};
use inkling_schema::{DreamPurpose, LayerSpec, RunId, RunSpec, Task};
use inkling_store::{Reader, RunDir, StoreError, TensorFile, Tensors};
use serde::Serialize;

use super::{check_counts, damaged_arrays, damaged_record, damaged_result, outcome};
use crate::ReportError;

pub use activations::ActivationsResults;
pub use dreams::DreamResults;
pub use filters::{FilterLayerResults, FiltersResults};

/// Task 5: what was found inside a network of task 4. A part that the study did not ask for is absent.
#[derive(Debug, Clone)]
pub struct InsideResults {
    /// The data set.
    pub data: DataSetFacts,
    /// The network that is looked into.
    pub network: String,
    /// How that network does on the test images; `None` where the study has no run of it or it diverged.
    pub test: Option<Evaluation>,
    /// The step at which that network's training diverged: then its weights are those of its last whole epoch, or of its
    /// start.
    pub diverged: Option<usize>,
    /// What the layers are whose output is looked at.
    pub maps: Maps,
    /// Whether each of them is followed by ReLU.
    pub rectified: bool,
    /// The two classes that are looked at closely.
    pub classes: [u8; 2],
    /// The independently trained network that is asked what it sees.
    pub judge: Option<Judge>,
    /// The filters of the convolutions.
    pub filters: Option<FiltersResults>,
    /// What the network makes of some images.
    pub activations: Option<ActivationsResults>,
    /// Every dream run, in the order of the study.
    pub dreams: Vec<DreamResults>,
    /// Whether what the seeds of the study learnt looks alike; absent of one seed.
    pub likeness: Option<LikenessOutcome>,
    /// The seeds of the study, whose places that names.
    pub seeds: Vec<u64>,
}

/// What the layers are whose output is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maps {
    /// Convolutions, whose channels are maps.
    Convolutions,
    /// Convolutions and residual blocks.
    Stages,
    /// Dense layers, of a network without convolutions.
    Units,
}

/// The independently trained network.
#[derive(Debug, Clone)]
pub struct Judge {
    /// Seed of its training.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: usize,
    /// How it does on the test images; `None` where its training diverged.
    pub test: Option<Evaluation>,
}

/// Pictures of one size, channels last, rows first.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// Height, width and channels, each at least 1.
    pub size: [usize; 3],
    /// Shape [pictures, height, width, channels].
    pub values: Vec<f32>,
}

impl Pictures {
    /// The pictures one by one, each of shape [height, width, channels].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.size.iter().product())
    }

    /// The picture of this number.
    ///
    /// # Panics
    /// Where there is none.
    pub fn get(&self, number: usize) -> &[f32] {
        let length: usize = self.size.iter().product();
        &self.values[number * length..][..length]
    }

    /// The mean picture, shape [height, width, channels].
    pub fn mean(&self) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.size.iter().product()];
        for picture in self.iter() {
            sums.iter_mut().zip(picture).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        let count = self.iter().len().max(1) as f64;
        sums.into_iter().map(|sum| (sum / count) as f32).collect()
    }
}

impl InsideResults {
    /// The dream runs with a purpose that this names something of, in the order of the study.
    pub fn dreams_of<'a, T: 'a>(
        &'a self,
        named: impl Fn(&'a DreamPurpose) -> Option<T> + 'a,
    ) -> impl Iterator<Item = (T, &'a DreamResults)> + 'a {
        self.dreams.iter().filter_map(move |run| Some((named(&run.spec.purpose)?, run)))
    }

    fn dreams_for(&self, purpose: DreamPurpose) -> impl Iterator<Item = &DreamResults> {
        self.dreams.iter().filter(move |run| run.spec.purpose == purpose)
    }

    /// The dreams of a class from several seeds.
    pub fn seeds(&self, class: u8) -> Option<&DreamResults> {
        self.dreams_for(DreamPurpose::Seeds { class }).next()
    }

    /// Every class once.
    pub fn every_class(&self) -> Option<&DreamResults> {
        self.dreams_for(DreamPurpose::Classes).next()
    }

    /// The dreams made with parts of the method left out, by what is there.
    pub fn ablation(&self) -> Vec<(&str, &DreamResults)> {
        self.dreams_of(|purpose| match purpose {
            DreamPurpose::Ablation { with } => Some(with.as_str()),
            _ => None,
        })
        .collect()
    }

    /// The dreams from several starts.
    pub fn starts(&self) -> Vec<&DreamResults> {
        self.dreams_for(DreamPurpose::Start).collect()
    }

    /// The images changed to amplify what a layer sees in them, by the layer.
    pub fn amplified(&self) -> Vec<(&str, &DreamResults)> {
        self.dreams_of(|purpose| match purpose {
            DreamPurpose::Amplify { layer } => Some(layer.as_str()),
            _ => None,
        })
        .collect()
    }
}

/// Reads task 5; `None` where the study has no run of it.
pub(super) fn read(store: &Reader, record: &StudyRecord) -> Result<Option<InsideResults>, ReportError> {
    let of_task = record.runs.iter().filter(|run| run.task == Task::Inside && !run.spec.is_for_the_page());
    // What other seeds dreamt of is compared by a run of its own.
    let runs: Vec<&PlannedRun> = of_task.filter(|run| run.seed.is_none()).collect();
    if runs.is_empty() {
        return Ok(None);
    }
    let damaged = |reason: String| damaged_record(store, reason);
    let Some(asked) = &record.study.inside else {
        return Err(damaged("it has runs of the task `inside`, but not its settings".into()));
    };
    let looked_into = runs.iter().find_map(|run| looked_into(&run.spec));
    let network = looked_into.and_then(|id| record.runs.iter().find(|run| run.id == *id));
    let trained = |run: &PlannedRun| match &run.spec {
        RunSpec::Train(spec) => Some(spec.data.set.clone()),
        _ => None,
    };
    let set = runs.iter().find_map(|run| run.spec.data()).map(|data| data.set.clone());
    let set = set.or_else(|| network.and_then(trained)).unwrap_or_default();
    let Some(data) = record.data.get(&set) else {
        return Err(damaged(format!("it does not describe the data set `{set}`")));
    };
    let (test, diverged) = network.map(|run| tested(store, run)).transpose()?.unwrap_or_default();
    let mut found = InsideResults {
        data: data.clone(),
        network: network.map_or_else(|| asked.network.clone(), |run| run.title.clone()),
        test,
        diverged,
        maps: network.map_or(Maps::Convolutions, Maps::of),
        rectified: network.is_none_or(is_rectified),
        classes: asked.classes,
        judge: None,
        filters: None,
        activations: None,
        dreams: Vec::new(),
        likeness: None,
        seeds: record.study.all_seeds(),
    };
    for run in runs {
        match &run.spec {
            RunSpec::Train(spec) => {
                let (seed, epochs) = (spec.seed, spec.training.epochs);
                found.judge = Some(Judge { seed, epochs, test: tested(store, run)?.0 });
            }
            RunSpec::Filters(spec) => found.filters = Some(filters::read(store, run, spec)?),
            RunSpec::Activations(spec) => found.activations = Some(activations::read(store, run, spec)?),
            RunSpec::Dream(spec) => found.dreams.push(dreams::read(store, run, spec)?),
            RunSpec::Likeness(_) => found.likeness = Some(outcome(store, run)?.outcome),
            _ => {}
        }
    }
    if found.classes.iter().any(|&class| usize::from(class) >= found.data.classes.len()) {
        return Err(damaged(format!("a class is out of range: there are {}", found.data.classes.len())));
    }
    Ok(Some(found))
}

fn trunk(run: &PlannedRun) -> &[LayerSpec] {
    match &run.spec {
        RunSpec::Train(spec) => &spec.model.trunk,
        _ => &[],
    }
}

impl Maps {
    fn of(run: &PlannedRun) -> Maps {
        let any = |is_one: fn(&LayerSpec) -> bool| trunk(run).iter().any(is_one);
        if any(|layer| matches!(layer, LayerSpec::Residual { .. })) {
            Maps::Stages
        } else if any(|layer| matches!(layer, LayerSpec::Conv2d { .. })) {
            Maps::Convolutions
        } else {
            Maps::Units
        }
    }
}

/// Whether ReLU follows each of the layers that are looked at, and no block has layers of its own.
fn is_rectified(run: &PlannedRun) -> bool {
    let (trunk, maps) = (trunk(run), Maps::of(run));
    let followed = |place: usize| matches!(trunk.get(place + 1), Some(LayerSpec::Relu));
    let is_one = |layer: &LayerSpec| match maps {
        Maps::Units => matches!(layer, LayerSpec::Dense { .. }),
        _ => matches!(layer, LayerSpec::Conv2d { .. }),
    };
    maps != Maps::Stages && trunk.iter().enumerate().all(|(place, layer)| !is_one(layer) || followed(place))
}

/// One run of looking inside, on its own.
pub(crate) enum Look {
    Filters(FiltersResults),
    Activations(Box<ActivationsResults>),
    Dream(Box<DreamResults>),
}

/// Reads one finished run; `None` where it looks into no network.
pub(crate) fn look(store: &Reader, run: &PlannedRun) -> Result<Option<Look>, ReportError> {
    Ok(match &run.spec {
        RunSpec::Filters(spec) => Some(Look::Filters(filters::read(store, run, spec)?)),
        RunSpec::Activations(spec) => Some(Look::Activations(Box::new(activations::read(store, run, spec)?))),
        RunSpec::Dream(spec) => Some(Look::Dream(Box::new(dreams::read(store, run, spec)?))),
        _ => None,
    })
}

/// The network that a run looks into.
fn looked_into(spec: &RunSpec) -> Option<&RunId> {
    match spec {
        RunSpec::Filters(run) => Some(&run.of),
        RunSpec::Activations(run) => Some(&run.of),
        RunSpec::Dream(run) => Some(&run.of),
        _ => None,
    }
}

/// How a trained network does on the test images, `None` where its training diverged; and the step at which it did.
fn tested(store: &Reader, run: &PlannedRun) -> Result<(Option<Evaluation>, Option<usize>), ReportError> {
    let found: TrainOutcome = outcome(store, run)?.outcome;
    let test = found.kept().map(|kept| kept.test);
    check_counts(&store.run(run.id.as_ref()), test)?;
    Ok((test, found.diverged.map(|at| at.step)))
}

/// The arrays of a run, and what to say of them where they do not fit.
struct Arrays {
    tensors: Tensors,
    folder: RunDir,
}

impl Arrays {
    fn of(store: &Reader, run: &PlannedRun) -> Result<Arrays, StoreError> {
        let folder = store.run(run.id.as_ref());
        Ok(Arrays { tensors: folder.tensors(TensorFile::Arrays)?, folder })
    }

    fn damaged(&self, reason: String) -> ReportError {
        damaged_arrays(&self.folder, reason)
    }

    fn has(&self, name: &str) -> bool {
        self.tensors.names().iter().any(|held| held == name)
    }

    /// Numbers of this shape, each of them finite.
    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ReportError> {
        self.tensors.finite(name, shape).map_err(|error| match error {
            // What a look has written was finite once.
            StoreError::NotFinite { count, of, value, place, .. } => self.damaged(format!(
                "`{name}` holds {value} at {place:?}, the first of {count} of {of} values that are not finite numbers"
            )),
            other => other.into(),
        })
    }

    /// `count` pictures of this size.
    fn pictures(&self, name: &str, count: usize, size: [usize; 3]) -> Result<Pictures, ReportError> {
        let [height, width, channels] = size;
        Ok(Pictures { size, values: self.numbers(name, &[count, height, width, channels])? })
    }

    /// Length of a vector.
    fn length(&self, name: &str) -> Result<usize, ReportError> {
        match self.tensors.shape(name)? {
            &[length] => Ok(length),
            shape => Err(self.damaged(format!("`{name}` has the shape {shape:?} and should be a vector"))),
        }
    }

    /// Height, width and channels of `count` pictures under this name.
    fn size(&self, name: &str, count: usize) -> Result<[usize; 3], ReportError> {
        match self.tensors.shape(name)? {
            &[n, height, width, channels] if n == count && height * width * channels > 0 => {
                Ok([height, width, channels])
            }
            shape => Err(self.damaged(format!(
                "`{name}` has the shape {shape:?} and should hold {count} pictures of [height, width, channels]"
            ))),
        }
    }
}
