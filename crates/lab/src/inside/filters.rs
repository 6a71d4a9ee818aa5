//! The filters of each convolution, and what kinds of patterns they are.

use inkling_engine::random::RngStream;
use inkling_engine::{NamedTensor, StateKind};
use inkling_schema::PatternSpec;
use inkling_schema::outcome::{FilterKinds, FilterLayer, FiltersOutcome};
use inkling_store::{Metadata, RunWriter, Tensor, TensorFile};

use super::error::LookError;
use super::trained::{Trained, list};
use crate::error::LabError;

/// Random slices from which it is estimated how many are of each kind by chance.
const DRAWN: usize = 20_000;

/// What a slice looks like, as files number it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NearZero = 0,
    Edge = 1,
    Blob = 2,
    Other = 3,
}

/// Refuses a network without convolutions.
///
/// # Errors
/// [`LookError::NoConvolutions`] with the layers that there are.
pub(crate) fn check(trained: &Trained) -> Result<(), LookError> {
    if !trained.convolutions().is_empty() {
        return Ok(());
    }
    let layers = trained.network.layer_handles();
    let layers = list(layers.iter().map(|layer| format!("`{}` ({})", layer.name, layer.shape)));
    Err(LookError::NoConvolutions { layers })
}

/// Looks at every convolution and writes the run's arrays.
pub(crate) fn run(
    patterns: &PatternSpec,
    trained: &Trained,
    writer: &RunWriter,
) -> Result<FiltersOutcome, LabError> {
    check(trained)?;
    let convolutions = trained.convolutions();
    let arrays = trained.network.state_dict(StateKind::Values);
    let weights = |name: &str| {
        let name = format!("{name}.weight");
        arrays.iter().find(|array| array.name == name).expect("a convolution has weights")
    };
    let stats: Vec<FilterStats> =
        convolutions.iter().map(|name| FilterStats::at(patterns, name, weights(name))).collect();
    let tensors: Vec<Tensor> = stats.iter().flat_map(FilterStats::tensors).collect();
    writer.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new())?;
    Ok(FiltersOutcome { layers: stats.iter().map(|stats| stats.layer(patterns)).collect() })
}

/// A convolution that was looked at.
struct FilterStats<'a> {
    name: String,
    weight: &'a NamedTensor,
    /// Of each slice, [channels, filters].
    norms: Vec<f32>,
    kinds: Vec<u8>,
    coherences: Vec<f32>,
    /// The channel of the largest slice of each filter.
    largest: Vec<u32>,
    /// The filters of largest norm.
    whole: Vec<u32>,
}

impl FilterStats<'_> {
    fn at<'a>(patterns: &PatternSpec, name: &str, weight: &'a NamedTensor) -> FilterStats<'a> {
        let [height, width, channels, filters] = weight.shape[..] else {
            unreachable!("a convolution's weight")
        };
        let slice = |number: usize| -> Vec<f64> {
            let values = weight.values.iter().skip(number).step_by(channels * filters);
            values.map(|&value| f64::from(value)).collect()
        };
        let slices: Vec<Vec<f64>> = (0..channels * filters).map(slice).collect();
        let square = |slice: &[f64]| slice.iter().map(|w| w * w).sum::<f64>();
        let all = slices.iter().map(|slice| square(slice)).sum::<f64>();
        let root_mean_square = (all / weight.values.len() as f64).sqrt();
        let norms: Vec<f64> = slices.iter().map(|slice| square(slice).sqrt()).collect();
        let first_largest = |norms: &mut dyn Iterator<Item = (usize, f64)>| {
            norms.fold((0, f64::MIN), |best, next| if next.1 > best.1 { next } else { best }).0
        };
        let largest = |filter: usize| {
            let mut norms = (0..channels).map(|channel| (channel, norms[channel * filters + filter]));
            first_largest(&mut norms) as u32
        };
        let of_filter = |filter: u32| {
            (0..channels).map(|channel| norms[channel * filters + filter as usize].powi(2)).sum::<f64>()
        };
        let mut whole: Vec<u32> = (0..filters as u32).collect();
        whole.sort_by(|&a, &b| of_filter(b).total_cmp(&of_filter(a)));
        whole.truncate(patterns.whole);
        let kind = |slice: &Vec<f64>| kind(patterns, slice, [height, width], root_mean_square) as u8;
        FilterStats {
            name: name.into(),
            weight,
            kinds: slices.iter().map(kind).collect(),
            coherences: slices.iter().map(|slice| coherence(slice, [height, width]) as f32).collect(),
            largest: (0..filters).map(largest).collect(),
            norms: norms.iter().map(|&norm| norm.min(f64::from(f32::MAX)) as f32).collect(),
            whole,
        }
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let slices = &self.weight.shape[2..];
        let name = |what: &str| format!("{what}/{}", self.name);
        vec![
            Tensor::new(name("weight"), &self.weight.shape, &self.weight.values),
            Tensor::new(name("norm"), slices, &self.norms),
            Tensor::new(name("kind"), slices, &self.kinds),
            Tensor::new(name("coherence"), slices, &self.coherences),
            Tensor::new(name("largest"), &[self.largest.len()], &self.largest),
            Tensor::new(name("whole"), &[self.whole.len()], &self.whole),
        ]
    }

    fn layer(&self, patterns: &PatternSpec) -> FilterLayer {
        let [height, width, channels, filters] = self.weight.shape[..] else { unreachable!("as before") };
        let count = |kind: Kind| self.kinds.iter().filter(|&&found| found == kind as u8).count() as f64;
        let largest = self.weight.values.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        FilterLayer {
            name: self.name.clone(),
            kernel: [height, width],
            channels,
            filters,
            largest_weight: f64::from(largest),
            kinds: counted(count),
            by_chance: by_chance(patterns, [height, width], channels * filters),
        }
    }
}

