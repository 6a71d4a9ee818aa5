//! The backward pass of dense layers: what is common, and the way of large batches and of gradients that are kept. Where those
//! of other batches move weights, `visit.rs` does it.

use std::ops::Range;

use super::forward::Active;
use super::visit::LARGEST;
use super::{Dense, Size};
use crate::kernels::product::{COLUMNS, Product, ROWS, Row, Segment, Tile, tiles};
use crate::kernels::silent::read_rows;
use crate::operations::parameter::{Parameter, Receive, Receiver};
use crate::operations::{Flow, Memory, Pass};
use crate::parallel::{Shared, for_each};

/// Tiles of dX that are summed side by side.
pub(super) const WIDE: usize = 4;
/// Tiles of the weight gradient that a task makes.
const TILES_IN_TASK: usize = 24;

/// dY as [`Size::arrange`] leaves it.
pub(super) struct Arranged<'a> {
    /// In panels of columns, [panels, batch, 32].
    pub(super) panels: &'a mut [f32],
    /// Transposed, [columns, lanes].
    transposed: &'a mut [f32],
    /// Numbers of a row of the transposed: a batch, filled up with zeros to whole vectors.
    lanes: usize,
    /// The gradient of b.
    sums: &'a mut [f32],
    /// Of each panel, whether any number is not zero.
    pub(super) active: &'a mut [u32],
}

impl Dense {
    pub(super) fn backward_pass(&mut self, pass: &Pass, flow: Flow, memory: &mut Memory, receive: Receive) {
        let size = self.size;
        let Memory { floats, indices } = memory;
        let [panels, transposed, sums, compact] = &mut floats[..] else { unreachable!("made by `memory`") };
        let (active, indices) = indices.split_at_mut(size.panels());
        let lanes = pass.batch.next_multiple_of(16);
        let mut dy = Arranged { panels, transposed, lanes, sums, active };
        let [weight, bias] = &mut self.parameters;
        size.arrange(pass, flow.y, flow.dy, &mut dy, &bias.receiver(pass.path, receive));
        let dx = flow.dx;
        match receive {
            Receive::Update(rules) if pass.batch <= LARGEST => {
                if !weight.deferred.as_ref().is_some_and(|deferred| deferred.has_room_for(&rules.weights)) {
                    weight.settle();
                }
                let active = Active::found(pass.batch, flow.x, indices, compact);
                size.visit(pass, active, &dy, dx, weight, &rules.weights);
            }
            _ => {
                if let Some(dx) = dx {
                    size.input_gradient(pass, weight, &dy, dx);
                }
                if let Receive::Update(_) = receive {
                    weight.settle();
                }
                if !matches!(receive, Receive::Discard) {
                    size.weight_gradient(pass, flow.x, dy.panels, &weight.receiver(pass.path, receive));
                }
            }
        }
    }
}

impl Size {
    /// dY, zero where ReLU was silent and where it is denormal, in panels and transposed. Hands in the gradient of b.
    fn arrange(self, pass: &Pass, y: &[f32], dy: &[f32], to: &mut Arranged, bias: &Receiver) {
        let (batch, lanes) = (pass.batch, to.lanes);
        let Arranged { panels, transposed, sums, active, .. } = to;
        let all = [&mut **panels, &mut **transposed, &mut **sums].map(Shared::new);
        let active = Shared::new(active);
        for_each(self.panels(), |panel| {
            let (first, columns) = (panel * COLUMNS, self.columns(panel));
            let [panels, transposed, sums] = all;
            // SAFETY: each panel is one task's, and so are its columns as rows of the transposed matrix.
            #[expect(unsafe_code, reason = "tasks write disjoint panels")]
            let (rows, turned, sums, active) = unsafe {
                (
                    panels.part(panel * batch * COLUMNS, batch * COLUMNS),
                    transposed.part(first * lanes, COLUMNS * lanes),
                    sums.part(first, COLUMNS),
                    &mut active.part(panel, 1)[0],
                )
            };
            sums.fill(0.0);
            *active = 0;
            for (i, row) in rows.chunks_exact_mut(COLUMNS).enumerate() {
                let at = i * self.units + first;
                let given = y[at..at + columns].iter().zip(&dy[at..at + columns]);
                for (j, ((&y, &dy), to)) in given.zip(&mut *row).enumerate() {
                    let nothing = (self.relu && y <= 0.0) || dy.abs() < f32::MIN_POSITIVE;
                    let dy = if nothing { 0.0 } else { dy };
                    *to = dy;
                    sums[j] += dy;
                    turned[j * lanes + i] = dy;
                    *active |= u32::from(dy != 0.0);
                }
                row[columns..].fill(0.0);
            }
            for (j, lane) in turned.chunks_exact_mut(lanes).enumerate() {
                lane[if j < columns { batch } else { 0 }..].fill(0.0);
            }
        });
        // SAFETY: the whole at once.
        #[expect(unsafe_code, reason = "hands in the whole gradient")]
        unsafe {
            bias.take(0, sums);
        }
    }

