//! A finished study, read from the store into memory: all that figures, tables and the report are made from.

mod comparison;
mod inside;
mod moment;
mod multitask;
mod network;
mod networks;
mod origin;
mod page;
mod peers;
mod seeds;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod unable;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use inkling_schema::outcome::{
    DataSetFacts, Evaluation, Machine, PcaOutcome, PerceptronOutcome, PerceptronPass, PlannedRun, RunResult,
    SeparabilityOutcome, StudyRecord,
};
use inkling_schema::{PcaRun, PerceptronRun, RunSpec, Task};
use inkling_store::{Reader, RunDir, StoreError, TensorFile, read_json};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ReportError;

pub use comparison::{Alone, Comparisons, McNemar, SeedTest, Verdict};
pub use inside::{
    ActivationsResults, DreamResults, FilterLayerResults, FiltersResults, InsideResults, Judge, Maps,
    Pictures,
};
pub(crate) use inside::{Look, look};
pub use moment::Moment;
pub use multitask::{
    Baselines, ClassChange, Contradictions, Costs, Goal, GoalPair, GradientsFound, MultitaskResults, Pairing,
    Spread, WeightingResults,
};
pub(crate) use network::test_of;
pub use network::{Answers, Convolutions, Network, Replicate, Trained, WrongImage, metrics, training_lines};
pub(crate) use networks::ONE_BUDGET;
pub use networks::{ChosenBy, NetworkPair, NetworksResults};
pub use origin::{Origins, Program, Share};
pub use page::{LeftOut, PageImages, PageNetwork, PageResults, WhyLeftOut};
pub use peers::{PeerFound, PeerResults};
pub use seeds::SeedSpread;
pub(crate) use sweep::spread;
pub use sweep::{Noise, PointResults, SweepResults};
pub use unable::{Unable, Why};

/// A study, as far as it is finished.
#[derive(Debug, Clone)]
pub struct Results {
    /// What was asked; of its runs, those that are finished. Where they come from, `origins` says better than the record.
    pub record: StudyRecord,
    /// Whether the file that the record names as the study lies in the study's own folder.
    pub study_is_here: bool,
    /// The machines and programs that made the runs.
    pub origins: Origins,
    /// The runs that are not finished. What depends on them alone is absent below.
    pub missing: Vec<PlannedRun>,
    /// Those of them that cannot be done, and why.
    pub unable: Vec<Unable>,
    /// What other libraries counted with its networks, where it is known; the error says why the file that tells is not believed.
    pub peers: Option<Result<PeerResults, String>>,
    /// When the last of its runs ended; absent where older programs made them all.
    pub finished: Option<Moment>,
    /// Task 1.
    pub pca: Option<PcaResults>,
    /// Task 2.
    pub perceptrons: Option<PerceptronResults>,
    /// Task 3.
    pub mlps: Option<NetworksResults>,
    /// Task 4.
    pub cnns: Option<NetworksResults>,
    /// A network of a person's own, alone in its list.
    pub network: Option<NetworksResults>,
    /// Task 5, or a look inside that network.
    pub inside: Option<InsideResults>,
    /// Task 6.
    pub multitask: Option<MultitaskResults>,
    /// A sweep over hyperparameters.
    pub sweep: Option<SweepResults>,
    /// What the page's laboratory works with; absent where it has no network.
    pub page: Option<PageResults>,
}

