//! Dense layers on thin batches: as memory is what limits them, weights that nothing needs are left alone, and those that
//! are needed are read once forward and once backward.
//!
//! An input that is zero in the whole batch is *silent*: it adds nothing to y, its weights' gradient is zero, and its own
//! gradient is not asked for ([`Size::silent`]). Its weights are not touched; the optimiser's step is put off
//! ([`Owed`]) until the input is heard again. What leaving out changes is nothing but the
//! sign of a sum that is zero, and that a weight that is infinite or no number does not show before its input is heard.
//!
//! Backward, a tile of weights gives its part of dX right before it changes, and its gradient never reaches memory.

use super::{Dense, Size};
use crate::kernels::finish::Finish;
use crate::kernels::product::{COLUMNS, Product, ROWS, Segment, Tile, tiles};
use crate::kernels::update::{Rule, Weights, prefetch};
use crate::operations::owed::Owed;
use crate::operations::parameter::Parameter;
use crate::operations::{Memory, Pass};
use crate::parallel::{Shared, for_each};

/// Numbers of an input's row of X transposed: a batch, filled up with zeros.
pub(super) const LANES: usize = 16;
/// Inputs whose weights are asked for at once, forward.
const CHUNK: usize = 48;
/// Weights of a task, backward, at least.
const TASK: usize = 1 << 14;

/// The inputs of a batch that take part, and X transposed, [heard, 16].
pub(super) struct Heard<'a> {
    inputs: &'a [u32],
    x: &'a [f32],
}

/// dY as [`Size::arrange`] leaves it.
pub(super) struct Gradient<'a> {
    pub(super) panels: &'a [f32],
    pub(super) transposed: &'a [f32],
}

impl<'a> Heard<'a> {
    /// What [`Size::listen`] has left there.
    pub(super) fn of(indices: &'a [u32], x: &'a [f32]) -> Heard<'a> {
        let inputs = &indices[1..=indices[0] as usize];
        Heard { inputs, x: &x[..inputs.len() * LANES] }
    }

    /// Input number i of these.
    #[inline]
    fn input(&self, i: usize) -> usize {
        self.inputs[i] as usize
    }
}

impl Size {
    /// Finds the inputs that take part and turns X. Those that `is_due` names always do.
    fn listen(
        self,
        batch: usize,
        x: &[f32],
        is_due: impl Fn(usize) -> bool,
        indices: &mut [u32],
        turned: &mut [f32],
    ) {
        let inputs = self.inputs;
        let (count, heard) = indices.split_first_mut().expect("room for the count");
        // How many times each input is heard, then those that are, in place: the list never overtakes the count.
        heard.fill(u32::from(!self.silent));
        for x in x.chunks_exact(inputs).take(batch) {
            heard.iter_mut().zip(x).for_each(|(heard, &x)| *heard |= u32::from(x != 0.0));
        }
        let mut listed = 0;
        for k in 0..inputs {
            if heard[k] != 0 || is_due(k) {
                heard[listed] = k as u32;
                let lanes = &mut turned[listed * LANES..][..LANES];
                for (n, lane) in lanes[..batch].iter_mut().enumerate() {
                    *lane = x[n * inputs + k];
                }
                lanes[batch..].fill(0.0);
                listed += 1;
            }
        }
        *count = listed as u32;
    }
}

impl Dense {
    /// As `forward`.
    pub(super) fn forward_thin(&mut self, pass: &Pass, x: &[f32], y: &mut [f32], memory: &mut Memory) {
        let size @ Size { inputs, units, relu, .. } = self.size;
        let [weight, bias] = &self.parameters;
        let owed = weight.owed.as_ref().expect("a dense layer's weights can wait");
        size.listen(pass.batch, x, |k| owed.is_due(k), &mut memory.indices, &mut memory.floats[2]);
        let heard = Heard::of(&memory.indices, &memory.floats[2]);
        let y = Shared::new(y);
        let starts: [usize; ROWS] = std::array::from_fn(|n| n);
        for_each(size.panels(), |panel| {
            let (first, columns) = (panel * COLUMNS, size.columns(panel));
            let at =
                |k: u32| (panel * inputs + k as usize) * COLUMNS..(panel * inputs + k as usize + 1) * COLUMNS;
            let ask = |chunk: usize| {
                for &k in heard.inputs.iter().skip(chunk * CHUNK).take(CHUNK) {
                    prefetch(&weight.value[at(k)]);
                    if owed.waits(k as usize) {
                        prefetch(&weight.first[at(k)]);
                        prefetch(&weight.second[at(k)]);
                    }
                }
            };
            let mut tile = Tile::ZERO;
            let mut rows = [[0.0; COLUMNS]; CHUNK];
            ask(0);
            for (chunk, listed) in heard.inputs.chunks(CHUNK).enumerate() {
                ask(chunk + 1);
                // What waits is seen as it will be, and stays as it is: backward it is read and written anyway.
                for (&k, row) in listed.iter().zip(&mut rows) {
                    let weights = [&weight.value[at(k)], &weight.first[at(k)], &weight.second[at(k)]];
                    owed.ahead(k as usize, weights, row);
                }
                let product = Product {
                    a: heard.x,
                    rows: &starts[..pass.batch],
                    b: rows.as_flattened(),
                    segments: &[Segment { a: chunk * CHUNK * LANES, b: 0 }],
                    count: listed.len(),
                    a_step: LANES,
                    b_step: COLUMNS,
                    columns,
                };
                product.multiply(pass.path, &mut tile.0, chunk > 0);
            }
            for (n, row) in tile.0[..pass.batch].iter().enumerate() {
                // SAFETY: a task writes its own columns.
                #[expect(unsafe_code, reason = "tasks write disjoint columns")]
                let y = unsafe { y.part(n * units + first, columns) };
                let (tile, bias) = (std::slice::from_ref(row), Some(&bias.value[first..]));
                Finish { tile, columns, bias, relu, starts: &[0], y }.write(pass.path);
            }
        });
    }
}

