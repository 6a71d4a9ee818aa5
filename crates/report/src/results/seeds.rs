//! Networks that were trained from several seeds: what they reached, and which of them differ when seeds and test images are
//! both taken as drawn by chance.

use inkling_statistics::{ALPHA, Crossed, crossed, holm, mcnemar_exact, mean, mean_and_std};

use super::comparison::{NetworkPair, between, only, within};
use super::multitask::{Goal, GoalPair, MultitaskResults, Pairing};
use super::network::{Answers, Network, Trained};
use super::networks::NetworksResults;

/// Test accuracies of one network over seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedSpread {
    /// The seeds, and what each reached; none where training diverged.
    pub accuracies: Vec<(u64, Option<f64>)>,
    /// Mean of those that are known, and their standard deviation, which a single one has not.
    pub mean_and_deviation: Option<(f64, Option<f64>)>,
}

/// Two networks over seeds and test images.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedTest {
    /// Seeds from which both were trained without diverging; two at least.
    pub seeds: usize,
    /// What was found.
    pub found: Crossed,
    /// p corrected by Holm's method for the family of all tests of the task.
    pub adjusted: f64,
}

/// What is said of two networks, by their numbers among those of their tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The first network.
    pub a: usize,
    /// The second.
    pub b: usize,
    /// Test accuracy of the first less that of the second; the mean over the seeds, where there are several.
    pub difference: f64,
    /// p corrected by Holm's method: of McNemar's test of one seed, or of the test over several.
    pub adjusted: f64,
    /// The test over seeds, where there are several.
    pub over_seeds: Option<SeedTest>,
}

/// The same of two answers to one question of Task 6.
#[derive(Debug, Clone, PartialEq)]
pub struct GoalVerdict {
    /// What was asked.
    pub goal: Goal,
    /// Who answered beside the single-task network.
    pub pairing: Pairing,
    /// Test accuracy less that of the single-task network; the mean over the seeds, where there are several.
    pub difference: f64,
    /// p corrected by Holm's method: of McNemar's test of one seed, or of the test over several.
    pub adjusted: f64,
    /// The test over seeds, where there are several.
    pub over_seeds: Option<SeedTest>,
}

/// What a single seed would have said of the pairs of a task, by McNemar's test with Holm's correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alone {
    /// The seed.
    pub seed: u64,
    /// Pairs that it would have called different.
    pub differ: usize,
    /// Pairs that it compares.
    pub pairs: usize,
}

impl Verdict {
    /// Whether the two differ by more than the noise, over all pairs of the comparison together.
    pub fn differs(&self) -> bool {
        self.adjusted < ALPHA
    }

    fn of(pair: NetworkPair) -> Verdict {
        let (difference, adjusted) = (pair.difference(), pair.adjusted);
        Verdict { a: pair.a, b: pair.b, difference, adjusted, over_seeds: None }
    }
}

impl GoalVerdict {
    /// Whether the two differ by more than the noise, over all comparisons of the task together.
    pub fn differs(&self) -> bool {
        self.adjusted < ALPHA
    }

    fn of(pair: GoalPair) -> GoalVerdict {
        let (difference, adjusted) = (pair.difference(), pair.adjusted);
        GoalVerdict { goal: pair.goal, pairing: pair.pairing, difference, adjusted, over_seeds: None }
    }
}

/// The answers to the test images from each seed that has some.
type Said<'a> = Vec<(u64, &'a [u8])>;

/// Something of the answers of a head of this number; nothing from a seed that diverged.
fn said(network: &Network, head: usize, of: fn(&Answers) -> &[u8]) -> Said<'_> {
    let first = (network.spec.seed, &network.outcome, &network.heads);
    let again = network.replicates.iter().map(|again| (again.seed, &again.outcome, &again.heads));
    std::iter::once(first)
        .chain(again)
        .filter(|(_, outcome, _)| outcome.kept().is_some())
        .filter_map(|(seed, _, heads)| Some((seed, of(heads.get(head)?))))
        .collect()
}

/// What is said.
fn predictions(answers: &Answers) -> &[u8] {
    &answers.predictions
}

