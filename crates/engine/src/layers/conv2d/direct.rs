//! Convolutions computed by their definition. The inputs of a kernel row are contiguous in memory, so the matrix product
//! reads the padded image itself instead of a matrix of patches: each window is a row of the left factor, given by its
//! offset, and each kernel row is a segment.

use inkling_schema::Initializer;

use super::padded_grad::pad;
use super::plan::{BackwardDataPlan, Im2colPlan};
use super::{parameters, reduce_partials, split, splits};
use crate::aligned::AlignedVec;
use crate::kernels::epilogue::Epilogue;
use crate::kernels::gemm::{Gemm, NR, Row, Tile, TileRows, tiles};
use crate::layers::geometry::Geometry;
use crate::layers::parameter::{GradMode, Parameter};
use crate::layers::{BackwardArgs, Context, Layer};
use crate::parallel::{DisjointSlice, for_each};
use crate::random::RngStream;

/// A convolution of any shape.
///
/// The batch is divided into groups, whose number does not depend on the number of threads, and each group into chunks of
/// images that fit into a core's cache.
#[derive(Debug)]
pub(crate) struct Direct {
    geometry: Geometry,
    relu: bool,
    windows: Im2colPlan,
    backward_data: BackwardDataPlan,
    /// The weights, in panels, and the biases.
    parameters: [Parameter; 2],
}

/// Scratch memory of the passes. Arrays for the backward pass are empty if there is none.
#[derive(Debug)]
pub(crate) struct DirectCache {
    /// For each group, a chunk of padded images.
    images: AlignedVec,
    /// For each group, the padded gradients of a span of images.
    padded_grads: AlignedVec,
    /// For each group, its sums of the weight gradient.
    weight_grads: AlignedVec,
    /// For each group, its sums of the bias gradient.
    bias_grads: AlignedVec,
    /// The flipped weights, as the input gradient reads them.
    flipped: AlignedVec,
}

/// The most images of a span: a group computes the input gradients of a whole span before its weight gradient.
const SPAN: usize = 16;

/// The number of padded gradients that each group keeps at a time: those of a span or, if that is larger, of a chunk.
fn span(batch: usize, chunk: usize) -> usize {
    SPAN.min(batch.div_ceil(splits(batch))).max(chunk)
}

impl Direct {
    pub(crate) fn new(
        geometry: Geometry,
        relu: bool,
        initializer: Initializer,
        stream: &mut RngStream,
    ) -> Direct {
        let windows = Im2colPlan::new(&geometry);
        let backward_data = BackwardDataPlan::new(&geometry, &windows);
        let parameters = parameters(&geometry, initializer, stream);
        Direct { geometry, relu, windows, backward_data, parameters }
    }

    fn panels(&self) -> usize {
        self.geometry.filters.div_ceil(NR)
    }

    /// The number of elements of the weight gradient, in panels.
    fn sums(&self) -> usize {
        self.panels() * self.windows.taps.len() * NR
    }

    /// Computes y of one image from the padded image x.
    fn image_forward(&self, context: &Context, x: &[f32], y: &mut [f32]) {
        let Geometry { channels, filters, kernel, .. } = self.geometry;
        let run = kernel[1] * channels;
        let [weight, bias] = &self.parameters;
        let mut tile = Tile::ZERO;
        for panel in 0..self.panels() {
            let first = panel * NR;
            let columns = NR.min(filters - first);
            let weight = &weight.value[panel * kernel[0] * run * NR..][..kernel[0] * run * NR];
            for range in tiles(self.windows.starts.len()) {
                let product = Gemm {
                    a: x,
                    rows: TileRows::new(&self.windows.starts[range.clone()]),
                    b: weight,
                    segments: &self.windows.kernel_rows,
                    count: run,
                    a_step: 1,
                    b_step: NR,
                    columns,
                    pairs: false,
                };
                product.multiply(context.isa, &mut tile.0, false);
                let epilogue = Epilogue {
                    tile: &tile.0,
                    columns,
                    bias: Some(&bias.value[first..]),
                    relu: self.relu,
                    starts: &self.windows.outputs[range],
                    y: &mut y[first..],
                };
                epilogue.write(context.isa);
            }
        }
    }

