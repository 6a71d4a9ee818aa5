//! The offsets of everything that a convolution reads and writes, computed once.

use super::padded_grad::PaddedGrad;
use crate::kernels::gemm::{NR, Segment};
use crate::layers::geometry::Geometry;
use crate::parallel::{DisjointSlice, for_each};

/// The offsets for the forward pass and the weight gradient, in a padded image: [padded height, padded width, channels].
#[derive(Debug)]
pub(super) struct Im2colPlan {
    /// The number of values of a padded image.
    pub(super) image: usize,
    /// The start of each window.
    pub(super) starts: Vec<usize>,
    /// The start of each window's outputs in y.
    pub(super) outputs: Vec<usize>,
    /// The start of each kernel row: in the image, from the start of a window (a), and in a panel of the weights (b).
    pub(super) kernel_rows: Vec<Segment>,
    /// For each row of the weight matrix [kernel height · kernel width · channels, filters], the offset of its input from
    /// the start of a window.
    pub(super) taps: Vec<usize>,
}

impl Im2colPlan {
    pub(super) fn new(geometry: &Geometry) -> Im2colPlan {
        let Geometry { channels, output, filters, kernel, stride, padded, .. } = *geometry;
        let at = |row: usize, column: usize| (row * padded[1] + column) * channels;
        let windows = (0..output[0]).flat_map(|i| (0..output[1]).map(move |j| (i, j)));
        let run = kernel[1] * channels;
        Im2colPlan {
            image: at(padded[0], 0),
            starts: windows.map(|(i, j)| at(i * stride[0], j * stride[1])).collect(),
            outputs: (0..geometry.output_pixels()).map(|position| position * filters).collect(),
            kernel_rows: (0..kernel[0]).map(|u| Segment { a: at(u, 0), b: u * run * NR }).collect(),
            taps: (0..kernel[0]).flat_map(|u| (0..run).map(move |vc| at(u, 0) + vc)).collect(),
        }
    }
}

/// The number of values of images and gradients that fit into a core's second-level cache beside the weights.
const CHUNK: usize = 64 * 1024;

/// The offsets for the input gradient, in the padded gradient of an output image: [height, width, pixel].
///
/// Input pixels whose coordinates have the same remainders by the stride s form a class. For each class the input
/// gradient is a convolution of stride 1 with every s-th row and column of the kernel, flipped (Dumoulin and Visin 2016,
/// section 4).
#[derive(Debug)]
pub(super) struct BackwardDataPlan {
    /// The layout of a padded gradient.
    pub(super) padded_grad: PaddedGrad,
    /// The number of flipped weights of all classes.
    pub(super) weights: usize,
    /// The number of images of a chunk.
    pub(super) chunk: usize,
    /// The start of each row of the output, image after image of a chunk: in the padded images (a), and in the padded
    /// gradients (b).
    pub(super) output_rows: Vec<Segment>,
    pub(super) classes: Vec<StridePhase>,
}

/// A class of input pixels: those whose coordinates in the padded image have the same remainders by the stride.
#[derive(Debug)]
pub(super) struct StridePhase {
    /// The remainders of row and column.
    remainder: [usize; 2],
    /// The numbers of rows and columns of the kernel that reach these pixels.
    pub(super) taps: [usize; 2],
    /// For each pixel, the start of its window in the padded gradient.
    pub(super) starts: Vec<usize>,
    /// The start of each pixel in dx.
    pub(super) outputs: Vec<usize>,
    /// The start of each row of the flipped kernel: in the padded gradient, from the start of a window (a), and in a
    /// panel of the flipped weights (b).
    pub(super) kernel_rows: Vec<Segment>,
    /// The start of the flipped weights of this class.
    pub(super) weights: usize,
}

