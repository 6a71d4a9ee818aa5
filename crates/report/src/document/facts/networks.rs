//! Facts of Tasks 3 and 4: the networks of a task, what they reached, and what depth and size had to do with it.

use inkling_schema::outcome::EpochOutcome;
use inkling_schema::{DataSlice, Initializer, LayerSpec, Padding, TrainingSpec, Weights};
use serde::Serialize;

use super::Named;
use super::closer::Chosen;
use super::layers::Worked;
use super::rank::RankCorrelation;
use super::seeds::SeedsFacts;
use crate::results::ONE_BUDGET;
use crate::rows::{NetworkRow, NetworksRows};
use crate::{Network, NetworkPair, NetworksResults, Verdict};

#[derive(Debug, Serialize)]
pub(super) struct NetworksFacts<'a> {
    #[serde(flatten)]
    data: &'a DataSlice,
    title: &'a str,
    classes: usize,
    training: &'a TrainingSpec,
    /// Of the first convolution, where there is one.
    padding: Option<Padding>,
    hidden: Option<Initializer>,
    output: Option<Initializer>,
    rows: &'a [NetworkRow],
    /// Share of the commonest class among the test images.
    majority: Option<f64>,
    diverged: Vec<&'a str>,
    /// Networks that give every test image one and the same class.
    constant: Vec<&'a str>,
    /// Networks whose training ended before its last epoch, the validation loss falling no more.
    stopped_early: Vec<&'a str>,
    /// Whether the weights of each are those of its best epoch, as far as its training did not diverge.
    best_kept: bool,
    /// `None` where every network diverged.
    found: Option<Found<'a>>,
    /// `None` with fewer than two networks that did not diverge.
    pairs: Option<Pairs>,
    budgets: Vec<Budget<'a>>,
    chosen: Option<Chosen<'a>>,
    worked: Option<Worked<'a>>,
    /// What several seeds say; `None` of one.
    seeds: Option<SeedsFacts<'a>>,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    /// Test accuracy, as a mean over the seeds where there are several.
    lowest: Named<'a>,
    highest: Named<'a>,
    fewest_layers: usize,
    most_layers: usize,
    /// Training accuracy less test accuracy.
    smallest_gap: Named<'a>,
    largest_gap: Named<'a>,
    /// Test accuracy with depth and with the number of parameters, over the networks.
    depth: Option<RankCorrelation>,
    size: Option<RankCorrelation>,
    /// Networks of two epochs or more.
    several_epochs: usize,
    /// Of those, the ones whose test loss was lower after an earlier epoch, and since then the training loss fell.
    turned: usize,
    /// The first and the last epoch of the lowest test losses of those.
    turned_after: Option<(usize, usize)>,
    /// Networks whose test loss rose from some epoch to the next while the training loss fell.
    rose: usize,
}

/// The tests of every two networks, corrected for their number.
#[derive(Debug, Serialize)]
struct Pairs {
    pairs: usize,
    differ: usize,
    smallest_p: f64,
    /// Among pairs with clearly different numbers of parameters: all, those that differ, those of these in which the
    /// larger network is better.
    across: usize,
    across_differ: usize,
    larger_better: usize,
}

/// Two or more networks with about one number of parameters.
#[derive(Debug, Serialize)]
struct Budget<'a> {
    parameters: f64,
    /// In the order of depth.
    networks: Vec<Named<'a>>,
    pairs: usize,
    differ: usize,
    /// Pairs of networks of different depth: all, those that differ, those of these in which the deeper network is better.
    deep_pairs: usize,
    deep_differ: usize,
    deeper_better: usize,
    /// Where they are few: "better" beat "worse".
    differences: Vec<Difference<'a>>,
}

#[derive(Debug, Serialize)]
struct Difference<'a> {
    better: &'a str,
    worse: &'a str,
    p: f64,
}

/// What the weights of a layer start from, where it has any.
pub(super) fn initializer(layer: &LayerSpec) -> Option<Initializer> {
    match layer {
        LayerSpec::Dense { initializer, .. } | LayerSpec::Conv2d { initializer, .. } => Some(*initializer),
        _ => None,
    }
}