/// Moves the weights of the inputs that are heard; dX is theirs, and zero for the others, whose steps are put off.
pub(super) fn backward(
    size: Size,
    pass: &Pass,
    heard: &Heard,
    dy: &Gradient,
    mut dx: Option<&mut [f32]>,
    weight: &mut Parameter,
    rule: &Rule,
) {
    let has_room = |weight: &Parameter| weight.owed.as_ref().is_some_and(Owed::has_room);
    // Each input is due once in a while, so that only batches that go backward in another order than forward get here.
    if !has_room(weight) {
        weight.catch_up();
    }
    let owed = weight.owed.as_ref().expect("a dense layer's weights can wait");
    if let Some(dx) = &mut dx {
        dx.fill(0.0);
    }
    let dx = dx.map(Shared::new);
    let values = [&mut weight.value, &mut weight.first, &mut weight.second].map(|of| Shared::new(of));
    let count = heard.inputs.len();
    let blocks = tiles(count).len();
    let group = (TASK / (ROWS * COLUMNS * size.panels())).max(1);
    for_each(blocks.div_ceil(group), |task| {
        for range in tiles(count).skip(task * group).take(group) {
            let block = Block { size, pass, heard, owed, dy, range };
            block.go_backward(dx.as_ref(), &values, rule);
        }
    });
    let owed = weight.owed.as_mut().expect("a dense layer's weights can wait");
    owed.step(pass.path, rule);
    for &k in heard.inputs {
        owed.settle(k as usize);
    }
}

/// A few of the inputs that are heard, with all their weights.
struct Block<'a> {
    size: Size,
    pass: &'a Pass,
    heard: &'a Heard<'a>,
    owed: &'a Owed,
    dy: &'a Gradient<'a>,
    range: std::ops::Range<usize>,
}

impl Block<'_> {
    /// The weights and moments of this block in a panel: from its first input to its last. What lies between them belongs
    /// to inputs that are silent.
    #[expect(unsafe_code, reason = "tasks write disjoint rows")]
    fn weights<'a>(&self, panel: usize, values: &[Shared<'a>; 3]) -> Weights<'a> {
        let [first, last] = [self.range.start, self.range.end - 1].map(|i| self.heard.input(i));
        let (start, len) = ((panel * self.size.inputs + first) * COLUMNS, (last + 1 - first) * COLUMNS);
        // SAFETY: blocks are runs of an ascending list, so that theirs do not overlap, and each is one task's.
        let [value, first, second] = values.map(|of| unsafe { of.part(start, len) });
        Weights { value, first, second }
    }

    fn go_backward(&self, dx: Option<&Shared>, values: &[Shared; 3], rule: &Rule) {
        let Block { size, pass: &Pass { path, batch, .. }, heard, owed, dy, ref range } = *self;
        let rows = range.len();
        let first = heard.input(range.start);
        let starts: [usize; ROWS] = std::array::from_fn(|i| {
            heard.inputs.get(range.start + i).map_or(0, |&k| (k as usize).wrapping_sub(first)) * COLUMNS
        });
        let starts = &starts[..rows];
        let ask = |panel: usize| {
            let Weights { value, first, second } = self.weights(panel, values);
            for &start in starts {
                for numbers in [&value, &first, &second] {
                    prefetch(&numbers[start..start + COLUMNS]);
                }
            }
        };
        let lanes: [usize; ROWS] = std::array::from_fn(|i| (range.start + i) * LANES);
        let (mut dx_tile, mut dw_tile) = (Tile::ZERO, Tile::ZERO);
        ask(0);
        for panel in 0..size.panels() {
            if panel + 1 < size.panels() {
                ask(panel + 1);
            }
            let mut weights = self.weights(panel, values);
            for (&k, &start) in heard.inputs[range.clone()].iter().zip(starts) {
                let Weights { value, first, second } = &mut weights;
                let [value, first, second] = [value, first, second].map(|of| &mut of[start..start + COLUMNS]);
                owed.catch_up(k as usize, Weights { value, first, second });
            }
            if dx.is_some() {
                let product = Product {
                    a: weights.value,
                    rows: starts,
                    b: dy.transposed,
                    segments: &[Segment { a: 0, b: panel * COLUMNS * LANES }],
                    count: COLUMNS.min(size.units),
                    a_step: 1,
                    b_step: LANES,
                    columns: batch,
                };
                product.multiply(path, &mut dx_tile.0, panel > 0);
            }
            let product = Product {
                a: heard.x,
                rows: &lanes[..rows],
                b: dy.panels,
                segments: &[Segment { a: 0, b: panel * batch * COLUMNS }],
                count: batch,
                a_step: 1,
                b_step: COLUMNS,
                columns: size.columns(panel),
            };
            if product.columns <= COLUMNS / 2 {
                // What fills a narrow panel up stays zero: the product leaves the last panel's numbers there.
                dw_tile = Tile::ZERO;
            }
            product.multiply(path, &mut dw_tile.0, false);
            weights.update_rows(path, rule, starts, &dw_tile.0[..rows]);
        }
        if let Some(dx) = dx {
            for (i, row) in range.clone().zip(&dx_tile.0) {
                for (n, &number) in row[..batch].iter().enumerate() {
                    // SAFETY: a task writes the numbers of its own inputs.
                    #[expect(unsafe_code, reason = "tasks write disjoint columns")]
                    let dx = unsafe { dx.part(n * size.inputs + heard.input(i), 1) };
                    dx[0] = number;
                }
            }
        }
    }
}
