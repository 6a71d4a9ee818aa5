//! Facts of a sweep: which point is the best by the validation images, by how much, and what it reaches on the test images.

use inkling_schema::outcome::Evaluation;
use inkling_statistics::mean;
use serde::Serialize;

use crate::results::{Noise, SweepResults, spread};
use crate::rows::{PointRow, SweepRows};

/// Points that the report's own table shows; all are in the table's file.
const SHOWN: usize = 24;

/// What the report says of a sweep.
#[derive(Debug, Serialize)]
pub(super) struct SweepFacts<'a> {
    /// The data set's title.
    title: &'a str,
    network: &'a str,
    keys: Vec<String>,
    seeds: usize,
    points: usize,
    /// Points with a result.
    ranked: usize,
    /// Points that cannot be chosen because a training diverged.
    diverged: usize,
    validation_images: Option<usize>,
    /// Whether accuracies are means over several heads.
    several_heads: bool,
    /// Whether the choice was made, be it of none.
    is_made: bool,
    best: Option<BestFacts>,
    /// The points of the report's table, the best first.
    rows: Vec<&'a PointRow>,
}

/// The chosen point.
#[derive(Debug, Serialize)]
struct BestFacts {
    title: String,
    accuracy: f64,
    deviation: Option<f64>,
    interval: Option<(f64, f64)>,
    /// Other points with the same accuracy.
    tied: usize,
    /// Whether it has a lower loss than these.
    by_loss: bool,
    second: Option<SecondFacts>,
    test_images: usize,
    tests: Vec<HeadTested>,
}

/// The point that comes next.
#[derive(Debug, Serialize)]
struct SecondFacts {
    title: String,
    lead: f64,
    /// Whether the lead exceeds the noise, where something is known of it.
    beyond: Option<bool>,
}

/// A trained head of the chosen networks on the test images, the mean over the seeds.
#[derive(Debug, Serialize)]
struct HeadTested {
    /// What it tells, where the network has several heads.
    name: Option<&'static str>,
    accuracy: f64,
    deviation: Option<f64>,
    interval: Option<(f64, f64)>,
}

impl<'a> SweepFacts<'a> {
    pub(super) fn new(found: &'a SweepResults, rows: &'a SweepRows) -> Self {
        let ranked = found.ranked();
        let unranked = (0..found.points.len()).filter(|place| ranked.iter().all(|(other, _)| other != place));
        let order = ranked.iter().map(|(place, _)| *place).chain(unranked);
        let trained = trained_heads(found);
        SweepFacts {
            title: &found.data.title,
            network: &found.network,
            keys: found.keys(),
            seeds: found.seeds.len(),
            points: found.points.len(),
            ranked: ranked.len(),
            diverged: found.points.iter().filter(|point| point.diverged() > 0).count(),
            validation_images: found.validation_images(),
            several_heads: trained.len() > 1,
            is_made: found.choice.is_some(),
            best: found.chosen().and_then(|place| BestFacts::new(found, place, &trained)),
            rows: order.take(SHOWN).map(|place| &rows.points[place]).collect(),
        }
    }
}

/// The numbers of the heads that are trained, of how many.
fn trained_heads(found: &SweepResults) -> Vec<(usize, usize)> {
    let trials = found.points.iter().flat_map(|point| &point.trials).flatten();
    let epoch = trials.flat_map(|trial| &trial.epochs).next();
    let heads = epoch.map_or(&[][..], |epoch| &epoch.heads);
    heads
        .iter()
        .enumerate()
        .filter(|(_, head)| head.trained)
        .map(|(number, _)| (number, heads.len()))
        .collect()
}

impl BestFacts {
    fn new(found: &SweepResults, place: usize, trained: &[(usize, usize)]) -> Option<BestFacts> {
        let point = &found.points[place];
        let (score, noise) = (point.score()?, point.noise());
        let others: Vec<_> = found.ranked().into_iter().filter(|(other, _)| *other != place).collect();
        let tied = others.iter().filter(|(_, other)| other.accuracy == score.accuracy);
        let second = others.first().map(|(other, next)| {
            let lead = score.accuracy - next.accuracy;
            let beyond = match (noise, found.points[*other].noise()) {
                (Some(Noise::Seeds(one)), Some(Noise::Seeds(other))) => Some(lead > one.max(other)),
                (Some(Noise::Images((low, _))), _) => Some(next.accuracy < low),
                _ => None,
            };
            SecondFacts { title: found.points[*other].title(), lead, beyond }
        });
        let (deviation, interval) = spread(noise);
        let tests = &found.choice.as_ref()?.tests;
        let tested = |&(head, heads): &(usize, usize)| {
            let found: Vec<Evaluation> =
                tests.iter().filter_map(|test| test.heads.get(head)).copied().collect();
            let (deviation, interval) = spread(Noise::of(&found));
            let accuracy = mean(found.iter().map(Evaluation::accuracy))?;
            let name = (heads > 1).then_some(["item", "group"][head.min(1)]);
            Some(HeadTested { name, accuracy, deviation, interval })
        };
        Some(BestFacts {
            title: point.title(),
            accuracy: score.accuracy,
            deviation,
            interval,
            tied: tied.clone().count(),
            by_loss: tied.clone().all(|(_, other)| other.loss > score.loss),
            second,
            test_images: tests.first()?.heads.first()?.images,
            tests: trained.iter().filter_map(tested).collect(),
        })
    }
}
