//! What the laboratory in a report's page has: the table `[page]` of a study, and the networks that it leads to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::numbers::{count, positive};
use crate::outcome::PlannedRun;
use crate::run::RunSpec;
use crate::study::{Study, Task};

/// The table `[page]` of a study: networks and images with which the page's laboratory works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSpec {
    /// The networks, by their tasks and names: "cnn 3 conv". Where not given, those that task 5 looks into, the first of task 3,
    /// the judge of dreams, and then the smallest of the others, as far as there is room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<String>>,
    /// Room for their weights, in millions of bytes of the page.
    #[serde(default = "megabytes", deserialize_with = "positive")]
    pub megabytes: f64,
    /// Test images of each data set that the page has.
    #[serde(default = "test_images", deserialize_with = "count")]
    pub test_images: usize,
    /// Training images of each data set that the page has: neighbours are looked for among them, and small networks are trained
    /// on them.
    #[serde(default = "train_images", deserialize_with = "count")]
    pub train_images: usize,
}

fn megabytes() -> f64 {
    6.5
}

fn test_images() -> usize {
    400
}

fn train_images() -> usize {
    1000
}

impl Default for PageSpec {
    fn default() -> PageSpec {
        PageSpec {
            networks: None,
            megabytes: megabytes(),
            test_images: test_images(),
            train_images: train_images(),
        }
    }
}

/// Images of each part of a data set that a page can have and still open quickly.
const MOST_IMAGES: usize = 10_000;

/// A number's precision in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point, as weights are trained.
    F32,
    /// 16-bit floating point (IEEE 754 binary16).
    F16,
}

impl Precision {
    /// That of a network with so many parameters: half of the bytes where there are many.
    fn of(parameters: usize) -> Precision {
        const MANY: usize = 300_000;
        if parameters > MANY { Precision::F16 } else { Precision::F32 }
    }

    /// Bytes of the page that a number takes, in base64.
    fn bytes(self) -> f64 {
        let bytes = match self {
            Precision::F32 => 4.0,
            Precision::F16 => 2.0,
        };
        bytes * 4.0 / 3.0
    }
}

/// A network that the page may have.
#[derive(Debug, Clone, PartialEq)]
pub struct PageCandidate {
    /// Its task and name: "cnn 3 conv".
    pub name: String,
    /// Its parameters.
    pub parameters: usize,
    /// What comes first where not all find room.
    pub rank: PageRank,
}

/// What comes first in a page that has no room for all networks; of one rank, the smaller network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageRank {
    /// The network that task 5 looks into.
    Inspected,
    /// The first of the multilayer perceptrons.
    FirstMlp,
    /// The network of another seed that evaluates dreams.
    Judge,
    /// Any other.
    Other,
}

/// What becomes of a network in the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PagePlace {
    /// It is there, with weights of this precision.
    There(Precision),
    /// It is too large for the room that was left; so many millions of bytes it would take.
    TooLarge(f64),
    /// The study names other networks.
    NotAsked,
}

/// The networks among the runs of a study that its page may have, each with its run; one that has several names once.
pub fn page_candidates<'a>(study: &Study, runs: &'a [PlannedRun]) -> Vec<(&'a PlannedRun, PageCandidate)> {
    let inspected = study.inside.as_ref().map(|inside| inside.network.as_str());
    let is_whole = |run: &&PlannedRun| matches!(run.task, Task::Cnn | Task::Network);
    let first = runs.iter().filter(is_whole).find(|run| inspected.is_none_or(|name| run.title == name));
    let first_mlp = runs.iter().find(|run| run.task == Task::Mlp);
    let is = |run: &PlannedRun, other: Option<&PlannedRun>| other.is_some_and(|other| other.id == run.id);
    let mut seen = BTreeSet::new();
    let candidate = |run: &'a PlannedRun| {
        let RunSpec::Train(train) = &run.spec else { return None };
        let parameters = train.model.plan().ok()?.parameters;
        if !seen.insert(&run.id) || !train.model.heads.iter().all(|head| head.loss.is_of_classes()) {
            return None;
        }
        let rank = match run.task {
            _ if is(run, first) => PageRank::Inspected,
            _ if is(run, first_mlp) => PageRank::FirstMlp,
            Task::Inside => PageRank::Judge,
            _ => PageRank::Other,
        };
        Some((run, PageCandidate { name: run.full_title(), parameters, rank }))
    };
    // The page has what the first seed of a study gave.
    runs.iter().filter(|run| run.seed.is_none()).filter_map(candidate).collect()
}

