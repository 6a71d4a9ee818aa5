//! Dense layers on thin batches: as memory is what limits them, weights that nothing needs are left alone, and those that
//! are needed are read once forward and once backward.
//!
//! An input that is zero in the whole batch is *silent*: it adds nothing to y, its weights' gradient is zero, and its own
//! gradient is not asked for ([`Size::silent`]). A unit without a gradient in the whole batch adds nothing to dX, and its
//! weights' gradient is zero; such units lie together as far as can be ([`Order`](crate::operations::order::Order)), so
//! that whole panels have none. Weights whose gradient is zero are not touched; the optimiser's step is put off ([`Owed`]).
//! What leaving out changes is nothing but the sign of a sum that is zero, and that a weight that is infinite or no number
//! does not show before it is needed.
//!
//! Backward, a tile of weights gives its part of dX right before it changes, and its gradient never reaches memory.

use super::stretch::{Stretch, stretches};
use super::{Arranged, Dense, Size};
use crate::kernels::finish::Finish;
use crate::kernels::product::{COLUMNS, Product, ROWS, Segment, Tile, tiles};
use crate::kernels::update::{Rule, Weights, prefetch};
use crate::operations::owed::{Account, Accounts};
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
struct Heard<'a> {
    inputs: &'a [u32],
    x: &'a [f32],
}

/// Indices that are kept from forward to backward, and scratch: how many inputs are heard and which, and for each unit, at
/// most, a part of the sum for dX.
pub(super) fn indices(size: Size) -> usize {
    1 + size.inputs + size.panels() + size.units
}

impl<'a> Heard<'a> {
    /// What [`Size::listen`] has left there.
    fn of(indices: &'a [u32], x: &'a [f32]) -> Heard<'a> {
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
        let (count, heard) = indices[..=inputs].split_first_mut().expect("room for the count");
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
        let [weight, bias] = &mut self.parameters;
        let owed = weight.owed.as_mut().expect("a dense layer's weights can wait");
        let indices = &mut memory.indices[size.panels()..];
        size.listen(pass.batch, x, |k| owed.is_due(k), indices, &mut memory.floats[3]);
        let heard = Heard::of(indices, &memory.floats[3]);
        let y = Shared::new(y);
        let value = Shared::new(&mut weight.value);
        let moments = [&weight.first, &weight.second];
        let starts: [usize; ROWS] = std::array::from_fn(|n| n);
        let (accounts, order) = owed.open();
        let (ledger, ahead) = (accounts.ledger, accounts.ahead);
        for_each(size.panels(), |panel| {
            let (begin, columns) = (panel * COLUMNS, size.columns(panel));
            // SAFETY: each panel is one task's.
            #[expect(unsafe_code, reason = "tasks have panels of their own")]
            let (value, accounts) =
                unsafe { (value.part(begin * inputs, inputs * COLUMNS), accounts.panel(panel)) };
            let moments = moments.map(|of| &of[begin * inputs..][..inputs * COLUMNS]);
            let run = |k: u32| k as usize * COLUMNS..(k as usize + 1) * COLUMNS;
            let ask = |chunk: usize, value: &[f32], accounts: &[Account]| {
                for &k in heard.inputs.iter().skip(chunk * CHUNK).take(CHUNK) {
                    prefetch(&value[run(k)]);
                    if ledger.lags(accounts[k as usize], ahead[k as usize]) {
                        moments.into_iter().for_each(|of| prefetch(&of[run(k)]));
                    }
                }
            };
            let mut tile = Tile::ZERO;
            let mut rows = [[0.0; COLUMNS]; CHUNK];
            ask(0, value, accounts);
            for (i, listed) in heard.inputs.chunks(CHUNK).enumerate() {
                ask(i + 1, value, accounts);
                // The weights that wait go ahead; their moments follow backward, when they are read and written anyway.
                for (&k, row) in listed.iter().zip(&mut rows) {
                    let (input, value) = (k as usize, &mut value[run(k)]);
                    ledger.go_ahead(&mut accounts[input], ahead[input], value, moments.map(|of| &of[run(k)]));
                    row.copy_from_slice(value);
                }
                let product = Product {
                    a: heard.x,
                    rows: &starts[..pass.batch],
                    b: rows.as_flattened(),
                    segments: &[Segment { a: i * CHUNK * LANES, b: 0 }],
                    count: listed.len(),
                    a_step: LANES,
                    b_step: COLUMNS,
                    columns,
                };
                product.multiply(pass.path, &mut tile.0, i > 0);
            }
            let order = &order.units()[begin..begin + columns];
            let mut ordered = [0.0; COLUMNS];
            ordered.iter_mut().zip(order).for_each(|(bias_of, &unit)| *bias_of = bias.value[unit as usize]);
            for (n, row) in tile.0[..pass.batch].iter().enumerate() {
                let mut finished = [0.0; COLUMNS];
                let (tile, bias) = (std::slice::from_ref(row), Some(&ordered[..]));
                Finish { tile, columns, bias, relu, starts: &[0], y: &mut finished }.write(pass.path);
                for (&unit, number) in order.iter().zip(finished) {
                    // SAFETY: a task writes its own units.
                    #[expect(unsafe_code, reason = "tasks write disjoint columns")]
                    let y = unsafe { y.part(n * units + unit as usize, 1) };
                    y[0] = number;
                }
            }
        });
        for &k in heard.inputs {
            owed.came_ahead(k as usize);
        }
    }
}

