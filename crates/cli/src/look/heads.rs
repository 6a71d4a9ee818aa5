//! What the heads of a network say: on which labels each was trained, and what its classes are called, as far as the files
//! beside the network tell.

use std::path::Path;

use inkling_data::SetInfo;
use inkling_lab::Trained;
use inkling_schema::outcome::StudyRecord;
use inkling_schema::{CardHead, Labels, ModelCard, RunSpec, TrainRun};
use inkling_store::read_json;
use serde::de::DeserializeOwned;

use super::STUDY;

/// The file beside a model that says how it was trained.
const SPEC: &str = "spec.json";

/// What a head says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeadClasses {
    /// Which test images belong to its classes; none where that is not known.
    pub(crate) labels: Option<Labels>,
    /// Names of its classes; empty where they have none that are known, only numbers.
    pub(crate) names: Vec<String>,
}

/// Of each head of the network in `file`, in their order. `set` is the data set that is meant.
///
/// The file's card says it; of older files, which have none, the run's own spec says what each head was trained on, and the study's record what its groups are called. Of a model
/// file without either, the first head is taken to say the class of an image, and further ones have numbers only: that
/// there are as many classes as a set has groups does not make them those.
pub(crate) fn of(file: &Path, network: &Trained, set: Option<&SetInfo>) -> Vec<HeadClasses> {
    if let Some(card) = &network.card {
        return of_card(card, network, set);
    }
    let spec = network.network.spec();
    let counts = network.network.num_classes();
    let folder = file.parent().unwrap_or(Path::new("."));
    let train = match readable::<RunSpec>(&folder.join(SPEC)) {
        // What lies beside it may be of another network.
        Some(RunSpec::Train(train)) if train.model == *spec && train.labels.len() == counts.len() => {
            Some(train)
        }
        _ => None,
    };
    let labels = match &train {
        Some(train) => train.labels.iter().cloned().map(Some).collect(),
        None => {
            let mut labels = vec![None; counts.len()];
            labels[0] = Some(Labels::Classes);
            labels
        }
    };
    let record = folder.ancestors().nth(2).and_then(|study| readable::<StudyRecord>(&study.join(STUDY)));
    let of_head = |(number, (labels, count)): (usize, (Option<Labels>, usize))| {
        let names: Vec<String> = match (&labels, &train, set) {
            _ if network.classes.len() > number => network.classes[number].clone(),
            (Some(Labels::Classes), _, Some(set)) => set.classes.iter().map(|&name| name.into()).collect(),
            (Some(Labels::Groups(groups)), Some(train), _) => group_names(groups, train, record.as_ref()),
            _ => Vec::new(),
        };
        // Groups of one set's classes say nothing of another's images.
        let fits = |labels: &Labels| match (labels, &train) {
            (Labels::Groups(_), Some(train)) => set.is_some_and(|set| set.name == train.data.set),
            _ => true,
        };
        let named = names.len() == count;
        HeadClasses { labels: labels.filter(fits), names: if named { names } else { Vec::new() } }
    };
    labels.into_iter().zip(counts).enumerate().map(of_head).collect()
}

/// Of each head, as the model's file says.
fn of_card(card: &ModelCard, network: &Trained, set: Option<&SetInfo>) -> Vec<HeadClasses> {
    let counts = network.network.num_classes();
    // Another set that was named has the classes of its own.
    let other = set.filter(|set| set.checksum() != card.data.checksum);
    let of_head = |((head, labels), count): ((&CardHead, &Labels), usize)| {
        let (labels, names) = match (labels, other) {
            (labels, None) => (Some(labels.clone()), head.classes.clone()),
            (Labels::Classes, Some(set)) => {
                (Some(Labels::Classes), set.classes.iter().map(|&name| name.into()).collect())
            }
            // Groups of one set's classes say nothing of another's images.
            (Labels::Groups(_), Some(_)) => (None, head.classes.clone()),
        };
        HeadClasses { labels, names: if names.len() == count { names } else { Vec::new() } }
    };
    card.heads.iter().zip(&card.run.labels).zip(counts).map(of_head).collect()
}

/// What the study that trained a network calls the groups that it was trained on; nothing where it has others.
fn group_names(groups: &[u8], train: &TrainRun, record: Option<&StudyRecord>) -> Vec<String> {
    let names = || {
        let record = record?;
        let task = record.study.multitask.as_ref().filter(|task| task.data == train.data.set)?;
        // Groups by number need no names.
        let classes = record.data.get(&task.data).map(|data| data.classes.clone());
        let classes = classes.unwrap_or_else(|| vec![String::new(); groups.len()]);
        let same = task.mapping(&classes).is_ok_and(|mapping| mapping == groups);
        same.then(|| task.groups.iter().map(|group| group.name.clone()).collect())
    };
    names().unwrap_or_default()
}

/// A document of a store; nothing where there is none of this form.
fn readable<T: DeserializeOwned>(path: &Path) -> Option<T> {
    read_json(path).ok().flatten()
}
