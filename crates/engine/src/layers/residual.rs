//! Residual blocks (He, Zhang, Ren and Sun 2016): y = F(x) + P(x).

use rayon::prelude::*;

use super::parameter::GradMode;
use super::{BackwardArgs, Cache, Context, Layer, flushed};
use crate::aligned::AlignedVec;
use crate::parallel::par_for_each;
use crate::sequential::{Activations, NamedLayer, Sequential};

/// Numbers of a task: enough to be worth a thread.
const TASK: usize = 1 << 14;

/// y = F(x) + P(x), F being layers one after the other. The shortcut P is the identity, or a linear projection that brings x
/// into the shape of F(x): a convolution of single pixels, or a dense layer.
#[derive(Debug)]
pub(crate) struct Residual {
    layers: Sequential,
    projection: Option<NamedLayer>,
}

/// What the layers of a block keep, and what its shortcut does; empty where there is no projection.
#[derive(Debug)]
pub(crate) struct ResidualCache {
    activations: Activations,
    /// P(x), [capacity, outputs].
    projected: AlignedVec,
    /// The gradient of x along the shortcut, [capacity, inputs].
    dx: AlignedVec,
    projection: Option<Cache>,
}

impl Residual {
    /// # Panics
    /// If there is no layer.
    pub(crate) fn new(layers: Sequential, projection: Option<NamedLayer>) -> Residual {
        assert!(!layers.layers.is_empty(), "a block has layers");
        Residual { layers, projection }
    }
}

/// sum += addend, number by number.
fn add(sum: &mut [f32], addend: &[f32]) {
    assert_eq!(sum.len(), addend.len(), "a number for every number");
    par_for_each(sum.par_chunks_mut(TASK).zip(addend.par_chunks(TASK)), |(sum, addend)| {
        sum.iter_mut().zip(addend).for_each(|(sum, addend)| *sum = flushed(*sum + addend));
    });
}

impl Layer for Residual {
    type Cache = ResidualCache;

    fn outputs(&self) -> usize {
        self.layers.outputs
    }

    fn alloc_cache(&self, capacity: usize, backward: bool) -> ResidualCache {
        let projection = self.projection.as_ref();
        let outputs = if projection.is_some() { self.layers.outputs } else { 0 };
        let inputs = if projection.is_some() && backward { self.layers.inputs } else { 0 };
        ResidualCache {
            activations: self.layers.activations(capacity, backward),
            projected: AlignedVec::zeros(capacity * outputs),
            dx: AlignedVec::zeros(capacity * inputs),
            projection: projection.map(|projection| projection.op.alloc_cache(capacity, backward)),
        }
    }

    /// y is [batch, outputs], x is [batch, inputs].
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut ResidualCache) {
        self.layers.forward(context, x, &mut cache.activations);
        y.copy_from_slice(cache.activations.output(x, y.len()));
        match (&mut self.projection, &mut cache.projection) {
            (Some(projection), Some(kept)) => {
                let projected = &mut cache.projected[..y.len()];
                projection.op.forward(context, x, projected, kept);
                add(y, projected);
            }
            _ => add(y, x),
        }
    }

    /// dx is the sum of what comes through the layers and along the shortcut.
    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut ResidualCache,
        grad_mode: GradMode,
    ) {
        let BackwardArgs { x, dy, mut dx, .. } = args;
        let ResidualCache { activations, projected, dx: dx_along, projection: kept } = cache;
        let last = activations.grads.last_mut().expect("a block has layers");
        last[..dy.len()].copy_from_slice(dy);
        let layers = (0..self.layers.layers.len(), None);
        self.layers.backward(context, x, layers, activations, dx.as_deref_mut(), grad_mode);
        match (&mut self.projection, kept) {
            (Some(projection), Some(kept)) => {
                let along = dx.as_ref().map(|dx| &mut dx_along[..dx.len()]);
                let args = BackwardArgs { x, y: &projected[..dy.len()], dy: &mut *dy, dx: along };
                projection.op.backward(context, args, kept, grad_mode);
                if let Some(dx) = dx {
                    add(dx, &dx_along[..x.len()]);
                }
            }
            _ => {
                if let Some(dx) = dx {
                    add(dx, dy);
                }
            }
        }
    }

    fn visit_inner<'a>(&'a self, visit: &mut dyn FnMut(&'a NamedLayer)) {
        self.layers.layers.iter().chain(&self.projection).for_each(visit);
    }

    fn visit_inner_mut(&mut self, visit: &mut dyn FnMut(&mut NamedLayer)) {
        self.layers.layers.iter_mut().chain(&mut self.projection).for_each(visit);
    }
}
