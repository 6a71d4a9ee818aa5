//! The backward pass of dense layers: what all cases share, and the computation for large batches and for stored
//! gradients. Where the gradients of smaller batches update the weights at once, `visit.rs` does the rest.

use super::forward::Active;
use super::packed_grad::{Arranged, WIDE, pair_columns, transpose, write_columns};
use super::{Dense, DenseCache, LARGEST, Size};
use crate::kernels::gemm::{Gemm, MR, NR, Row, Segment, Tile, TileRows, tiles};
use crate::kernels::pairs::{BOTH, PAIRED_ROWS, PairedRow, along, copy_pairs_along, pair_both};
use crate::kernels::silent::read_rows;
use crate::layers::parameter::{GradMode, GradSink, Parameter};
use crate::layers::{BackwardArgs, Context};
use crate::parallel::{DisjointSlice, for_each};

/// The number of tiles of the weight gradient that a task computes.
const TILES_IN_TASK: usize = 24;

impl Dense {
    pub(super) fn backward_pass(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut DenseCache,
        grad_mode: GradMode,
    ) {
        let size = self.size;
        let lanes = context.batch.next_multiple_of(16);
        let mut dy = Arranged {
            panels: &mut cache.packed_grad,
            transposed: &mut cache.transposed_grad,
            lanes,
            sums: &mut cache.bias_grad,
            active: &mut cache.active_panels,
        };
        let [weight, bias] = &mut self.parameters;
        size.arrange(context, args.y, args.dy, &mut dy, &bias.grad_sink(context.isa, grad_mode));
        let dx = args.dx;
        match grad_mode {
            GradMode::Step(rule) if context.batch <= LARGEST && rule.deferrable().is_some() => {
                let rule = rule.deferrable().expect("just seen");
                let step = rule.silent_step();
                if !weight.deferred.as_ref().is_some_and(|deferred| deferred.has_room_for(&step)) {
                    weight.settle();
                }
                let active = Active::found(context.batch, args.x, &cache.active_inputs, &cache.compact);
                // The forward pass of this batch has paired them.
                let x = if context.pairs { &cache.paired } else { active.x };
                size.visit(context, (active.inputs, x), &dy, dx, weight, rule);
            }
            _ => {
                if let Some(dx) = dx {
                    size.input_gradient(context, weight, &dy, dx);
                }
                if let GradMode::Step(_) = grad_mode {
                    weight.settle();
                }
                if !matches!(grad_mode, GradMode::Skip) {
                    let x = if context.pairs {
                        pair_columns(context, args.x, size.inputs, &mut cache.paired)
                    } else {
                        args.x
                    };
                    size.weight_gradient(context, x, dy.panels, &weight.grad_sink(context.isa, grad_mode));
                }
            }
        }
    }
}

impl Size {
    /// Writes dY, [batch, units], to `to` in panels and transposed, with zeros where ReLU gave zero and in place of
    /// denormal numbers. Passes the gradient of b to the sink `bias`.
    fn arrange(self, context: &Context, y: &[f32], dy: &[f32], to: &mut Arranged, bias: &GradSink) {
        let (batch, lanes) = (context.batch, to.lanes);
        let rows = batch.next_multiple_of(2);
        let Arranged { panels, transposed, sums, active, .. } = to;
        let all = [&mut **panels, &mut **transposed, &mut **sums].map(DisjointSlice::new);
        let active = DisjointSlice::new(active);
        for_each(self.panels(), |panel| {
            let (first, columns) = (panel * NR, self.columns(panel));
            let [panels, transposed, sums] = all;
            // SAFETY: each panel is one task's, and so are its columns as rows of the transposed matrix.
            #[expect(unsafe_code, reason = "tasks write disjoint panels")]
            let (rows, flipped, sums, active) = unsafe {
                (
                    panels.slice_mut(panel * rows * NR, rows * NR),
                    transposed.slice_mut(first * lanes, NR * lanes),
                    sums.slice_mut(first, NR),
                    &mut active.slice_mut(panel, 1)[0],
                )
            };
            sums.fill(0.0);
            let mut found = false;
            for (i, row) in rows.chunks_exact_mut(NR).take(batch).enumerate() {
                let at = i * self.units + first;
                let given = y[at..at + columns].iter().zip(&dy[at..at + columns]);
                for (((&y, &dy), to), sum) in given.zip(&mut *row).zip(&mut *sums) {
                    // Without a branch, as the signs of gradients cannot be predicted.
                    let nothing = (self.relu & (y <= 0.0)) | (dy.abs() < f32::MIN_POSITIVE);
                    *to = if nothing { 0.0 } else { dy };
                    *sum += *to;
                    found |= !nothing;
                }
                row[columns..].fill(0.0);
            }
            *active = u32::from(found);
            if context.pairs {
                pair_both(context.isa, rows, batch);
                transpose::<{ NR / 2 }>(rows, (0..batch).map(along), flipped, lanes);
            } else {
                transpose::<NR>(rows, (0..batch).map(|i| i * NR), flipped, lanes);
            }
        });
        // SAFETY: no other task passes on a part of this gradient.
        #[expect(unsafe_code, reason = "passes on the whole gradient at once")]
        unsafe {
            bias.take(0, sums);
        }
    }

