//! Facts of dreams with parts of the method left out.

use inkling_schema::outcome::Seen;
use serde::Serialize;

use crate::{DreamResults, InsideResults, Pictures};
use inkling_statistics::mean;

const NOTHING: &str = "nothing";
const EVERYTHING: &str = "everything";

/// The method with parts left out. Logits and probabilities of the judge are means over the dreams of a variant.
#[derive(Debug, Serialize)]
pub(super) struct AblationFacts<'a> {
    /// Lowest probability that the network gives with nothing, and the judge's.
    nothing: f64,
    nothing_judge: f64,
    /// What everything together does to the judge's logit and to the network's own.
    judge: Option<Change>,
    own: Option<Change>,
    /// The part that alone raises the judge's logit most above that with nothing, if one does.
    best: Option<Part<'a>>,
    /// Total variation of the dreams with everything as a share of that with nothing.
    smoothness: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    with: &'a str,
    logit: f64,
}

/// What became of a number.
#[derive(Debug, Serialize)]
struct Change {
    before: f64,
    after: f64,
    direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Raises,
    Lowers,
    Keeps,
}

impl Change {
    /// A number that changes by no more than a twentieth is kept.
    fn new(before: f64, after: f64) -> Change {
        let direction = match after - before {
            difference if difference.abs() <= 0.05 * before.abs() => Direction::Keeps,
            difference if difference > 0.0 => Direction::Raises,
            _ => Direction::Lowers,
        };
        Change { before, after, direction }
    }
}

impl<'a> AblationFacts<'a> {
    /// `None` where nothing was left out, or no judge looked.
    pub(super) fn new(inside: &'a InsideResults) -> Option<Self> {
        let variants = inside.ablation();
        let named = |name: &str| variants.iter().find(|(with, _)| *with == name).map(|(_, run)| *run);
        let nothing = named(NOTHING)?;
        let everything = named(EVERYTHING);
        let change =
            |of: fn(&DreamResults) -> Option<f64>| Some(Change::new(of(nothing)?, everything.and_then(of)?));
        let parts = variants.iter().filter(|(with, _)| ![NOTHING, EVERYTHING].contains(with));
        let parts = parts.filter_map(|(with, run)| Some(Part { with, logit: judge_logit(run)? }));
        let best = parts.max_by(|p, q| p.logit.total_cmp(&q.logit));
        let helps = |part: &Part| {
            judge_logit(nothing)
                .is_some_and(|logit| Change::new(logit, part.logit).direction == Direction::Raises)
        };
        let own = nothing.outcome.pictures.iter().filter_map(|found| found.after.probability);
        let rough = total_variation(&nothing.pictures);
        Some(AblationFacts {
            nothing: own.reduce(f64::min)?,
            nothing_judge: mean(judged(nothing).filter_map(|seen| seen.probability))?,
            judge: change(judge_logit),
            own: change(|run| mean(run.outcome.pictures.iter().filter_map(|found| found.after.logit))),
            best: best.filter(helps),
            smoothness: everything.filter(|_| rough > 0.0).map(|run| total_variation(&run.pictures) / rough),
        })
    }
}

fn judged(run: &DreamResults) -> impl Iterator<Item = Seen> {
    run.outcome.pictures.iter().filter_map(|found| found.judge)
}

fn judge_logit(run: &DreamResults) -> Option<f64> {
    mean(judged(run).filter_map(|seen| seen.logit))
}

/// Sum of the absolute differences of neighbouring numbers, down and to the right.
fn total_variation(pictures: &Pictures) -> f64 {
    let [height, width, channels] = pictures.size;
    let of = |picture: &[f32]| {
        let at = |row: usize, column: usize, channel: usize| {
            f64::from(picture[(row * width + column) * channels + channel])
        };
        let mut sum = 0.0;
        for row in 0..height {
            for column in 0..width {
                for channel in 0..channels {
                    let here = at(row, column, channel);
                    if row + 1 < height {
                        sum += (at(row + 1, column, channel) - here).abs();
                    }
                    if column + 1 < width {
                        sum += (at(row, column + 1, channel) - here).abs();
                    }
                }
            }
        }
        sum
    };
    pictures.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::facts;
    use crate::fixtures::inside::{self, Looked};

    #[test]
    fn total_variation_by_hand() {
        let pictures = Pictures { size: [2, 2, 1], values: vec![0.0, 1.0, 0.5, 0.5] };
        // Down 0.5 and 0.5, to the right 1 and 0.
        assert_eq!(total_variation(&pictures), 2.0);
    }

    #[test]
    fn small_changes_are_none() {
        let direction = |before, after| Change::new(before, after).direction;
        assert_eq!(direction(10.0, 10.5), Direction::Keeps);
        assert_eq!(direction(10.0, 10.6), Direction::Raises);
        assert_eq!(direction(-1.0, -2.0), Direction::Lowers);
    }

    #[test]
    fn the_part_that_does_most_for_the_judge_is_named_only_where_one_does() {
        let data = facts(&["0", "1", "2", "3", "4"]);
        let mut found = inside::inside(&data, &Looked::small(&data));
        let facts = AblationFacts::new(&found).unwrap();
        assert_eq!(facts.best.as_ref().unwrap().with, "total variation alone");
        assert_eq!(facts.judge.as_ref().unwrap().direction, Direction::Raises);
        assert_eq!(facts.own.as_ref().unwrap().direction, Direction::Lowers);
        assert!(facts.smoothness.is_some_and(|share| share < 1.0));
        for picture in found.dreams.iter_mut().flat_map(|run| &mut run.outcome.pictures) {
            picture.judge.as_mut().unwrap().logit = Some(7.0);
        }
        let facts = AblationFacts::new(&found).unwrap();
        assert!(facts.best.is_none() && facts.judge.unwrap().direction == Direction::Keeps);
        for picture in found.dreams.iter_mut().flat_map(|run| &mut run.outcome.pictures) {
            picture.judge = None;
        }
        assert!(AblationFacts::new(&found).is_none());
    }
}
