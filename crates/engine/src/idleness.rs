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
    /// Runs of 32 weights of one input.
    pub row_panels: usize,
    /// Those in which all first moments are zero.
    pub idle: usize,
}

impl Network {
    /// How much of each dense layer stands still. Reads all first moments, in about the time of a few steps; training
    /// goes on as if nobody had looked.
    pub fn idleness(&self) -> Vec<Idleness> {
        let links = self.trunk.links.iter().chain(self.heads.iter().flat_map(|head| &head.links));
        let weights = links.filter_map(|link| Some((&link.name, link.operation.parameters().first()?)));
        weights.filter_map(|(name, weight)| of(name, weight)).collect()
    }
}

/// Of a weight in panels whose rows can wait, which only dense layers have.
fn of(name: &str, weight: &Parameter) -> Option<Idleness> {
    let (Layout::Panels { rows, columns }, Some(owed)) = (weight.layout, &weight.owed) else { return None };
    let panels = columns.div_ceil(COLUMNS);
    // Of each panel, which of its rows are idle and which of its columns are alive.
    let mut found = vec![(vec![true; rows], [false; COLUMNS]); panels];
    for_each_part(found.par_iter_mut().enumerate(), |(panel, (idle, alive))| {
        for (row, idle) in idle.iter_mut().enumerate() {
            let [_, first, _] = weight.row(owed, panel, row);
            for (alive, moment) in alive.iter_mut().zip(first) {
                *alive |= moment != 0.0;
                *idle &= moment == 0.0;
            }
        }
    });
    let alive = found.iter().flat_map(|(_, alive)| alive).filter(|&&alive| alive).count();
    let is_silent = |&row: &usize| found.iter().all(|(idle, _)| idle[row]);
    Some(Idleness {
        name: name.to_owned(),
        inputs: rows,
        silent: (0..rows).filter(is_silent).count(),
        units: columns,
        dead: columns - alive,
        row_panels: rows * panels,
        idle: found.iter().flat_map(|(idle, _)| idle).filter(|&&idle| idle).count(),
    })
}
