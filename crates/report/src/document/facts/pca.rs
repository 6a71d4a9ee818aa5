//! Facts of Task 1: the plane, the classes in it, and separability.

use inkling_schema::outcome::PairSeparability;
use serde::Serialize;

use inkling_statistics::{ALPHA, cover_probability, median};

use super::{Named, Pair, PairValue};
use crate::PcaResults;

#[derive(Debug, Serialize)]
pub(super) struct PcaFacts<'a> {
    set: &'a str,
    title: &'a str,
    images: usize,
    /// Images that the page has the pictures of.
    pictures: usize,
    dimensions: usize,
    /// Numbers of a pixel.
    channels: usize,
    /// Dimensions that the plane leaves out.
    other_dimensions: usize,
    first_share: f64,
    second_share: f64,
    plane_share: f64,
    left_share: f64,
    /// Share of the variance in a plane turned at random, on average.
    random_share: f64,
    /// Components that hold at least a share of the variance.
    needed: Vec<Share>,
    /// Share of the variance lost with so many components kept.
    rebuilt: Vec<Share>,
    clouds: Option<Clouds<'a>>,
    separability: Option<SeparabilityFacts>,
}

/// A share of the variance that so many components hold or lose.
#[derive(Debug, Serialize)]
struct Share {
    components: usize,
    share: f64,
}

