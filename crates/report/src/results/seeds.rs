//! Networks that were trained from several seeds: what they reached.

use inkling_statistics::{mean, mean_and_std};

use super::comparison::said;
use super::multitask::{Goal, MultitaskResults};
use super::network::{Network, test_of};
use super::networks::NetworksResults;

/// Test accuracies of one network over seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedSpread {
    /// The seeds, and what each reached; none where training diverged.
    pub accuracies: Vec<(u64, Option<f64>)>,
    /// Mean of those that are known, and their standard deviation, which a single one has not.
    pub mean_and_deviation: Option<(f64, Option<f64>)>,
}

impl Network {
    /// What a head of this number reached from each seed.
    pub fn spread(&self, head: usize) -> SeedSpread {
        let accuracies = self.trainings().map(|training| {
            let kept = training.outcome.kept().and_then(|epoch| test_of(epoch, head));
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
}

impl MultitaskResults {
    /// Whether its networks were trained from several seeds.
    pub fn has_replicates(&self) -> bool {
        self.networks().any(|network| !network.replicates.is_empty())
    }

    /// Test accuracy for the group of the item network's probabilities, summed into groups: the mean over the seeds.
    pub fn free_accuracy(&self) -> Option<f64> {
        let network = self.single(Goal::Item).filter(|network| network.trained(Goal::Item))?;
        let right =
            |answers: &[u8]| answers.iter().zip(&self.group_labels).filter(|(a, b)| a == b).count() as f64;
        let said = said(network, network.head(Goal::Item)?, |answers| &answers.free);
        let known = said.iter().filter_map(|(_, answers)| *answers);
        mean(known.map(|answers| right(answers) / self.group_labels.len().max(1) as f64))
    }
}
