//! Dense layers: y = x·W + b, with ReLU where it follows. The way of large batches is here; `thin.rs` has that of small
//! ones, which gives the same bits.

mod stretch;
#[cfg(test)]
mod tests;
mod thin;

use inkling_spec::Initial;

use super::owed::Owed;
use super::parameter::{Layout, Parameter, Receive, Receiver, Role};
use super::{Flow, Memory, Operation, Pass};
use crate::kernels::finish::Finish;
use crate::kernels::product::{COLUMNS, Product, ROWS, Segment, Tile, tiles};
use crate::memory::Buffer;
use crate::parallel::{Shared, for_each};
use crate::random::Stream;

/// y = max(0, x·W + b) or x·W + b, for x of [batch, inputs], W of [inputs, units], b of [units].
///
/// `memory.floats` holds dY in panels of columns, [panels, batch, 32], dY transposed, [columns, batch], the gradient of b,
/// and X transposed as far as thin batches hear it, [heard, 16], all filled up with zeros; `memory.indices` has which
/// columns of each panel have a gradient, bit by bit, and what `thin.rs` keeps there.
#[derive(Debug)]
pub(crate) struct Dense {
    size: Size,
    /// W in panels, b.
    parameters: [Parameter; 2],
    /// Whether thin batches have a way of their own; only tests have them go the other one.
    thin: bool,
}

/// What a dense layer is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    /// Whether ReLU follows.
    pub(crate) relu: bool,
    /// Whether an input that is zero has no use for its gradient when weights are moved: it comes from a ReLU, or is data.
    pub(crate) silent: bool,
}

/// Tiles of the weight gradient that a task makes.
const TILES_IN_TASK: usize = 24;

impl Dense {
    pub(crate) fn new(size: Size, initial: Initial, stream: &mut Stream) -> Dense {
        let Size { inputs, units, .. } = size;
        let layout = Layout::Panels { rows: inputs, columns: units };
        let mut weight = Parameter::new("weight", vec![inputs, units], layout, Role::Weight);
        weight.draw(initial, inputs, units, stream);
        weight.owed = Some(Owed::new(inputs, units));
        let bias =
            Parameter::new("bias", vec![units], Layout::Panels { rows: 1, columns: units }, Role::Other);
        Dense { size, parameters: [weight, bias], thin: true }
    }

    fn is_thin(&self, batch: usize) -> bool {
        self.thin && batch <= ROWS
    }
}

/// dY as [`Size::arrange`] leaves it.
struct Arranged<'a> {
    panels: &'a mut [f32],
    transposed: &'a mut [f32],
    /// The gradient of b.
    sums: &'a mut [f32],
    /// The columns of each panel that are not zero.
    active: &'a mut [u32],
}

impl Size {
    fn panels(self) -> usize {
        self.units.div_ceil(COLUMNS)
    }

    /// Columns of a panel that are used.
    fn columns(self, panel: usize) -> usize {
        COLUMNS.min(self.units - panel * COLUMNS)
    }

