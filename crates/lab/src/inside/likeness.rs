//! Whether what a network learns from several seeds looks alike: filters that are matched with each other, dreams of one class.

use inkling_engine::random::RngStream;
use inkling_schema::outcome::{DreamLikeness, FilterLikeness, LikenessOutcome, PairLikeness, PlannedRun};
use inkling_schema::{LikenessRun, RunId, RunSpec};
use inkling_statistics::{counterparts, mean, pearson};
use inkling_store::{Store, TensorFile};
use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;
use rayon::prelude::*;

use super::trained::Trained;
use crate::error::LabError;
use crate::runs::{RunContext, run_once};

/// Does the run unless the store holds it; the networks are trained and have dreamt.
pub(crate) fn run_in(context: &RunContext, run: &PlannedRun) -> Result<(), LabError> {
    let RunSpec::Likeness(spec) = &run.spec else { panic!("a {:?} run compares no seeds", run.task) };
    rayon::scope(|_| {
        run_once(context, run, |_| {
            let (filters, dreams) = (filters(spec, context.store)?, dreams(spec, context.store)?);
            Ok(Some(LikenessOutcome { filters, dreams }))
        })
    })
}

/// Every two of so many things.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |a| (a + 1..count).map(move |b| (a, b)))
}

/// The filters of a convolution as vectors, and how many weights of each belong to one channel.
struct Filters {
    vectors: Vec<Vec<f64>>,
    of_channel: usize,
}

impl Filters {
    /// Those of the first convolution, and its name; `None` without one.
    fn read(id: &RunId, store: &Store) -> Result<Option<(String, Filters)>, LabError> {
        let file = store.run(id.as_ref()).path().join(TensorFile::Model.name());
        let trained = Trained::read(&file)?;
        let Some(name) = trained.convolutions().into_iter().next() else { return Ok(None) };
        let arrays = trained.network.state_dict(inkling_engine::StateKind::Values);
        let weight = arrays.iter().find(|array| array.name == format!("{name}.weight"));
        let weight = weight.expect("a convolution has weights");
        let [height, width, channels, filters] = weight.shape[..] else {
            unreachable!("a convolution's weight")
        };
        // By channel, so that the weights of one lie together.
        let vector = |filter: usize| {
            let channel = |channel: usize| {
                (0..height * width).map(move |place| (place * channels + channel) * filters + filter)
            };
            (0..channels).flat_map(channel).map(|place| f64::from(weight.values[place])).collect()
        };
        let vectors = (0..filters).map(vector).collect();
        Ok(Some((name, Filters { vectors, of_channel: height * width })))
    }

    /// These with the weights of each filter and channel in a random order.
    fn shuffled(&self, random: &mut RngStream) -> Filters {
        let mut vectors = self.vectors.clone();
        let channels = vectors.iter_mut().flat_map(|vector| vector.chunks_mut(self.of_channel));
        channels.for_each(|channel| random.shuffle(channel));
        Filters { vectors, of_channel: self.of_channel }
    }

    /// The mean cosine similarity of the matching that makes it largest.
    fn likeness(&self, other: &Filters) -> f64 {
        /// The matching is found in whole numbers: a billionth is less than rounding.
        const UNIT: f64 = 1e9;
        let count = self.vectors.len();
        let weights = Matrix::from_fn(count, count, |(row, column)| {
            (UNIT * cosine(&self.vectors[row], &other.vectors[column])).round() as i64
        });
        let (_, columns) = kuhn_munkres(&weights);
        let matched = columns.into_iter().enumerate();
        mean(matched.map(|(row, column)| weights[(row, column)] as f64 / UNIT)).unwrap_or(0.0)
    }
}

/// The cosine of the angle between two vectors; 0 where one has no length.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lengths = (product(a, a) * product(b, b)).sqrt();
    if lengths > 0.0 && lengths.is_finite() { product(a, b) / lengths } else { 0.0 }
}