impl BackwardDataPlan {
    pub(super) fn new(geometry: &Geometry, windows: &Im2colPlan) -> BackwardDataPlan {
        let Geometry { input, channels, output, filters, kernel, stride, before, padded, .. } = *geometry;
        // Padding before, for the taps of the first pixels, and after, for those of the last.
        let margin: [usize; 2] = std::array::from_fn(|side| kernel[side].div_ceil(stride[side]) - 1);
        let size: [usize; 2] = std::array::from_fn(|side| {
            let last = (before[side] + input[side] - 1) / stride[side];
            margin[side] + output[side].max(last + 1)
        });
        let padded_grad = PaddedGrad::new(filters, size, margin);
        let (pixel, at) = (padded_grad.pixel, |row, column| padded_grad.at(row, column));
        let mut weights = 0;
        let mut classes = Vec::new();
        for remainder in (0..stride[0]).flat_map(|u| (0..stride[1]).map(move |v| [u, v])) {
            let taps: [usize; 2] = std::array::from_fn(|side| {
                kernel[side].saturating_sub(remainder[side]).div_ceil(stride[side])
            });
            // For each pixel of this class along a side, its place in the input and that of its first tap in the padded
            // gradient.
            let along = |side: usize| {
                let places = (0..input[side])
                    .filter(move |place| (place + before[side]) % stride[side] == remainder[side]);
                places.map(move |place| {
                    (place, (place + before[side]) / stride[side] + margin[side] + 1 - taps[side].max(1))
                })
            };
            let pixels: Vec<_> = along(0).flat_map(|row| along(1).map(move |column| (row, column))).collect();
            let run = taps[1] * pixel;
            classes.push(StridePhase {
                remainder,
                taps,
                starts: pixels.iter().map(|(row, column)| at(row.1, column.1)).collect(),
                outputs: pixels
                    .iter()
                    .map(|(row, column)| (row.0 * input[1] + column.0) * channels)
                    .collect(),
                kernel_rows: (0..taps[0]).map(|u| Segment { a: at(u, 0), b: u * run * NR }).collect(),
                weights,
            });
            weights += channels.div_ceil(NR) * taps[0] * run * NR;
        }
        let chunk = (CHUNK / (windows.image + padded_grad.image)).clamp(1, 8);
        let rows = (0..chunk).flat_map(|image| (0..output[0]).map(move |i| (image, i)));
        let output_rows = rows.map(|(image, i)| Segment {
            a: image * windows.image + i * stride[0] * padded[1] * channels,
            b: image * padded_grad.image + at(i + margin[0], margin[1]),
        });
        BackwardDataPlan { padded_grad, weights, chunk, output_rows: output_rows.collect(), classes }
    }

    /// Writes the weights of each class with rows and columns flipped and in panels of channels, [panels, rows, columns,
    /// pixel, 32], from those in panels of filters, [kernel height, kernel width, channels, filters].
    pub(super) fn flip(&self, geometry: &Geometry, weights: &[f32], flipped: &mut [f32]) {
        let Geometry { channels, filters, kernel, stride, .. } = *geometry;
        let panel_size = kernel[0] * kernel[1] * channels * NR;
        let panels = channels.div_ceil(NR);
        let flipped = DisjointSlice::new(flipped);
        for_each(self.classes.len() * panels, |task| {
            let (class, panel) = (&self.classes[task / panels], task % panels);
            let [rows, columns] = class.taps;
            let size = rows * columns * self.padded_grad.pixel * NR;
            let first = panel * NR;
            let width = NR.min(channels - first);
            // SAFETY: each panel of each class belongs to one task.
            #[expect(unsafe_code, reason = "tasks write disjoint panels")]
            let flipped = unsafe { flipped.slice_mut(class.weights + panel * size, size) };
            for (tap, flipped) in flipped.chunks_exact_mut(self.padded_grad.pixel * NR).enumerate() {
                let u = class.remainder[0] + stride[0] * (rows - 1 - tap / columns);
                let v = class.remainder[1] + stride[1] * (columns - 1 - tap % columns);
                let row = (u * kernel[1] + v) * channels + first;
                for (f, flipped) in flipped.chunks_exact_mut(NR).take(filters).enumerate() {
                    let from = &weights[f / NR * panel_size + row * NR + f % NR..];
                    let from = from.iter().step_by(NR);
                    flipped[..width].iter_mut().zip(from).for_each(|(flipped, weight)| *flipped = *weight);
                }
            }
        });
    }
}