    /// Computes the weight gradient of a chunk of `count` images from padded images x and padded gradients dy. It is
    /// written to `sums` or, if `onto`, added to them.
    fn weight_gradient(
        &self,
        context: &Context,
        count: usize,
        x: &[f32],
        dy: &[f32],
        sums: &mut [Row],
        onto: bool,
    ) {
        let Geometry { filters, output, stride, channels, .. } = self.geometry;
        let taps = &self.windows.taps;
        for (panel, sums) in sums.chunks_exact_mut(taps.len()).enumerate() {
            for range in tiles(taps.len()) {
                let product = Gemm {
                    a: x,
                    rows: TileRows::new(&taps[range.clone()]),
                    b: &dy[panel * NR..],
                    segments: &self.backward_data.output_rows[..count * output[0]],
                    count: output[1],
                    a_step: stride[1] * channels,
                    b_step: self.backward_data.padded_grad.pixel,
                    columns: NR.min(filters - panel * NR),
                    pairs: false,
                };
                product.multiply(context.isa, &mut sums[range], onto);
            }
        }
    }

    /// Computes dx of one image from its padded gradient dy and the flipped weights.
    fn image_input_gradient(&self, context: &Context, flipped: &[f32], dy: &[f32], dx: &mut [f32]) {
        let channels = self.geometry.channels;
        for class in &self.backward_data.classes {
            // The tile stays zero if no tap of the kernel reaches the class.
            let mut tile = Tile::ZERO;
            let rows = class.taps[0] * class.taps[1] * self.backward_data.padded_grad.pixel;
            for first in (0..channels).step_by(NR) {
                let columns = NR.min(channels - first);
                for range in tiles(class.starts.len()) {
                    if rows > 0 {
                        let product = Gemm {
                            a: dy,
                            rows: TileRows::new(&class.starts[range.clone()]),
                            b: &flipped[class.weights + first * rows..],
                            segments: &class.kernel_rows,
                            count: class.taps[1] * self.backward_data.padded_grad.pixel,
                            a_step: 1,
                            b_step: NR,
                            columns,
                            pairs: false,
                        };
                        product.multiply(context.isa, &mut tile.0, false);
                    }
                    let epilogue = Epilogue {
                        tile: &tile.0,
                        columns,
                        bias: None,
                        relu: false,
                        starts: &class.outputs[range],
                        y: &mut dx[first..],
                    };
                    epilogue.write(context.isa);
                }
            }
        }
    }
}

impl Layer for Direct {
    type Cache = DirectCache;

    fn outputs(&self) -> usize {
        self.geometry.outputs()
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        self.relu
    }

