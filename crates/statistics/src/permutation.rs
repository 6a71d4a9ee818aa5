//! Permutation tests of numbers that belong to pairs of things, which depend on each other where they share a thing.

use crate::{PERMUTATIONS, SplitMix64, mean, pearson, ranks};

/// Mantel's test with Spearman's ρ: whether two numbers of every pair of n things, such as two measures of every pair of
/// classes, go together. (ρ, two-sided p).
///
/// Pairs that share a thing are not independent, so p comes from permutations of the things, which carry all their pairs
/// along: the share (1 + #{|ρ*| ≥ |ρ|}) / (1 + 999) of random orders, or, where there are no more than 999 orders of n things,
/// the share of all of them. Fewer than four things never give a p below 0.05.
///
/// `x` and `y` hold the pairs a < b in lexicographic order. `None` where one of them is constant, or with fewer than three
/// pairs.
///
/// Source: Mantel (1967), *Cancer Research* 27, 209–220.
///
/// # Panics
/// If `x` or `y` has not n(n − 1)/2 numbers.
pub fn mantel_spearman(n: usize, x: &[f64], y: &[f64], seed: u64) -> Option<(f64, f64)> {
    let pairs: Vec<(usize, usize)> = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect();
    assert!(x.len() == pairs.len() && y.len() == pairs.len(), "a number of every pair of {n} things");
    if pairs.len() < 3 {
        return None;
    }
    let (x, y) = (ranks(x), ranks(y));
    let rho = pearson(&x, &y)?;
    let mut place = vec![0; n * n];
    for (i, &(a, b)) in pairs.iter().enumerate() {
        (place[a * n + b], place[b * n + a]) = (i, i);
    }
    let as_extreme = |order: &[usize]| {
        let moved: Vec<f64> = pairs.iter().map(|&(a, b)| x[place[order[a] * n + order[b]]]).collect();
        // Sums of the same terms in another order differ by rounding.
        pearson(&moved, &y).is_some_and(|other| other.abs() >= rho.abs() - 1e-12)
    };
    Some((rho, share_of_orders(n, seed, as_extreme)))
}

/// Whether things of one group are more alike than things of different groups: (mean similarity within groups, mean
/// similarity between them, one-sided p).
///
/// The statistic is the difference of the two means over all pairs. p is the share of assignments of the same labels to the
/// things whose difference is at least as large, by permutations as in [`mantel_spearman`]. Under the null hypothesis labels
/// are exchangeable.
///
/// `similarity` is symmetric with the shape [n, n], and its diagonal is not read; a pair that is not a number is left out.
/// `None` where no pair lies within a group, or none between two.
///
/// Source: Mantel (1967), with a matrix of 0 for pairs within a group and 1 for others; Clarke (1993) on ranks.
///
/// # Panics
/// If `similarity` has not n² numbers for n labels.
pub fn within_between(similarity: &[f64], labels: &[usize], seed: u64) -> Option<(f64, f64, f64)> {
    let n = labels.len();
    assert_eq!(similarity.len(), n * n, "similarities of {n} things");
    let means = |of: &dyn Fn(usize) -> usize| {
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        let found = pairs.filter(|&(a, b)| !similarity[a * n + b].is_nan());
        let (within, between): (Vec<_>, Vec<_>) = found.partition(|&(a, b)| of(a) == of(b));
        let of_pairs = |pairs: Vec<(usize, usize)>| mean(pairs.iter().map(|&(a, b)| similarity[a * n + b]));
        of_pairs(within).zip(of_pairs(between))
    };
    let (within, between) = means(&|thing| labels[thing])?;
    let as_large = |order: &[usize]| {
        means(&|thing| labels[order[thing]])
            .is_some_and(|(other, apart)| other - apart >= within - between - 1e-12)
    };
    Some((within, between, share_of_orders(n, seed, as_large)))
}

/// Whether n things are more like their own counterparts than like those of others, such as dreams of the same classes by two
/// networks: (mean similarity of counterparts, mean similarity of all others, one-sided p).
///
/// p is the share of the orders of the counterparts that are as alike on average, by permutations as in [`mantel_spearman`].
/// Under the null hypothesis counterparts are exchangeable. Fewer than four things never give a p below 0.05.
///
/// `similarity` has the shape [n, n]: each thing by each counterpart. `None` with fewer than two things.
///
/// Source: Fisher (1935), *The Design of Experiments*, on permutation tests; Mantel (1967).
///
/// # Panics
/// If `similarity` has not n² numbers.
pub fn counterparts(similarity: &[f64], n: usize, seed: u64) -> Option<(f64, f64, f64)> {
    assert_eq!(similarity.len(), n * n, "similarities of {n} things");
    if n < 2 {
        return None;
    }
    let of =
        |order: &[usize]| (0..n).map(|thing| similarity[thing * n + order[thing]]).sum::<f64>() / n as f64;
    let same = of(&(0..n).collect::<Vec<usize>>());
    let all = similarity.iter().sum::<f64>() / n as f64;
    let others = (all - same) / (n - 1) as f64;
    Some((same, others, share_of_orders(n, seed, |order| of(order) >= same - 1e-12)))
}

