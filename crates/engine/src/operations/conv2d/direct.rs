//! Convolutions by their definition. The patches of x that meet a kernel row lie one after the other in memory, so the
//! product reads the image where it is: a row of y is a row of offsets, a kernel row is a segment.

use inkling_spec::Initial;

use super::frame::surround;
use super::plan::{Reverse, Windows};
use super::{add_groups, group, groups, parameters};
use crate::kernels::finish::Finish;
use crate::kernels::product::{COLUMNS, Product, Row, Tile, tiles};
use crate::memory::Buffer;
use crate::operations::geometry::Geometry;
use crate::operations::parameter::{Parameter, Receive};
use crate::operations::{Flow, Memory, Operation, Pass};
use crate::parallel::{Shared, for_each};
use crate::random::Stream;

/// The convolution of `conv2d/mod.rs`, whatever its shape.
///
/// Images are worked on in groups, whose number does not depend on the threads, and within a group in chunks that stay in
/// a core's cache. `memory.floats` holds, for each group, a chunk of images with their zeros, the gradients of a span
/// of images with their zeros, and the group's sums of the weights' and the biases' gradients; and the weights as the input
/// gradient reads them.
#[derive(Debug)]
pub(crate) struct Direct {
    geometry: Geometry,
    relu: bool,
    windows: Windows,
    reverse: Reverse,
    /// W in panels, b.
    parameters: [Parameter; 2],
}

/// Most gradients that a group keeps at a time, of which the input gradients are computed before the weight gradient.
const SPAN: usize = 16;

/// Gradients that each group of a batch keeps at a time, in chunks of so many.
fn span(batch: usize, chunk: usize) -> usize {
    SPAN.min(batch.div_ceil(groups(batch))).max(chunk)
}

impl Direct {
    pub(crate) fn new(geometry: Geometry, relu: bool, initial: Initial, stream: &mut Stream) -> Direct {
        let windows = Windows::new(&geometry);
        let reverse = Reverse::new(&geometry, &windows);
        let parameters = parameters(&geometry, initial, stream);
        Direct { geometry, relu, windows, reverse, parameters }
    }

    fn panels(&self) -> usize {
        self.geometry.filters.div_ceil(COLUMNS)
    }

    /// Numbers of a group's sums of the weight gradient.
    fn sums(&self) -> usize {
        self.panels() * self.windows.taps.len() * COLUMNS
    }

    /// The products that make y of one image, from the image with its zeros.
    fn image_forward(&self, pass: &Pass, x: &[f32], y: &mut [f32]) {
        let Geometry { channels, filters, kernel, .. } = self.geometry;
        let run = kernel[1] * channels;
        let [weight, bias] = &self.parameters;
        let mut tile = Tile::ZERO;
        for panel in 0..self.panels() {
            let first = panel * COLUMNS;
            let columns = COLUMNS.min(filters - first);
            let weight = &weight.value[panel * kernel[0] * run * COLUMNS..][..kernel[0] * run * COLUMNS];
            for range in tiles(self.windows.starts.len()) {
                let product = Product {
                    a: x,
                    rows: &self.windows.starts[range.clone()],
                    b: weight,
                    segments: &self.windows.kernel_rows,
                    count: run,
                    a_step: 1,
                    b_step: COLUMNS,
                    columns,
                };
                product.multiply(pass.path, &mut tile.0, false);
                let finish = Finish {
                    tile: &tile.0,
                    columns,
                    bias: Some(&bias.value[first..]),
                    relu: self.relu,
                    starts: &self.windows.outputs[range],
                    y: &mut y[first..],
                };
                finish.write(pass.path);
            }
        }
    }

    /// Adds a chunk's part of the weight gradient to `sums`, or begins them with it.
    fn weight_gradient(
        &self,
        pass: &Pass,
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
                let product = Product {
                    a: x,
                    rows: &taps[range.clone()],
                    b: &dy[panel * COLUMNS..],
                    segments: &self.reverse.output_rows[..count * output[0]],
                    count: output[1],
                    a_step: stride[1] * channels,
                    b_step: self.reverse.frame.pixel,
                    columns: COLUMNS.min(filters - panel * COLUMNS),
                };
                product.multiply(pass.path, &mut sums[range], onto);
            }
        }
    }

    /// dX of one image from its dY with zeros around it and the weights turned round.
    fn image_input_gradient(&self, pass: &Pass, turned: &[f32], dy: &[f32], dx: &mut [f32]) {
        let channels = self.geometry.channels;
        for class in &self.reverse.classes {
            // Stays zero where no tap of the kernel reaches the class.
            let mut tile = Tile::ZERO;
            let rows = class.taps[0] * class.taps[1] * self.reverse.frame.pixel;
            for first in (0..channels).step_by(COLUMNS) {
                let columns = COLUMNS.min(channels - first);
                for range in tiles(class.starts.len()) {
                    if rows > 0 {
                        let product = Product {
                            a: dy,
                            rows: &class.starts[range.clone()],
                            b: &turned[class.weights + first * rows..],
                            segments: &class.kernel_rows,
                            count: class.taps[1] * self.reverse.frame.pixel,
                            a_step: 1,
                            b_step: COLUMNS,
                            columns,
                        };
                        product.multiply(pass.path, &mut tile.0, false);
                    }
                    let finish = Finish {
                        tile: &tile.0,
                        columns,
                        bias: None,
                        relu: false,
                        starts: &class.outputs[range],
                        y: &mut dx[first..],
                    };
                    finish.write(pass.path);
                }
            }
        }
    }
}

