//! Other ways than a fixed λ to make one loss of two, each trained from several seeds.

use inkling_schema::{Weighting, legible};
use serde::Serialize;

use super::super::network::Network;
use super::{Goal, MultitaskResults};
use inkling_statistics::mean_and_std;

/// The mean of some numbers and how far they lie from it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, divided by n − 1; `None` of a single number.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of these numbers; `None` where there is none.
    pub fn of(numbers: &[f64]) -> Option<Spread> {
        let (mean, deviation) = mean_and_std(numbers)?;
        Some(Spread { count: numbers.len(), mean, deviation })
    }

    /// From a standard deviation below the mean to one above it.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.deviation.map(|deviation| (self.mean - deviation, self.mean + deviation))
    }
}

/// A weighting over its seeds.
#[derive(Debug, Clone)]
pub struct WeightingResults<'a> {
    /// What the report calls it.
    pub name: String,
    /// The weighting.
    pub weighting: &'a Weighting,
    /// Its networks, in the order of the study.
    pub networks: Vec<&'a Network>,
    /// Test accuracies for the item and for the group; `None` where every seed diverged.
    pub accuracy: [Option<Spread>; 2],
}

impl<'a> WeightingResults<'a> {
    fn new(name: String, weighting: &'a Weighting, networks: Vec<&'a Network>) -> Self {
        let accuracy = Goal::BOTH.map(|goal| {
            let accuracies = networks.iter().filter_map(|network| Some(network.test(goal)?.accuracy()));
            Spread::of(&accuracies.collect::<Vec<f64>>())
        });
        WeightingResults { name, weighting, networks, accuracy }
    }

    /// Networks whose training diverged.
    pub fn diverged(&self) -> usize {
        self.networks.iter().filter(|network| network.kept().is_none()).count()
    }
}

impl MultitaskResults {
    /// Every other weighting, in the order of the study.
    pub fn weightings(&self) -> Vec<WeightingResults<'_>> {
        let mut kinds: Vec<(&Weighting, Vec<&Network>)> = Vec::new();
        for network in &self.others {
            let weighting = &network.spec.weighting;
            match kinds.iter_mut().find(|(known, _)| *known == weighting) {
                Some((_, networks)) => networks.push(network),
                None => kinds.push((weighting, vec![network])),
            }
        }
        let alike = |weighting: &Weighting| {
            kinds.iter().filter(|(other, _)| base(other) == base(weighting)).count() > 1
        };
        let names: Vec<String> =
            kinds.iter().map(|(weighting, _)| name(weighting, alike(weighting))).collect();
        names
            .into_iter()
            .zip(kinds)
            .map(|(name, (weighting, networks))| WeightingResults::new(name, weighting, networks))
            .collect()
    }
}

fn base(weighting: &Weighting) -> &'static str {
    match weighting {
        Weighting::Fixed { .. } => "fixed",
        Weighting::Uncertainty { .. } => "uncertainty",
        Weighting::GradNorm { .. } => "GradNorm",
        Weighting::PcGrad => "PCGrad",
    }
}

/// The name of a weighting, with its numbers where another has the same name.
fn name(weighting: &Weighting, alike: bool) -> String {
    let base = base(weighting);
    match weighting {
        Weighting::Fixed { weights } => {
            let weights: Vec<String> = weights.iter().copied().map(legible).collect();
            format!("{base} {}", weights.join(" : "))
        }
        Weighting::Uncertainty { learning_rate } if alike => {
            format!("{base}, rate {}", legible(*learning_rate))
        }
        Weighting::GradNorm { alpha, learning_rate } if alike => {
            format!("{base}, α = {}, rate {}", legible(*alpha), legible(*learning_rate))
        }
        _ => base.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weightings_are_told_apart_by_their_numbers_only_where_they_must() {
        let norm = Weighting::GradNorm { alpha: 1.5, learning_rate: 0.025 };
        assert_eq!(
            (name(&norm, false), name(&norm, true)),
            ("GradNorm".into(), "GradNorm, α = 1.5, rate 0.025".into())
        );
        assert_eq!(name(&Weighting::Fixed { weights: vec![1.0, 0.5] }, false), "fixed 1 : 0.5");
        assert_eq!(name(&Weighting::PcGrad, true), "PCGrad");
    }
}
