//! Convolutions with fewer multiplications than their definition has, by Winograd's minimal filtering.
//!
//! Tiles of the input, the filters and tiles of the output are transformed (`scheme.rs`). Each of the n² elements of a
//! transformed tile is computed by a matrix product over tiles and channels. With x̂ = Bᵀ x B and ŵ = G w Gᵀ, the forward
//! pass is
//!
//! y = Aᵀ (Σ x̂ ŵ) A + b, summed over channels,
//!
//! and the backward pass, with dŷ = A dy Aᵀ, consists of the transposes:
//!
//! dx = B (Σ dŷ ŵ) Bᵀ, summed over filters, and dw = Gᵀ (Σ dŷ x̂) G, summed over all tiles of the batch in order.
//!
//! The tiles of dx overlap and are added up in order.

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
use crate::kernels::pairs::pair_both;
use crate::layers::Context;
use crate::layers::geometry::Geometry;
use crate::layers::parameter::{GradSink, Parameter};
use crate::parallel::{DisjointSlice, for_each};
use crate::random::RngStream;

/// A convolution whose channels and filters fill whole panels.
///
/// Images are processed in chunks, whose spectra (transformed tiles) fit into a core's cache. The backward pass keeps the
/// spectra of a span of chunks for the weight gradient, which is then summed over all tiles, plane by plane, without
/// partial sums for each thread.
#[derive(Debug)]
pub(crate) struct Winograd {
    plan: Plan,
    relu: bool,
    /// The weights, in panels, and the biases.
    parameters: [Parameter; 2],
}

/// Scratch memory of the passes. Arrays for the backward pass are empty if there is none.
#[derive(Debug)]
pub(crate) struct WinogradCache {
    /// The spectra of the chunks that are processed or kept, of inputs and of outputs.
    input_spectra: AlignedVec,
    output_spectra: AlignedVec,
    /// The transformed filters.
    filter_spectra: AlignedVec,
    /// For each chunk that is kept, the padded gradient of one image, and the sums of the bias gradient.
    padded_grads: AlignedVec,
    bias_grads: AlignedVec,
    /// The transformed filters with channels and filters exchanged.
    exchanged_spectra: AlignedVec,
    /// The sums of the gradient of the transformed filters.
    spectrum_grads: AlignedVec,
    /// The filters with channels and filters exchanged.
    exchanged: AlignedVec,
    /// The weight gradient.
    weight_grads: AlignedVec,
}

/// The scheme of a convolution and the offsets of everything that it reads and writes.
#[derive(Debug)]
struct Plan {
    geometry: Geometry,
    scheme: &'static Scheme,
    /// The number of images of a chunk, of chunks of a span, and of tiles of an image.
    chunk: usize,
    span: usize,
    tiles: usize,
    /// The places of input tiles, for each remainder of the pixels' coordinates by the stride.
    inputs: Vec<Places>,
    /// The places of output tiles.
    outputs: Places,
    /// The places of the taps of each remainder: in a panel of W, in a panel of W with channels and filters exchanged,
    /// and in an array of these taps alone.
    taps: Vec<[Places; 3]>,
    /// The layout of ŵ: from channels to filters, and exchanged.
    filters: [Filters; 2],
    /// The layout of the padded gradient of an image.
    padded_grad: PaddedGrad,
    /// The offsets of the chunks that one product of the weight gradient sums together: in the spectra of inputs (a), and
    /// in those of the gradients of outputs (b).
    together: Vec<Segment>,
}

/// The number of values of a chunk's spectra, which should fit into a core's second-level cache.
const CHUNK: usize = 64 * 1024;

/// The most images of a chunk, so that there are enough chunks for all threads.
const IMAGES: usize = 16;

/// The number of values of a span's spectra, which should stay in the last-level cache until the weight gradient reads
/// them. With large filters a span is larger, so that their sums are not read and written for only a few rows.
const SPAN: usize = 1024 * 1024;

/// The number of rows that one product of the weight gradient sums over, if chunks are smaller than that.
const TOGETHER: usize = 256;

