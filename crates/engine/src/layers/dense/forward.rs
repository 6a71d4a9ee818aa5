//! The forward pass of dense layers.
//!
//! An input that is zero in the whole batch adds nothing, so that its weights need not be read. That changes nothing but the
//! sign of a sum that is zero, and that a weight that is infinite or no number does not show before it is needed.

use super::visit::LARGEST;
use super::{Dense, DenseCache, Size};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::gemm::{Gemm, MR, NR, Segment, Tile, tiles};
use crate::kernels::silent::read_rows;
use crate::kernels::update::prefetch_far;
use crate::layers::Context;
use crate::parallel::{DisjointSlice, for_each};

/// Inputs whose weights are read at a time.
const CHUNK: usize = 48;
/// How many inputs ahead weights are asked for.
const AHEAD: usize = 24;
/// Most tiles of images in a task, which read weights together.
const GROUP: usize = 4;
/// Panels that are enough for as many tasks.
const MANY: usize = 8;

/// The inputs of a batch that are not always zero, in order, and their numbers, [batch, inputs.len()].
#[derive(Clone, Copy)]
pub(super) struct Active<'a> {
    pub(super) inputs: &'a [u32],
    pub(super) x: &'a [f32],
}

impl<'a> Active<'a> {
    /// Finds them; `indices` has room for every input and their count, `compact` for x.
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
        // Moving numbers together pays if there are much fewer; and there is one at least, so that there is a product.
        if active * 8 > all * 7 || active == 0 {
            inputs.iter_mut().zip(0..).for_each(|(input, number)| *input = number);
            *count = all as u32;
            return Active { inputs, x };
        }
        // In place: the list never overtakes the flags.
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

    /// What [`Active::find`] has found for a batch.
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
        let width = active.inputs.len();
        let (images, panels) = (tiles(context.batch).len(), size.panels());
        let group = if panels < MANY { 1 } else { GROUP };
        let groups = images.div_ceil(group);
        let y = DisjointSlice::new(y);
        for_each(panels * groups, |task| {
            let (panel, first_tile) = (task / groups, task % groups * group);
            let (first, columns) = (panel * NR, size.columns(panel));
            let span = first * all..(first + NR) * all;
            // Moments that are not kept are empty.
            let part = |of: &'_ [f32]| if of.is_empty() { 0..0 } else { span.clone() };
            let [value, moment, second] =
                [&weight.value, &weight.first, &weight.second].map(|of| &of[part(of)]);
            let mut sums = [Tile::ZERO; GROUP];
            let images = || tiles(context.batch).skip(first_tile).take(group);
            let multiply = |b: &[f32], from: usize, count: usize, sums: &mut [Tile]| {
                for (range, tile) in images().zip(sums) {
                    let starts: [usize; MR] = std::array::from_fn(|i| (range.start + i) * width);
                    let product = Gemm {
                        a: active.x,
                        rows: &starts[..range.len()],
                        b,
                        segments: &[Segment { a: from, b: 0 }],
                        count,
                        a_step: 1,
                        b_step: NR,
                        columns,
                    };
                    product.multiply(context.isa, &mut tile.0, from > 0);
                }
            };
            if width == all && !deferred.waits(panel) {
                multiply(value, 0, all, &mut sums);
            } else {
                let mut rows = [[0.0; NR]; CHUNK];
                let ask = |input: u32| {
                    let row = input as usize * NR..(input as usize + 1) * NR;
                    prefetch_far(&value[row.clone()]);
                    if deferred.steps(panel, input as usize).is_some() {
                        let moments = [moment, second].into_iter().filter(|of| !of.is_empty());
                        moments.for_each(|of| prefetch_far(&of[row.clone()]));
                    }
                };
                active.inputs.iter().take(AHEAD).for_each(|&input| ask(input));
                for (i, listed) in active.inputs.chunks(CHUNK).enumerate() {
                    let from = i * CHUNK;
                    let start = |(k, &input): (usize, &u32)| {
                        active.inputs.get(from + k + AHEAD).into_iter().for_each(|&next| ask(next));
                        (input as usize * NR, deferred.steps(panel, input as usize))
                    };
                    let listed_rows = listed.iter().enumerate().map(start);
                    read_rows(context.isa, [value, moment, second], listed_rows, &mut rows);
                    multiply(rows.as_flattened(), from, listed.len(), &mut sums);
                }
            }
            for (range, tile) in images().zip(&sums) {
                for (n, row) in range.zip(&tile.0) {
                    // SAFETY: a task writes its own columns of its own rows.
                    #[expect(unsafe_code, reason = "tasks write disjoint parts of rows")]
                    let y = unsafe { y.slice_mut(n * units + first, columns) };
                    let (tile, bias) = (std::slice::from_ref(row), Some(&bias.value[first..]));
                    Epilogue { tile, columns, bias, relu, starts: &[0], y }.write(context.isa);
                }
            }
        });
    }
}
