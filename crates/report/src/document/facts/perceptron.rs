//! Facts of Task 2, and of what Tasks 1 and 2 say about each other.

use inkling_schema::PerceptronRule;
use inkling_schema::outcome::PairSeparability;
use serde::Serialize;

use super::rank::RankCorrelation;
use super::{Named, Pair, ends};
use crate::rows::{PerceptronRow, PerceptronRows, PerceptronSeedRow};
use crate::{PairResults, PcaResults, PerceptronResults};
use inkling_statistics::{ALPHA, Method, chi_squared_homogeneity, mantel_spearman, mean, median};

/// Standard deviations of the test accuracies of pairs over seeds.
#[derive(Debug, Serialize)]
struct SeedsFacts {
    count: usize,
    lowest: f64,
    highest: f64,
    median: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct PerceptronFacts<'a> {
    /// How many classes are compared of how many, where these are too many.
    of_classes: Option<[usize; 2]>,
    set: &'a str,
    title: &'a str,
    dimensions: usize,
    /// Numbers of a pixel.
    channels: usize,
    pairs: usize,
    rule: PerceptronRule,
    learning_rate: f64,
    max_iterations: usize,
    tolerance: f64,
    /// The pairs whose training stopped at the last iteration that is allowed, not at the tolerance.
    unstopped: Vec<Pair>,
    /// The pairs whose weights stopped being finite.
    diverged: Vec<Pair>,
    /// Iterations of the pairs that stopped at the tolerance.
    iterations: Option<Iterations>,
    /// The most training errors with which a pair stopped at the tolerance.
    errors_when_stopped: usize,
    /// Some pairs from the easiest to the hardest.
    rows: &'a [PerceptronRow],
    /// The pairs of the highest and of the lowest test accuracy.
    easiest: Pair,
    hardest: Pair,
    /// Whether all pairs may have one accuracy; `None` for a single pair.
    homogeneity: Option<HomogeneityFacts>,
    /// The lowest and the highest share of the commoner class of a pair among its test images; `None` where the numbers of
    /// images do not say it.
    commoner: Option<(f64, f64)>,
    /// How many rows of the table have an interval that meets the next row's.
    neighbours_meet: usize,
    mean_train_accuracy: f64,
    mean_test_accuracy: f64,
    /// Pairs whose accuracy is higher on the training than on the test images.
    better_in_training: usize,
    /// Mean test accuracy over the pairs of a class; `None` with fewer than three classes.
    hardest_class: Option<Named<'a>>,
    easiest_class: Option<Named<'a>>,
    restless: Option<Restless>,
    /// The pair whose weights moved least from their random start, by their standard deviation.
    least_moved: Moved,
    most_moved: Moved,
    start_deviation: f64,
    /// Where all seeds train perceptrons.
    seeds: Option<SeedsFacts>,
}

#[derive(Debug, Serialize)]
struct Iterations {
    fewest: usize,
    median: f64,
    most: usize,
}

/// A test of one accuracy for all pairs. Extremes of many pairs differ by chance alone, so none are picked and compared.
#[derive(Debug, Serialize)]
struct HomogeneityFacts {
    p: f64,
    differ: bool,
    /// Whether p comes from random permutations, as some counts are small.
    permuted: bool,
}

impl HomogeneityFacts {
    fn new(pairs: &[PairResults]) -> Option<Self> {
        let counts = pairs.iter().map(|pair| (pair.outcome.test_correct, pair.outcome.test_images));
        let found = chi_squared_homogeneity(&counts.collect::<Vec<_>>(), pairs.first()?.spec.seed)?;
        let permuted = found.method == Method::Permutation;
        Some(HomogeneityFacts { p: found.p, differ: found.p < ALPHA, permuted })
    }
}

/// The numbers of test images of all pairs of three classes or more give those of the classes: of any three, n(a) is
/// half of n(ab) + n(ac) − n(bc).
fn commoner_shares(classes: usize, pairs: &[PairResults]) -> Option<(f64, f64)> {
    let images = |a: usize, b: usize| {
        let wanted = (a.min(b), a.max(b));
        let pair = pairs.iter().find(|pair| (usize::from(pair.spec.a), usize::from(pair.spec.b)) == wanted);
        pair.map(|pair| pair.outcome.test_images)
    };
    let of = |class: usize| {
        let mut others = (0..classes).filter(|other| *other != class);
        let (b, c) = (others.next()?, others.next()?);
        (images(class, b)? + images(class, c)?).checked_sub(images(b, c)?).map(|twice| twice / 2)
    };
    let counts: Vec<usize> = (0..classes).map(of).collect::<Option<_>>()?;
    let shares = pairs.iter().map(|pair| {
        let (a, b) = (counts[usize::from(pair.spec.a)], counts[usize::from(pair.spec.b)]);
        (a + b == pair.outcome.test_images).then(|| a.max(b) as f64 / (a + b).max(1) as f64)
    });
    ends(shares.collect::<Option<Vec<f64>>>()?.into_iter())
}