    fn alloc_cache(&self, capacity: usize, backward: bool) -> DirectCache {
        let chunk = self.backward_data.chunk;
        // A smaller batch may need more memory than a larger one, because its groups are fewer but larger.
        let gradients = (1..=capacity).map(|batch| splits(batch) * span(batch, chunk)).max().unwrap_or(0);
        let splits = splits(capacity);
        let backward = |len: usize| AlignedVec::zeros(if backward { len } else { 0 });
        DirectCache {
            images: AlignedVec::zeros(splits * chunk * self.windows.image),
            padded_grads: backward(gradients * self.backward_data.padded_grad.image),
            weight_grads: backward(splits * self.sums()),
            bias_grads: backward(splits * self.panels() * NR),
            flipped: backward(self.backward_data.weights),
        }
    }

    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut DirectCache) {
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        let (splits, size) = (splits(context.batch), self.backward_data.chunk * self.windows.image);
        let (images, y) = (DisjointSlice::new(&mut cache.images), DisjointSlice::new(y));
        let this = &*self;
        for_each(splits, |g| {
            // SAFETY: each group belongs to one task.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let image = unsafe { images.slice_mut(g * size, this.windows.image) };
            for i in split(g, splits, context.batch) {
                pad(&this.geometry, &x[i * inputs..][..inputs], image);
                // SAFETY: each image is in one group.
                #[expect(unsafe_code, reason = "tasks write disjoint images")]
                let y = unsafe { y.slice_mut(i * outputs, outputs) };
                this.image_forward(context, image, y);
            }
        });
    }

    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut DirectCache,
        grad_mode: GradMode,
    ) {
        let DirectCache { images, padded_grads, weight_grads: sums, bias_grads: bias_sums, flipped } = cache;
        let BackwardArgs { x, y, dy, dx } = args;
        let wants_dx = dx.is_some();
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        let (splits, panels) = (splits(context.batch), self.panels());
        let wanted = !matches!(grad_mode, GradMode::Skip);
        if wants_dx {
            self.backward_data.flip(&self.geometry, &self.parameters[0].value, flipped);
        }
        let parts = [
            DisjointSlice::new(images),
            DisjointSlice::new(padded_grads),
            DisjointSlice::new(sums),
            DisjointSlice::new(bias_sums),
            DisjointSlice::new(dx.unwrap_or_default()),
        ];
        let this = &*self;
        let kept = span(context.batch, self.backward_data.chunk);
        for_each(splits, |g| {
            let (chunk, a, b) =
                (this.backward_data.chunk, this.windows.image, this.backward_data.padded_grad.image);
            let sizes = [chunk * a, kept * b, this.sums(), panels * NR];
            // SAFETY: each group belongs to one task.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let [images, gradients, sums, bias_sums] =
                std::array::from_fn(|part| unsafe { parts[part].slice_mut(g * sizes[part], sizes[part]) });
            bias_sums.fill(0.0);
            let split = split(g, splits, context.batch);
            // All input gradients of a span come first, so that flipped weights and sums replace each other in the cache
            // only once.
            let span = if wants_dx { SPAN } else { chunk };
            for start in split.clone().step_by(span) {
                let span = start..split.end.min(start + span);
                for (i, gradient) in span.clone().zip(gradients.chunks_exact_mut(b)) {
                    let range = i * outputs..(i + 1) * outputs;
                    let y = this.relu.then_some(&y[range.clone()]);
                    let (padded_grad, dy) = (&this.backward_data.padded_grad, &dy[range]);
                    padded_grad.pad(context.isa, &this.geometry, dy, y, gradient, bias_sums);
                    if wants_dx {
                        // SAFETY: each image is in one group.
                        #[expect(unsafe_code, reason = "tasks write disjoint images")]
                        let dx = unsafe { parts[4].slice_mut(i * inputs, inputs) };
                        this.image_input_gradient(context, flipped, gradient, dx);
                    }
                }
                let chunks = span.clone().step_by(chunk).zip(gradients.chunks(chunk * b));
                for (first, gradients) in chunks.filter(|_| wanted) {
                    let chunk = first..span.end.min(first + chunk);
                    for (i, image) in chunk.clone().zip(images.chunks_exact_mut(a)) {
                        pad(&this.geometry, &x[i * inputs..][..inputs], image);
                    }
                    let (sums, onto) = (sums.as_chunks_mut::<NR>().0, first > split.start);
                    this.weight_gradient(context, chunk.len(), images, gradients, sums, onto);
                }
            }
        });
        if wanted {
            let size = self.sums();
            let [weight, bias] = &mut self.parameters;
            let (weight, bias) =
                (weight.grad_sink(context.isa, grad_mode), bias.grad_sink(context.isa, grad_mode));
            // SAFETY: each stretch is passed on once.
            #[expect(unsafe_code, reason = "tasks pass on disjoint stretches")]
            let take = |start: usize, total: &[f32]| unsafe { weight.take(start, total) };
            reduce_partials(sums, splits, size, take);
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "tasks pass on disjoint stretches")]
            let take = |start: usize, total: &[f32]| unsafe { bias.take(start, total) };
            reduce_partials(bias_sums, splits, panels * NR, take);
        }
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }
}