/// The number of images of a chunk and of chunks of a span that follow from these constants.
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
    /// The convolution, if there is a scheme for it that is faster than the definition.
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
    /// The plan for chunks of `chunk` images and spans of `span` chunks.
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

    /// The number of values of a chunk's spectrum of inputs, and of its spectrum of outputs.
    fn spectra(&self) -> [usize; 2] {
        let planes = self.scheme.points().pow(2);
        [self.filters[0].from(), self.filters[0].to()].map(|rows| planes * rows.plane)
    }

    /// The number of elements of the gradient of all taps, including those beyond the kernel.
    fn gradient_room(&self) -> usize {
        let Geometry { channels, filters, .. } = self.geometry;
        self.remainders() * self.scheme.taps.pow(2) * channels * filters
    }

    fn remainders(&self) -> usize {
        self.inputs.len()
    }

    /// Computes ŵ from W in panels; `exchanged` is 1 if channels and filters are exchanged, else 0.
    fn transform_filters(
        &self,
        context: &Context,
        weights: &[f32],
        exchanged: usize,
        transformed: &mut [f32],
    ) {
        let filters = &self.filters[exchanged];
        let Geometry { kernel, channels, filters: count, .. } = self.geometry;
        let tap = [channels, count][exchanged] * NR;
        let panel = kernel[0] * kernel[1] * tap;
        let panels = weights.len() / panel;
        let remainders = self.remainders();
        let transformed = DisjointSlice::new(transformed);
        for_each(panels * remainders, |task| {
            // If channels and filters are exchanged, the output panels are ordered by remainder first.
            let (number, remainder) = match exchanged {
                0 => (task / remainders, task % remainders),
                _ => (task % panels, task / panels),
            };
            // SAFETY: each remainder of each panel belongs to one task.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let spectrum = unsafe { transformed.slice_mut(task * filters.split(), filters.split()) };
            let image = &weights[number * panel..][..panel];
            let (places, rows) = (&self.taps[remainder][exchanged..=exchanged], filters.places());
            let work = Gather { places, image, channels: tap, rows, spectrum: &mut *spectrum };
            (self.scheme.filter)(context.isa, work);
            if context.pairs {
                pair_both(context.isa, spectrum, spectrum.len() / NR);
            }
        });
    }

    /// Exchanges channels and filters of W: writes [panel of channels, tap, filter, 32] from [panel of filters, tap,
    /// channel, 32].
    fn exchange(&self, weights: &[f32], exchanged: &mut [f32]) {
        let Geometry { channels, filters, kernel, .. } = self.geometry;
        let taps = kernel[0] * kernel[1];
        let exchanged = DisjointSlice::new(exchanged);
        for_each(channels / NR * taps, |task| {
            let (panel, tap) = (task / taps, task % taps);
            // SAFETY: each tap of each panel belongs to one task.
            #[expect(unsafe_code, reason = "tasks write disjoint taps")]
            let exchanged = unsafe { exchanged.slice_mut(task * filters * NR, filters * NR) };
            for (f, row) in exchanged.as_chunks_mut::<NR>().0.iter_mut().enumerate() {
                let first = (f / NR * taps + tap) * channels + panel * NR;
                let column = &weights[first * NR + f % NR..];
                row.iter_mut().zip(column.iter().step_by(NR)).for_each(|(to, from)| *to = *from);
            }
        });
    }

    /// Computes x̂ of the images of a chunk.
    fn transform_inputs(&self, context: &Context, x: &[f32], spectrum: &mut [f32]) {
        let (channels, isa) = (self.geometry.channels, context.isa);
        for (i, image) in x.chunks_exact(self.geometry.inputs()).enumerate() {
            let rows = Rows { first: i * self.tiles, ..self.filters[0].from() };
            let work = Gather { places: &self.inputs, image, channels, rows, spectrum: &mut *spectrum };
            (self.scheme.input)(isa, work);
        }
        let rows = x.len() / self.geometry.inputs() * self.tiles;
        self.filters[0].pair(context, rows, self.filters[0].from(), spectrum);
    }

    /// Computes dx of the images of a chunk from the spectrum summed over filters.
    fn input_gradients(&self, isa: Isa, spectrum: &[f32], dx: &mut [f32]) {
        let channels = self.geometry.channels;
        for (i, image) in dx.chunks_exact_mut(self.geometry.inputs()).enumerate() {
            image.fill(0.0);
            let rows = Rows { first: i * self.tiles, ..self.filters[0].from() };
            let work = Scatter { places: &self.inputs, spectrum, rows, channels, image, then: Then::Add };
            (self.scheme.input_gradient)(isa, work);
        }
    }

    /// The rows of image `i` of a chunk in a spectrum of outputs.
    fn output_rows(&self, i: usize) -> Rows {
        Rows { first: i * self.tiles, ..self.filters[0].to() }
    }

    /// Computes dW from the gradient of ŵ, `sums`, and passes it to the sink `weight`. `scratch` holds the gradient of
    /// all taps.
    fn pass_on_weight_gradient(&self, isa: Isa, sums: &[f32], scratch: &mut [f32], weight: &GradSink) {
        let Geometry { channels, kernel, stride, filters, .. } = self.geometry;
        let (remainders, r) = (self.remainders(), self.scheme.taps);
        let (tap, depth) = (channels * NR, remainders * channels * NR);
        let panels = filters / NR;
        let scratch = DisjointSlice::new(scratch);
        for_each(panels * remainders, |task| {
            let (panel, remainder) = (task / remainders, task % remainders);
            // SAFETY: each remainder of each panel belongs to one task.
            #[expect(unsafe_code, reason = "tasks write disjoint parts")]
            let image = unsafe { scratch.slice_mut(task * r * r * tap, r * r * tap) };
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
                    // SAFETY: each tap of each panel belongs to one task.
                    #[expect(unsafe_code, reason = "tasks pass on disjoint taps")]
                    unsafe {
                        weight.take(start, gradient);
                    }
                }
            }
        });
    }
}
