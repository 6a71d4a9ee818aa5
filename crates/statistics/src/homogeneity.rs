//! Whether several proportions are one and the same.

use crate::{PERMUTATIONS, SplitMix64, chi_squared_survival};

/// The result of a test of homogeneity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homogeneity {
    /// Pearson's χ².
    pub statistic: f64,
    /// Degrees of freedom: groups less one.
    pub degrees: usize,
    /// The probability of a χ² at least as large where all proportions are one.
    pub p: f64,
    /// How p was found.
    pub method: Method,
}

/// How a p was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the chi-squared distribution.
    ChiSquared,
    /// By random permutations, as some expected counts are below 5.
    Permutation,
}

/// Pearson's χ² test that k proportions, each (successes, trials), are one.
///
/// χ² = Σ (observed − expected)² / expected over successes and failures of all groups, where the proportion of all trials
/// together gives what is expected, with k − 1 degrees of freedom. Where an expected count is below 5 (Cochran's rule), the
/// distribution is poorly approximated: p is then the share (1 + #{χ²* ≥ χ²}) / (1 + 999) of random assignments of the same
/// successes to the groups, whose sizes stay. Trials are independent, in groups and between them.
///
/// `None` with fewer than two groups that have trials. Where all trials succeed or all fail, χ² is 0 and p is 1.
///
/// Sources: Pearson (1900), *Philosophical Magazine* 50, 157–175; Cochran (1954), *Biometrics* 10, 417–451; Phipson and
/// Smyth (2010) for the share.
///
/// # Panics
/// If a group has more successes than trials.
pub fn chi_squared_homogeneity(groups: &[(usize, usize)], seed: u64) -> Option<Homogeneity> {
    let groups: Vec<(usize, usize)> = groups.iter().copied().filter(|&(_, trials)| trials > 0).collect();
    assert!(groups.iter().all(|(successes, trials)| successes <= trials), "more successes than trials");
    if groups.len() < 2 {
        return None;
    }
    let successes: usize = groups.iter().map(|(successes, _)| successes).sum();
    let trials: usize = groups.iter().map(|(_, trials)| trials).sum();
    let degrees = groups.len() - 1;
    if successes == 0 || successes == trials {
        return Some(Homogeneity { statistic: 0.0, degrees, p: 1.0, method: Method::ChiSquared });
    }
    let share = successes as f64 / trials as f64;
    let chi_squared = |of: &dyn Fn(usize) -> usize| -> f64 {
        let terms = groups.iter().enumerate().map(|(group, &(_, size))| {
            let size = size as f64;
            (of(group) as f64 - size * share).powi(2) / (size * share * (1.0 - share))
        });
        terms.sum()
    };
    let statistic = chi_squared(&|group| groups[group].0);
    let least = groups.iter().map(|&(_, size)| size as f64 * share.min(1.0 - share)).fold(f64::MAX, f64::min);
    if least >= 5.0 {
        let p = chi_squared_survival(statistic, degrees);
        return Some(Homogeneity { statistic, degrees, p, method: Method::ChiSquared });
    }
    // The rarer outcome is dealt out; with it the other is, too.
    let rarer = successes.min(trials - successes);
    let mut places: Vec<u32> = groups
        .iter()
        .enumerate()
        .flat_map(|(group, &(_, size))| std::iter::repeat_n(group as u32, size))
        .collect();
    let mut generator = SplitMix64::new(seed);
    let mut dealt = vec![0; groups.len()];
    let mut as_large = 0;
    for _ in 0..PERMUTATIONS {
        generator.shuffle_first(&mut places, rarer);
        dealt.fill(0);
        places[..rarer].iter().for_each(|&group| dealt[group as usize] += 1);
        let count =
            |group: usize| if rarer == successes { dealt[group] } else { groups[group].1 - dealt[group] };
        // Sums of the same terms in another order differ by rounding.
        as_large += usize::from(chi_squared(&count) >= statistic * (1.0 - 1e-12));
    }
    let p = (1 + as_large) as f64 / (1 + PERMUTATIONS) as f64;
    Some(Homogeneity { statistic, degrees, p, method: Method::Permutation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_exact_arithmetic_where_counts_are_large() {
        // χ² in Python's fractions; p by erfc(√(x/2)) + √(2x/π) e^(−x/2), the tail with three degrees of freedom.
        let found = chi_squared_homogeneity(&[(90, 100), (80, 100), (95, 100), (60, 80)], 0).unwrap();
        assert_eq!((found.degrees, found.method), (3, Method::ChiSquared));
        assert!((found.statistic - 18.495_104_895_104_895).abs() < 1e-9, "{found:?}");
        assert!((found.p / 0.000_347_637_635_275_103_17 - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn agrees_with_all_permutations_where_counts_are_small() {
        // Every assignment counted in Python's integers: 99 of 495, and 400 of 11,440, which is Fisher's exact p of
        // SciPy's example [[8, 2], [1, 5]], 0.03497.
        for (groups, p) in [(vec![(3, 4), (0, 4), (1, 4)], 0.2), (vec![(8, 10), (1, 6)], 400.0 / 11_440.0)] {
            let found = chi_squared_homogeneity(&groups, 7).unwrap();
            assert_eq!(found.method, Method::Permutation);
            // Five standard deviations of a share of 999.
            assert!((found.p - p).abs() < 5.0 * (p * (1.0 - p) / 999.0).sqrt(), "{found:?}, not {p}");
            assert_eq!(chi_squared_homogeneity(&groups, 7), Some(found));
        }
    }

    #[test]
    fn at_its_ends() {
        assert_eq!(chi_squared_homogeneity(&[(3, 4)], 0), None);
        assert_eq!(chi_squared_homogeneity(&[(3, 4), (0, 0)], 0), None);
        for all in [0, 1] {
            let found =
                chi_squared_homogeneity(&[(10 * all, 10), (20 * all, 20), (30 * all, 30)], 0).unwrap();
            assert_eq!((found.statistic, found.p), (0.0, 1.0));
        }
        // One group differs, and the others are large enough to see it.
        assert!(chi_squared_homogeneity(&[(999, 1000), (999, 1000), (900, 1000)], 0).unwrap().p < 1e-3);
    }

    #[test]
    fn equal_proportions_are_rejected_as_often_as_alpha_says() {
        let mut generator = SplitMix64::new(3);
        for trials in [2000, 20] {
            let mut rejected = 0;
            for round in 0..300 {
                let mut draw = || (0..trials).filter(|_| generator.below(100) < 97).count();
                let groups: Vec<(usize, usize)> = (0..45).map(|_| (draw(), trials)).collect();
                rejected += usize::from(chi_squared_homogeneity(&groups, round).unwrap().p < crate::ALPHA);
            }
            // 15 expected, with a standard deviation of 3.8.
            assert!((3..=30).contains(&rejected), "{rejected} of 300 at {trials}");
        }
    }
}