impl<'a> NetworksFacts<'a> {
    /// `None` without a network.
    pub(super) fn new(task: &'a NetworksResults, rows: &'a NetworksRows) -> Option<Self> {
        let first = task.networks.first()?;
        let spec = &first.spec;
        let pairs = &rows.comparisons.verdicts;
        let layers = || spec.model.trunk.iter();
        let all_layers = || task.networks.iter().flat_map(|network| &network.spec.model.trunk);
        let padding = |layer: &LayerSpec| match layer {
            LayerSpec::Conv2d { padding, .. } => Some(*padding),
            _ => None,
        };
        Some(NetworksFacts {
            data: &spec.data,
            title: &task.data.title,
            classes: task.data.classes.len(),
            training: &spec.training,
            padding: layers().find_map(padding),
            hidden: all_layers().find_map(initializer),
            output: spec.model.heads.first().and_then(|head| head.layers.iter().find_map(initializer)),
            rows: &rows.networks,
            majority: task.majority(),
            diverged: names(task, |network| network.outcome.diverged.is_some()),
            constant: names(task, |network| network.kept().is_some() && network.only_answer().is_some()),
            stopped_early: names(task, |network| network.outcome.stopped_early),
            best_kept: task.finished().count() > 0
                && task.finished().all(|(_, network, _)| network.outcome.weights == Weights::Best),
            found: Found::new(task),
            pairs: Pairs::new(task, pairs),
            budgets: budgets(task, pairs),
            chosen: Chosen::new(task, rows),
            worked: Worked::new(task),
            seeds: rows.seeds.as_ref().and_then(SeedsFacts::new),
        })
    }
}

fn names(task: &NetworksResults, is_one: fn(&Network) -> bool) -> Vec<&str> {
    let networks = task.networks.iter().filter(|network| is_one(network));
    networks.map(|network| network.name.as_str()).collect()
}

impl<'a> Found<'a> {
    fn new(task: &'a NetworksResults) -> Option<Self> {
        let finished = || task.finished().map(|(_, network, _)| network);
        let accuracy = || {
            let all = task.finished();
            all.filter_map(|(i, network, _)| Some(Named { name: &network.name, value: task.accuracy(i)? }))
        };
        let gap = || {
            let of = |last: &EpochOutcome| last.train.accuracy() - last.test.accuracy();
            task.finished().map(move |(_, network, last)| Named { name: &network.name, value: of(last) })
        };
        let by_value = |p: &Named, q: &Named| p.value.total_cmp(&q.value);
        let of = |number: fn(&Network) -> usize| -> Vec<f64> {
            finished().map(|network| number(network) as f64).collect()
        };
        let accuracies: Vec<f64> = accuracy().map(|found| found.value).collect();
        let turns: Vec<usize> = finished().filter_map(turn).collect();
        Some(Found {
            lowest: accuracy().min_by(by_value)?,
            highest: accuracy().max_by(by_value)?,
            fewest_layers: finished().map(Network::depth).min()?,
            most_layers: finished().map(Network::depth).max()?,
            smallest_gap: gap().min_by(by_value)?,
            largest_gap: gap().max_by(by_value)?,
            depth: RankCorrelation::new(&of(Network::depth), &accuracies),
            size: RankCorrelation::new(&of(|network| network.outcome.parameters), &accuracies),
            several_epochs: finished().filter(|network| network.outcome.epochs.len() > 1).count(),
            turned: turns.len(),
            turned_after: turns.iter().min().copied().zip(turns.iter().max().copied()),
            rose: finished().filter(|network| rose(network)).count(),
        })
    }
}

/// The epoch after which the test loss was lowest, if it is not the last and the training loss has fallen since.
fn turn(network: &Network) -> Option<usize> {
    let epochs = &network.outcome.epochs;
    let lowest = epochs.iter().min_by(|p, q| p.test.loss.total_cmp(&q.test.loss))?;
    let last = epochs.last()?;
    (lowest.test.loss < last.test.loss && last.train.loss < lowest.train.loss).then_some(lowest.epoch)
}

/// Whether the test loss rose from some epoch to the next while the training loss fell.
fn rose(network: &Network) -> bool {
    let pairs = network.outcome.epochs.windows(2);
    pairs.into_iter().any(|two| two[0].test.loss < two[1].test.loss && two[1].train.loss < two[0].train.loss)
}

/// Whether two networks have about one number of parameters.
fn one_budget(a: &Network, b: &Network) -> bool {
    let (a, b) = (a.outcome.parameters as f64, b.outcome.parameters as f64);
    a.max(b) <= ONE_BUDGET * a.min(b)
}

