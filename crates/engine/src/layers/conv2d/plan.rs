//! Where everything that a convolution reads and writes lies, worked out once.

use super::padded_grad::PaddedGrad;
use crate::kernels::gemm::{NR, Segment};
use crate::layers::geometry::Geometry;
use crate::parallel::{DisjointSlice, for_each};

/// Offsets of the forward pass and of the weight gradient, in an image with its zeros: [padded height, padded width,
/// channels].
#[derive(Debug)]
pub(super) struct Im2colPlan {
    /// Numbers of an image with its zeros.
    pub(super) image: usize,
    /// Where each window starts.
    pub(super) starts: Vec<usize>,
    /// Where each window's numbers lie in y.
    pub(super) outputs: Vec<usize>,
    /// Kernel rows: in the image from a window's start, and in a panel of the weights.
    pub(super) kernel_rows: Vec<Segment>,
    /// Where each row of the weight matrix [kernel height · kernel width · channels, filters] looks from a window's start.
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

/// Numbers of images and gradients that stay in a core's second-level cache beside the weights.
const CHUNK: usize = 64 * 1024;

/// Offsets of the input gradient, in the gradient of an image with zeros around it: [height, width, pixel].
///
/// The input pixels that a stride of s sees alike, those of one remainder by s, are a class: for each, the input gradient
/// is a convolution of stride 1 with every s-th row and column of the kernel, turned round (Dumoulin and Visin 2016,
/// section 4).
#[derive(Debug)]
pub(super) struct BackwardDataPlan {
    /// Where a gradient lies among its zeros.
    pub(super) padded_grad: PaddedGrad,
    /// Numbers of the turned weights of all classes.
    pub(super) weights: usize,
    /// Images of a chunk.
    pub(super) chunk: usize,
    /// Rows of the output, image after image of a chunk: in the forward pass's images, and here.
    pub(super) output_rows: Vec<Segment>,
    pub(super) classes: Vec<StridePhase>,
}

/// The input pixels whose place, counted with the zeros before, has one remainder by the stride.
#[derive(Debug)]
pub(super) struct StridePhase {
    /// Row and column of the remainder.
    remainder: [usize; 2],
    /// Rows and columns of the kernel that reach these pixels.
    pub(super) taps: [usize; 2],
    /// Where each pixel's sum starts.
    pub(super) starts: Vec<usize>,
    /// Where each pixel lies in dx.
    pub(super) outputs: Vec<usize>,
    /// Rows of the turned kernel: here from a pixel's start, and in a panel of the turned weights.
    pub(super) kernel_rows: Vec<Segment>,
    /// Where the turned weights of this class start.
    pub(super) weights: usize,
}

impl BackwardDataPlan {
    pub(super) fn new(geometry: &Geometry, windows: &Im2colPlan) -> BackwardDataPlan {
        let Geometry { input, channels, output, filters, kernel, stride, before, padded, .. } = *geometry;
        // Zeros before, so that the taps of the first pixels find something, and after, for the last.
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
            // (place in the input, place of the first tap here) of this class's pixels along a side.
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

    /// The weights of each class with rows and columns turned round, as panels of channels: [panels, rows, columns,
    /// pixel, 32] from [kernel height, kernel width, channels, filters] in panels of filters.
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
            // SAFETY: each panel of each class is one task's.
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
