//! The network that is looked into: which file is meant, and what it was trained on.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use inkling_data::catalogue::{self, SetInfo};
use inkling_lab::Trained;
use inkling_schema::outcome::{DataSetFacts, PlannedRun, RunResult, StudyRecord, TrainOutcome};
use inkling_schema::{Labels, RunId, RunSpec, Task, Weights};
use inkling_store::{Reader, RunDir, StoreError, TensorFile, sha256};
use serde::de::IgnoredAny;

use super::STUDY;
use super::error::AskError;
use super::failure;
use super::heads::{self, HeadClasses};
use crate::args::LookArgs;
use crate::failure::Failure;
use crate::trained;

/// A trained network that was asked for.
pub(crate) struct Subject {
    pub(crate) network: Trained,
    /// The file that holds it.
    pub(crate) file: PathBuf,
    /// What runs call it.
    pub(crate) id: RunId,
    /// The data set that classes and test images come from, where it is known.
    pub(crate) set: Option<&'static SetInfo>,
    /// The file, and the network's name where a study has one for it.
    pub(crate) words: String,
    /// What each head says, in their order.
    heads: Vec<HeadClasses>,
}

impl Subject {
    /// Reads the network that was asked for.
    pub(crate) fn read(args: &LookArgs) -> Result<Subject, Failure> {
        let named = args.set.as_deref().map(catalogue::find).transpose()?;
        let (file, name) = find(&args.model, args.network.as_deref())?;
        let unreadable = |source| AskError::Model { path: file.clone(), source };
        // It is read twice, and a pipe would be waited for.
        if std::fs::metadata(&file).map_err(unreadable)?.is_file() {
            File::open(&file).map_err(unreadable)?;
        } else {
            return Err(AskError::NoFile { path: file }.into());
        }
        let asked = args.weights.map(Weights::from);
        // Before its bytes, which may be many and of something else, its header.
        let network = Trained::read_weights(&file, asked).map_err(failure)?;
        let checksum = sha256(&file)?.ok_or_else(|| unreadable(ErrorKind::NotFound.into()))?;
        // Weights that are not the network's own are those of another network.
        let own = network.card.as_ref().map_or(Weights::Last, |card| card.weights);
        let other = asked.filter(|asked| *asked != own);
        let id = match other {
            None => RunId::of_file(&checksum),
            Some(Weights::Best) => {
                RunId::of_file(&inkling_data::sha256_hex(format!("{checksum} best").as_bytes()))
            }
            Some(Weights::Last) => {
                RunId::of_file(&inkling_data::sha256_hex(format!("{checksum} last").as_bytes()))
            }
        };
        // A set that this program does not know is as none: the network can still be looked into.
        let trained_on = || trained::known(&network);
        let set = named.or_else(trained_on);
        let words = match name {
            Some(name) => format!("{name} ({})", file.display()),
            None => file.display().to_string(),
        };
        let words = match other {
            None => words,
            Some(Weights::Best) => format!("{words}, best weights"),
            Some(Weights::Last) => format!("{words}, last weights"),
        };
        let heads = heads::of(&file, &network, set);
        Ok(Subject { network, file, id, set, words, heads })
    }

    /// The images that it was trained on, or that were named, as far as they are known.
    pub(crate) fn about(&self) -> Option<DataSetFacts> {
        let [height, width, channels] = self.network.input();
        let facts = |title: &str, checksum: String| DataSetFacts {
            title: title.into(),
            height,
            width,
            channels,
            classes: Vec::new(),
            checksum,
            images: None,
        };
        let of_card = || {
            let data = &self.network.card.as_ref()?.data;
            Some(facts(&data.title, data.checksum.clone()))
        };
        self.set.map(|set| facts(set.title, set.checksum())).or_else(of_card)
    }

    /// Names of a head's classes; none where they are not known.
    pub(crate) fn names(&self, head: &str) -> Vec<&str> {
        let head = self.network.head(head).ok().and_then(|number| self.heads.get(number));
        head.map_or(Vec::new(), |head| head.names.iter().map(String::as_str).collect())
    }

    /// What a head should say of test images, where that is known.
    pub(crate) fn labels(&self, head: &str) -> Option<Labels> {
        let number = self.network.head(head).ok()?;
        self.heads.get(number)?.labels.clone()
    }

    /// Whether the network has several heads, so that it is to be said which one is meant.
    pub(crate) fn has_several_heads(&self) -> bool {
        self.heads.len() > 1
    }