/// A pair, and how far its weights scatter at the end.
#[derive(Debug, Serialize)]
struct Moved {
    pair: Pair,
    deviation: f64,
    iterations: usize,
}

/// The pair whose training ended farthest above its own best error, among those that did not stop at the tolerance.
#[derive(Debug, Serialize)]
struct Restless {
    pair: Pair,
    last: f64,
    best: f64,
    best_iteration: usize,
}

/// What the tasks say about each other, for pairs that both have looked at.
#[derive(Debug, Serialize)]
pub(super) struct LinkFacts {
    /// Test accuracy of the perceptron with accuracy of the best line in the plane.
    plane: Option<RankCorrelation>,
    hardest_in_plane: Pair,
    uncertified: usize,
    /// Pairs that did not stop at the tolerance, without and with a certificate.
    uncertified_unstopped: usize,
    certified_unstopped: usize,
    /// Mean test accuracy, with and without a certificate.
    certified_accuracy: Option<f64>,
    uncertified_accuracy: Option<f64>,
    /// Pixels that are black in every training image.
    black_pixels: usize,
}

impl SeedsFacts {
    /// `None` where only the first seed trains perceptrons.
    fn new(rows: &[PerceptronSeedRow]) -> Option<SeedsFacts> {
        let count = rows.iter().map(|row| row.seeds).max()?;
        let deviations = || rows.iter().filter_map(|row| row.deviation);
        let (lowest, highest) = ends(deviations())?;
        Some(SeedsFacts { count, lowest, highest, median: median(deviations())? })
    }
}

impl<'a> PerceptronFacts<'a> {
    pub(super) fn new(results: &'a PerceptronResults, of: &'a PerceptronRows) -> Self {
        let rows = &of.five;
        let classes = &results.data.classes;
        let pairs = &results.pairs;
        let spec = &pairs[0].spec;
        let ranked = results.easy_to_hard();
        let meet = |two: &[PerceptronRow]| {
            let [p, q] = [two[0].test_interval, two[1].test_interval];
            p.0 <= q.1 && q.0 <= p.1
        };
        let stopped = || pairs.iter().map(|pair| &pair.outcome).filter(|found| found.converged);
        let iterations = || stopped().map(|found| found.iterations);
        let named_of = |is_one: fn(&PairResults) -> bool| {
            pairs.iter().filter(|pair| is_one(pair)).map(|pair| named(classes, pair)).collect()
        };
        let moved = || {
            pairs.iter().map(|pair| Moved {
                pair: named(classes, pair),
                deviation: deviation(pair),
                iterations: pair.outcome.iterations,
            })
        };
        let by_deviation = |p: &Moved, q: &Moved| p.deviation.total_cmp(&q.deviation);
        let by_class = class_means(classes, pairs);
        let (compared, all) = (classes.len(), results.classes);
        PerceptronFacts {
            of_classes: (compared < all).then_some([compared, all]),
            set: &spec.data.set,
            title: &results.data.title,
            dimensions: pairs[0].weights.len(),
            channels: results.data.channels,
            pairs: pairs.len(),
            rule: spec.rule,
            learning_rate: spec.learning_rate,
            max_iterations: spec.max_iterations,
            tolerance: spec.tolerance,
            unstopped: named_of(is_unstopped),
            diverged: named_of(|pair| pair.outcome.diverged.is_some()),
            iterations: median(iterations().map(|count| count as f64)).map(|median| Iterations {
                fewest: iterations().min().unwrap_or(0),
                median,
                most: iterations().max().unwrap_or(0),
            }),
            errors_when_stopped: stopped()
                .map(|found| found.train_images - found.train_correct)
                .max()
                .unwrap_or(0),
            homogeneity: HomogeneityFacts::new(pairs),
            commoner: commoner_shares(classes.len(), pairs),
            neighbours_meet: rows.windows(2).filter(|two| meet(two)).count(),
            mean_train_accuracy: mean(pairs.iter().map(PairResults::train_accuracy)).unwrap_or(0.0),
            mean_test_accuracy: mean(pairs.iter().map(PairResults::test_accuracy)).unwrap_or(0.0),
            better_in_training: pairs
                .iter()
                .filter(|pair| pair.train_accuracy() > pair.test_accuracy())
                .count(),
            hardest_class: by_class.first().cloned(),
            easiest_class: by_class.last().cloned(),
            restless: restless(classes, pairs),
            least_moved: moved().min_by(by_deviation).expect("a pair"),
            most_moved: moved().max_by(by_deviation).expect("a pair"),
            // Of the uniform distribution on [0, 1).
            start_deviation: (1.0_f64 / 12.0).sqrt(),
            seeds: SeedsFacts::new(&of.seeds),
            easiest: named(classes, ranked[0]),
            hardest: named(classes, ranked[ranked.len() - 1]),
            rows,
        }
    }
}