/// Task 1: the components, the embedding of the training images, images rebuilt, and separability.
#[derive(Debug, Clone)]
pub struct PcaResults {
    /// The data set.
    pub data: DataSetFacts,
    /// The run's spec.
    pub spec: PcaRun,
    /// Shares of variance and times.
    pub outcome: PcaOutcome,
    /// The classes that are compared in pairs, by their numbers, and the data set as if it had no others.
    pub compared: Vec<u8>,
    /// See `compared`.
    pub compared_data: DataSetFacts,
    /// Separability of every two of these, by their places among them.
    pub separability: SeparabilityOutcome,
    /// Every training image in the plane of the first two components, shape [n, 2].
    pub embedding: Vec<[f64; 2]>,
    /// The training images' classes, shape `[n]`.
    pub labels: Vec<u8>,
    /// The first of the training images as pixels, shape [pictures, d].
    pub pictures: Vec<u8>,
    /// Variance along each of the d principal axes, largest first, shape `[d]`.
    pub spectrum: Vec<f64>,
    /// Mean image in features x from −1 to 1, shape `[d]`.
    pub mean: Vec<f64>,
    /// Components, shape [k, d].
    pub components: Vec<f64>,
    /// One test image of each class as pixels, shape [classes, d].
    pub originals: Vec<u8>,
    /// Those images rebuilt in features x from about −1 to 1, shape [reconstructions, classes, d].
    pub rebuilt: Vec<f32>,
}

/// Task 2: a perceptron for every pair of classes a < b, in lexicographic order.
#[derive(Debug, Clone)]
pub struct PerceptronResults {
    /// The data set, as if it had no other classes than those that are compared.
    pub data: DataSetFacts,
    /// Classes of the data set, and the numbers of those that are compared.
    pub classes: usize,
    /// See `classes`.
    pub compared: Vec<u8>,
    /// The perceptrons, their classes by their places among those that are compared.
    pub pairs: Vec<PairResults>,
}

/// One perceptron.
#[derive(Debug, Clone)]
pub struct PairResults {
    /// The run's spec; it holds the classes.
    pub spec: PerceptronRun,
    /// What came of it.
    pub outcome: PerceptronOutcome,
    /// Share of misclassified training images after each pass.
    pub errors: Vec<f64>,
    /// Weights, shape [height, width, channels].
    pub weights: Vec<f32>,
    /// The bias.
    pub bias: f32,
    /// Seconds it took.
    pub seconds: f64,
    /// What the other seeds of the study made of it, where they train perceptrons; all above is of the first seed.
    pub replicates: Vec<PerceptronOutcome>,
}

impl Results {
    /// Reads a study, as far as it is finished.
    ///
    /// # Errors
    /// [`ReportError::NoStudy`] and [`ReportError::Unfinished`] where there is nothing to report,
    /// [`ReportError::OtherVersion`] where another version of the program made what this one cannot read, and the store's
    /// errors.
    pub fn read(store: &Reader) -> Result<Results, ReportError> {
        Self::read_all(store).map_err(made_by_another)
    }

