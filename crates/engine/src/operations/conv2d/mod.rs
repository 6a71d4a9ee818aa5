//! Convolutions (cross-correlations) of images with filters, with ReLU where it follows.
//!
//! y[i, j, f] = b[f] + Σ over the kernel's rows u, its columns v and the channels c: x[s·i + u, s·j + v, c] · w[u, v, c, f],
//! x being the image with zeros around it. The patches of x that meet a kernel row lie one after the other in memory, so
//! the product reads the image where it is: a row of y is a row of offsets, a kernel row is a segment.

mod frame;
mod minimal;
mod plan;
#[cfg(test)]
mod tests;
mod transforms;

use inkling_spec::Initial;

use self::frame::surround;
use self::minimal::Minimal;
use self::plan::{Reverse, Windows};
use super::geometry::Geometry;
use super::parameter::{Layout, Parameter, Receive, Role};
use super::{Flow, Memory, Operation, Pass};
use crate::kernels::finish::Finish;
use crate::kernels::product::{COLUMNS, Product, Row, Tile, tiles};
use crate::memory::Buffer;
use crate::parallel::{Shared, for_each};
use crate::random::Stream;

/// y of [batch, height, width, filters] from x of [batch, height, width, channels], w of [kernel height, kernel width,
/// channels, filters] and b of [filters].
///
/// Images are worked on in groups, whose number does not depend on the threads, and within a group in chunks that stay in
/// a core's cache. `memory.floats` holds, for each group, a chunk of images with their zeros, the gradients of a span
/// of images with their zeros, the group's sums of the weights' and the biases' gradients, and a chunk's images and outputs before
/// and after the products of minimal filtering; and the weights as the input gradient and as minimal filtering read them.
#[derive(Debug)]
pub(crate) struct Conv2d {
    geometry: Geometry,
    relu: bool,
    windows: Windows,
    reverse: Reverse,
    /// How y and dW are computed where fewer products do.
    minimal: Option<Minimal>,
    /// W in panels, b.
    parameters: [Parameter; 2],
}

/// Groups that a batch is divided into: as many as threads may share, but of a dozen images or more, whose sums of the
/// weight gradient are then worth their memory.
fn groups(batch: usize) -> usize {
    (batch / 12).clamp(4, 16).min(batch)
}

/// Numbers of a gradient that a task sums over the groups.
const STRETCH: usize = 128 * COLUMNS;

/// Numbers of images and gradients that stay in a core's second-level cache beside the weights.
const CHUNK: usize = 64 * 1024;

/// Most gradients that a group keeps at a time, of which the input gradients are computed before the weight gradient.
const SPAN: usize = 16;

/// Gradients that each group of a batch keeps at a time, in chunks of so many.
fn span(batch: usize, chunk: usize) -> usize {
    SPAN.min(batch.div_ceil(groups(batch))).max(chunk)
}

/// Images of a chunk in minimal filtering: enough rows for the weights to be worth reading.
const IMAGES: usize = 2;

/// The images of a group.
fn group(number: usize, groups: usize, batch: usize) -> std::ops::Range<usize> {
    number * batch / groups..(number + 1) * batch / groups
}

/// Adds up the sums of all groups, in their order, in the place of the first group's, and tells `then` each stretch.
fn add_groups(sums: &mut [f32], groups: usize, size: usize, then: impl Fn(usize, &[f32]) + Sync) {
    let sums = Shared::new(sums);
    for_each(size.div_ceil(STRETCH), |task| {
        let (start, length) = (task * STRETCH, STRETCH.min(size - task * STRETCH));
        // SAFETY: each stretch of the sums, in all groups, is one task's.
        #[expect(unsafe_code, reason = "tasks add up disjoint stretches")]
        let total = unsafe { sums.part(start, length) };
        for g in 1..groups {
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "tasks add up disjoint stretches")]
            let part = unsafe { sums.part(g * size + start, length) };
            total.iter_mut().zip(part).for_each(|(total, part)| *total += *part);
        }
        then(start, total);
    });
}

/// W in panels, drawn, and b.
fn parameters(geometry: &Geometry, initial: Initial, stream: &mut Stream) -> [Parameter; 2] {
    let Geometry { channels, filters, kernel, .. } = *geometry;
    let window = kernel[0] * kernel[1];
    let layout = Layout::Panels { rows: window * channels, columns: filters };
    let shape = vec![kernel[0], kernel[1], channels, filters];
    let mut weight = Parameter::new("weight", shape, layout, Role::Weight);
    weight.draw(initial, window * channels, window * filters, stream);
    let layout = Layout::Panels { rows: 1, columns: filters };
    [weight, Parameter::new("bias", vec![filters], layout, Role::Other)]
}

impl Conv2d {
    pub(crate) fn new(geometry: Geometry, relu: bool, initial: Initial, stream: &mut Stream) -> Conv2d {
        let windows = Windows::new(&geometry);
        let minimal = Minimal::new(&geometry);
        let chunk = |numbers: usize| if minimal.is_some() { IMAGES } else { (CHUNK / numbers).clamp(1, 8) };
        let reverse = Reverse::new(&geometry, &windows, chunk);
        let parameters = parameters(&geometry, initial, stream);
        Conv2d { geometry, relu, windows, reverse, minimal, parameters }
    }

    fn panels(&self) -> usize {
        self.geometry.filters.div_ceil(COLUMNS)
    }