/// The share of the orders of n things that are as extreme as that observed: of all where they are few, else of random ones
/// and the one observed.
fn share_of_orders(n: usize, seed: u64, as_extreme: impl Fn(&[usize]) -> bool) -> f64 {
    let mut order: Vec<usize> = (0..n).collect();
    let orders =
        (1..=n).try_fold(1_usize, |orders, k| orders.checked_mul(k).filter(|&all| all <= PERMUTATIONS));
    if let Some(orders) = orders {
        let mut found = 0;
        for _ in 0..orders {
            found += usize::from(as_extreme(&order));
            next_order(&mut order);
        }
        return found as f64 / orders as f64;
    }
    let mut generator = SplitMix64::new(seed);
    let mut found = 1_usize;
    for _ in 0..PERMUTATIONS {
        generator.shuffle_first(&mut order, n);
        found += usize::from(as_extreme(&order));
    }
    found as f64 / (1 + PERMUTATIONS) as f64
}

/// The next order in the lexicographic sequence of all; after the last comes the first.
fn next_order(order: &mut [usize]) {
    let Some(at) = (1..order.len()).rev().find(|&i| order[i - 1] < order[i]) else {
        order.reverse();
        return;
    };
    let other = (at..order.len()).rev().find(|&i| order[i] > order[at - 1]).expect("the next one is larger");
    order.swap(at - 1, other);
    order[at..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_come_once() {
        let mut order = vec![0, 1, 2, 3];
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..24 {
            assert!(seen.insert(order.clone()));
            next_order(&mut order);
        }
        assert_eq!((order, seen.len()), (vec![0, 1, 2, 3], 24));
    }

    #[test]
    fn few_things_are_counted_out() {
        // Three things, by hand: the pairs 01, 02, 12 with ranks 1, 2, 3 in both. Of the six orders, those that keep the
        // ranks and those that reverse them are as extreme: ρ* is 1, 0.5, 0.5, −0.5, −0.5 and −1.
        let (rho, p) = mantel_spearman(3, &[0.1, 0.2, 0.3], &[5.0, 6.0, 7.0], 0).unwrap();
        assert_eq!((rho, p), (1.0, 2.0 / 6.0));
        assert_eq!(mantel_spearman(3, &[1.0, 1.0, 1.0], &[5.0, 6.0, 7.0], 0), None);
        assert_eq!(mantel_spearman(2, &[1.0], &[5.0], 0), None);
    }

    /// A number for each pair of ten things; near things have small ones.
    fn distances(of: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..10).flat_map(|a| (a + 1..10).map(move |b| (a, b))).map(|(a, b)| (of(a) - of(b)).abs()).collect()
    }

    #[test]
    fn what_goes_together_is_found_and_what_does_not_is_not() {
        let line = distances(|thing| thing as f64);
        let near = distances(|thing| thing as f64 + 0.5 * (thing as f64 * 1.7).sin());
        let (rho, p) = mantel_spearman(10, &line, &near, 1).unwrap();
        assert!(rho > 0.9 && p <= 0.002, "{rho}, {p}");
        assert_eq!(mantel_spearman(10, &line, &near, 1), Some((rho, p)));
        let mut generator = SplitMix64::new(5);
        let mut rejected = 0;
        for round in 0..200 {
            // Each thing has an effect of its own on all its pairs: 45 pairs, but only ten independent numbers.
            let mut effects = || -> Vec<f64> { (0..10).map(|_| generator.below(1000) as f64).collect() };
            let (x, y) = (effects(), effects());
            let pairs = |of: &[f64]| -> Vec<f64> {
                (0..10).flat_map(|a| (a + 1..10).map(move |b| (a, b))).map(|(a, b)| of[a] + of[b]).collect()
            };
            rejected += usize::from(mantel_spearman(10, &pairs(&x), &pairs(&y), round).unwrap().1 < 0.05);
        }
        // 10 expected, with a standard deviation of 3.1; the rule for independent pairs rejects a third of them.
        assert!(rejected <= 22, "{rejected} of 200");
    }

    #[test]
    fn groups_that_are_alike_and_groups_that_are_not() {
        let n = 12;
        let labels: Vec<usize> = (0..n).map(|i| i / 6).collect();
        let similar = |a: usize, b: usize, gain: f64| {
            0.3 + 0.01 * ((a * b + a + b) as f64).sin() + if labels[a] == labels[b] { gain } else { 0.0 }
        };
        let matrix = |gain: f64| -> Vec<f64> {
            (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).map(|(a, b)| similar(a, b, gain)).collect()
        };
        let (within, between, p) = within_between(&matrix(0.2), &labels, 1).unwrap();
        assert!(within > between + 0.15 && p < 0.02, "{within}, {between}, {p}");
        let (_, _, p) = within_between(&matrix(0.0), &labels, 1).unwrap();
        assert!(p > 0.05, "{p}");
        // Two groups of two: three ways to halve four things, so p is a third at best.
        let small = [1.0, 0.9, 0.1, 0.1, 0.9, 1.0, 0.1, 0.1, 0.1, 0.1, 1.0, 0.9, 0.1, 0.1, 0.9, 1.0];
        let (_, _, p) = within_between(&small, &[0, 0, 1, 1], 0).unwrap();
        assert!((p - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(within_between(&[1.0, 0.5, 0.5, 1.0], &[0, 1], 0), None);
    }

    #[test]
    fn counterparts_are_told_from_others() {
        // The diagonal is largest: one of 3! orders is as alike.
        let similar = [0.9, 0.1, 0.2, 0.0, 0.8, 0.1, 0.3, 0.1, 0.7];
        let (same, others, p) = counterparts(&similar, 3, 1).unwrap();
        assert!((same - 0.8).abs() < 1e-12 && (others - 0.8 / 6.0).abs() < 1e-12, "{same} {others}");
        assert!((p - 1.0 / 6.0).abs() < 1e-12, "{p}");
        assert_eq!(counterparts(&[0.5; 100], 10, 1).unwrap().2, 1.0);
        assert_eq!(counterparts(&[1.0], 1, 1), None);
    }
}
