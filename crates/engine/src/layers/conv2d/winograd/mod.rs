//! Convolutions with fewer products than their definition has, by Winograd's minimal filtering.
//!
//! Tiles of the input, filters and tiles of the output are transformed (`scheme.rs`), and each of the n² numbers of a
//! transformed tile has a matrix product over all tiles and channels. With x̂ = Bᵀ x B and ŵ = G w Gᵀ,
//!
//! y = Aᵀ (Σ x̂ ŵ) A + b over channels,
//!
//! and backward, with ŷ = A dy Aᵀ, the transposes:
//!
//! dx = B (Σ ŷ ŵ) Bᵀ over filters, dw = Gᵀ (Σ ŷ x̂) G over all tiles of the batch in their order.
//!
//! The tiles of dx overlap and are added up in their order.

mod layer;
mod places;
mod products;
mod scheme;
#[cfg(test)]
mod tests;
mod transform;

use inkling_schema::Initializer;

use self::places::Places;
use self::products::Filters;
use self::scheme::Scheme;
use self::transform::{Gather, Rows, Scatter, Then};
use super::padded_grad::PaddedGrad;
use super::parameters;
use crate::aligned::AlignedVec;
use crate::kernels::gemm::{NR, Segment};
use crate::kernels::isa::Isa;
use crate::layers::geometry::Geometry;
use crate::layers::parameter::{GradSink, Parameter};
use crate::parallel::{DisjointSlice, for_each};
use crate::random::RngStream;

/// The convolution of `conv2d/mod.rs` where channels and filters fill whole panels.
///
/// Images are worked on in chunks, whose spectra stay in a core's cache, and backward in spans of chunks, whose spectra are
/// kept for the weight gradient: its sums over all tiles, a plane after the other, need no sums of each thread.
#[derive(Debug)]
pub(crate) struct Winograd {
    plan: Plan,
    relu: bool,
    /// W in panels, b.
    parameters: [Parameter; 2],
}

/// Scratch of the passes; what only the backward pass needs is empty where there is none.
#[derive(Debug)]
pub(crate) struct WinogradCache {
    /// The spectra of each chunk that is worked on or kept, of inputs and of outputs.
    input_spectra: AlignedVec,
    output_spectra: AlignedVec,
    /// The transformed filters.
    filter_spectra: AlignedVec,
    /// For each chunk that is kept, an image's gradient with its zeros, and the sums of the biases' gradients.
    padded_grads: AlignedVec,
    bias_grads: AlignedVec,
    /// The transformed filters with channels and filters exchanged.
    exchanged_spectra: AlignedVec,
    /// The sums of the transformed filters' gradients.
    spectrum_grads: AlignedVec,
    /// The filters with channels and filters exchanged.
    exchanged: AlignedVec,
    /// The filters' gradients.
    weight_grads: AlignedVec,
}

/// Which scheme computes a convolution, and where everything that it reads and writes lies.
#[derive(Debug)]
struct Plan {
    geometry: Geometry,
    scheme: &'static Scheme,
    /// Images of a chunk, chunks of a span, and tiles of an image.
    chunk: usize,
    span: usize,
    tiles: usize,
    /// Of an input, for each remainder of a pixel's place by the stride.
    inputs: Vec<Places>,
    /// Of an output.
    outputs: Places,
    /// The taps of each remainder: in a panel of W, in one where channels and filters are exchanged, and by themselves.
    taps: Vec<[Places; 3]>,
    /// ŵ from channels to filters, and exchanged.
    filters: [Filters; 2],
    /// How the gradient of one image lies.
    padded_grad: PaddedGrad,
    /// Where the spectra of chunks lie that a weight gradient's product takes together: inputs, and gradients of outputs.
    together: Vec<Segment>,
}

/// Numbers of a chunk's spectra: they stay in a core's second-level cache.
const CHUNK: usize = 64 * 1024;

/// Most images of a chunk, so that threads find chunks enough.
const IMAGES: usize = 16;

/// Numbers of a span's spectra: they stay in the last cache until the weight gradient reads them. Where the filters are
/// large it is more, so that their sums are not read and written for a few rows.
const SPAN: usize = 1024 * 1024;

/// Rows of inputs and outputs that a product of the weight gradient takes from chunks together, if they are more than one's.
const TOGETHER: usize = 256;

