//! The backward pass of dense layers where gradients update the weights at once. Each tile of weights is visited once: it
//! takes its deferred steps, contributes its part of dX, and is updated with its gradient, which is never written to
//! memory.
//!
//! The weights of inputs that are zero in the whole batch, and those of panels in which no unit has a gradient, are not
//! touched: they defer the step ([`Deferred`](super::deferred::Deferred)).

use std::ops::Range;

use super::Size;
use super::deferred::RowPanels;
use super::packed_grad::{Arranged, WIDE, write_columns};
use crate::kernels::gemm::{MR, NR, Tile, TileRows, tiles};
use crate::kernels::pairs::{PAIRED_ROWS, PairedRow, copy_pairs_along};
use crate::kernels::update::{ParamState, prefetch_far};
use crate::layers::Context;
use crate::layers::parameter::Parameter;
use crate::optimizers::DeferrableRule;
use crate::parallel::{DisjointSlice, for_each};

/// The least number of weights of a task.
const TASK: usize = 1 << 14;

impl Size {
    /// Updates the weights of active inputs in panels that have a gradient; all other weights defer the step. If given, dx,
    /// [batch, inputs], is computed for the active inputs and set to zero for the others. `x` is as [`Size::weight_tile`] takes it.
    pub(super) fn visit(
        self,
        context: &Context,
        (inputs, x): (&[u32], &[f32]),
        dy: &Arranged,
        mut dx: Option<&mut [f32]>,
        weight: &mut Parameter,
        rule: DeferrableRule,
    ) {
        if let Some(dx) = &mut dx
            && inputs.len() < self.inputs
        {
            dx.fill(0.0);
        }
        let has_second = !weight.second.is_empty();
        let deferred = weight.deferred.as_mut().expect("a dense layer's weights can wait");
        let values =
            [&mut weight.value, &mut weight.first, &mut weight.second].map(|of| DisjointSlice::new(of));
        let (dx, row_panels) = (dx.map(DisjointSlice::new), deferred.open());
        let visit = Visit {
            size: self,
            context,
            inputs,
            x,
            dy,
            dx: dx.as_ref(),
            values: &values,
            has_second,
            row_panels: &row_panels,
            rule,
        };
        let blocks = tiles(inputs.len()).len();
        let group = (TASK / (MR * NR * self.panels())).max(1);
        for_each(blocks.div_ceil(group), |task| {
            tiles(inputs.len()).skip(task * group).take(group).for_each(|range| visit.block(range));
        });
        deferred.add(context.isa, &rule.silent_step());
    }
}

/// The arguments of all tasks of a visit.
struct Visit<'a> {
    size: Size,
    context: &'a Context,
    /// The active inputs, in ascending order, and their values.
    inputs: &'a [u32],
    x: &'a [f32],
    dy: &'a Arranged<'a>,
    dx: Option<&'a DisjointSlice<'a>>,
    values: &'a [DisjointSlice<'a>; 3],
    /// Whether the optimiser keeps a second moment.
    has_second: bool,
    row_panels: &'a RowPanels<'a>,
    rule: DeferrableRule,
}

impl<'a> Visit<'a> {
    /// The weights and moments of a range of active inputs in a panel, from the first of them to the last. Rows in
    /// between may belong to inputs that are not active.
    fn weights(&self, panel: usize, range: &Range<usize>) -> ParamState<'a> {
        let [first, last] = [range.start, range.end - 1].map(|i| self.inputs[i] as usize);
        let (start, len) = ((panel * self.size.inputs + first) * NR, (last + 1 - first) * NR);
        // SAFETY: blocks are parts of an ascending list, so their rows do not overlap, and each block belongs to one task.
        #[expect(unsafe_code, reason = "tasks write disjoint rows")]
        let [value, first] = [0, 1].map(|i| unsafe { self.values[i].slice_mut(start, len) });
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "tasks write disjoint rows")]
        let second = if self.has_second { unsafe { self.values[2].slice_mut(start, len) } } else { &mut [] };
        ParamState { value, first, second }
    }

    /// Visits the weights of a range of the active inputs, panel by panel.
    fn block(&self, range: Range<usize>) {
        let Visit { size, context, dy, .. } = *self;
        let inputs = &self.inputs[range.clone()];
        let first = inputs[0];
        let mut starts = [0; MR];
        starts.iter_mut().zip(inputs).for_each(|(start, &input)| *start = (input - first) as usize * NR);
        let starts = &starts[..inputs.len()];
        let prefetch_panel = |panel: usize| {
            let ParamState { value, first, second } = self.weights(panel, &range);
            // Once more the first where there is no second moment: a branch in here costs more.
            for numbers in [&*value, &*first, if self.has_second { second } else { first }] {
                starts.iter().for_each(|&start| prefetch_far(&numbers[start..start + NR]));
            }
        };
        let (mut dx_tiles, mut dw_tile) = ([Tile::ZERO; WIDE], Tile::ZERO);
        let mut paired: [PairedRow; MR] = [[0.0; NR / 2]; MR];
        let rows = TileRows::new(starts);
        let weight_rows = if context.pairs { TileRows::new(&PAIRED_ROWS[..starts.len()]) } else { rows };
        let x_starts = size.x_starts(context, range.start);
        let x_rows = TileRows::new(&x_starts[..starts.len()]);
        let mut panels = (0..size.panels()).filter(|&panel| dy.active[panel] != 0).peekable();
        panels.peek().into_iter().for_each(|&panel| prefetch_panel(panel));
        let mut onto = false;
        while let Some(panel) = panels.next() {
            panels.peek().into_iter().for_each(|&next| prefetch_panel(next));
            let mut weights = self.weights(panel, &range);
            let waiting = inputs.iter().zip(starts).filter_map(|(&input, &start)| {
                // SAFETY: each block has inputs of its own.
                #[expect(unsafe_code, reason = "tasks take row panels of their own")]
                let steps = unsafe { self.row_panels.take(panel, input as usize) };
                Some((start, steps?))
            });
            weights.catch_up(context.isa, waiting);
            if self.dx.is_some() {
                let weights = if context.pairs {
                    copy_pairs_along(context.isa, weights.value, starts, &mut paired);
                    paired.as_flattened()
                } else {
                    &*weights.value
                };
                let units = size.columns(panel);
                dy.multiply(
                    context,
                    (weights, weight_rows),
                    (panel, units),
                    0..context.batch,
                    &mut dx_tiles,
                    onto,
                );
                onto = true;
            }
            size.weight_tile(context, (self.x, x_rows), dy.panels, panel, &mut dw_tile);
            self.rule.update_rows(context.isa, &mut weights, rows, &dw_tile.0[..starts.len()]);
        }
        if let Some(dx) = self.dx {
            let mut columns = [0; MR];
            columns.iter_mut().zip(inputs).for_each(|(column, &input)| *column = input as usize);
            write_columns(dx, size.inputs, &columns[..inputs.len()], 0..context.batch, &dx_tiles);
        }
    }
}