impl Pairs {
    fn new(task: &NetworksResults, pairs: &[Verdict<NetworkPair>]) -> Option<Self> {
        let networks = &task.networks;
        let across =
            || pairs.iter().filter(|pair| !one_budget(&networks[pair.pair.a], &networks[pair.pair.b]));
        let larger_better = |pair: &&Verdict<NetworkPair>| {
            let larger_first =
                networks[pair.pair.a].outcome.parameters > networks[pair.pair.b].outcome.parameters;
            larger_first == (pair.difference > 0.0)
        };
        let differing = || across().filter(|pair| pair.differs());
        Some(Pairs {
            pairs: pairs.len(),
            differ: pairs.iter().filter(|pair| pair.differs()).count(),
            smallest_p: pairs.iter().map(|pair| pair.adjusted).min_by(f64::total_cmp)?,
            across: across().count(),
            across_differ: differing().count(),
            larger_better: differing().filter(larger_better).count(),
        })
    }
}

/// Groups of networks that did not diverge, by their number of parameters, the largest first.
fn budgets<'a>(task: &'a NetworksResults, pairs: &[Verdict<NetworkPair>]) -> Vec<Budget<'a>> {
    let mut order: Vec<(usize, &Network)> = task.finished().map(|(i, network, _)| (i, network)).collect();
    order.sort_by_key(|(_, network)| std::cmp::Reverse(network.outcome.parameters));
    let mut groups: Vec<Vec<(usize, &Network)>> = Vec::new();
    for member in order {
        match groups.last_mut() {
            Some(group) if one_budget(group[0].1, member.1) => group.push(member),
            _ => groups.push(vec![member]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups.into_iter().map(|group| budget(task, pairs, group)).collect()
}

fn budget<'a>(
    task: &'a NetworksResults,
    pairs: &[Verdict<NetworkPair>],
    mut group: Vec<(usize, &'a Network)>,
) -> Budget<'a> {
    group.sort_by_key(|(i, network)| (network.depth(), *i));
    let inside = |i: usize| group.iter().any(|(member, _)| *member == i);
    let pairs: Vec<&Verdict<NetworkPair>> =
        pairs.iter().filter(|pair| inside(pair.pair.a) && inside(pair.pair.b)).collect();
    let differing = pairs.iter().filter(|pair| pair.differs()).map(|pair| {
        let (a, b) = (&task.networks[pair.pair.a], &task.networks[pair.pair.b]);
        let (better, worse) = if pair.difference > 0.0 { (a, b) } else { (b, a) };
        (better, worse, pair.adjusted)
    });
    let differing: Vec<(&Network, &Network, f64)> = differing.collect();
    let parameters = group.iter().map(|(_, network)| network.outcome.parameters as f64);
    let depth = |network: usize| task.networks[network].depth();
    Budget {
        parameters: parameters.sum::<f64>() / group.len() as f64,
        networks: group
            .iter()
            .filter_map(|(i, network)| Some(Named { name: &network.name, value: task.accuracy(*i)? }))
            .collect(),
        pairs: pairs.len(),
        differ: differing.len(),
        deep_pairs: pairs.iter().filter(|pair| depth(pair.pair.a) != depth(pair.pair.b)).count(),
        deep_differ: differing.iter().filter(|(better, worse, _)| better.depth() != worse.depth()).count(),
        deeper_better: differing.iter().filter(|(better, worse, _)| better.depth() > worse.depth()).count(),
        differences: differing
            .into_iter()
            .map(|(better, worse, p)| Difference { better: &better.name, worse: &worse.name, p })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, Shape};

    #[test]
    fn test_loss_that_rises_and_falls_again_has_risen() {
        let data = fixtures::facts(&["a", "b", "c"]);
        let mut task = fixtures::mlps(&data, Shape { networks: 1, epochs: 4, ..Shape::SMALL });
        let mut told = |test: [f64; 4], train: [f64; 4]| {
            for (epoch, (test, train)) in
                task.networks[0].outcome.epochs.iter_mut().zip(test.iter().zip(train))
            {
                (epoch.test.loss, epoch.train.loss) = (*test, train);
            }
            (turn(&task.networks[0]), rose(&task.networks[0]))
        };
        let falling = [0.9, 0.8, 0.7, 0.6];
        assert_eq!(told([0.5, 0.4, 0.3, 0.2], falling), (None, false));
        assert_eq!(told([0.5, 0.4, 0.45, 0.3], falling), (None, true));
        assert_eq!(told([0.5, 0.3, 0.4, 0.4], falling), (Some(2), true));
        // It rose where training loss did.
        assert_eq!(told([0.5, 0.4, 0.45, 0.3], [0.9, 0.8, 0.85, 0.6]), (None, false));
    }
}
