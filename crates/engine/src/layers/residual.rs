//! Residual blocks (He, Zhang, Ren and Sun 2016): y = F(x) + P(x).

use rayon::prelude::*;

use super::parameter::GradMode;
use super::sequential::{Activations, NamedLayer, Sequential};
use super::{BackwardArgs, Cache, Context, Layer, flushed};
use crate::aligned::AlignedVec;
use crate::parallel::par_for_each;

/// The number of values of a task: enough to be worth a thread.
const TASK: usize = 1 << 14;

/// A residual block: y = F(x) + P(x), where F is a sequence of layers. The shortcut P is the identity or a linear
/// projection that gives x the shape of F(x): a 1 × 1 convolution, or a dense layer.
#[derive(Debug)]
pub(crate) struct Residual {
    layers: Sequential,
    projection: Option<NamedLayer>,
}

/// The memory of the layers of a block and of its shortcut. The arrays of the shortcut are empty without a projection.
#[derive(Debug)]
pub(crate) struct ResidualCache {
    activations: Activations,
    /// P(x), [capacity, outputs].
    projected: AlignedVec,
    /// The gradient of x through the shortcut, [capacity, inputs].
    dx: AlignedVec,
    projection: Option<Cache>,
}

impl Residual {
    /// # Panics
    /// If the block has no layers.
    pub(crate) fn new(layers: Sequential, projection: Option<NamedLayer>) -> Residual {
        assert!(!layers.layers.is_empty(), "a block has layers");
        Residual { layers, projection }
    }
}

/// sum += addend, element by element.
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

    /// dx, [batch, inputs], is the sum of the gradients through the layers and through the shortcut. dy is [batch,
    /// outputs].
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

#[cfg(test)]
mod tests {
    use inkling_schema::{Initializer, Padding, Shape};
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::isa::Isa;
    use crate::layers::conv2d::conv2d;
    use crate::layers::geometry::Geometry;
    use crate::layers::parameter::Parameter;
    use crate::layers::reference::windows::Windows;
    use crate::layers::reference::{conv2d as conv2d_definition, residual as definition};
    use crate::layers::testing::{numerical_gradient, uniform, wide};
    use crate::random::RngStream;

    const KERNEL: [usize; 2] = [3, 3];

    /// A convolution of a block, and its weights and biases in the order of files.
    fn convolution(g: Geometry, stream: &mut RngStream) -> (NamedLayer, [Vec<f64>; 2]) {
        let mut op = conv2d(g, false, Initializer::HeUniform, stream);
        let bias = &mut op.parameters_mut()[1];
        bias.layout.pack(&uniform(stream, g.filters), &mut bias.value);
        let plain = |parameter: &Parameter| {
            let mut values = vec![0.0; parameter.shape.iter().product()];
            parameter.layout.unpack(&parameter.value, 0, &mut values);
            wide(&values)
        };
        let parameters = [0, 1].map(|i| plain(&op.parameters()[i]));
        let output = Shape::Image { height: g.output[0], width: g.output[1], channels: g.filters };
        (NamedLayer { name: "block".into(), output, op }, parameters)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

        /// A block of one convolution, with and without a projection.
        #[test]
        fn agrees_with_the_definition_and_its_differences(
            input in [1_usize..6, 1_usize..6], channels in 1_usize..4, more in 0_usize..3,
            stride in [1_usize..3, 1_usize..3], projected: bool, batch in 1_usize..4, seed in 0_u64..1000,
        ) {
            let (stride, filters) = if projected { (stride, channels + more) } else { ([1, 1], channels) };
            let output = [0, 1].map(|side| input[side].div_ceil(stride[side]));
            let image = |[height, width]: [usize; 2], channels| Shape::Image { height, width, channels };
            let geometry = |kernel| {
                Geometry::new(image(input, channels), image(output, filters), kernel, stride, Padding::Same)
            };
            let (g, mut stream) = (geometry(KERNEL), RngStream::new(seed, "test/residual"));
            let (layer, [w, b]) = convolution(g, &mut stream);
            let (projection, projection_parameters) = convolution(geometry([1, 1]), &mut stream);
            let layers = Sequential {
                inputs: g.inputs(),
                outputs: g.outputs(),
                ignores_gradient_of_zeros: false,
                layers: vec![layer],
            };
            let mut block = Residual::new(layers, projected.then_some(projection));
            let plain = |x: &[f64]| {
                let windows = Windows::new(input, KERNEL, stride, Padding::Same);
                let layers = conv2d_definition::forward(&windows, x, &w, &b);
                if !projected {
                    return definition::forward(&layers, x);
                }
                let [w, b] = &projection_parameters;
                definition::forward(&layers, &definition::projection(input, output, x, w, b))
            };

            let x = uniform(&mut stream, batch * g.inputs());
            let dy = uniform(&mut stream, batch * g.outputs());
            let context = Context { isa: Isa::current(), batch, training: true, pairs: false };
            let mut cache = block.alloc_cache(batch + 1, true);
            let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
            block.forward(&context, &x, &mut y, &mut cache);
            let args = BackwardArgs { x: &x, y: &y, dy: &mut dy.clone(), dx: Some(&mut dx) };
            block.backward(&context, args, &mut cache, GradMode::Store);
            // Terms of about one may cancel.
            let exact = plain(&wide(&x)).into_iter().chain(numerical_gradient(&x, &dy, plain));
            for (&found, exact) in y.iter().chain(&dx).zip(exact) {
                let error = (f64::from(found) - exact).abs();
                prop_assert!(error <= 1e-5 * (1.0 + exact.abs()), "{found} for {exact}");
            }
        }
    }
}