/// The classes as clouds of points in the plane.
#[derive(Debug, Serialize)]
struct Clouds<'a> {
    /// Along each axis the classes whose centres lie lowest and highest.
    axes: [[&'a str; 2]; 2],
    nearest: PairValue,
    farthest: PairValue,
    /// Root mean square distance of the points from their class's centre: over all points, and for two classes.
    spread: f64,
    narrowest: Named<'a>,
    widest: Named<'a>,
    /// Share of the images whose nearest class centre is their own class's.
    nearest_centre_accuracy: f64,
    commonest_share: f64,
}

#[derive(Debug, Serialize)]
struct SeparabilityFacts {
    /// How many classes are compared of how many, where these are too many.
    of_classes: Option<[usize; 2]>,
    pairs: usize,
    separable_in_plane: Vec<Pair>,
    best: PairValue,
    worst: PairValue,
    /// Share of the commoner class in the pair that is worst in the plane.
    worst_commoner: f64,
    median: f64,
    certified: usize,
    uncertified: Vec<Uncertified>,
    /// The largest share of a pair's images that the best hyperplane found leaves on the wrong side.
    worst_error: f64,
    /// The pair that is worst in the plane among those with a certificate in all dimensions.
    contrast: Option<Contrast>,
    fewest_images: usize,
    most_images: usize,
    chance: Chance,
}

#[derive(Debug, Serialize)]
struct Uncertified {
    pair: Pair,
    errors: usize,
}

#[derive(Debug, Serialize)]
struct Contrast {
    pair: Pair,
    plane_accuracy: f64,
    images: usize,
}

/// Whether images with random labels could be separated as well (Cover 1965).
#[derive(Debug, Serialize)]
struct Chance {
    /// Dimensions that the training images span: the rank of the data, which pixels of one value do not raise.
    rank: usize,
    /// The largest probability over the pairs, which is that of the pair with the fewest images.
    most: f64,
    /// Whether it is below 5 %.
    unlikely: bool,
    /// Whether no pair has more images than dimensions and one: any labels could be separated.
    certain: bool,
}

impl Chance {
    fn new(spectrum: &[f64], samples: usize, fewest_images: usize, most_images: usize) -> Chance {
        // What an eigenvalue may be off by rounding.
        let largest = spectrum.first().copied().unwrap_or(0.0);
        let rounding = largest * samples.max(spectrum.len()) as f64 * f64::EPSILON;
        let rank = spectrum.iter().filter(|variance| **variance > rounding).count();
        // With an offset a hyperplane has one dimension more.
        let most = cover_probability(fewest_images, rank + 1);
        Chance { rank, most, unlikely: most < ALPHA, certain: most_images <= rank + 1 }
    }
}

impl<'a> PcaFacts<'a> {
    pub(super) fn new(results: &'a PcaResults) -> Self {
        let outcome = &results.outcome;
        let ratio = &outcome.explained_variance_ratio;
        let needed = |share: f64| Some(Share { share, components: results.components_with(share)? });
        let lost = |&components: &usize| Share {
            components,
            share: (1.0 - ratio[..components].iter().sum::<f64>()).max(0.0),
        };
        PcaFacts {
            set: &results.spec.data.set,
            title: &results.data.title,
            images: outcome.samples,
            pictures: results.spec.pictures,
            dimensions: outcome.features,
            channels: results.data.channels,
            other_dimensions: outcome.features.saturating_sub(2),
            first_share: ratio[0],
            second_share: ratio[1],
            plane_share: ratio[0] + ratio[1],
            left_share: 1.0 - ratio[0] - ratio[1],
            random_share: 2.0 / outcome.features as f64,
            needed: [0.5, 0.9].into_iter().filter_map(needed).collect(),
            rebuilt: results.spec.reconstructions.iter().map(lost).collect(),
            clouds: Clouds::new(results),
            separability: SeparabilityFacts::new(results),
        }
    }
}

impl<'a> Clouds<'a> {
    /// `None` where fewer than two classes have images.
    fn new(results: &'a PcaResults) -> Option<Self> {
        let names = &results.data.classes;
        let mut sums = vec![([0.0; 2], 0_usize); names.len()];
        for (point, &label) in results.embedding.iter().zip(&results.labels) {
            let (sum, count) = &mut sums[usize::from(label)];
            *sum = [sum[0] + point[0], sum[1] + point[1]];
            *count += 1;
        }
        let commonest = sums.iter().map(|(_, count)| *count).max()?;
        let centres: Vec<(usize, [f64; 2])> = sums
            .iter()
            .enumerate()
            .filter(|(_, (_, count))| *count > 0)
            .map(|(class, (sum, count))| (class, sum.map(|sum| sum / *count as f64)))
            .collect();

        let mut squares = vec![0.0; names.len()];
        let mut right = 0;
        for (point, &label) in results.embedding.iter().zip(&results.labels) {
            let label = usize::from(label);
            let distances = centres.iter().map(|(class, centre)| (*class, squared_distance(point, centre)));
            let own = distances.clone().find(|(class, _)| *class == label)?.1;
            let nearest = distances.min_by(|p, q| p.1.total_cmp(&q.1))?;
            squares[label] += own;
            right += usize::from(nearest.0 == label);
        }
        let n = results.embedding.len() as f64;
        let spreads = centres.iter().map(|&(class, _)| Named {
            name: &names[class],
            value: (squares[class] / sums[class].1 as f64).sqrt(),
        });
        let pairs =
            centres.iter().enumerate().flat_map(|(i, p)| centres[i + 1..].iter().map(move |q| (p, q)));
        let pairs = pairs.map(|(p, q)| PairValue {
            pair: Pair::new(names, p.0, q.0),
            value: squared_distance(&p.1, &q.1).sqrt(),
        });
        let along = |axis: usize| {
            let position = |p: &&(usize, [f64; 2]), q: &&(usize, [f64; 2])| p.1[axis].total_cmp(&q.1[axis]);
            let ends = [centres.iter().min_by(position)?, centres.iter().max_by(position)?];
            Some(ends.map(|(class, _)| names[*class].as_str()))
        };
        Some(Clouds {
            axes: [along(0)?, along(1)?],
            nearest: pairs.clone().min_by(|p, q| p.value.total_cmp(&q.value))?,
            farthest: pairs.max_by(|p, q| p.value.total_cmp(&q.value))?,
            spread: (squares.iter().sum::<f64>() / n).sqrt(),
            narrowest: spreads.clone().min_by(|p, q| p.value.total_cmp(&q.value))?,
            widest: spreads.max_by(|p, q| p.value.total_cmp(&q.value))?,
            nearest_centre_accuracy: right as f64 / n,
            commonest_share: commonest as f64 / n,
        })
    }
}

fn squared_distance(p: &[f64; 2], q: &[f64; 2]) -> f64 {
    (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2)
}

impl SeparabilityFacts {
    /// `None` where there is no pair.
    fn new(results: &PcaResults) -> Option<Self> {
        let pairs = &results.separability.pairs;
        let named = |found: &PairSeparability| Pair::new(&results.compared_data.classes, found.a, found.b);
        let in_plane =
            |found: &PairSeparability| PairValue { pair: named(found), value: found.plane_accuracy };
        let by_plane =
            |p: &&PairSeparability, q: &&PairSeparability| p.plane_accuracy.total_cmp(&q.plane_accuracy);
        let worst = pairs.iter().min_by(by_plane)?;
        let of = |place: u8| {
            let class = results.compared.get(usize::from(place)).copied().unwrap_or(place);
            results.labels.iter().filter(|label| **label == class).count()
        };
        let certified = || pairs.iter().filter(|found| found.separable_in_full_space);
        let contrast = certified().filter(|found| !found.separable_in_plane).min_by(by_plane);
        let fewest_images = pairs.iter().map(|found| found.images).min()?;
        let most_images = pairs.iter().map(|found| found.images).max()?;
        let (compared, all) = (results.compared.len(), results.data.classes.len());
        Some(SeparabilityFacts {
            of_classes: (compared < all).then_some([compared, all]),
            pairs: pairs.len(),
            separable_in_plane: pairs.iter().filter(|found| found.separable_in_plane).map(named).collect(),
            best: in_plane(pairs.iter().max_by(by_plane)?),
            worst: in_plane(worst),
            worst_commoner: of(worst.a).max(of(worst.b)) as f64 / worst.images as f64,
            median: median(pairs.iter().map(|found| found.plane_accuracy))?,
            certified: certified().count(),
            uncertified: pairs
                .iter()
                .filter(|found| !found.separable_in_full_space)
                .map(|found| Uncertified { pair: named(found), errors: found.full_space_errors })
                .collect(),
            worst_error: pairs
                .iter()
                .map(|found| found.full_space_errors as f64 / found.images as f64)
                .fold(0.0, f64::max),
            contrast: contrast.map(|found| Contrast {
                pair: named(found),
                plane_accuracy: found.plane_accuracy,
                images: found.images,
            }),
            fewest_images,
            most_images,
            chance: Chance::new(&results.spectrum, results.outcome.samples, fewest_images, most_images),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_labels_are_judged_by_the_rank_of_the_data() {
        // 4 of 6 dimensions have variance, the rest is rounding.
        let spectrum = [9.0, 3.0, 1.0, 0.5, 1e-17, 0.0];
        let few = Chance::new(&spectrum, 100, 4, 5);
        assert_eq!((few.rank, few.most, few.unlikely, few.certain), (4, 1.0, false, true));
        // Twice as many images as dimensions and an offset: one half (Cover 1965).
        let capacity = Chance::new(&spectrum, 100, 10, 12);
        assert!((capacity.most - 0.5).abs() < 1e-12 && !capacity.unlikely && !capacity.certain);
        assert!(Chance::new(&spectrum, 100, 40, 90).unlikely);
    }
}