impl Operation for Direct {
    fn outputs(&self) -> usize {
        self.geometry.outputs()
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        self.relu
    }

    fn memory(&self, capacity: usize, backward: bool) -> Memory {
        let chunk = self.reverse.chunk;
        // A batch of fewer images may keep more, in fewer groups.
        let gradients = (1..=capacity).map(|batch| groups(batch) * span(batch, chunk)).max().unwrap_or(0);
        let groups = groups(capacity);
        let backward = |len: usize| Buffer::zeros(if backward { len } else { 0 });
        let floats = vec![
            Buffer::zeros(groups * chunk * self.windows.image),
            backward(gradients * self.reverse.frame.image),
            backward(groups * self.sums()),
            backward(groups * self.panels() * COLUMNS),
            backward(self.reverse.weights),
        ];
        Memory { floats, indices: Vec::new() }
    }

    fn forward(&mut self, pass: &Pass, x: &[f32], y: &mut [f32], memory: &mut Memory) {
        let [images, ..] = &mut memory.floats[..] else { unreachable!("made by `memory`") };
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        let (groups, size) = (groups(pass.batch), self.reverse.chunk * self.windows.image);
        let (images, y) = (Shared::new(images), Shared::new(y));
        let this = &*self;
        for_each(groups, |g| {
            // SAFETY: each group is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let image = unsafe { images.part(g * size, this.windows.image) };
            for i in group(g, groups, pass.batch) {
                surround(&this.geometry, &x[i * inputs..][..inputs], image);
                // SAFETY: each image is in one group.
                #[expect(unsafe_code, reason = "tasks write disjoint images")]
                let y = unsafe { y.part(i * outputs, outputs) };
                this.image_forward(pass, image, y);
            }
        });
    }

    fn backward(&mut self, pass: &Pass, flow: Flow, memory: &mut Memory, receive: Receive) {
        let [images, gradients, sums, bias_sums, turned] = &mut memory.floats[..] else {
            unreachable!("made by `memory`")
        };
        let Flow { x, y, dy, dx } = flow;
        let wants_dx = dx.is_some();
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        let (groups, panels) = (groups(pass.batch), self.panels());
        let wanted = !matches!(receive, Receive::Discard);
        if wants_dx {
            self.reverse.turn(&self.geometry, &self.parameters[0].value, turned);
        }
        let parts = [
            Shared::new(images),
            Shared::new(gradients),
            Shared::new(sums),
            Shared::new(bias_sums),
            Shared::new(dx.unwrap_or_default()),
        ];
        let this = &*self;
        let kept = span(pass.batch, self.reverse.chunk);
        for_each(groups, |g| {
            let (chunk, a, b) = (this.reverse.chunk, this.windows.image, this.reverse.frame.image);
            let sizes = [chunk * a, kept * b, this.sums(), panels * COLUMNS];
            // SAFETY: each group is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let [images, gradients, sums, bias_sums] =
                std::array::from_fn(|part| unsafe { parts[part].part(g * sizes[part], sizes[part]) });
            bias_sums.fill(0.0);
            let group = group(g, groups, pass.batch);
            // All input gradients of a span first: the weights turned round and the sums take turns in the cache once.
            let span = if wants_dx { SPAN } else { chunk };
            for start in group.clone().step_by(span) {
                let span = start..group.end.min(start + span);
                for (i, gradient) in span.clone().zip(gradients.chunks_exact_mut(b)) {
                    let range = i * outputs..(i + 1) * outputs;
                    let y = this.relu.then_some(&y[range.clone()]);
                    let (frame, dy) = (&this.reverse.frame, &dy[range]);
                    frame.surround(pass.path, &this.geometry, dy, y, gradient, bias_sums);
                    if wants_dx {
                        // SAFETY: each image is in one group.
                        #[expect(unsafe_code, reason = "tasks write disjoint images")]
                        let dx = unsafe { parts[4].part(i * inputs, inputs) };
                        this.image_input_gradient(pass, turned, gradient, dx);
                    }
                }
                let chunks = span.clone().step_by(chunk).zip(gradients.chunks(chunk * b));
                for (first, gradients) in chunks.filter(|_| wanted) {
                    let chunk = first..span.end.min(first + chunk);
                    for (i, image) in chunk.clone().zip(images.chunks_exact_mut(a)) {
                        surround(&this.geometry, &x[i * inputs..][..inputs], image);
                    }
                    let (sums, onto) = (sums.as_chunks_mut::<COLUMNS>().0, first > group.start);
                    this.weight_gradient(pass, chunk.len(), images, gradients, sums, onto);
                }
            }
        });
        if wanted {
            let size = self.sums();
            let [weight, bias] = &mut self.parameters;
            let (weight, bias) = (weight.receiver(pass.path, receive), bias.receiver(pass.path, receive));
            // SAFETY: each stretch is handed in once.
            #[expect(unsafe_code, reason = "tasks hand in disjoint stretches")]
            let take = |start: usize, total: &[f32]| unsafe { weight.take(start, total) };
            add_groups(sums, groups, size, take);
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "tasks hand in disjoint stretches")]
            let take = |start: usize, total: &[f32]| unsafe { bias.take(start, total) };
            add_groups(bias_sums, groups, panels * COLUMNS, take);
        }
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }
}