/// Moves the weights of inputs that are heard to units that have a gradient; dX is that of those inputs, and zero for the
/// others. The step of all other weights is put off, unless they are heard and not yet still.
pub(super) fn backward(
    size: Size,
    pass: &Pass,
    (indices, x): (&mut [u32], &[f32]),
    dy: &Arranged,
    mut dx: Option<&mut [f32]>,
    weight: &mut Parameter,
    rule: &Rule,
) {
    let (indices, scratch) = indices.split_at_mut(1 + size.inputs);
    let heard = Heard::of(indices, x);
    let owed = weight.owed.as_mut().expect("a dense layer's weights can wait");
    owed.step(pass.path, rule);
    let (left, to) = scratch.split_at_mut(size.panels());
    let count = owed.wake(|order, wake| stretches(dy.active, order, left, to, wake));
    if let Some(dx) = &mut dx {
        dx.fill(0.0);
    }
    let dx = dx.map(Shared::new);
    let values = [&mut weight.value, &mut weight.first, &mut weight.second].map(|of| Shared::new(of));
    let blocks = tiles(heard.inputs.len()).len();
    let group = (TASK / (ROWS * COLUMNS * size.panels())).max(1);
    let (accounts, _) = owed.open();
    for_each(blocks.div_ceil(group), |task| {
        for range in tiles(heard.inputs.len()).skip(task * group).take(group) {
            let block = Block { size, pass, heard: &heard, accounts: &accounts, values: &values, dy, range };
            block.move_active(&to[..count], dx.as_ref(), rule);
            block.calm_others();
        }
    });
    let owed = weight.owed.as_mut().expect("a dense layer's weights can wait");
    for &k in heard.inputs {
        owed.saw(k as usize);
    }
}

/// A few of the inputs that are heard, with all their weights.
struct Block<'a> {
    size: Size,
    pass: &'a Pass,
    heard: &'a Heard<'a>,
    accounts: &'a Accounts<'a>,
    values: &'a [Shared<'a>; 3],
    dy: &'a Arranged<'a>,
    range: std::ops::Range<usize>,
}

impl<'a> Block<'a> {
    /// Of one of these inputs, by its number among those that are heard: its account in a panel, the step up to which its
    /// weights have come, and its weights and moments there.
    #[inline]
    fn run(&self, panel: usize, i: usize) -> (&'a mut Account, u32, Weights<'a>) {
        let input = self.heard.input(i);
        let start = (panel * self.size.inputs + input) * COLUMNS;
        // SAFETY: a block has inputs of its own, and one part of each number at a time.
        #[expect(unsafe_code, reason = "tasks have inputs of their own")]
        let ([value, first, second], account) = unsafe {
            (self.values.each_ref().map(|of| of.part(start, COLUMNS)), self.accounts.run(panel, input))
        };
        (account, self.accounts.ahead[input], Weights { value, first, second })
    }