impl PageSpec {
    /// What becomes of each network, in their order.
    pub fn places(&self, candidates: &[PageCandidate]) -> Vec<PagePlace> {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by_key(|&i| (candidates[i].rank, candidates[i].parameters, i));
        let mut room = self.megabytes;
        let mut places = vec![PagePlace::NotAsked; candidates.len()];
        for i in order {
            let candidate = &candidates[i];
            if self.networks.as_ref().is_some_and(|asked| !asked.contains(&candidate.name)) {
                continue;
            }
            let precision = Precision::of(candidate.parameters);
            let needed = precision.bytes() * candidate.parameters as f64 / 1e6;
            places[i] = if needed <= room {
                room -= needed;
                PagePlace::There(precision)
            } else {
                PagePlace::TooLarge(needed)
            };
        }
        places
    }

    /// What single keys cannot know: (key, message, help).
    pub(crate) fn check(&self, known: &[String]) -> Result<(), (&'static str, String, String)> {
        for (key, images) in [("test_images", self.test_images), ("train_images", self.train_images)] {
            if images > MOST_IMAGES {
                let message = format!("{images} images are more than a page can have and still open quickly");
                return Err((key, message, format!("expected at most {MOST_IMAGES}")));
            }
        }
        let unknown = self.networks.iter().flatten().find(|name| !known.contains(name));
        match unknown {
            Some(name) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let help = crate::parse::nearest(name, &known, "networks");
                Err(("networks", format!("the study trains no network `{name}`"), help))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Vec<PageCandidate> {
        let candidate = |name: &str, parameters, rank| PageCandidate { name: name.into(), parameters, rank };
        vec![
            candidate("mlp 2 hidden", 1_796_010, PageRank::FirstMlp),
            candidate("cnn 1 conv", 63_000, PageRank::Other),
            candidate("cnn 3 conv", 227_306, PageRank::Inspected),
            candidate("multitask item", 23_080_598, PageRank::Other),
        ]
    }

    #[test]
    fn small_networks_are_whole_larger_ones_half_and_the_largest_stay_out() {
        let places = PageSpec::default().places(&candidates());
        use PagePlace::{There, TooLarge};
        assert!(matches!(
            places[..],
            [There(Precision::F16), There(Precision::F32), There(Precision::F32), TooLarge(needed)] if needed > 60.0
        ));
    }

    #[test]
    fn what_matters_most_comes_first_and_a_study_may_choose() {
        let little = PageSpec { megabytes: 1.3, ..PageSpec::default() };
        let there: Vec<bool> = little
            .places(&candidates())
            .into_iter()
            .map(|place| matches!(place, PagePlace::There(_)))
            .collect();
        assert_eq!(there, [false, false, true, false]);
        let chosen = PageSpec { networks: Some(vec!["cnn 1 conv".into()]), ..PageSpec::default() };
        let places = chosen.places(&candidates());
        assert_eq!(places[1], PagePlace::There(Precision::F32));
        assert!([0, 2, 3].iter().all(|&i| places[i] == PagePlace::NotAsked));
        let none = PageSpec { networks: Some(Vec::new()), ..PageSpec::default() };
        assert!(none.places(&candidates()).iter().all(|place| *place == PagePlace::NotAsked));
    }

    #[test]
    fn a_network_that_is_not_trained_is_refused_with_the_nearest_name() {
        let known = ["cnn 3 conv".to_owned(), "mlp 2 hidden".to_owned()];
        let spec = PageSpec { networks: Some(vec!["cnn 3 con".into()]), ..PageSpec::default() };
        let (key, message, help) = spec.check(&known).unwrap_err();
        assert_eq!(key, "networks");
        assert!(
            message.contains("`cnn 3 con`") && help.contains("did you mean `cnn 3 conv`?"),
            "{message} {help}"
        );
        let many = PageSpec { train_images: 10_001, ..PageSpec::default() };
        assert_eq!(many.check(&known).unwrap_err().0, "train_images");
    }
}
