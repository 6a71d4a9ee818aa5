//! Facts of several seeds: means and their spread, and what one seed alone would have said.

use inkling_statistics::ALPHA;
use serde::Serialize;

use super::ends;
use crate::rows::{SeedRow, SeedsRows};
use crate::{Comparisons, Network};

#[derive(Debug, Serialize)]
pub(super) struct SeedsFacts<'a> {
    /// Seeds of the study, and the first of them.
    count: usize,
    first: String,
    /// Networks, or trained heads.
    rows: &'a [SeedRow],
    /// Trainings that diverged, from whichever seed.
    diverged: usize,
    tests: Option<TestsFacts>,
}

#[derive(Debug, Serialize)]
struct TestsFacts {
    pairs: usize,
    differ: usize,
    smallest_p: f64,
    /// The smallest and the largest difference that would be found in 80 of 100 such experiments.
    detectable: (f64, f64),
    /// Pairs that the first seed alone would have called different, of how many.
    first_alone: usize,
    first_pairs: usize,
    /// The fewest and the most that any seed would have called different.
    fewest_alone: usize,
    most_alone: usize,
}

impl<'a> SeedsFacts<'a> {
    /// `None` of one seed. `network` is one that has all of them.
    pub(super) fn new<Pair>(
        network: &Network,
        rows: &'a Option<SeedsRows>,
        comparisons: &Comparisons<Pair>,
    ) -> Option<SeedsFacts<'a>> {
        let rows = rows.as_ref()?;
        let seeds: Vec<u64> = network.trainings().map(|training| training.seed).collect();
        let tests = comparisons.verdicts.iter().filter_map(|verdict| verdict.over_seeds.as_ref());
        let alone = || rows.alone.iter();
        let tests = ends(tests.clone().map(|test| test.found.detectable)).and_then(|detectable| {
            Some(TestsFacts {
                pairs: tests.clone().count(),
                differ: tests.clone().filter(|test| test.adjusted < ALPHA).count(),
                smallest_p: tests.map(|test| test.adjusted).min_by(f64::total_cmp)?,
                detectable,
                first_alone: rows.alone.first()?.differ,
                first_pairs: rows.alone.first()?.pairs,
                fewest_alone: alone().map(|row| row.differ).min()?,
                most_alone: alone().map(|row| row.differ).max()?,
            })
        });
        Some(SeedsFacts {
            count: seeds.len(),
            first: seeds.first()?.to_string(),
            rows: &rows.networks,
            diverged: rows.networks.iter().map(|row| row.diverged).sum(),
            tests,
        })
    }
}
