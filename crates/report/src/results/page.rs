//! What the page's laboratory works with: networks in a small form, and images.

use std::collections::BTreeMap;

use inkling_schema::outcome::{DataSetFacts, PageImagesOutcome, PageNetworkOutcome, PlannedRun, StudyRecord};
use inkling_schema::{
    Labels, PageImagesRun, PageNetworkRun, PagePlace, Precision, RunId, RunSpec, Task, TrainRun,
    page_candidates,
};
use inkling_store::{Reader, TensorFile};

use super::network::{self, Network};
use super::{damaged_arrays, damaged_record, outcome};
use crate::ReportError;

/// The networks and images of the laboratory.
#[derive(Debug, Clone)]
pub struct PageResults {
    /// The images of each data set that a network has, by the set's name.
    pub images: BTreeMap<String, PageImages>,
    /// The networks; there is one at least.
    pub networks: Vec<PageNetwork>,
    /// The networks that are not there although the study does not leave them out.
    pub left_out: Vec<LeftOut>,
}

/// Images of a data set, of shape [n, height, width, channels].
#[derive(Debug, Clone)]
pub struct PageImages {
    /// The data set.
    pub data: DataSetFacts,
    /// The first of the test images.
    pub test: Vec<u8>,
    /// Their classes, shape `[n]`.
    pub test_labels: Vec<u8>,
    /// Some of the training images.
    pub train: Vec<u8>,
    /// Their classes, shape `[n]`.
    pub train_labels: Vec<u8>,
    /// Their places among the training images, shape `[n]`.
    pub train_numbers: Vec<u32>,
    /// Mean brightness, from 0 to 1, of the training images' outermost pixels and of all of them.
    pub brightness: [f64; 2],
}

/// A network of the laboratory.
#[derive(Debug, Clone)]
pub struct PageNetwork {
    /// The run that trained it.
    pub id: RunId,
    /// The task that it belongs to.
    pub task: Task,
    /// As in the report.
    pub network: Network,
    /// The names of each head's classes.
    pub classes: Vec<Vec<String>>,
    /// The precision of its weights.
    pub precision: Precision,
    /// How many answers that changes.
    pub outcome: PageNetworkOutcome,
    /// Its file.
    pub model: Vec<u8>,
}

/// A network that is not in the laboratory.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The task that it belongs to.
    pub task: Task,
    /// What the study calls it.
    pub name: String,
    /// Its parameters.
    pub parameters: usize,
    /// Why it is not there.
    pub why: WhyLeftOut,
}

/// Why a network is not in the laboratory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WhyLeftOut {
    /// It would take so many millions of bytes of the page.
    TooLarge(f64),
    /// Its training diverged.
    Diverged,
    /// Its run is not finished.
    Unfinished,
}

/// Reads the laboratory; `None` where it has no network.
pub(super) fn read(store: &Reader, record: &StudyRecord) -> Result<Option<PageResults>, ReportError> {
    let mut images = BTreeMap::new();
    let mut files: BTreeMap<&RunId, (&PlannedRun, &PageNetworkRun)> = BTreeMap::new();
    for run in &record.runs {
        match &run.spec {
            RunSpec::PageImages(spec) => {
                images.insert(spec.data.set.clone(), read_images(store, record, run, spec)?);
            }
            RunSpec::PageNetwork(spec) => {
                files.insert(&spec.of, (run, spec));
            }
            _ => {}
        }
    }
    let (mut networks, mut left_out) = (Vec::new(), Vec::new());
    let (runs, candidates): (Vec<_>, Vec<_>) =
        page_candidates(&record.study, &record.runs).into_iter().unzip();
    let places = record.study.page.places(&candidates);
    for ((run, candidate), place) in runs.into_iter().zip(candidates).zip(places) {
        let RunSpec::Train(spec) = &run.spec else { continue };
        let mut leave = |why| {
            let (task, name, parameters) = (run.task, run.title.clone(), candidate.parameters);
            left_out.push(LeftOut { task, name, parameters, why });
        };
        match (place, files.get(&run.id)) {
            (PagePlace::NotAsked, _) => {}
            (PagePlace::TooLarge(megabytes), _) => leave(WhyLeftOut::TooLarge(megabytes)),
            (PagePlace::There(_), Some((file, page))) if images.contains_key(&spec.data.set) => {
                let network = read_network(store, record, (run, spec), (file, page))?;
                if network.network.outcome.diverged.is_some() {
                    leave(WhyLeftOut::Diverged);
                } else {
                    networks.push(network);
                }
            }
            (PagePlace::There(_), _) => leave(WhyLeftOut::Unfinished),
        }
    }
    images.retain(|name, _| {
        networks.iter().any(|network: &PageNetwork| network.network.spec.data.set == *name)
    });
    Ok((!networks.is_empty()).then_some(PageResults { images, networks, left_out }))
}

fn read_images(
    store: &Reader,
    record: &StudyRecord,
    run: &PlannedRun,
    spec: &PageImagesRun,
) -> Result<PageImages, ReportError> {
    let folder = store.run(run.id.as_ref());
    let found: PageImagesOutcome = outcome(store, run)?.outcome;
    let data = record.data[&spec.data.set].clone();
    let arrays = folder.tensors(TensorFile::Arrays)?;
    let shape = |count: usize| [count, data.height, data.width, data.channels];
    let (test, train) = (found.test, found.train);
    let images = PageImages {
        test: arrays.values("test_images", &shape(test))?,
        test_labels: arrays.values("test_labels", &[test])?,
        train: arrays.values("train_images", &shape(train))?,
        train_labels: arrays.values("train_labels", &[train])?,
        train_numbers: arrays.values("train_numbers", &[train])?,
        brightness: found.brightness,
        data,
    };
    let classes = images.data.classes.len();
    if images.test_labels.iter().chain(&images.train_labels).any(|&label| usize::from(label) >= classes) {
        return Err(damaged_arrays(&folder, format!("a label is out of range: there are {classes} classes")));
    }
    Ok(images)
}

fn read_network(
    store: &Reader,
    record: &StudyRecord,
    (run, spec): (&PlannedRun, &TrainRun),
    (file, page): (&PlannedRun, &PageNetworkRun),
) -> Result<PageNetwork, ReportError> {
    let data = &record.data[&spec.data.set];
    let groups =
        || record.study.multitask.iter().flat_map(|task| &task.groups).map(|group| group.name.clone());
    let classes: Vec<Vec<String>> = spec
        .labels
        .iter()
        .map(|labels| match labels {
            Labels::Classes => data.classes.clone(),
            Labels::Groups(_) => groups().collect(),
        })
        .collect();
    let counts: Vec<usize> = classes.iter().map(Vec::len).collect();
    let (network, _) = network::read(store, run, spec, &counts)?;
    let found: PageNetworkOutcome = outcome(store, file)?.outcome;
    if found.changed.len() != classes.len() {
        let reason = "it has not as many heads as the study says";
        return Err(damaged_record(store, format!("the run `{}`: {reason}", file.title)));
    }
    Ok(PageNetwork {
        id: run.id.clone(),
        task: run.task,
        network,
        classes,
        precision: page.precision,
        outcome: found,
        model: store.run(file.id.as_ref()).bytes(TensorFile::Model)?,
    })
}
