//! The identity, y = x: the only layer of a head that has no others, whose scores are the flattened output of the trunk.

use super::parameter::GradMode;
use super::{BackwardArgs, Context, Layer};

/// The identity: y = x.
#[derive(Debug)]
pub(crate) struct Identity {
    outputs: usize,
}

impl Identity {
    pub(crate) fn new(outputs: usize) -> Identity {
        Identity { outputs }
    }
}

impl Layer for Identity {
    type Cache = ();

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn ignores_gradient_of_zeros(&self, of_inputs: bool) -> bool {
        of_inputs
    }

    fn alloc_cache(&self, _capacity: usize, _backward: bool) {}

    /// y and x are [batch, outputs].
    fn forward(&mut self, _context: &Context, x: &[f32], y: &mut [f32], _cache: &mut ()) {
        y.copy_from_slice(x);
    }

    /// dx = dy, [batch, outputs].
    fn backward(&mut self, _context: &Context, args: BackwardArgs, _cache: &mut (), _grad_mode: GradMode) {
        if let Some(dx) = args.dx {
            dx.copy_from_slice(args.dy);
        }
    }
}