    fn read_all(store: &Reader) -> Result<Results, ReportError> {
        let mut record: StudyRecord = store
            .json("study.json")?
            .ok_or_else(|| ReportError::NoStudy { folder: store.path().to_owned() })?;
        let finished = |run: &PlannedRun| store.run(run.id.as_ref()).path().join("result.json").exists();
        let all = std::mem::take(&mut record.runs);
        let (finished, missing): (Vec<_>, Vec<_>) = all.iter().cloned().partition(finished);
        let unable = unable::read(store, &missing, &all)?;
        record.runs = finished;
        if record.runs.is_empty() {
            return Err(unfinished(&record, &missing, &unable));
        }
        for data in record.runs.iter().filter_map(|run| run.spec.data()) {
            if !record.data.contains_key(&data.set) {
                let reason = format!("it does not describe the data set `{}`", data.set);
                return Err(damaged_record(store, reason));
            }
        }
        let (mut pca, mut separability, mut pairs) = (None, None, Vec::<PairResults>::new());
        let mut replicates: BTreeMap<(u8, u8), Vec<PerceptronOutcome>> = BTreeMap::new();
        for run in &record.runs {
            match &run.spec {
                RunSpec::Perceptron(spec) if run.seed.is_some() => {
                    replicates.entry((spec.a, spec.b)).or_default().push(outcome(store, run)?.outcome);
                }
                RunSpec::Pca(spec) => pca = Some((run, spec)),
                RunSpec::Separability(_) => separability = Some(outcome(store, run)?.outcome),
                RunSpec::Perceptron(spec) => pairs.push(pair(store, run, spec, &record)?),
                _ => {}
            }
        }
        for pair in &mut pairs {
            pair.replicates = replicates.remove(&(pair.spec.a, pair.spec.b)).unwrap_or_default();
        }
        let pca = match (pca, separability) {
            (Some((run, spec)), Some(separability)) => {
                let data = record.data[&spec.data.set].clone();
                Some(read_pca(store, run, spec, data, separability)?)
            }
            _ => None,
        };
        let asked = record.runs.iter().chain(&missing).filter_map(|run| match &run.spec {
            RunSpec::Perceptron(spec) => Some([spec.a, spec.b]),
            _ => None,
        });
        let compared = compared(asked.flatten());
        let set = pairs.first().map(|pair| pair.spec.data.set.clone());
        for PerceptronRun { a, b, .. } in pairs.iter_mut().map(|pair| &mut pair.spec) {
            (*a, *b) = (place_of(*a, &compared), place_of(*b, &compared));
        }
        let perceptrons = set.map(|set| PerceptronResults {
            data: with_classes(&record.data[&set], &compared),
            classes: record.data[&set].classes.len(),
            compared,
            pairs,
        });
        let mlps = networks::read(store, &record, Task::Mlp)?;
        let cnns = networks::read(store, &record, Task::Cnn)?;
        let network = networks::read(store, &record, Task::Network)?;
        let inside = inside::read(store, &record)?;
        let multitask = multitask::read(store, &record)?;
        let sweep = sweep::read(store, &record, &missing)?;
        let page = page::read(store, &record)?;
        for run in &record.runs {
            check_identity(store, run, &record.data)?;
        }
        let (origins, finished) = origin::read(store, &record.runs)?;
        let peers = peers::results(store, &record, &missing)?;
        // A name without folders, as the program gives to a study that it put together itself.
        let file = Path::new(&record.preset);
        let study_is_here = file.file_name() == Some(file.as_os_str()) && store.path().join(file).is_file();
        Ok(Results {
            record,
            study_is_here,
            origins,
            missing,
            unable,
            peers,
            finished,
            pca,
            perceptrons,
            mlps,
            cnns,
            network,
            inside,
            multitask,
            sweep,
            page,
        })
    }

    /// The version of the program that made the most runs.
    pub fn version(&self) -> &str {
        self.origins.programs.first().map_or(&self.record.version, |program| &program.of.version)
    }

    /// The machine that made the most runs.
    pub fn machine(&self) -> &Machine {
        self.origins.machines.first().map_or(&self.record.machine, |machine| &machine.of)
    }

    /// # Errors
    /// [`ReportError::Unfinished`] where a run is missing.
    pub fn check_whole(&self) -> Result<(), ReportError> {
        if self.missing.is_empty() {
            Ok(())
        } else {
            Err(unfinished(&self.record, &self.missing, &self.unable))
        }
    }
}

/// The classes that some pairs are made of, in rising order.
fn compared(classes: impl Iterator<Item = u8>) -> Vec<u8> {
    classes.collect::<BTreeSet<u8>>().into_iter().collect()
}

/// The place of a class among those that are compared.
fn place_of(class: u8, compared: &[u8]) -> u8 {
    compared.iter().position(|&other| other == class).map_or(class, |place| place as u8)
}

/// A data set as if it had these classes alone.
fn with_classes(data: &DataSetFacts, compared: &[u8]) -> DataSetFacts {
    let names = compared.iter().filter_map(|&class| data.classes.get(usize::from(class)));
    DataSetFacts { classes: names.cloned().collect(), ..data.clone() }
}

fn unfinished(record: &StudyRecord, missing: &[PlannedRun], unable: &[Unable]) -> ReportError {
    let (missing, all) = (missing.len(), record.runs.len() + missing.len());
    ReportError::Unfinished { missing, unable: unable.len(), all, preset: record.preset.clone() }
}