fn named(classes: &[String], pair: &PairResults) -> Pair {
    Pair::new(classes, pair.spec.a, pair.spec.b)
}

/// Whether its training stopped at the last iteration that is allowed.
fn is_unstopped(pair: &PairResults) -> bool {
    !pair.outcome.converged && pair.outcome.diverged.is_none()
}

/// Standard deviation of the weights.
fn deviation(pair: &PairResults) -> f64 {
    let weights = || pair.weights.iter().map(|w| f64::from(*w));
    let centre = mean(weights()).unwrap_or(0.0);
    mean(weights().map(|w| (w - centre).powi(2))).unwrap_or(0.0).sqrt()
}

/// Mean test accuracy over the pairs of each class, lowest first; nothing where every class is in the same pair.
fn class_means<'a>(classes: &'a [String], pairs: &[PairResults]) -> Vec<Named<'a>> {
    let of_class = |class: usize| {
        let has = move |pair: &&PairResults| [pair.spec.a, pair.spec.b].map(usize::from).contains(&class);
        let value = mean(pairs.iter().filter(has).map(PairResults::test_accuracy))?;
        Some(Named { name: &classes[class], value })
    };
    let mut means: Vec<Named> = (0..classes.len()).filter_map(of_class).collect();
    means.sort_by(|p, q| p.value.total_cmp(&q.value));
    if means.len() < 3 { Vec::new() } else { means }
}

fn restless(classes: &[String], pairs: &[PairResults]) -> Option<Restless> {
    let found = pairs.iter().filter(|pair| is_unstopped(pair)).filter_map(|pair| {
        let last = *pair.errors.last()?;
        let (place, best) = pair.errors.iter().copied().enumerate().min_by(|p, q| p.1.total_cmp(&q.1))?;
        (best < last).then(|| Restless { pair: named(classes, pair), last, best, best_iteration: place + 1 })
    });
    found.max_by(|p, q| (p.last - p.best).total_cmp(&(q.last - q.best)))
}

