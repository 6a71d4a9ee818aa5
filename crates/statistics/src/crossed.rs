//! Two classifiers, each trained from several seeds, on the same test images.

use crate::{ALPHA, student_quantile, student_two_sided};

/// The probability with which a difference as large as [`Crossed::detectable`] is found.
const POWER: f64 = 0.8;

/// What differs between two classifiers, with the noise of both the seeds and the test images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossed {
    /// Mean accuracy of the first less that of the second, over the seeds.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of this standard error.
    pub degrees: f64,
    /// Two-sided p of no difference.
    pub p: f64,
    /// The difference that would be found (p < 0.05, uncorrected) in 80 of 100 such experiments.
    pub detectable: f64,
}

/// Compares two classifiers over seeds and test images. `differences` has the shape [seeds, images]: for each seed, which trains
/// both classifiers once, and each image 1 where only the first is right, −1 where only the second is, else 0.
///
/// Seeds and images are the two crossed random factors of an analysis of variance, as readers and cases are in the comparison of
/// diagnostic tests. With the mean squares of seeds, images and the rest, the variance of the mean over S seeds and N images is
/// (MSₛ + max(MSᵢ − MSᵣ, 0)) / (S·N); the mean by its root is compared with Student's t, whose degrees of freedom are
/// Satterthwaite's for these three mean squares, at least S − 1 and at most S·N − 1.
///
/// Assumptions: the seeds are drawn independently of each other and of the images; the images are drawn independently; the mean
/// over them is about normal. The training images are the same for all, so that the result says nothing of others: that would take
/// resampled training sets and the correction of Nadeau and Bengio (2003).
///
/// `None` with fewer than two seeds or two images.
///
/// Sources: Dietterich (1998) and Bouthillier et al. (2021) on the sources of variation; Obuchowski and Rockette (1995) and Hillis
/// (2007), *Statistics in Medicine* 26, 596–619, on such a test; Satterthwaite (1946), *Biometrics Bulletin* 2, 110–114.
///
/// # Panics
/// If the seeds have different numbers of images.
pub fn crossed(differences: &[Vec<i8>]) -> Option<Crossed> {
    let (seeds, images) = (differences.len(), differences.first().map_or(0, Vec::len));
    assert!(differences.iter().all(|of_seed| of_seed.len() == images), "as many images for each seed");
    if seeds < 2 || images < 2 {
        return None;
    }
    let (s, n) = (seeds as f64, images as f64);
    let sum = |values: &[i8]| values.iter().map(|&value| f64::from(value)).sum::<f64>();
    let of_seeds: Vec<f64> = differences.iter().map(|of_seed| sum(of_seed) / n).collect();
    let of_images: Vec<f64> = (0..images)
        .map(|image| differences.iter().map(|of_seed| f64::from(of_seed[image])).sum::<f64>() / s)
        .collect();
    let mean = of_seeds.iter().sum::<f64>() / s;
    let squares = |means: &[f64]| means.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let between_seeds = n * squares(&of_seeds) / (s - 1.0);
    let between_images = s * squares(&of_images) / (n - 1.0);
    let rest = |(of_seed, mean_of_seed): (&Vec<i8>, &f64)| {
        let rest = of_seed
            .iter()
            .zip(&of_images)
            .map(|(&value, mean_of_image)| (f64::from(value) - mean_of_seed - mean_of_image + mean).powi(2));
        rest.sum::<f64>()
    };
    let rest = differences.iter().zip(&of_seeds).map(rest).sum::<f64>() / ((s - 1.0) * (n - 1.0));
    let variance = between_seeds + (between_images - rest).max(0.0);
    let of_squares = between_seeds.powi(2) / (s - 1.0)
        + between_images.powi(2) / (n - 1.0)
        + rest.powi(2) / ((s - 1.0) * (n - 1.0));
    // Of mean squares that are all zero there is nothing to tell.
    let degrees = if of_squares > 0.0 { variance.powi(2) / of_squares } else { s - 1.0 };
    let degrees = degrees.clamp(s - 1.0, s * n - 1.0);
    let standard_error = (variance / (s * n)).sqrt();
    let p = if standard_error > 0.0 {
        student_two_sided(mean / standard_error, degrees)
    } else if mean == 0.0 {
        1.0
    } else {
        0.0
    };
    let quantiles = student_quantile(1.0 - ALPHA / 2.0, degrees) + student_quantile(POWER, degrees);
    Some(Crossed { difference: mean, standard_error, degrees, p, detectable: quantiles * standard_error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix64;

    /// A normal number, as the sum of twelve uniform ones.
    fn normal(random: &mut SplitMix64) -> f64 {
        (0..12).map(|_| random.below(1 << 20) as f64 / f64::from(1 << 20)).sum::<f64>() - 6.0
    }

    /// Differences of two classifiers whose true accuracies differ by `effect`, each seed by its own noise, and whose images are
    /// not equally hard.
    fn made(
        random: &mut SplitMix64,
        seeds: usize,
        (effect, of_seed, of_image): (f64, f64, f64),
    ) -> Vec<Vec<i8>> {
        const IMAGES: usize = 400;
        let leaning: Vec<f64> = (0..IMAGES).map(|_| of_image * normal(random)).collect();
        (0..seeds)
            .map(|_| {
                let shift = effect + of_seed * normal(random);
                leaning
                    .iter()
                    .map(|lean| {
                        let drawn = random.below(1 << 20) as f64 / f64::from(1 << 20);
                        // Each is right alone for a tenth of the images, or more and less of them.
                        let first = (0.1 + (shift + lean) / 2.0).clamp(0.0, 0.5);
                        let second = (0.1 - (shift + lean) / 2.0).clamp(0.0, 0.5);
                        if drawn < first { 1 } else { -i8::from(drawn > 1.0 - second) }
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_difference_that_is_none_is_found_about_as_often_as_the_level_says() {
        let mut random = SplitMix64::new(7);
        for (seeds, of_seed, of_image) in
            [(2, 0.02, 0.05), (3, 0.02, 0.0), (5, 0.0, 0.08), (5, 0.03, 0.08), (10, 0.01, 0.05)]
        {
            const TIMES: usize = 600;
            let found = (0..TIMES).filter(|_| {
                let made = made(&mut random, seeds, (0.0, of_seed, of_image));
                crossed(&made).unwrap().p < ALPHA
            });
            let share = found.count() as f64 / TIMES as f64;
            // Three standard errors above 5 %; below, the test is conservative.
            assert!(share < 0.05 + 3.0 * (0.05 * 0.95 / TIMES as f64).sqrt(), "{seeds} seeds: {share}");
        }
    }

    #[test]
    fn a_difference_that_counts_as_detectable_is_found_in_most_cases() {
        let mut random = SplitMix64::new(11);
        let first = crossed(&made(&mut random, 5, (0.0, 0.02, 0.05))).unwrap();
        let found = (0..300)
            .filter(|_| crossed(&made(&mut random, 5, (first.detectable, 0.02, 0.05))).unwrap().p < ALPHA);
        let share = found.count() as f64 / 300.0;
        assert!((0.6..0.97).contains(&share), "{share}");
    }

    #[test]
    fn by_hand_and_at_the_ends() {
        // Two seeds and two images: means 1/2 and 0 of the seeds, 1/2 and 0 of the images.
        let found = crossed(&[vec![1, 0], vec![0, 0]]).unwrap();
        assert!((found.difference - 0.25).abs() < 1e-12);
        // The mean squares of seeds, images and the rest are all 1/4, so that the variance is 1/16 and has one degree of freedom.
        assert!(
            (found.standard_error - 0.25).abs() < 1e-12 && (found.degrees - 1.0).abs() < 1e-12,
            "{found:?}"
        );
        assert!((found.p - 0.5).abs() < 1e-9, "{found:?}");
        let none = crossed(&[vec![0; 9], vec![0; 9]]).unwrap();
        assert_eq!((none.p, none.difference, none.standard_error), (1.0, 0.0, 0.0));
        // Every seed finds the same, so that images alone are the noise.
        let same = crossed(&vec![vec![1, 1, 1, 1, 0, 0, 0, 0, -1, 0]; 3]).unwrap();
        assert!(same.p > 0.0 && same.p < 1.0 && same.degrees > 2.0, "{same:?}");
        assert_eq!(crossed(&[vec![1, 0]]), None);
        assert_eq!(crossed(&[vec![1], vec![0]]), None);
    }
}
