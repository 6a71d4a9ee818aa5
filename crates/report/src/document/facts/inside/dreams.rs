//! Facts of dreams: how they are made, how sure the network is of them, and what the judge says.

use inkling_schema::{AscentSpec, Start};
use serde::Serialize;

use crate::{DreamResults, InsideResults};
use inkling_statistics::{mean, median};

/// A dream succeeded where its class has this probability.
const SURE: f64 = 0.99;

/// How sure the network, and the judge, are of some dreams of classes.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SeenFacts {
    dreams: usize,
    /// Dreams whose ascent stopped because something was no longer finite.
    diverged: usize,
    /// Dreams whose class the network gives a probability of at least 99 %.
    sure: usize,
    /// The lowest probability that the network gives.
    lowest: f64,
    /// Median number of steps after which a dream's probability is 99 % for the first time; `None` where none is.
    steps: Option<f64>,
    /// Dreams that the judge looked at, those in which it sees the class too, and its median probability.
    judged: usize,
    agreed: usize,
    judge: Option<f64>,
}

/// Dreams from one kind of start.
#[derive(Debug, Serialize)]
pub(super) struct StartFacts {
    kind: &'static str,
    #[serde(flatten)]
    seen: SeenFacts,
}

/// How dreams of classes are made.
pub(super) fn ascent(inside: &InsideResults) -> Option<&AscentSpec> {
    let whole = inside.classes.iter().find_map(|&class| inside.seeds(class)).or_else(|| inside.every_class());
    Some(&whole?.spec.ascent)
}

impl SeenFacts {
    /// `None` where no run has a dream of a class.
    pub(super) fn new<'a>(runs: impl Iterator<Item = &'a DreamResults>) -> Option<Self> {
        let (mut own, mut judge, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        let (mut judged, mut agreed, mut diverged) = (0, 0, 0);
        for run in runs {
            for (picture, found) in run.outcome.pictures.iter().enumerate() {
                let (Some(class), Some(probability)) = (run.class_of(picture), found.after.probability)
                else {
                    continue;
                };
                diverged += usize::from(found.diverged.is_some());
                // Of what was not finite from the start, nothing is known.
                if found.diverged == Some(0) {
                    continue;
                }
                own.push(probability);
                steps.extend(first_sure(run, picture));
                if let Some(seen) = found.judge {
                    judged += 1;
                    agreed += usize::from(seen.predicted == class);
                    judge.extend(seen.probability);
                }
            }
        }
        let lowest = own.iter().copied().reduce(f64::min)?;
        Some(SeenFacts {
            dreams: own.len(),
            diverged,
            sure: own.iter().filter(|&&p| p >= SURE).count(),
            lowest,
            steps: median(steps),
            judged,
            agreed,
            judge: median(judge),
        })
    }
}

/// The first step of the way at which a dream's probability was at least 99 %.
fn first_sure(run: &DreamResults, picture: usize) -> Option<f64> {
    let [_, probability] = run.path_class.as_ref()?;
    let place = run.path(probability, picture).position(|p| p >= SURE)?;
    run.path_steps.get(place).map(|&step| f64::from(step))
}

impl StartFacts {
    pub(super) fn new(run: &DreamResults) -> Option<Self> {
        let kind = match run.spec.pictures.first()?.start {
            Start::Grey { .. } => "grey",
            Start::Noise { .. } => "noise",
            Start::Image { .. } => "an image of the other class",
        };
        Some(StartFacts { kind, seen: SeenFacts::new([run].into_iter())? })
    }
}

/// How many times as large the mean square of a layer became in images changed to amplify it, on average.
pub(super) fn growth(run: &DreamResults) -> Option<f64> {
    let pictures = run.outcome.pictures.iter().filter(|found| found.before.objective > 0.0);
    mean(pictures.map(|found| found.after.objective / found.before.objective))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::facts;
    use crate::fixtures::inside::{self, Looked};

    fn found() -> InsideResults {
        let data = facts(&["0", "1", "2", "3", "4"]);
        inside::inside(&data, &Looked::small(&data))
    }

    #[test]
    fn dreams_are_counted_where_network_and_judge_are_convinced() {
        let mut found = found();
        let run = found.dreams.iter_mut().find(|run| run.title == "a dream").unwrap();
        run.outcome.pictures[0].after.probability = Some(0.9899);
        run.outcome.pictures[1].judge.as_mut().unwrap().predicted = 4;
        let class = found.classes[0];
        let seen = SeenFacts::new(found.seeds(class).into_iter()).unwrap();
        assert_eq!((seen.dreams, seen.sure, seen.lowest), (3, 2, 0.9899));
        assert_eq!((seen.judged, seen.agreed), (3, 2));
        assert!(seen.steps.unwrap() > 0.0);
        assert!(SeenFacts::new(std::iter::empty()).is_none());
    }
}