/// Compares two over the seeds that both have; `None` with fewer than two.
fn compare(labels: &[u8], a: &Said, b: &Said) -> Option<SeedTest> {
    let both = a.iter().filter_map(|(seed, a)| {
        let (_, b) = b.iter().find(|(other, _)| other == seed)?;
        Some((*a, *b))
    });
    let differences: Vec<Vec<i8>> = both
        .map(|(a, b)| {
            let answers = a.iter().zip(b).zip(labels);
            answers.map(|((a, b), label)| i8::from(a == label) - i8::from(b == label)).collect()
        })
        .collect();
    let found = crossed(&differences)?;
    Some(SeedTest { seeds: differences.len(), found, adjusted: found.p })
}

/// Corrects the tests of a family for their number.
fn correct<'a>(tests: impl Iterator<Item = (&'a mut f64, &'a mut Option<SeedTest>)>) {
    let mut tests: Vec<(&mut f64, &mut SeedTest)> =
        tests.filter_map(|(adjusted, test)| Some((adjusted, test.as_mut()?))).collect();
    let p: Vec<f64> = tests.iter().map(|(_, test)| test.found.p).collect();
    for ((adjusted, test), corrected) in tests.iter_mut().zip(holm(&p)) {
        test.adjusted = corrected;
        **adjusted = corrected;
    }
}

/// What is said of pairs of networks, over seeds where there are several.
fn verdicts(pairs: Vec<NetworkPair>, first: &NetworksResults, second: &NetworksResults) -> Vec<Verdict> {
    let several = first.has_replicates() && second.has_replicates();
    let verdict = |pair: NetworkPair| {
        if !several {
            return Some(Verdict::of(pair));
        }
        let (a, b) = (&first.networks[pair.a], &second.networks[pair.b]);
        let test = compare(a.labels(), &said(a, 0, predictions), &said(b, 0, predictions))?;
        Some(Verdict { difference: test.found.difference, over_seeds: Some(test), ..Verdict::of(pair) })
    };
    let mut all: Vec<Verdict> = pairs.into_iter().filter_map(verdict).collect();
    correct(all.iter_mut().map(|verdict| (&mut verdict.adjusted, &mut verdict.over_seeds)));
    all
}

impl Network {
    /// What a head of this number reached from each seed.
    pub fn spread(&self, head: usize) -> SeedSpread {
        let accuracies = self.trainings().map(|training| {
            let kept = training.outcome.kept().and_then(|epoch| super::network::test_of(epoch, head));
            (training.seed, kept.map(|found| found.accuracy()))
        });
        let accuracies: Vec<(u64, Option<f64>)> = accuracies.collect();
        let known: Vec<f64> = accuracies.iter().filter_map(|(_, accuracy)| *accuracy).collect();
        SeedSpread { mean_and_deviation: mean_and_std(&known), accuracies }
    }
}

impl SeedSpread {
    /// The mean.
    pub fn mean(&self) -> Option<f64> {
        self.mean_and_deviation.map(|(mean, _)| mean)
    }

    /// Accuracies that are known.
    pub fn known(&self) -> impl Iterator<Item = f64> {
        self.accuracies.iter().filter_map(|(_, accuracy)| *accuracy)
    }
}

impl NetworksResults {
    /// Whether its networks were trained from several seeds.
    pub fn has_replicates(&self) -> bool {
        self.networks.iter().any(|network| !network.replicates.is_empty())
    }

    /// Test accuracy of a network, by its number: the mean over the seeds, where there are several.
    pub fn accuracy(&self, network: usize) -> Option<f64> {
        self.networks[network].spread(0).mean()
    }

    /// Every two networks that did not diverge: by McNemar's test, or over seeds where there are several.
    pub fn verdicts(&self) -> Vec<Verdict> {
        verdicts(within(self), self, self)
    }

    /// Every network of this task beside every network of another, likewise.
    pub fn verdicts_beside(&self, other: &NetworksResults) -> Vec<Verdict> {
        verdicts(between(self, other), self, other)
    }