impl LinkFacts {
    /// `None` where the two tasks looked at different images.
    pub(super) fn new(pca: &PcaResults, perceptrons: &PerceptronResults) -> Option<Self> {
        let spec = &perceptrons.pairs.first()?.spec.data;
        if (&pca.spec.data.set, pca.spec.data.train_images) != (&spec.set, spec.train_images) {
            return None;
        }
        let separability = |pair: &PairResults| {
            let same = |found: &&PairSeparability| (found.a, found.b) == (pair.spec.a, pair.spec.b);
            pca.separability.pairs.iter().find(same)
        };
        let both: Vec<_> =
            perceptrons.pairs.iter().filter_map(|pair| Some((pair, separability(pair)?))).collect();
        let plane: Vec<f64> = both.iter().map(|(_, found)| found.plane_accuracy).collect();
        let test: Vec<f64> = both.iter().map(|(pair, _)| pair.test_accuracy()).collect();
        // Pairs that share a class are not independent: classes are permuted, not pairs. Both lists have all pairs in
        // lexicographic order, unless some runs are not finished.
        let classes = perceptrons.data.classes.len();
        let whole = both.len() == classes * classes.saturating_sub(1) / 2;
        let seed = perceptrons.pairs[0].spec.seed;
        let relation = whole.then(|| mantel_spearman(classes, &plane, &test, seed)).flatten();
        let (hardest_in_plane, _) =
            both.iter().min_by(|p, q| p.1.plane_accuracy.total_cmp(&q.1.plane_accuracy))?;
        let having = |certified: bool| {
            both.iter()
                .filter(move |(_, found)| found.separable_in_full_space == certified)
                .map(|(pair, _)| *pair)
        };
        let unstopped = |certified| having(certified).filter(|pair| !pair.outcome.converged).count();
        Some(LinkFacts {
            hardest_in_plane: named(&perceptrons.data.classes, hardest_in_plane),
            plane: relation.map(|(rho, p)| RankCorrelation { rho, clear: p < ALPHA, p: Some(p) }),
            uncertified: having(false).count(),
            uncertified_unstopped: unstopped(false),
            certified_unstopped: unstopped(true),
            certified_accuracy: mean(having(true).map(PairResults::test_accuracy)),
            uncertified_accuracy: mean(having(false).map(PairResults::test_accuracy)),
            // Pixels are scaled to −1 … 1, so the mean of one that is always black is −1 exactly.
            black_pixels: pca
                .mean
                .chunks_exact(pca.data.channels)
                .filter(|means| means.iter().all(|mean| *mean == -1.0))
                .count(),
        })
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::PerceptronOutcome;
    use inkling_schema::{DataSlice, PerceptronRun};

    use inkling_statistics::wilson_interval;

    use super::*;

    /// A perceptron of two classes, right for so many of its test images.
    fn pair(a: u8, b: u8, (right, images): (usize, usize)) -> PairResults {
        PairResults {
            replicates: Vec::new(),
            spec: PerceptronRun {
                data: DataSlice { set: "toy".into(), train_images: 100, test_images: 100 },
                a,
                b,
                rule: PerceptronRule::Online,
                learning_rate: 0.1,
                max_iterations: 9,
                tolerance: 0.0,
                seed: 1,
            },
            outcome: PerceptronOutcome {
                iterations: 9,
                converged: true,
                diverged: None,
                train_images: 100,
                train_correct: 100,
                test_images: images,
                test_correct: right,
            },
            errors: Vec::new(),
            weights: vec![0.0; 4],
            bias: 0.0,
            seconds: 0.1,
        }
    }

    #[test]
    fn the_extremes_of_many_equal_pairs_are_no_difference() {
        // 45 pairs that are right for 970 of 1000 images, but for chance: the intervals of the extremes lie apart.
        let mut chance = inkling_statistics::SplitMix64::new(4);
        let mut right = || (0..1000).filter(|_| chance.below(100) < 97).count();
        let pairs: Vec<PairResults> = (0..10)
            .flat_map(|a| (a + 1..10).map(move |b| (a, b)))
            .map(|(a, b)| pair(a, b, (right(), 1000)))
            .collect();
        let rights = || pairs.iter().map(|pair| pair.outcome.test_correct);
        let (worst, best) = (rights().min().unwrap(), rights().max().unwrap());
        assert!(wilson_interval(worst, 1000).1 < wilson_interval(best, 1000).0, "{worst} and {best}");
        let found = HomogeneityFacts::new(&pairs).unwrap();
        assert!(!found.differ && !found.permuted && found.p > 0.05, "{found:?}");
        // One pair that is harder than the others.
        let mut harder = pairs;
        harder[7].outcome.test_correct = 800;
        assert!(HomogeneityFacts::new(&harder).unwrap().differ);
        assert!(HomogeneityFacts::new(&harder[..1]).is_none());
    }

    #[test]
    fn images_of_pairs_give_those_of_classes() {
        // 60, 30 and 10 test images.
        let pairs = [pair(0, 1, (1, 90)), pair(0, 2, (1, 70)), pair(1, 2, (1, 40))];
        let (low, high) = commoner_shares(3, &pairs).unwrap();
        assert!((low - 60.0 / 90.0).abs() < 1e-12 && (high - 60.0 / 70.0).abs() < 1e-12, "{low}, {high}");
        assert_eq!(commoner_shares(2, &pairs[..1]), None);
        assert_eq!(commoner_shares(3, &pairs[..2]), None);
        // Numbers that no classes have.
        assert_eq!(commoner_shares(3, &[pair(0, 1, (1, 9)), pair(0, 2, (1, 9)), pair(1, 2, (1, 90))]), None);
    }
}
