//! How much of a network's dense layers stands still.

use rayon::prelude::*;

use crate::kernels::gemm::NR;
use crate::layers::parameter::{MatrixLayout, Parameter};
use crate::network::Network;
use crate::parallel::par_for_each;

/// How much of a dense layer stands still under its optimiser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityStats {
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
    pub fn idleness(&self) -> Vec<ActivityStats> {
        let mut stats = Vec::new();
        self.visit(&mut |layer| {
            let weight = layer.op.parameters().first();
            stats.extend(weight.and_then(|weight| of(layer.name.clone(), weight)));
        });
        stats
    }
}

/// Of a weight in panels whose steps can wait, which only dense layers have.
fn of(name: String, weight: &Parameter) -> Option<ActivityStats> {
    let (MatrixLayout::Packed { rows, columns }, Some(_)) = (weight.layout, &weight.deferred) else {
        return None;
    };
    if weight.first.is_empty() {
        // Nothing is being trained.
        return None;
    }
    // Of each panel, how many inputs have a first moment at each of its columns.
    let mut moving = vec![[0_usize; NR]; columns.div_ceil(NR)];
    par_for_each(moving.par_iter_mut().zip(weight.first.par_chunks(rows * NR)), |(moving, first)| {
        for row in first.chunks_exact(NR) {
            moving.iter_mut().zip(row).for_each(|(count, &moment)| *count += usize::from(moment != 0.0));
        }
    });
    let moving = &moving.as_flattened()[..columns];
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by_key(|&unit| (std::cmp::Reverse(moving[unit]), unit));
    // Of each input, how many runs are idle.
    let mut idle = vec![0; rows];
    par_for_each(idle.par_iter_mut().enumerate(), |(row, idle)| {
        let is_zero = |&unit: &usize| weight.first[(unit / NR * rows + row) * NR + unit % NR] == 0.0;
        *idle = order.chunks(NR).filter(|run| run.iter().all(is_zero)).count();
    });
    let row_panels = columns.div_ceil(NR);
    Some(ActivityStats {
        name,
        inputs: rows,
        silent: idle.iter().filter(|&&idle| idle == row_panels).count(),
        units: columns,
        dead: moving.iter().filter(|&&count| count == 0).count(),
        row_panels: rows * row_panels,
        idle: idle.iter().sum(),
    })
}