/// Images of a chunk, and chunks of a span, that these numbers make.
fn division(geometry: &Geometry, scheme: &Scheme) -> [usize; 2] {
    let Geometry { channels, filters, stride, output, .. } = *geometry;
    let planes = scheme.points().pow(2);
    let tiles: usize = output.iter().map(|side| side.div_ceil(scheme.outputs)).product();
    let depth = stride[0] * stride[1] * channels;
    let spectra = planes * tiles * (depth + filters);
    let chunk = CHUNK.div_ceil(spectra).min(IMAGES);
    [chunk, (SPAN.max(3 * planes * depth * filters) / (chunk * spectra)).max(1)]
}

impl Winograd {
    /// If there is a scheme that pays.
    pub(super) fn new(
        geometry: Geometry,
        relu: bool,
        initializer: Initializer,
        stream: &mut RngStream,
    ) -> Option<Winograd> {
        let scheme = Scheme::of(&geometry)?;
        let plan = Plan::new(geometry, scheme, division(&geometry, scheme));
        Some(Winograd { plan, relu, parameters: parameters(&geometry, initializer, stream) })
    }
}

impl Plan {
    /// Images are divided into chunks of so many, and those into spans.
    fn new(geometry: Geometry, scheme: &'static Scheme, [chunk, span]: [usize; 2]) -> Plan {
        let Geometry { input, channels, output, filters, kernel, stride, before, .. } = geometry;
        let (size, step, r) = (scheme.points(), scheme.outputs, scheme.taps);
        let tiles = output.map(|side| side.div_ceil(step));
        let remainders = (0..stride[0]).flat_map(|u| (0..stride[1]).map(move |v| [u, v]));
        let inputs = remainders.clone().map(|remainder| {
            Places::new(tiles, [size, step], [input[1] * channels, channels], |side, i| {
                let at = (i * stride[side] + remainder[side]).checked_sub(before[side])?;
                (at < input[side]).then_some(at)
            })
        });
        let outputs = Places::new(tiles, [step, step], [output[1] * filters, filters], |side, i| {
            (i < output[side]).then_some(i)
        });
        let taps = remainders.clone().map(|remainder| {
            let of_kernel = |side: usize, i: usize| {
                let at = i * stride[side] + remainder[side];
                (at < kernel[side]).then_some(at)
            };
            let tap = [channels * NR, filters * NR];
            let in_panel = |tap: usize| Places::new([1, 1], [r, r], [kernel[1] * tap, tap], of_kernel);
            [
                in_panel(tap[0]),
                in_panel(tap[1]),
                Places::new([1, 1], [r, r], [r * tap[0], tap[0]], |_, i| Some(i)),
            ]
        });
        let (planes, remainders) = (size * size, stride[0] * stride[1]);
        let panels = [channels, filters].map(|numbers| numbers / NR);
        let tiles = tiles[0] * tiles[1];
        let rows = chunk * tiles;
        let to_filters = Filters::new(planes, rows, panels[1], remainders, channels);
        let [from, to] = [to_filters.from(), to_filters.to()].map(|rows| planes * rows.plane);
        let together = (0..(TOGETHER / rows).max(1)).map(|i| Segment { a: i * from, b: i * to });
        Plan {
            inputs: inputs.collect(),
            outputs,
            taps: taps.collect(),
            filters: [to_filters, Filters::new(planes, rows, remainders * panels[0], 1, filters)],
            padded_grad: PaddedGrad::new(filters, output, [0, 0]),
            together: together.collect(),
            geometry,
            scheme,
            chunk,
            span,
            tiles,
        }
    }

    /// Numbers of a chunk's spectrum of inputs, and of one of outputs.
    fn spectra(&self) -> [usize; 2] {
        let planes = self.scheme.points().pow(2);
        [self.filters[0].from(), self.filters[0].to()].map(|rows| planes * rows.plane)
    }

    /// Numbers of the gradients of all taps, those beyond the kernel included.
    fn gradient_room(&self) -> usize {
        let Geometry { channels, filters, .. } = self.geometry;
        self.remainders() * self.scheme.taps.pow(2) * channels * filters
    }

    fn remainders(&self) -> usize {
        self.inputs.len()
    }

