//! How much of a network's dense layers stands still.

use rayon::prelude::*;

use crate::kernels::product::COLUMNS;
use crate::network::Network;
use crate::operations::parameter::{Layout, Parameter};
use crate::parallel::for_each_part;

/// How much of a dense layer stands still under its optimiser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idleness {
    /// Name of the layer, such as "trunk.10".
    pub name: String,
    /// Numbers that come in.
    pub inputs: usize,
    /// Inputs whose weights all have a first moment of zero: they were zero in all batches for hundreds of steps.
    pub silent: usize,
    /// Units.
    pub units: usize,
    /// Units whose weights all have a first moment of zero: none of their gradients was anything for hundreds of steps.
    pub dead: usize,
    /// Runs of 32 weights of one input, the units in the order of how many of their first moments are zero.
    pub row_panels: usize,
    /// Those in which all first moments are zero, so that Adam leaves their weights as they are.
    pub idle: usize,
}

impl Network {
    /// How much of each dense layer stands still, not counting what came to rest in the last few steps. Reads all first
    /// moments, in about the time of a few steps.
    pub fn idleness(&self) -> Vec<Idleness> {
        self.links()
            .filter_map(|link| {
                link.operation.parameters().first().and_then(|weight| of(link.name.clone(), weight))
            })
            .collect()
    }
}

/// Of a weight in panels whose steps can wait, which only dense layers have.
fn of(name: String, weight: &Parameter) -> Option<Idleness> {
    let (Layout::Panels { rows, columns }, Some(_)) = (weight.layout, &weight.deferred) else { return None };
    // Of each panel, how many inputs have a first moment at each of its columns.
    let mut moving = vec![[0_usize; COLUMNS]; columns.div_ceil(COLUMNS)];
    for_each_part(moving.par_iter_mut().zip(weight.first.par_chunks(rows * COLUMNS)), |(moving, first)| {
        for row in first.chunks_exact(COLUMNS) {
            moving.iter_mut().zip(row).for_each(|(count, &moment)| *count += usize::from(moment != 0.0));
        }
    });
    let moving = &moving.as_flattened()[..columns];
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by_key(|&unit| (std::cmp::Reverse(moving[unit]), unit));
    // Of each input, how many runs are idle.
    let mut idle = vec![0; rows];
    for_each_part(idle.par_iter_mut().enumerate(), |(row, idle)| {
        let is_zero =
            |&unit: &usize| weight.first[(unit / COLUMNS * rows + row) * COLUMNS + unit % COLUMNS] == 0.0;
        *idle = order.chunks(COLUMNS).filter(|run| run.iter().all(is_zero)).count();
    });
    let row_panels = columns.div_ceil(COLUMNS);
    Some(Idleness {
        name,
        inputs: rows,
        silent: idle.iter().filter(|&&idle| idle == row_panels).count(),
        units: columns,
        dead: moving.iter().filter(|&&count| count == 0).count(),
        row_panels: rows * row_panels,
        idle: idle.iter().sum(),
    })
}
