//! Which networks differ by more than the noise: McNemar's test of two that answered the same test images and, of several
//! seeds, a test that takes both seeds and test images as drawn by chance.

use inkling_statistics::{ALPHA, Crossed, crossed, holm, mcnemar_exact};
use serde::Serialize;

use super::network::{Answers, Network};

/// The comparisons of a family, for whose number p is corrected. `Pair` says who is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparisons<Pair> {
    /// McNemar's tests of what was trained from the first seed without diverging.
    pub mcnemar: Vec<McNemar<Pair>>,
    /// What is said of these: by McNemar's test, or over seeds where there are several.
    pub verdicts: Vec<Verdict<Pair>>,
    /// What each seed alone would have said, where there are several.
    pub alone: Vec<Alone>,
}

/// McNemar's exact test of two answers to one question about the same test images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar<Pair> {
    /// Who is compared.
    pub pair: Pair,
    /// Test images that only the first got right.
    pub only_first: usize,
    /// Test images that only the second got right.
    pub only_second: usize,
    /// Test images.
    pub images: usize,
    /// Two-sided p.
    pub p: f64,
    /// p corrected by Holm's method for the number of these tests.
    pub adjusted: f64,
}

/// What is said of two answers to one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<Pair> {
    /// Who is compared.
    pub pair: Pair,
    /// Test accuracy of the first less that of the second; the mean over the seeds, where there are several.
    pub difference: f64,
    /// p corrected by Holm's method: of McNemar's test of one seed, or of the test over several.
    pub adjusted: f64,
    /// The test over seeds, where there are several.
    pub over_seeds: Option<SeedTest>,
}

/// Two answers over seeds and test images.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedTest {
    /// Seeds from which both were trained without diverging; two at least.
    pub seeds: usize,
    /// What was found.
    pub found: Crossed,
    /// p corrected by Holm's method for the number of these tests.
    pub adjusted: f64,
}

/// What a single seed would have said, by McNemar's test with Holm's correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Alone {
    /// The seed.
    pub seed: u64,
    /// Pairs that it compares.
    pub pairs: usize,
    /// Pairs that it would have called different.
    pub differ: usize,
}

/// Two answers to one question about the same test images, from each seed.
pub(super) struct Candidate<'a, Pair> {
    pub(super) pair: Pair,
    /// What is right, shape `[n]`.
    pub(super) labels: &'a [u8],
    pub(super) first: Said<'a>,
    pub(super) second: Said<'a>,
}

/// Answers to the n test images from each seed, the first one first, shape `[n]`; none where training diverged.
pub(super) type Said<'a> = Vec<(u64, Option<&'a [u8]>)>;

/// Something of the answers of a head of this number.
pub(super) fn said(network: &Network, head: usize, of: fn(&Answers) -> &[u8]) -> Said<'_> {
    let trainings = network.trainings().map(|training| {
        let known = training.outcome.kept().and_then(|_| training.heads.get(head));
        (training.seed, known.map(of))
    });
    trainings.collect()
}

/// What a head says, for [`said`].
pub(super) fn predictions(answers: &Answers) -> &[u8] {
    &answers.predictions
}

/// Images that only the first of two got right, and those that only the second did. All have the shape [n].
pub(super) fn only(labels: &[u8], a: &[u8], b: &[u8]) -> (usize, usize) {
    let (mut only_a, mut only_b) = (0, 0);
    for ((&label, &by_a), &by_b) in labels.iter().zip(a).zip(b) {
        only_a += usize::from(by_a == label && by_b != label);
        only_b += usize::from(by_b == label && by_a != label);
    }
    (only_a, only_b)
}

impl<'a, Pair: Copy> Candidate<'a, Pair> {
    /// The answers of both from a seed; `None` where training of one of them diverged.
    fn of_seed(&self, seed: u64) -> Option<(&'a [u8], &'a [u8])> {
        let find = |said: &Said<'a>| said.iter().find(|(other, _)| *other == seed)?.1;
        Some((find(&self.first)?, find(&self.second)?))
    }