    /// Numbers of a group's sums of the weight gradient.
    fn sums(&self) -> usize {
        self.minimal.map_or(self.panels() * self.windows.taps.len() * COLUMNS, |minimal| minimal.weights())
    }

    /// y of a chunk, image after image, from its images with their zeros.
    fn chunk_forward(&self, pass: &Pass, images: &[f32], u: &[f32], [v, m]: [&mut [f32]; 2], y: &mut [f32]) {
        let (image, output) = (self.windows.image, self.geometry.outputs());
        let count = y.len() / output;
        let images = images.chunks_exact(image).take(count);
        let Some(minimal) = self.minimal else {
            for (image, y) in images.zip(y.chunks_exact_mut(output)) {
                self.image_forward(pass, image, y);
            }
            return;
        };
        minimal.spread_images(pass.path, images, v);
        minimal.multiply(pass.path, count, v, u, m.as_chunks_mut::<COLUMNS>().0);
        for (i, y) in y.chunks_exact_mut(output).enumerate() {
            minimal.gather_output(pass.path, [i, count], m, &self.parameters[1].value, self.relu, y);
        }
    }

    /// Numbers of a group's images of a chunk, of those before the products and of the products.
    fn chunk_sizes(&self) -> [usize; 3] {
        let (chunk, minimal) = (self.reverse.chunk, self.minimal);
        [
            chunk * self.windows.image,
            minimal.map_or(0, |minimal| minimal.before(chunk)),
            minimal.map_or(0, |minimal| minimal.products(chunk)),
        ]
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

impl Operation for Conv2d {
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
        let minimal = |len: fn(&Minimal, usize) -> usize| {
            Buffer::zeros(groups * self.minimal.as_ref().map_or(0, |minimal| len(minimal, chunk)))
        };
        let floats = vec![
            Buffer::zeros(groups * chunk * self.windows.image),
            backward(gradients * self.reverse.frame.image),
            backward(groups * self.sums()),
            backward(groups * self.panels() * COLUMNS),
            backward(self.reverse.weights),
            minimal(Minimal::before),
            minimal(Minimal::products),
            Buffer::zeros(self.minimal.map_or(0, |minimal| minimal.weights())),
        ];
        Memory { floats, indices: Vec::new() }
    }

    fn forward(&mut self, pass: &Pass, x: &[f32], y: &mut [f32], memory: &mut Memory) {
        let [images, _, _, _, _, v, m, u] = &mut memory.floats[..] else { unreachable!("made by `memory`") };
        if let Some(minimal) = self.minimal {
            minimal.spread_weights(pass.path, &self.parameters[0].value, u);
        }
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        let (groups, sizes) = (groups(pass.batch), self.chunk_sizes());
        let (parts, y) = ([images, v, m].map(|part| Shared::new(part)), Shared::new(y));
        let (this, u) = (&*self, &**u);
        for_each(groups, |g| {
            // SAFETY: each group is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let [images, v, m] =
                std::array::from_fn(|part| unsafe { parts[part].part(g * sizes[part], sizes[part]) });
            let group = group(g, groups, pass.batch);
            for first in group.clone().step_by(this.reverse.chunk) {
                let chunk = first..group.end.min(first + this.reverse.chunk);
                for (i, image) in chunk.clone().zip(images.chunks_exact_mut(this.windows.image)) {
                    surround(&this.geometry, &x[i * inputs..][..inputs], image);
                }
                // SAFETY: each image is in one group.
                #[expect(unsafe_code, reason = "tasks write disjoint images")]
                let y = unsafe { y.part(first * outputs, chunk.len() * outputs) };
                this.chunk_forward(pass, images, u, [v, m], y);
            }
        });
    }

    fn backward(&mut self, pass: &Pass, flow: Flow, memory: &mut Memory, receive: Receive) {
        let [images, gradients, sums, bias_sums, turned, v, m, _] = &mut memory.floats[..] else {
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
            Shared::new(v),
            Shared::new(m),
            Shared::new(dx.unwrap_or_default()),
        ];
        let this = &*self;
        let kept = span(pass.batch, self.reverse.chunk);
        for_each(groups, |g| {
            let (chunk, a, b) = (this.reverse.chunk, this.windows.image, this.reverse.frame.image);
            let [_, before, products] = this.chunk_sizes();
            let sizes = [chunk * a, kept * b, this.sums(), panels * COLUMNS, before, products];
            // SAFETY: each group is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint groups")]
            let [images, gradients, sums, bias_sums, v, m] =
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
                        let dx = unsafe { parts[6].part(i * inputs, inputs) };
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
                    match this.minimal {
                        Some(minimal) => {
                            let (path, count) = (pass.path, chunk.len());
                            let (images, gradients) = (images.chunks_exact(a), gradients.chunks_exact(b));
                            let width = this.reverse.frame.width;
                            minimal.spread_images(path, images.take(count), v);
                            minimal.spread_gradients(path, width, gradients.take(count), m);
                            minimal.weight_gradient(path, count, v, m, sums, onto);
                        }
                        None => this.weight_gradient(pass, chunk.len(), images, gradients, sums, onto),
                    }
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
            match self.minimal {
                Some(minimal) => {
                    add_groups(sums, groups, size, |_, _| {});
                    minimal.gather_weights(sums, &weight);
                }
                None => add_groups(sums, groups, size, take),
            }
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
