//! The forward pass of dense layers.
//!
//! An input that is zero in the whole batch adds nothing to the output, so its weights are not read. The result is the
//! same except for the sign of sums that are zero, and for weights that are infinite or NaN, which have no effect until
//! they are read.

use std::ops::Range;

use super::deferred::Deferred;
use super::packed_grad::pair_columns;
use super::{Dense, DenseCache, LARGEST, Size};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::gemm::{Gemm, MR, NR, Row, Segment, Tile, TileRows, tiles};
use crate::kernels::pairs::{along, copy_pairs_down, pair_down};
use crate::kernels::silent::read_rows;
use crate::kernels::update::prefetch_far;
use crate::layers::Context;
use crate::parallel::{DisjointSlice, for_each};

/// The number of inputs whose weights are read at a time.
const CHUNK: usize = 48;
/// The same if they are paired: whole panels.
const PAIRED_CHUNK: usize = 2 * NR;
/// How many inputs ahead weights are prefetched.
const AHEAD: usize = 24;
/// The most tiles of samples in a task; they share the weights that are read.
const GROUP: usize = 4;
/// From this number of panels on, a task takes [`GROUP`] tiles; with fewer panels, tasks of a single tile keep all
/// threads busy.
const MANY: usize = 8;

/// The active inputs, those that are not zero in the whole batch: their indices in ascending order, and their values x,
/// [batch, inputs.len()].
#[derive(Clone, Copy)]
pub(super) struct Active<'a> {
    pub(super) inputs: &'a [u32],
    pub(super) x: &'a [f32],
}

impl<'a> Active<'a> {
    /// Finds the active inputs of x, [batch, inputs]. Their number and indices are written to `indices`, of length 1 +
    /// inputs, and their values to `compact`, which is as large as x.
    fn find(
        size: Size,
        batch: usize,
        x: &'a [f32],
        indices: &'a mut [u32],
        compact: &'a mut [f32],
    ) -> Active<'a> {
        let all = size.inputs;
        let (count, inputs) = indices[..=all].split_first_mut().expect("room for the count");
        let looks = size.skips_zeros && batch <= LARGEST;
        inputs.fill(u32::from(!looks));
        if looks {
            for x in x.chunks_exact(all).take(batch) {
                inputs.iter_mut().zip(x).for_each(|(active, &x)| *active |= u32::from(x != 0.0));
            }
        }
        let active = inputs.iter().filter(|active| **active != 0).count();
        // Copying pays only if far fewer inputs are active, and the product needs at least one.
        if active * 8 > all * 7 || active == 0 {
            inputs.iter_mut().zip(0..).for_each(|(input, number)| *input = number);
            *count = all as u32;
            return Active { inputs, x };
        }
        // In place: the list of indices never overtakes the flags that it overwrites.
        let mut listed = 0;
        for input in 0..all {
            if inputs[input] != 0 {
                inputs[listed] = input as u32;
                listed += 1;
            }
        }
        *count = listed as u32;
        for (compact, x) in compact.chunks_exact_mut(listed).zip(x.chunks_exact(all)).take(batch) {
            compact.iter_mut().zip(&inputs[..listed]).for_each(|(to, &input)| *to = x[input as usize]);
        }
        Active { inputs: &inputs[..listed], x: &compact[..batch * listed] }
    }

    /// The active inputs that [`Active::find`] found in the forward pass of this batch.
    pub(super) fn found(batch: usize, x: &'a [f32], indices: &'a [u32], compact: &'a [f32]) -> Active<'a> {
        let inputs = &indices[1..=indices[0] as usize];
        let is_all = inputs.len() + 1 == indices.len();
        Active { inputs, x: if is_all { x } else { &compact[..batch * inputs.len()] } }
    }
}

