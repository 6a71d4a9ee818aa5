//! McNemar's test between every two networks that answered the same test images.

use super::network::Network;
use super::networks::NetworksResults;
use inkling_statistics::{ALPHA, holm, mcnemar_exact};

/// Two networks on the same test images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkPair {
    /// Number of the first network among those of its task.
    pub a: usize,
    /// Number of the second.
    pub b: usize,
    /// Test images that only the first got right.
    pub only_a: usize,
    /// Test images that only the second got right.
    pub only_b: usize,
    /// Test images.
    pub images: usize,
    /// Two-sided p of McNemar's exact test.
    pub p: f64,
    /// p corrected for the number of pairs by Holm's method.
    pub adjusted: f64,
}

impl NetworkPair {
    fn new(a: (usize, &Network), b: (usize, &Network)) -> Option<NetworkPair> {
        if a.1.spec.data.set != b.1.spec.data.set || a.1.labels() != b.1.labels() {
            return None;
        }
        let (only_a, only_b) = only(a.1.labels(), a.1.predictions(), b.1.predictions());
        let p = mcnemar_exact(only_a, only_b);
        Some(NetworkPair { a: a.0, b: b.0, only_a, only_b, images: a.1.labels().len(), p, adjusted: p })
    }

    /// Whether the two differ by more than the noise, over all pairs of the comparison together.
    pub fn differs(&self) -> bool {
        self.adjusted < ALPHA
    }

    /// Accuracy of the first less that of the second.
    pub fn difference(&self) -> f64 {
        (self.only_a as f64 - self.only_b as f64) / self.images.max(1) as f64
    }
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

/// Every two networks a < b of a task that did not diverge.
pub fn within(task: &NetworksResults) -> Vec<NetworkPair> {
    let all = || task.finished().map(|(i, network, _)| (i, network));
    let pairs = all().flat_map(|a| all().filter(move |b| a.0 < b.0).map(move |b| (a, b)));
    corrected(pairs.filter_map(|(a, b)| NetworkPair::new(a, b)).collect())
}

/// Every network of one task beside every network of another, where they answered the same test images.
pub fn between(first: &NetworksResults, second: &NetworksResults) -> Vec<NetworkPair> {
    let pairs = first.finished().flat_map(|a| second.finished().map(move |b| ((a.0, a.1), (b.0, b.1))));
    corrected(pairs.filter_map(|(a, b)| NetworkPair::new(a, b)).collect())
}

fn corrected(mut pairs: Vec<NetworkPair>) -> Vec<NetworkPair> {
    let adjusted = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<f64>>());
    for (pair, adjusted) in pairs.iter_mut().zip(adjusted) {
        pair.adjusted = adjusted;
    }
    pairs
}