fn counted(count: impl Fn(Kind) -> f64) -> FilterKinds {
    FilterKinds {
        near_zero: count(Kind::NearZero),
        edges: count(Kind::Edge),
        blobs: count(Kind::Blob),
        others: count(Kind::Other),
    }
}

/// How many of so many slices of uniform random numbers are of each kind, estimated from [`DRAWN`] of them.
fn by_chance(patterns: &PatternSpec, size: [usize; 2], slices: usize) -> FilterKinds {
    let mut stream = RngStream::new(0, "filters/chance");
    let mut counts = [0_usize; 4];
    for _ in 0..DRAWN {
        let slice: Vec<f64> =
            (0..size[0] * size[1]).map(|_| 2.0 * f64::from(stream.uniform()) - 1.0).collect();
        // The root mean square of a uniform number in ±1.
        counts[kind(patterns, &slice, size, (1.0_f64 / 3.0).sqrt()) as usize] += 1;
    }
    counted(|kind| counts[kind as usize] as f64 * slices as f64 / DRAWN as f64)
}

fn kind(patterns: &PatternSpec, slice: &[f64], size: [usize; 2], root_mean_square: f64) -> Kind {
    let PatternSpec { near_zero, edge_ratio, blob_share, .. } = *patterns;
    let mean_square = slice.iter().map(|w| w * w).sum::<f64>() / slice.len() as f64;
    // Where all weights of a layer are zero, its slices are, too.
    if mean_square.sqrt() <= near_zero * root_mean_square {
        return Kind::NearZero;
    }
    let coherence = coherence(slice, size);
    let (sum, absolute) = (slice.iter().sum::<f64>(), slice.iter().map(|w| w.abs()).sum::<f64>());
    // λ₁ ≥ r·λ₂ is (λ₁ − λ₂) / (λ₁ + λ₂) ≥ (r − 1) / (r + 1).
    if coherence >= (edge_ratio - 1.0) / (edge_ratio + 1.0) {
        Kind::Edge
    } else if sum.abs() >= blob_share * absolute {
        Kind::Blob
    } else {
        Kind::Other
    }
}

/// (λ₁ − λ₂) / (λ₁ + λ₂) of the structure tensor Σ ∇w ∇wᵀ, with eigenvalues λ₁ ≥ λ₂: 1 where the slice changes along one
/// direction only, 0 where along all alike, or nowhere (Bigün and Granlund 1987). Gradients are taken between the four
/// numbers of each square.
fn coherence(slice: &[f64], [height, width]: [usize; 2]) -> f64 {
    let at = |row: usize, column: usize| slice[row * width + column];
    let [mut xx, mut xy, mut yy] = [0.0; 3];
    for row in 0..height.saturating_sub(1) {
        for column in 0..width.saturating_sub(1) {
            let (a, b) = (at(row, column), at(row, column + 1));
            let (c, d) = (at(row + 1, column), at(row + 1, column + 1));
            let (x, y) = ((b + d - a - c) / 2.0, (c + d - a - b) / 2.0);
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
    }
    if xx + yy > 0.0 { (xx - yy).hypot(2.0 * xy) / (xx + yy) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: PatternSpec = PatternSpec { near_zero: 0.1, edge_ratio: 4.0, blob_share: 0.8, whole: 3 };

    fn of(size: [usize; 2], value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        (0..size[0] * size[1]).map(|i| value((i / size[1]) as f64, (i % size[1]) as f64)).collect()
    }

    #[test]
    fn edges_at_any_angle_blobs_and_noise_are_told_apart() {
        let size = [5, 5];
        for degrees in [0.0_f64, 30.0, 45.0, 90.0, 120.0] {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let edge = of(size, |y, x| ((x - 2.0) * cos + (y - 2.0) * sin).tanh());
            assert_eq!(
                kind(&PATTERNS, &edge, size, 0.5),
                Kind::Edge,
                "at {degrees}°: {}",
                coherence(&edge, size)
            );
            assert!(coherence(&of(size, |y, x| x * cos + y * sin), size) > 0.999_999, "a ramp");
        }
        let blob = of(size, |y, x| (-((x - 2.0).powi(2) + (y - 2.0).powi(2)) / 3.0).exp());
        assert_eq!(kind(&PATTERNS, &blob, size, 0.5), Kind::Blob);
        let board = of(size, |y, x| if (x + y) % 2.0 == 0.0 { 1.0 } else { -1.0 });
        assert_eq!(kind(&PATTERNS, &board, size, 0.5), Kind::Other);
        assert_eq!(kind(&PATTERNS, &blob, size, 50.0), Kind::NearZero);
        assert_eq!(coherence(&[0.7], [1, 1]), 0.0);
    }

    #[test]
    fn chance_sums_to_all_slices() {
        let FilterKinds { near_zero, edges, blobs, others } = by_chance(&PATTERNS, [4, 4], 32);
        assert!((near_zero + edges + blobs + others - 32.0).abs() < 1e-9);
        assert!(edges > 0.0 && others > edges, "{edges} edges and {others} others");
    }
}