    /// dY, zero where ReLU was silent, in panels and transposed, with its columns in this order; which columns of each panel
    /// are not zero. Hands in the gradient of b.
    fn arrange(self, pass: &Pass, y: &[f32], dy: &[f32], order: &[u32], to: &mut Arranged, bias: &Receiver) {
        let (batch, lanes) = (pass.batch, pass.batch.next_multiple_of(16));
        let Arranged { panels, transposed, sums, active } = to;
        let all = [&mut **panels, &mut **transposed, &mut **sums].map(Shared::new);
        let active = Shared::new(active);
        for_each(self.panels(), |panel| {
            let (first, columns) = (panel * COLUMNS, self.columns(panel));
            let [panels, transposed, sums] = all;
            // SAFETY: each panel is one task's, and so are its columns as rows of the transposed matrix.
            #[expect(unsafe_code, reason = "tasks write disjoint panels")]
            let (rows, turned, active) = unsafe {
                (
                    panels.part(panel * batch * COLUMNS, batch * COLUMNS),
                    transposed.part(first * lanes, COLUMNS * lanes),
                    &mut active.part(panel, 1)[0],
                )
            };
            let units = &order[first..first + columns];
            let mut total = [0.0; COLUMNS];
            *active = 0;
            for (i, row) in rows.chunks_exact_mut(COLUMNS).enumerate() {
                for (j, &unit) in units.iter().enumerate() {
                    let at = i * self.units + unit as usize;
                    let heard = !self.relu || y[at] > 0.0;
                    let dy = if heard { dy[at] } else { 0.0 };
                    row[j] = dy;
                    total[j] += dy;
                    turned[j * lanes + i] = dy;
                    *active |= u32::from(dy != 0.0) << j;
                }
                row[columns..].fill(0.0);
            }
            for (j, lane) in turned.chunks_exact_mut(lanes).enumerate() {
                lane[if j < columns { batch } else { 0 }..].fill(0.0);
            }
            for (&unit, &total) in units.iter().zip(&total) {
                // SAFETY: each unit is in one panel.
                #[expect(unsafe_code, reason = "tasks write different numbers")]
                unsafe {
                    sums.part(unit as usize, 1)[0] = total;
                }
            }
        });
        sums[self.units..].fill(0.0);
        // SAFETY: the whole at once.
        #[expect(unsafe_code, reason = "hands in the whole gradient")]
        unsafe {
            bias.take(0, sums);
        }
    }

    /// dX = dY·Wᵀ, as dXᵀ = W·dYᵀ so that the batch lies along the vectors.
    fn input_gradient(self, pass: &Pass, weight: &[f32], transposed: &[f32], dx: &mut [f32]) {
        let (inputs, batch, lanes) = (self.inputs, pass.batch, pass.batch.next_multiple_of(16));
        let dx = Shared::new(dx);
        let blocks = tiles(inputs);
        for_each(blocks.len(), |block| {
            let range = tiles(inputs).nth(block).expect("a tile for each task");
            let rows: [usize; ROWS] = std::array::from_fn(|i| (range.start + i) * COLUMNS);
            for first in (0..batch).step_by(COLUMNS) {
                let columns = COLUMNS.min(batch - first);
                let mut tile = Tile::ZERO;
                let mut segments = [Segment { a: 0, b: 0 }; 64];
                for start in (0..self.panels()).step_by(segments.len()) {
                    let count = segments.len().min(self.panels() - start);
                    for (panel, segment) in (start..).zip(&mut segments[..count]) {
                        *segment =
                            Segment { a: panel * inputs * COLUMNS, b: panel * COLUMNS * lanes + first };
                    }
                    let product = Product {
                        a: weight,
                        rows: &rows[..range.len()],
                        b: transposed,
                        segments: &segments[..count],
                        count: COLUMNS.min(self.units),
                        a_step: 1,
                        b_step: lanes,
                        columns,
                    };
                    product.multiply(pass.path, &mut tile.0, start > 0);
                }
                for j in 0..columns {
                    // SAFETY: a task writes the numbers of its own inputs in every row.
                    #[expect(unsafe_code, reason = "tasks write disjoint columns")]
                    let dx = unsafe { dx.part((first + j) * inputs + range.start, range.len()) };
                    dx.iter_mut().zip(&tile.0).for_each(|(dx, row)| *dx = row[j]);
                }
            }
        });
    }

    /// dW = Xᵀ·dY, tile by tile to the receiver.
    fn weight_gradient(self, pass: &Pass, x: &[f32], panels: &[f32], weight: &Receiver) {
        let (inputs, batch) = (self.inputs, pass.batch);
        let groups = tiles(inputs).len().div_ceil(TILES_IN_TASK);
        for_each(self.panels() * groups, |task| {
            let (panel, group) = (task / groups, task % groups);
            let mut tile = Tile::ZERO;
            for range in tiles(inputs).skip(group * TILES_IN_TASK).take(TILES_IN_TASK) {
                let rows: [usize; ROWS] = std::array::from_fn(|i| range.start + i);
                let product = Product {
                    a: x,
                    rows: &rows[..range.len()],
                    b: panels,
                    segments: &[Segment { a: 0, b: panel * batch * COLUMNS }],
                    count: batch,
                    a_step: inputs,
                    b_step: COLUMNS,
                    columns: self.columns(panel),
                };
                let start = (panel * inputs + range.start) * COLUMNS;
                // SAFETY: each tile is one task's.
                #[expect(unsafe_code, reason = "tasks hand in disjoint tiles")]
                unsafe {
                    weight.expect(start, range.len() * COLUMNS);
                    product.multiply(pass.path, &mut tile.0, false);
                    weight.take(start, tile.0[..range.len()].as_flattened());
                }
            }
        });
    }
}