    /// dX = dY·Wᵀ, as dXᵀ = W·dYᵀ so that the batch lies along the vectors.
    fn input_gradient(self, pass: &Pass, weight: &Parameter, dy: &Arranged, dx: &mut [f32]) {
        let dx = Shared::new(dx);
        let deferred = weight.deferred.as_ref().expect("a dense layer's weights can wait");
        let numbers = [&weight.value, &weight.first, &weight.second].map(|of| &of[..]);
        for_each(tiles(self.inputs).len(), |block| {
            let range = tiles(self.inputs).nth(block).expect("a tile for each task");
            for first in (0..pass.batch).step_by(WIDE * COLUMNS) {
                let images = first..pass.batch.min(first + WIDE * COLUMNS);
                let mut tiles = [Tile::ZERO; WIDE];
                let mut rows: [Row; ROWS] = [[0.0; COLUMNS]; ROWS];
                for panel in 0..self.panels() {
                    let start =
                        |input| ((panel * self.inputs + input) * COLUMNS, deferred.steps(panel, input));
                    read_rows(pass.path, numbers, range.clone().map(start), &mut rows);
                    let starts: [usize; ROWS] = std::array::from_fn(|i| i * COLUMNS);
                    let rows = (rows.as_flattened(), &starts[..range.len()]);
                    dy.multiply(pass, rows, panel, images.clone(), &mut tiles, panel > 0);
                }
                write_columns(&dx, self.inputs, |i| range.start + i, range.len(), images, &tiles);
            }
        });
    }

    /// dW = Xᵀ·dY, tile by tile to the receiver.
    fn weight_gradient(self, pass: &Pass, x: &[f32], panels: &[f32], weight: &Receiver) {
        let inputs = self.inputs;
        let groups = tiles(inputs).len().div_ceil(TILES_IN_TASK);
        for_each(self.panels() * groups, |task| {
            let (panel, group) = (task / groups, task % groups);
            let mut tile = Tile::ZERO;
            for range in tiles(inputs).skip(group * TILES_IN_TASK).take(TILES_IN_TASK) {
                let start = (panel * inputs + range.start) * COLUMNS;
                // SAFETY: each tile is one task's.
                #[expect(unsafe_code, reason = "tasks hand in disjoint tiles")]
                unsafe {
                    weight.expect(start, range.len() * COLUMNS);
                    self.weight_tile(pass, x, panels, panel, range.clone(), &mut tile);
                    weight.take(start, tile.0[..range.len()].as_flattened());
                }
            }
        });
    }

    /// A tile of dW: of these columns of x, a panel of units.
    pub(super) fn weight_tile(
        self,
        pass: &Pass,
        x: &[f32],
        dy: &[f32],
        panel: usize,
        range: Range<usize>,
        tile: &mut Tile,
    ) {
        let rows: [usize; ROWS] = std::array::from_fn(|i| range.start + i);
        let product = Product {
            a: x,
            rows: &rows[..range.len()],
            b: dy,
            segments: &[Segment { a: 0, b: panel * pass.batch * COLUMNS }],
            count: pass.batch,
            a_step: x.len() / pass.batch,
            b_step: COLUMNS,
            columns: self.columns(panel),
        };
        if product.columns <= COLUMNS / 2 {
            // What fills a narrow panel up stays zero: the product leaves the last panel's numbers there.
            *tile = Tile::ZERO;
        }
        product.multiply(pass.path, &mut tile.0, false);
    }
}

impl Arranged<'_> {
    /// The part of dX that rows of weights to a panel give for some images, [rows, images], 32 images a tile. It is written or,
    /// if `onto`, added.
    pub(super) fn multiply(
        &self,
        pass: &Pass,
        (weights, rows): (&[f32], &[usize]),
        panel: usize,
        images: Range<usize>,
        tiles: &mut [Tile; WIDE],
        onto: bool,
    ) {
        for (first, tile) in images.clone().step_by(COLUMNS).zip(tiles) {
            let product = Product {
                a: weights,
                rows,
                b: self.transposed,
                segments: &[Segment { a: 0, b: panel * COLUMNS * self.lanes + first }],
                count: COLUMNS,
                a_step: 1,
                b_step: self.lanes,
                columns: COLUMNS.min(images.end - first),
            };
            product.multiply(pass.path, &mut tile.0, onto);
        }
    }
}

/// Writes tiles of dXᵀ to dX, [batch, width]: row i is `column(i)`.
pub(super) fn write_columns(
    dx: &Shared,
    width: usize,
    column: impl Fn(usize) -> usize,
    rows: usize,
    images: Range<usize>,
    tiles: &[Tile; WIDE],
) {
    for (first, tile) in images.clone().step_by(COLUMNS).zip(tiles) {
        for (i, row) in tile.0[..rows].iter().enumerate() {
            for (n, &number) in (first..images.end).zip(row) {
                // SAFETY: a task writes the numbers of its own inputs.
                #[expect(unsafe_code, reason = "tasks write disjoint columns")]
                let dx = unsafe { dx.part(n * width + column(i), 1) };
                dx[0] = number;
            }
        }
    }
}
