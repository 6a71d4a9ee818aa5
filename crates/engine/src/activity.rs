//! How many weights of a network's dense layers no longer change.

use rayon::prelude::*;

use crate::kernels::gemm::NR;
use crate::layers::parameter::{MatrixLayout, Parameter};
use crate::network::Network;
use crate::parallel::par_for_each;

/// How many weights of a dense layer no longer change under its optimiser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityStats {
    /// Name of the layer, such as "trunk.10".
    pub name: String,
    /// Number of inputs.
    pub inputs: usize,
    /// Inputs all of whose weights have a first moment of zero, because they were zero in all batches for hundreds of steps.
    pub silent: usize,
    /// Number of units.
    pub units: usize,
    /// Units all of whose weights have a first moment of zero, because their gradient was zero for hundreds of steps.
    pub dead: usize,
    /// Number of row panels, 32 weights of one input each, with units sorted by how many of their first moments are zero.
    pub row_panels: usize,
    /// Row panels in which all first moments are zero, so that Adam does not change their weights.
    pub idle: usize,
}

impl Network {
    /// The activity of each dense layer that is being trained. Weights that stopped changing in the last few steps may not be
    /// counted yet. Reads all first moments, in about the time of a few steps.
    pub fn idleness(&self) -> Vec<ActivityStats> {
        let mut stats = Vec::new();
        self.visit(&mut |layer| {
            let weight = layer.op.parameters().first();
            stats.extend(weight.and_then(|weight| of(layer.name.clone(), weight)));
        });
        stats
    }
}

/// The activity of a weight whose steps can be deferred, which only dense layers have.
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
    // Of each input, how many row panels are idle.
    let mut idle = vec![0; rows];
    par_for_each(idle.par_iter_mut().enumerate(), |(row, idle)| {
        let is_zero = |&unit: &usize| weight.first[(unit / NR * rows + row) * NR + unit % NR] == 0.0;
        *idle = order.chunks(NR).filter(|units| units.iter().all(is_zero)).count();
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