/// What `study.json` has wrong.
fn damaged_record(store: &Reader, reason: impl Into<String>) -> ReportError {
    StoreError::Damaged { path: store.path().join("study.json"), reason: reason.into() }.into()
}

/// What the result of a run has wrong.
fn damaged_result(folder: &RunDir, reason: impl Into<String>) -> ReportError {
    StoreError::Damaged { path: folder.path().join("result.json"), reason: reason.into() }.into()
}

/// What the arrays of a run have wrong.
fn damaged_arrays(folder: &RunDir, reason: impl Into<String>) -> ReportError {
    let path = folder.path().join(TensorFile::Arrays.name());
    StoreError::Damaged { path, reason: reason.into() }.into()
}

/// Refuses counts in the result of a run that are no parts of something.
fn check_counts(folder: &RunDir, found: impl IntoIterator<Item = Evaluation>) -> Result<(), ReportError> {
    if found.into_iter().all(|found| found.images > 0 && found.correct <= found.images) {
        return Ok(());
    }
    Err(damaged_result(folder, "it counts more correct answers than images, or no images"))
}

fn outcome<O: DeserializeOwned>(store: &Reader, run: &PlannedRun) -> Result<RunResult<O>, ReportError> {
    let folder = store.run(run.id.as_ref());
    let result = folder.finished()?;
    result.ok_or_else(|| ReportError::Unfinished {
        missing: 1,
        unable: 0,
        all: 1,
        preset: run.id.to_string(),
    })
}

/// Checks that the result of a run answers what was planned, on the data that the study names: a folder copied to another
/// place, or a record changed by hand, would otherwise lend its numbers to another study.
fn check_identity(
    store: &Reader,
    run: &PlannedRun,
    data: &BTreeMap<String, DataSetFacts>,
) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Identity {
        spec_hash: String,
        data_checksum: String,
    }
    let path = format!("runs/{}/result.json", run.id);
    let Some(identity) = store.json::<Identity>(&path)? else { return Ok(()) };
    let set = run.spec.data().and_then(|slice| data.get(&slice.set));
    let reason = if identity.spec_hash != run.spec.hash(&identity.data_checksum) {
        "it is the result of other hyperparameters than study.json names for this run"
    } else if set.is_some_and(|set| set.checksum != identity.data_checksum) {
        "it is the result of other data than study.json names"
    } else if !identity.spec_hash.starts_with(run.id.as_ref()) {
        "it is the result of another run than its folder is named for"
    } else {
        return Ok(());
    };
    Err(StoreError::Damaged { path: store.path().join(path), reason: reason.into() })
}

/// Whether a document is refused for the names that it has for things.
fn is_of_names(reason: &str) -> bool {
    ["unknown field", "missing field", "unknown variant"].iter().any(|words| reason.starts_with(words))
}

/// What is no damage but made by another version of the program, which the file itself says.
fn made_by_another(error: ReportError) -> ReportError {
    const THIS: &str = env!("CARGO_PKG_VERSION");
    #[derive(Deserialize)]
    struct Made {
        version: String,
    }
    let ReportError::Store(StoreError::Damaged { path, reason }) = error else { return error };
    // Only where its checksum is right: a damaged file may say any version.
    let made = read_json::<Made>(&path).ok().flatten();
    let numbers =
        |version: &str| -> Vec<u64> { version.split('.').map_while(|part| part.parse().ok()).collect() };
    match made {
        Some(Made { version }) if numbers(&version) > numbers(THIS) => ReportError::OtherVersion {
            path,
            made_by: version,
            this: THIS,
            reason,
            help: "update the program",
        },
        // An older program's files hold what this one's do, under the names that it had for it.
        Some(Made { version }) if numbers(&version) < numbers(THIS) && is_of_names(&reason) => {
            ReportError::OtherVersion { path, made_by: version, this: THIS, reason, help: "use that program" }
        }
        _ => StoreError::Damaged { path, reason }.into(),
    }
}