    /// ŵ from W in panels.
    fn transform_filters(&self, isa: Isa, weights: &[f32], exchanged: usize, transformed: &mut [f32]) {
        let filters = &self.filters[exchanged];
        let Geometry { kernel, channels, filters: count, .. } = self.geometry;
        let tap = [channels, count][exchanged] * NR;
        let panel = kernel[0] * kernel[1] * tap;
        let panels = weights.len() / panel;
        let remainders = self.remainders();
        let transformed = DisjointSlice::new(transformed);
        for_each(panels * remainders, |task| {
            // The panels that come out are those of one remainder after those of the other where channels come out.
            let (number, remainder) = match exchanged {
                0 => (task / remainders, task % remainders),
                _ => (task % panels, task / panels),
            };
            // SAFETY: each remainder of each panel is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let spectrum = unsafe { transformed.slice_mut(task * filters.split(), filters.split()) };
            let image = &weights[number * panel..][..panel];
            let (places, rows) = (&self.taps[remainder][exchanged..=exchanged], filters.places());
            (self.scheme.filter)(isa, Gather { places, image, channels: tap, rows, spectrum });
        });
    }

    /// W with channels and filters exchanged: [panel of channels, tap, filter, 32] from [panel of filters, tap, channel, 32].
    fn exchange(&self, weights: &[f32], exchanged: &mut [f32]) {
        let Geometry { channels, filters, kernel, .. } = self.geometry;
        let taps = kernel[0] * kernel[1];
        let exchanged = DisjointSlice::new(exchanged);
        for_each(channels / NR * taps, |task| {
            let (panel, tap) = (task / taps, task % taps);
            // SAFETY: each tap of each panel is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint taps")]
            let exchanged = unsafe { exchanged.slice_mut(task * filters * NR, filters * NR) };
            for (f, row) in exchanged.as_chunks_mut::<NR>().0.iter_mut().enumerate() {
                let first = (f / NR * taps + tap) * channels + panel * NR;
                let column = &weights[first * NR + f % NR..];
                row.iter_mut().zip(column.iter().step_by(NR)).for_each(|(to, from)| *to = *from);
            }
        });
    }

    /// x̂ of a chunk's images.
    fn transform_inputs(&self, isa: Isa, x: &[f32], spectrum: &mut [f32]) {
        let channels = self.geometry.channels;
        for (i, image) in x.chunks_exact(self.geometry.inputs()).enumerate() {
            let rows = Rows { first: i * self.tiles, ..self.filters[0].from() };
            let work = Gather { places: &self.inputs, image, channels, rows, spectrum: &mut *spectrum };
            (self.scheme.input)(isa, work);
        }
    }

    /// dx of a chunk's images from the sums over filters.
    fn input_gradients(&self, isa: Isa, spectrum: &[f32], dx: &mut [f32]) {
        let channels = self.geometry.channels;
        for (i, image) in dx.chunks_exact_mut(self.geometry.inputs()).enumerate() {
            image.fill(0.0);
            let rows = Rows { first: i * self.tiles, ..self.filters[0].from() };
            let work = Scatter { places: &self.inputs, spectrum, rows, channels, image, then: Then::Add };
            (self.scheme.input_gradient)(isa, work);
        }
    }

    /// Where a chunk's image lies in a spectrum of outputs.
    fn output_rows(&self, i: usize) -> Rows {
        Rows { first: i * self.tiles, ..self.filters[0].to() }
    }

    /// Hands in dW from the sums of its transform's gradient.
    fn hand_in(&self, isa: Isa, sums: &[f32], room: &mut [f32], weight: &GradSink) {
        let Geometry { channels, kernel, stride, filters, .. } = self.geometry;
        let (remainders, r) = (self.remainders(), self.scheme.taps);
        let (tap, depth) = (channels * NR, remainders * channels * NR);
        let panels = filters / NR;
        let room = DisjointSlice::new(room);
        for_each(panels * remainders, |task| {
            let (panel, remainder) = (task / remainders, task % remainders);
            // SAFETY: each remainder of each panel is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint parts")]
            let image = unsafe { room.slice_mut(task * r * r * tap, r * r * tap) };
            let work = Scatter {
                places: &self.taps[remainder][2..],
                spectrum: &sums[panel * depth + remainder * tap..],
                rows: Rows { plane: panels * depth, count: 1, first: 0 },
                channels: tap,
                image: &mut *image,
                then: Then::Write,
            };
            (self.scheme.filter_gradient)(isa, work);
            for (i, gradient) in image.chunks_exact(tap).enumerate() {
                let u = i / r * stride[0] + remainder / stride[1];
                let v = i % r * stride[1] + remainder % stride[1];
                if u < kernel[0] && v < kernel[1] {
                    let start = ((panel * kernel[0] + u) * kernel[1] + v) * tap;
                    // SAFETY: each tap of each panel is one task's.
                    #[expect(unsafe_code, reason = "tasks hand in disjoint taps")]
                    unsafe {
                        weight.take(start, gradient);
                    }
                }
            }
        });
    }
}