    /// The weights and moments of this block in a panel: from its first input to its last, and where its inputs' start.
    /// What lies between them belongs to inputs that are silent.
    #[expect(unsafe_code, reason = "tasks write disjoint rows")]
    fn weights(&self, panel: usize) -> Weights<'a> {
        let [first, last] = [self.range.start, self.range.end - 1].map(|i| self.heard.input(i));
        let (start, len) = ((panel * self.size.inputs + first) * COLUMNS, (last + 1 - first) * COLUMNS);
        // SAFETY: blocks are runs of an ascending list, so that theirs do not overlap, and each is one task's.
        let [value, first, second] = self.values.each_ref().map(|of| unsafe { of.part(start, len) });
        Weights { value, first, second }
    }

    /// Asks for the weights and moments of a panel.
    fn ask(&self, panel: usize) {
        for i in self.range.clone() {
            let (_, _, Weights { value, first, second }) = self.run(panel, i);
            [value, first, second].into_iter().for_each(|numbers| prefetch(numbers));
        }
    }

    /// Goes through the panels whose units have a gradient, by stretches.
    fn move_active(&self, stretches: &[u32], dx: Option<&Shared>, rule: &Rule) {
        let Block { size, pass: &Pass { path, batch, .. }, heard, dy, ref range, .. } = *self;
        let ledger = self.accounts.ledger;
        let rows = range.len();
        let first = heard.input(range.start);
        let starts: [usize; ROWS] = std::array::from_fn(|i| {
            heard.inputs.get(range.start + i).map_or(0, |&k| (k as usize).wrapping_sub(first)) * COLUMNS
        });
        let starts = &starts[..rows];
        let lanes: [usize; ROWS] = std::array::from_fn(|i| (range.start + i) * LANES);
        let (mut dx_tile, mut dw_tile) = (Tile::ZERO, Tile::ZERO);
        let mut stretches = stretches.iter().map(|&index| Stretch::from_index(index)).peekable();
        stretches.peek().into_iter().for_each(|next| self.ask(next.panel));
        let mut is_begun = false;
        while let Some(Stretch { panel, columns: [from, to], is_first, is_last }) = stretches.next() {
            if let Some(next) = stretches.peek().filter(|next| next.is_first) {
                self.ask(next.panel);
            }
            if is_first {
                for i in range.clone() {
                    let (account, ahead, weights) = self.run(panel, i);
                    ledger.make_ready(account, ahead, weights);
                }
            }
            let mut weights = self.weights(panel);
            if dx.is_some() {
                let product = Product {
                    a: weights.value,
                    rows: starts,
                    b: dy.transposed,
                    segments: &[Segment { a: from, b: (panel * COLUMNS + from) * LANES }],
                    count: to - from + 1,
                    a_step: 1,
                    b_step: LANES,
                    columns: batch,
                };
                product.multiply(path, &mut dx_tile.0, is_begun);
                is_begun = true;
            }
            if !is_last {
                continue;
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
        let Some(dx) = dx else { return };
        for (i, row) in range.clone().zip(&dx_tile.0) {
            for (n, &number) in row[..batch].iter().enumerate() {
                // SAFETY: a task writes the numbers of its own inputs.
                #[expect(unsafe_code, reason = "tasks write disjoint columns")]
                let dx = unsafe { dx.part(n * size.inputs + heard.input(i), 1) };
                dx[0] = number;
            }
        }
    }

    /// Takes the step where no unit has a gradient but momentum still moves weights, so that the next batch finds them as
    /// they are, and soon still.
    fn calm_others(&self) {
        let others = self.dy.active.iter().enumerate().filter(|(_, active)| **active == 0);
        for (panel, i) in others.flat_map(|(panel, _)| self.range.clone().map(move |i| (panel, i))) {
            let (account, ahead, weights) = self.run(panel, i);
            self.accounts.ledger.calm(account, ahead, weights);
        }
    }
}