impl Operation for Dense {
    fn outputs(&self) -> usize {
        self.size.units
    }

    fn memory(&self, capacity: usize, backward: bool) -> Memory {
        let lanes = if backward { capacity.next_multiple_of(16) } else { 0 };
        let columns = self.size.panels() * COLUMNS;
        let gradient = || Buffer::zeros(columns * lanes);
        let heard = Buffer::zeros(self.size.inputs * thin::LANES);
        Memory {
            floats: vec![gradient(), gradient(), Buffer::zeros(columns), heard],
            indices: vec![0; self.size.panels() + thin::indices(self.size)],
        }
    }

    fn forward(&mut self, pass: &Pass, x: &[f32], y: &mut [f32], memory: &mut Memory) {
        if self.is_thin(pass.batch) {
            return self.forward_thin(pass, x, y, memory);
        }
        self.parameters[0].catch_up();
        let size @ Size { inputs, units, relu, .. } = self.size;
        let [weight, bias] = &self.parameters;
        let rows = tiles(pass.batch).len();
        let y = Shared::new(y);
        for_each(size.panels() * rows, |task| {
            let (panel, block) = (task / rows, task % rows);
            let (first, columns) = (panel * COLUMNS, size.columns(panel));
            let range = tiles(pass.batch).nth(block).expect("a tile for each task");
            let starts: [usize; ROWS] = std::array::from_fn(|i| (range.start + i) * inputs);
            let product = Product {
                a: x,
                rows: &starts[..range.len()],
                b: &weight.value,
                segments: &[Segment { a: 0, b: first * inputs }],
                count: inputs,
                a_step: 1,
                b_step: COLUMNS,
                columns,
            };
            let mut tile = Tile::ZERO;
            product.multiply(pass.path, &mut tile.0, false);
            for (i, row) in range.zip(&tile.0) {
                // SAFETY: a task writes its own columns of its own rows.
                #[expect(unsafe_code, reason = "tasks write disjoint parts of rows")]
                let y = unsafe { y.part(i * units + first, columns) };
                let (tile, bias) = (std::slice::from_ref(row), Some(&bias.value[first..]));
                Finish { tile, columns, bias, relu, starts: &[0], y }.write(pass.path);
            }
        });
    }

    fn backward(&mut self, pass: &Pass, flow: Flow, memory: &mut Memory, receive: Receive) {
        let Memory { floats, indices } = memory;
        let [panels, transposed, sums, heard] = &mut floats[..] else { unreachable!("made by `memory`") };
        let (active, indices) = indices.split_at_mut(self.size.panels());
        let mut arranged = Arranged { panels, transposed, sums, active };
        let Flow { x, y, dy, dx } = flow;
        let thin = self.is_thin(pass.batch);
        let [weight, bias] = &mut self.parameters;
        match receive {
            Receive::Update(rules) if thin => weight.expect_step(&rules.weights),
            _ => weight.catch_up(),
        }
        let order = weight.owed.as_ref().expect("a dense layer's weights can wait").order().units();
        self.size.arrange(pass, y, dy, order, &mut arranged, &bias.receiver(pass.path, receive));
        if let (true, Receive::Update(rules)) = (thin, receive) {
            return thin::backward(self.size, pass, (indices, heard), &arranged, dx, weight, &rules.weights);
        }
        let Arranged { panels, transposed, .. } = arranged;
        if let Some(dx) = dx {
            self.size.input_gradient(pass, &weight.value, transposed, dx);
        }
        if !matches!(receive, Receive::Discard) {
            self.size.weight_gradient(pass, x, panels, &weight.receiver(pass.path, receive));
        }
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        // Who changes them expects to find them up to date.
        self.parameters[0].catch_up();
        &mut self.parameters
    }
}