impl Dense {
    pub(super) fn forward_pass(&self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut DenseCache) {
        let size @ Size { inputs: all, units, relu, .. } = self.size;
        let [weight, bias] = &self.parameters;
        let deferred = weight.deferred.as_ref().expect("a dense layer's weights can wait");
        let active = Active::find(size, context.batch, x, &mut cache.active_inputs, &mut cache.compact);
        let (width, pairs) = (active.inputs.len(), context.pairs);
        let a = if pairs { pair_columns(context, active.x, all, &mut cache.paired) } else { active.x };
        let (images, panels) = (tiles(context.batch).len(), size.panels());
        let group = if panels < MANY { 1 } else { GROUP };
        let groups = images.div_ceil(group);
        let y = DisjointSlice::new(y);
        for_each(panels * groups, |task| {
            let (panel, first_tile) = (task / groups, task % groups * group);
            let (first, columns) = (panel * NR, size.columns(panel));
            let span = first * all..(first + NR) * all;
            // The moments that the optimiser does not keep are empty.
            let part = |of: &'_ [f32]| if of.is_empty() { 0..0 } else { span.clone() };
            let numbers = [&weight.value, &weight.first, &weight.second].map(|of| &of[part(of)]);
            let images = || tiles(context.batch).skip(first_tile).take(group);
            let mut starts = [[0; MR]; GROUP];
            for (starts, range) in starts.iter_mut().zip(images()) {
                let start = |row| if pairs { along(row) } else { row * width };
                *starts = std::array::from_fn(|i| start(range.start + i));
            }
            let mut rows = [TileRows::new(&[]); GROUP];
            for ((rows, starts), range) in rows.iter_mut().zip(&starts).zip(images()) {
                *rows = TileRows::new(&starts[..range.len()]);
            }
            let product = Product { context, a, rows: &rows[..images().len()], columns };
            let mut sums = [Tile::ZERO; GROUP];
            let is_whole = width == all && !deferred.waits(panel);
            if is_whole && !pairs {
                product.add(numbers[0], 0..all, &mut sums);
            } else {
                let panel = Panel { context, active: active.inputs, deferred, panel, numbers };
                let mut chunk = [[0.0; NR]; PAIRED_CHUNK];
                let step = if pairs { PAIRED_CHUNK } else { CHUNK };
                panel.prefetch(0..AHEAD);
                for from in (0..width).step_by(step) {
                    let range = from..width.min(from + step);
                    if is_whole && range.len() == PAIRED_CHUNK {
                        let weights = &numbers[0][from * NR..][..PAIRED_CHUNK * NR];
                        copy_pairs_down(context.isa, weights, NR, chunk.as_flattened_mut());
                    } else {
                        panel.read(range.clone(), &mut chunk);
                    }
                    product.add(chunk.as_flattened(), range, &mut sums);
                }
            }
            for (range, tile) in images().zip(&sums) {
                for (n, row) in range.zip(&tile.0) {
                    // SAFETY: each task writes columns and rows of its own.
                    #[expect(unsafe_code, reason = "tasks write disjoint parts of rows")]
                    let y = unsafe { y.slice_mut(n * units + first, columns) };
                    let (tile, bias) = (std::slice::from_ref(row), Some(&bias.value[first..]));
                    Epilogue { tile, columns, bias, relu, starts: &[0], y }.write(context.isa);
                }
            }
        });
    }
}

/// The product of some images and a panel of weights.
struct Product<'a> {
    context: &'a Context,
    /// The active inputs of all images, [batch, active]; or in panels and paired, if products take pairs.
    a: &'a [f32],
    /// The images, in tiles.
    rows: &'a [TileRows<'a>],
    columns: usize,
}

impl Product<'_> {
    /// Adds the terms of a range of the active inputs to `sums`, a tile for each tile of images; with the first of these
    /// ranges, sums begin. `b` are the weights of the range.
    fn add(&self, b: &[f32], range: Range<usize>, sums: &mut [Tile]) {
        let Product { context, a, columns, .. } = *self;
        let pairs = context.pairs;
        // Numbers are read panel by panel if they are paired, and all in one go if they are not.
        let panels: [Segment; PAIRED_CHUNK / NR] = std::array::from_fn(|i| Segment {
            a: (range.start + i * NR) * context.batch.next_multiple_of(2),
            b: i * NR * NR / 2,
        });
        let (segments, count) = match pairs {
            true => (&panels[..range.len().div_ceil(NR)], NR / 2),
            false => (&[Segment { a: range.start, b: 0 }][..], range.len()),
        };
        for (&rows, tile) in self.rows.iter().zip(sums) {
            let product = Gemm { a, rows, b, segments, count, a_step: 1, b_step: NR, columns, pairs };
            product.multiply(context.isa, &mut tile.0, range.start > 0);
        }
    }
}

/// The weights of a panel, of which some wait for deferred steps.
struct Panel<'a> {
    context: &'a Context,
    /// The active inputs.
    active: &'a [u32],
    deferred: &'a Deferred,
    /// The number of the panel.
    panel: usize,
    /// The weights of the panel and their moments.
    numbers: [&'a [f32]; 3],
}

impl Panel<'_> {
    /// Prefetches the weights of some of the active inputs, and their moments where they are needed.
    #[inline]
    fn prefetch(&self, range: Range<usize>) {
        for &input in self.active.iter().take(range.end).skip(range.start) {
            let row = input as usize * NR..(input as usize + 1) * NR;
            let [value, first, second] = self.numbers;
            prefetch_far(&value[row.clone()]);
            if self.deferred.steps(self.panel, input as usize).is_some() {
                let moments = [first, second].into_iter().filter(|of| !of.is_empty());
                moments.for_each(|of| prefetch_far(&of[row.clone()]));
            }
        }
    }

    /// Writes the weights of a range of the active inputs to the rows of `to` as they are after their deferred steps, and
    /// pairs them if products take pairs. Prefetches those further on.
    fn read(&self, range: Range<usize>, to: &mut [Row]) {
        let Panel { context, deferred, panel, .. } = *self;
        let row = |(&input, place): (&u32, usize)| {
            self.prefetch(place + AHEAD..place + AHEAD + 1);
            (input as usize * NR, deferred.steps(panel, input as usize))
        };
        let rows = self.active[range.clone()].iter().zip(range.clone()).map(row);
        read_rows(context.isa, self.numbers, rows, to);
        if context.pairs {
            let end = range.len().next_multiple_of(NR);
            to[range.len()..end].fill([0.0; NR]);
            pair_down(context.isa, to[..end].as_flattened_mut(), NR);
        }
    }
}