fn read_pca(
    store: &Reader,
    run: &PlannedRun,
    spec: &PcaRun,
    data: DataSetFacts,
    separability: SeparabilityOutcome,
) -> Result<PcaResults, ReportError> {
    let folder = store.run(run.id.as_ref());
    let outcome: PcaOutcome = outcome(store, run)?.outcome;
    let (n, d, k) = (outcome.samples, outcome.features, spec.components);
    let classes = data.classes.len();
    let shape = |leading: &[usize]| [leading, &data.image_shape()].concat();
    let model = folder.tensors(TensorFile::Model)?;
    let arrays = folder.tensors(TensorFile::Arrays)?;
    let embedding = arrays.values::<f64>("embedding", &[n, 2])?.as_chunks::<2>().0.to_vec();
    let compared = compared(separability.pairs.iter().flat_map(|pair| [pair.a, pair.b]));
    let mut separability = separability;
    for pair in &mut separability.pairs {
        [pair.a, pair.b] = [pair.a, pair.b].map(|class| place_of(class, &compared));
    }
    Ok(PcaResults {
        embedding,
        compared_data: with_classes(&data, &compared),
        compared,
        labels: arrays.values("labels", &[n])?,
        pictures: arrays.values("pictures", &shape(&[spec.pictures]))?,
        spectrum: arrays.values("spectrum", &[d])?,
        mean: model.values("mean", &[d])?,
        components: model.values("components", &[k, d])?,
        originals: arrays.values("originals", &shape(&[classes]))?,
        rebuilt: arrays.values("rebuilt", &shape(&[spec.reconstructions.len(), classes]))?,
        data,
        spec: spec.clone(),
        outcome,
        separability,
    })
}

fn pair(
    store: &Reader,
    run: &PlannedRun,
    spec: &PerceptronRun,
    record: &StudyRecord,
) -> Result<PairResults, ReportError> {
    let folder = store.run(run.id.as_ref());
    let result: RunResult<PerceptronOutcome> = outcome(store, run)?;
    let data = &record.data[&spec.data.set];
    let passes: Vec<PerceptronPass> = metrics(&folder)?;
    let model = folder.tensors(TensorFile::Model)?;
    Ok(PairResults {
        spec: spec.clone(),
        outcome: result.outcome,
        errors: passes.iter().map(|pass| pass.train_error).collect(),
        weights: model.values("w", &[data.height, data.width * data.channels])?,
        bias: model.values("b", &[1])?[0],
        seconds: result.seconds,
        replicates: Vec::new(),
    })
}

impl PcaResults {
    /// How many components hold at least a share of the variance.
    pub fn components_with(&self, share: f64) -> Option<usize> {
        let mut sum = 0.0;
        let enough = self.spectrum.iter().position(|variance| {
            sum += variance / self.outcome.total_variance;
            sum >= share
        });
        enough.map(|place| place + 1)
    }
}

impl PairResults {
    /// Share of the training images classified rightly.
    pub fn train_accuracy(&self) -> f64 {
        self.outcome.train_correct as f64 / self.outcome.train_images as f64
    }

    /// Share of the test images classified rightly.
    pub fn test_accuracy(&self) -> f64 {
        self.outcome.test_correct as f64 / self.outcome.test_images as f64
    }
}

impl PerceptronResults {
    /// Five pairs from easy to hard: those at the minimum, quartiles and maximum of the test accuracy. Fewer where
    /// there are fewer pairs.
    pub fn easy_to_hard(&self) -> Vec<&PairResults> {
        let mut ranked: Vec<&PairResults> = self.pairs.iter().collect();
        ranked.sort_by(|a, b| b.test_accuracy().total_cmp(&a.test_accuracy()));
        let last = ranked.len() - 1;
        let mut places: Vec<usize> = (0..5).map(|quarter| quarter * last / 4).collect();
        places.dedup();
        places.into_iter().map(|place| ranked[place]).collect()
    }
}