    /// dX = dY·Wᵀ, [batch, inputs], computed as dXᵀ = W·dYᵀ so that vectors run along the batch.
    fn input_gradient(self, context: &Context, weight: &Parameter, dy: &Arranged, dx: &mut [f32]) {
        let dx = DisjointSlice::new(dx);
        let deferred = weight.deferred.as_ref().expect("a dense layer's weights can wait");
        let numbers = [&weight.value, &weight.first, &weight.second].map(|of| &of[..]);
        let starts: [usize; MR] = std::array::from_fn(|i| i * NR);
        for_each(tiles(self.inputs).len(), |block| {
            let range = tiles(self.inputs).nth(block).expect("a tile for each task");
            for first in (0..context.batch).step_by(WIDE * NR) {
                let images = first..context.batch.min(first + WIDE * NR);
                let mut tiles = [Tile::ZERO; WIDE];
                let mut rows: [Row; MR] = [[0.0; NR]; MR];
                let mut paired: [PairedRow; MR] = [[0.0; NR / 2]; MR];
                for panel in 0..self.panels() {
                    let start = |input| ((panel * self.inputs + input) * NR, deferred.steps(panel, input));
                    read_rows(context.isa, numbers, range.clone().map(start), &mut rows);
                    let (numbers, starts) = if context.pairs {
                        copy_pairs_along(
                            context.isa,
                            rows.as_flattened(),
                            &starts[..range.len()],
                            &mut paired,
                        );
                        (paired.as_flattened(), &PAIRED_ROWS)
                    } else {
                        (rows.as_flattened(), &starts)
                    };
                    let rows = (numbers, TileRows::new(&starts[..range.len()]));
                    let units = self.columns(panel);
                    dy.multiply(context, rows, (panel, units), images.clone(), &mut tiles, panel > 0);
                }
                let columns: [usize; MR] = std::array::from_fn(|i| range.start + i);
                write_columns(&dx, self.inputs, &columns[..range.len()], images, &tiles);
            }
        });
    }

    /// dW = Xᵀ·dY, which is passed to the sink `weight` tile by tile.
    fn weight_gradient(self, context: &Context, x: &[f32], panels: &[f32], weight: &GradSink) {
        let inputs = self.inputs;
        let groups = tiles(inputs).len().div_ceil(TILES_IN_TASK);
        for_each(self.panels() * groups, |task| {
            let (panel, group) = (task / groups, task % groups);
            let mut tile = Tile::ZERO;
            for range in tiles(inputs).skip(group * TILES_IN_TASK).take(TILES_IN_TASK) {
                let start = (panel * inputs + range.start) * NR;
                let starts = self.x_starts(context, range.start);
                // SAFETY: each tile is one task's.
                #[expect(unsafe_code, reason = "tasks pass on disjoint tiles")]
                unsafe {
                    weight.expect(start, range.len() * NR);
                    let rows = TileRows::new(&starts[..range.len()]);
                    self.weight_tile(context, (x, rows), panels, panel, &mut tile);
                    weight.take(start, tile.0[..range.len()].as_flattened());
                }
            }
        });
    }

    /// Where columns of x begin, from `first` on: of [batch, columns], or of what [`pair_columns`] made of it.
    pub(super) fn x_starts(self, context: &Context, first: usize) -> [usize; MR] {
        let height = context.batch.next_multiple_of(2);
        let start = |column| if context.pairs { column / NR * height * NR + column % NR } else { column };
        std::array::from_fn(|i| start(first + i))
    }

    /// Computes a tile of dW, for some columns of x and a panel of units. x is as for [`Size::x_starts`].
    pub(super) fn weight_tile(
        self,
        context: &Context,
        (x, rows): (&[f32], TileRows),
        dy: &[f32],
        panel: usize,
        tile: &mut Tile,
    ) {
        let (batch, pairs, height) = (context.batch, context.pairs, context.batch.next_multiple_of(2));
        let (count, [a_step, b_step]) =
            if pairs { (height / 2, [BOTH; 2]) } else { (batch, [x.len() / batch, NR]) };
        let product = Gemm {
            a: x,
            rows,
            b: dy,
            segments: &[Segment { a: 0, b: panel * height * NR }],
            count,
            a_step,
            b_step,
            columns: self.columns(panel),
            pairs,
        };
        if product.columns <= NR / 2 {
            // The padding of a narrow panel must be zero, but the product leaves the values of the last tile there.
            *tile = Tile::ZERO;
        }
        product.multiply(context.isa, &mut tile.0, false);
    }
}