fn filters(spec: &LikenessRun, store: &Store) -> Result<Option<FilterLikeness>, LabError> {
    let (mut layer, mut all) = (String::new(), Vec::new());
    for id in &spec.of {
        let Some((name, filters)) = Filters::read(id, store)? else { return Ok(None) };
        layer = name;
        all.push(filters);
    }
    let compare = |(a, b): (usize, usize)| {
        let mut random = RngStream::new(spec.seed, &format!("likeness of seeds/{a}/{b}"));
        let observed = all[a].likeness(&all[b]);
        let by_chance: Vec<f64> =
            (0..spec.shuffles).map(|_| all[a].likeness(&all[b].shuffled(&mut random))).collect();
        let as_alike = by_chance.iter().filter(|&&chance| chance >= observed - 1e-12).count();
        let p = (1 + as_alike) as f64 / (1 + spec.shuffles) as f64;
        PairLikeness { a, b, observed, by_chance: mean(by_chance).unwrap_or(0.0), p }
    };
    let pairs: Vec<(usize, usize)> = pairs(all.len()).collect();
    let pairs = pairs.into_par_iter().map(compare).collect();
    let filters = all.first().map_or(0, |filters: &Filters| filters.vectors.len());
    Ok(Some(FilterLikeness { layer, filters, pairs }))
}

fn dreams(spec: &LikenessRun, store: &Store) -> Result<Option<DreamLikeness>, LabError> {
    let mut all: Vec<Vec<Vec<f64>>> = Vec::new();
    for id in &spec.dreams {
        let arrays = store.run(id.as_ref()).tensors(TensorFile::Arrays)?;
        let shape = arrays.shape("pictures")?.to_vec();
        let pixels: Vec<f32> = arrays.values("pictures", &shape)?;
        let size = pixels.len() / shape.first().copied().unwrap_or(1).max(1);
        let picture = |pixels: &[f32]| pixels.iter().map(|&value| f64::from(value)).collect();
        all.push(pixels.chunks_exact(size.max(1)).map(picture).collect());
    }
    let classes = all.first().map_or(0, Vec::len);
    if classes < 2 {
        return Ok(None);
    }
    let compare = |(a, b): (usize, usize)| {
        let similarity = |(x, y): (usize, usize)| pearson(&all[a][x], &all[b][y]).unwrap_or(0.0);
        let all_pairs = (0..classes).flat_map(|x| (0..classes).map(move |y| (x, y)));
        let similarity: Vec<f64> = all_pairs.map(similarity).collect();
        let (observed, by_chance, p) = counterparts(&similarity, classes, spec.seed)?;
        Some(PairLikeness { a, b, observed, by_chance, p })
    };
    Ok(Some(DreamLikeness { classes, pairs: pairs(all.len()).filter_map(compare).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_filters(random: &mut RngStream, count: usize) -> Filters {
        let mut vector = || (0..16).map(|_| f64::from(random.uniform()) - 0.5).collect();
        Filters { vectors: (0..count).map(|_| vector()).collect(), of_channel: 16 }
    }

    #[test]
    fn filters_in_another_order_are_the_same_and_random_ones_are_not() {
        let mut random = RngStream::new(3, "test");
        let filters = random_filters(&mut random, 12);
        let turned = Filters { vectors: filters.vectors.iter().rev().cloned().collect(), of_channel: 16 };
        assert!((filters.likeness(&turned) - 1.0).abs() < 1e-6);
        let other = random_filters(&mut random, 12);
        let (found, chance) = (filters.likeness(&other), filters.likeness(&other.shuffled(&mut random)));
        assert!(found < 0.7 && (found - chance).abs() < 0.2, "{found} {chance}");
    }

    #[test]
    fn shuffled_filters_keep_their_weights_in_their_channels() {
        let mut random = RngStream::new(4, "test");
        let filters = Filters { vectors: vec![(0..18).map(f64::from).collect()], of_channel: 9 };
        let shuffled = filters.shuffled(&mut random);
        let sorted = |part: &[f64]| {
            let mut part = part.to_vec();
            part.sort_by(f64::total_cmp);
            part
        };
        assert_ne!(shuffled.vectors, filters.vectors);
        for channel in 0..2 {
            let part = channel * 9..(channel + 1) * 9;
            assert_eq!(sorted(&shuffled.vectors[0][part.clone()]), filters.vectors[0][part]);
        }
    }

    #[test]
    fn a_filter_of_zeros_is_like_none() {
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 2.0]), 0.0);
        assert!((cosine(&[1.0, 1.0], &[2.0, 2.0]) - 1.0).abs() < 1e-12);
    }
}