    /// The class of a head that a word names, by number or name. Whether the head has a class of this number is not
    /// asked.
    pub(crate) fn class(&self, head: &str, word: &str) -> Result<usize, Failure> {
        let scores = self.network.scores_of(head)?;
        let names = self.names(head);
        let lower = word.to_lowercase();
        // A name comes first: a group of classes may be called `7`.
        if let Some(class) = names.iter().position(|name| name.to_lowercase() == lower) {
            return Ok(class);
        }
        if let Ok(number) = word.parse() {
            return Ok(number);
        }
        let known = match &names[..] {
            [] => format!("the classes 0 to {}", scores.shape.len() - 1),
            names => names.join(", "),
        };
        let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
        let near = names
            .iter()
            .filter(|name| distance(name) <= 2 && name.len() > 2)
            .min_by_key(|name| distance(name));
        let nearest = near.map(|&name| name.to_owned());
        Err(AskError::UnknownClass { word: word.into(), head: head.into(), known, nearest }.into())
    }
}

/// The file that is meant, and the network's name in its study.
pub(crate) fn find(model: &Path, network: Option<&str>) -> Result<(PathBuf, Option<String>), Failure> {
    let direct = if model.is_dir() { model.join(TensorFile::Model.name()) } else { model.to_owned() };
    // A folder that is closed says neither that it holds the file nor that it holds none.
    let there = direct.try_exists().map_err(|source| AskError::Model { path: direct.clone(), source })?;
    if model.is_dir() && !there {
        let study = match Reader::open(model) {
            Ok(study) => Some(study),
            Err(StoreError::NotAStudy { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        return match study.map(|study| study.json::<StudyRecord>(STUDY)).transpose()?.flatten() {
            Some(record) => of_study(model, &record, network).map(|(file, name)| (file, Some(name))),
            None => Err(AskError::NoModel { path: model.to_owned() }.into()),
        };
    }
    if network.is_some() {
        return Err(AskError::NoStudy { path: model.to_owned() }.into());
    }
    if model.is_dir() && model.join("spec.json").exists() {
        // A run's folder: its files are checked as a study's are.
        RunDir::at(model).finished::<IgnoredAny>()?;
    }
    Ok((direct, None))
}

/// The file of a study's network, and its name with its task.
fn of_study(
    folder: &Path,
    record: &StudyRecord,
    network: Option<&str>,
) -> Result<(PathBuf, String), Failure> {
    let trained = || record.runs.iter().filter(|run| matches!(run.spec, RunSpec::Train(_)));
    let path = folder.to_owned();
    let list = |runs: &mut dyn Iterator<Item = &PlannedRun>| {
        runs.map(|run| format!("`{}`", run.full_title())).collect::<Vec<_>>().join(", ")
    };
    let meant: Vec<&PlannedRun> = match (network, &record.study.inside) {
        // The name with its task comes first, so that it tells networks apart whatever they are called.
        (Some(word), _) => {
            let of = |is_meant: &dyn Fn(&PlannedRun) -> bool| -> Vec<&PlannedRun> {
                trained().filter(|run| is_meant(run)).collect()
            };
            let with_task = of(&|run| run.full_title() == word);
            if with_task.is_empty() { of(&|run| run.name() == word) } else { with_task }
        }
        (None, _) if record.study.network.is_some() => {
            trained().filter(|run| run.task == Task::Network && run.seed.is_none()).collect()
        }
        (None, Some(inside)) => {
            trained().filter(|run| run.task == Task::Cnn && run.name() == inside.network).collect()
        }
        (None, None) => return Err(AskError::WhichNetwork { path, known: list(&mut trained()) }.into()),
    };
    let [run] = meant[..] else {
        let word = network.unwrap_or_default().into();
        return Err(match meant[..] {
            [] => AskError::UnknownNetwork { path, name: word, known: list(&mut trained()) },
            _ => AskError::SeveralNetworks { path, name: word, known: list(&mut meant.into_iter()) },
        }
        .into());
    };
    let dir = Reader::open(folder)?.run(run.id.as_ref());
    match dir.finished::<RunResult<TrainOutcome>>()? {
        Some(_) => Ok((dir.path().join(TensorFile::Model.name()), run.full_title())),
        None => Err(AskError::NotTrained { path, network: run.full_title() }.into()),
    }
}
