//! Facts of several seeds: means and their spread, and what one seed alone would have said.

use inkling_statistics::ALPHA;
use serde::Serialize;

use super::ends;
use crate::rows::{SeedRow, SeedsRows};

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
    pub(super) fn new(rows: &'a SeedsRows) -> Option<SeedsFacts<'a>> {
        Some(SeedsFacts {
            count: rows.alone.len(),
            first: rows.alone.first()?.seed.to_string(),
            rows: &rows.networks,
            diverged: rows.networks.iter().map(|row| row.diverged).sum(),
            tests: TestsFacts::new(rows),
        })
    }
}

impl TestsFacts {
    /// `None` without a test.
    fn new(rows: &SeedsRows) -> Option<TestsFacts> {
        let (tests, first) = (&rows.tests, rows.alone.first()?);
        let alone = || rows.alone.iter().map(|row| row.differ);
        Some(TestsFacts {
            pairs: tests.len(),
            differ: tests.iter().filter(|test| test.p_holm < ALPHA).count(),
            smallest_p: tests.iter().map(|test| test.p_holm).min_by(f64::total_cmp)?,
            detectable: ends(tests.iter().map(|test| test.detectable))?,
            first_alone: first.differ,
            first_pairs: first.pairs,
            fewest_alone: alone().min()?,
            most_alone: alone().max()?,
        })
    }
}