    /// What each seed alone would have said.
    pub fn alone(&self) -> Vec<Alone> {
        let Some(first) = self.networks.first() else { return Vec::new() };
        let seeds = first.trainings().map(|training| training.seed);
        let of_seed = |seed: u64| {
            let networks =
                self.networks.iter().map(|network| (network.labels(), said(network, 0, predictions)));
            let said: Vec<(&[u8], &[u8])> = networks
                .filter_map(|(labels, said)| {
                    let (_, answers) = *said.iter().find(|(other, _)| *other == seed)?;
                    Some((labels, answers))
                })
                .collect();
            let pairs = (0..said.len()).flat_map(|a| (a + 1..said.len()).map(move |b| (a, b)));
            let pairs = pairs.filter(|&(a, b)| said[a].0 == said[b].0);
            alone(seed, pairs.map(|(a, b)| only(said[a].0, said[a].1, said[b].1)))
        };
        seeds.map(of_seed).collect()
    }
}

/// McNemar's tests of a seed, by the images that only one of two is right for.
fn alone(seed: u64, pairs: impl Iterator<Item = (usize, usize)>) -> Alone {
    let p: Vec<f64> = pairs.map(|(only_a, only_b)| mcnemar_exact(only_a, only_b)).collect();
    let differ = holm(&p).into_iter().filter(|&p| p < ALPHA).count();
    Alone { seed, differ, pairs: p.len() }
}

impl MultitaskResults {
    /// Whether its networks were trained from several seeds.
    pub fn has_replicates(&self) -> bool {
        self.networks().any(|network| !network.replicates.is_empty())
    }

    /// Every comparison of the task ([`MultitaskResults::pairs`]): by McNemar's test, or over seeds where there are several.
    pub fn verdicts(&self) -> Vec<GoalVerdict> {
        let several = self.has_replicates();
        let verdict = |pair: GoalPair| {
            if !several {
                return Some(GoalVerdict::of(pair));
            }
            let (first, single) = self.said_of(&pair)?;
            let test = compare(self.labels(pair.goal), &first, &single)?;
            let difference = test.found.difference;
            Some(GoalVerdict { difference, over_seeds: Some(test), ..GoalVerdict::of(pair) })
        };
        let mut all: Vec<GoalVerdict> = self.pairs().into_iter().filter_map(verdict).collect();
        correct(all.iter_mut().map(|verdict| (&mut verdict.adjusted, &mut verdict.over_seeds)));
        all
    }

    /// Test accuracy for the group of the item network's probabilities, summed into groups: the mean over the seeds.
    pub fn free_accuracy(&self) -> Option<f64> {
        let network = self.single(Goal::Item).filter(|network| network.trained(Goal::Item))?;
        let right =
            |answers: &[u8]| answers.iter().zip(&self.group_labels).filter(|(a, b)| a == b).count() as f64;
        let said = said(network, network.head(Goal::Item)?, |answers| &answers.free);
        mean(said.iter().map(|(_, answers)| right(answers) / self.group_labels.len().max(1) as f64))
    }

    /// What each seed alone would have said.
    pub fn alone(&self) -> Vec<Alone> {
        let Some(first) = self.networks().next() else { return Vec::new() };
        let pairs: Vec<(Goal, (Said<'_>, Said<'_>))> =
            self.pairs().iter().filter_map(|pair| Some((pair.goal, self.said_of(pair)?))).collect();
        let of_seed = |training: Trained<'_>| {
            let seed = training.seed;
            let find = |said: &Said<'_>| said.iter().position(|(other, _)| *other == seed);
            let counts = pairs.iter().filter_map(|(goal, (first, single))| {
                let (a, b) = (first[find(first)?].1, single[find(single)?].1);
                Some(only(self.labels(*goal), a, b))
            });
            alone(seed, counts)
        };
        first.trainings().map(of_seed).collect()
    }

    /// The answers of both sides of a comparison from each seed.
    fn said_of(&self, pair: &GoalPair) -> Option<(Said<'_>, Said<'_>)> {
        let single = self.single(pair.goal)?;
        let of_single = said(single, single.head(pair.goal)?, predictions);
        let first = match pair.pairing {
            Pairing::Lambda(number) => {
                let network = &self.lambdas[number].1;
                said(network, network.head(pair.goal)?, predictions)
            }
            Pairing::Free => {
                let network = self.single(Goal::Item)?;
                said(network, network.head(Goal::Item)?, |answers| &answers.free)
            }
        };
        Some((first, of_single))
    }
}