    /// McNemar's test from the first seed, not corrected yet.
    fn mcnemar(&self) -> Option<McNemar<Pair>> {
        let (first, second) = (self.first.first()?.1?, self.second.first()?.1?);
        let (only_first, only_second) = only(self.labels, first, second);
        let (pair, images) = (self.pair, self.labels.len());
        let p = mcnemar_exact(only_first, only_second);
        Some(McNemar { pair, only_first, only_second, images, p, adjusted: p })
    }

    /// The test over seeds, not corrected yet; `None` with fewer than two that both have.
    fn over_seeds(&self) -> Option<SeedTest> {
        let both = self.first.iter().filter_map(|(seed, _)| self.of_seed(*seed));
        let differences: Vec<Vec<i8>> = both
            .map(|(a, b)| {
                let answers = a.iter().zip(b).zip(self.labels);
                answers.map(|((a, b), label)| i8::from(a == label) - i8::from(b == label)).collect()
            })
            .collect();
        let found = crossed(&differences)?;
        Some(SeedTest { seeds: differences.len(), found, adjusted: found.p })
    }
}

impl<Pair: Copy> Comparisons<Pair> {
    /// `several` says whether there are several seeds; each of `seeds` is then also asked alone.
    pub(super) fn new(
        candidates: &[Candidate<Pair>],
        several: bool,
        seeds: impl Iterator<Item = u64>,
    ) -> Comparisons<Pair> {
        let known = candidates.iter().filter_map(|candidate| Some((candidate, candidate.mcnemar()?)));
        let (known, mut mcnemar): (Vec<&Candidate<Pair>>, Vec<McNemar<Pair>>) = known.unzip();
        let adjusted = corrected(mcnemar.iter().map(|test| test.p));
        mcnemar.iter_mut().zip(adjusted).for_each(|(test, adjusted)| test.adjusted = adjusted);
        if !several {
            let verdicts = mcnemar.iter().map(Verdict::of_one_seed).collect();
            return Comparisons { mcnemar, verdicts, alone: Vec::new() };
        }
        let tests = known.iter().filter_map(|candidate| Some((candidate.pair, candidate.over_seeds()?)));
        let tests: Vec<(Pair, SeedTest)> = tests.collect();
        let adjusted = corrected(tests.iter().map(|(_, test)| test.found.p));
        let verdicts = tests.into_iter().zip(adjusted).map(|((pair, test), adjusted)| Verdict {
            pair,
            difference: test.found.difference,
            adjusted,
            over_seeds: Some(SeedTest { adjusted, ..test }),
        });
        Comparisons {
            mcnemar,
            verdicts: verdicts.collect(),
            alone: seeds.map(|seed| Alone::new(candidates, seed)).collect(),
        }
    }
}

/// p corrected by Holm's method.
fn corrected(p: impl Iterator<Item = f64>) -> Vec<f64> {
    holm(&p.collect::<Vec<f64>>())
}

impl<Pair: Copy> Verdict<Pair> {
    /// Whether the two differ by more than the noise, over all comparisons of the family together.
    pub fn differs(&self) -> bool {
        self.adjusted < ALPHA
    }

    fn of_one_seed(test: &McNemar<Pair>) -> Verdict<Pair> {
        let difference = (test.only_first as f64 - test.only_second as f64) / test.images.max(1) as f64;
        Verdict { pair: test.pair, difference, adjusted: test.adjusted, over_seeds: None }
    }
}

impl Alone {
    fn new<Pair: Copy>(candidates: &[Candidate<Pair>], seed: u64) -> Alone {
        let p = candidates.iter().filter_map(|candidate| {
            let (first, second) = candidate.of_seed(seed)?;
            let (only_first, only_second) = only(candidate.labels, first, second);
            Some(mcnemar_exact(only_first, only_second))
        });
        let adjusted = corrected(p);
        let differ = adjusted.iter().filter(|&&p| p < ALPHA).count();
        Alone { seed, pairs: adjusted.len(), differ }
    }
}
