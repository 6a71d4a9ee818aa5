//! Average pooling: the mean of each window, channel by channel.

use inkling_schema::{Padding, Shape};
use rayon::prelude::*;

use super::geometry::Geometry;
use super::parameter::GradMode;
use super::{BackwardArgs, Context, Layer};
use crate::parallel::par_for_each;

/// Average pooling without padding (LeCun et al. 1998). Windows may overlap. With a single window as large as the image
/// it is global average pooling (Lin, Chen and Yan 2014).
#[derive(Debug)]
pub(crate) struct AvgPool {
    geometry: Geometry,
}

impl AvgPool {
    /// # Panics
    /// If a window reaches beyond the image, or the numbers of input and output channels differ.
    pub(crate) fn new(geometry: Geometry) -> AvgPool {
        assert_eq!(geometry.padded, geometry.input, "windows stay inside the image");
        assert_eq!(geometry.filters, geometry.channels, "each channel is pooled by itself");
        AvgPool { geometry }
    }

    /// Calls `visit` for every pixel of every window, window by window: with the index of the window's first output, and
    /// that of the pixel's first input.
    fn each(&self, mut visit: impl FnMut(usize, usize)) {
        let Geometry { input, output, channels, kernel, stride, .. } = self.geometry;
        for pixel in 0..self.geometry.output_pixels() {
            let corner = [pixel / output[1] * stride[0], pixel % output[1] * stride[1]];
            for row in corner[0]..corner[0] + kernel[0] {
                for column in corner[1]..corner[1] + kernel[1] {
                    visit(pixel * channels, (row * input[1] + column) * channels);
                }
            }
        }
    }

    /// Global average pooling: the mean of each channel over the whole image.
    ///
    /// # Panics
    /// If `input` is not the shape of an image.
    pub(crate) fn global(input: Shape) -> AvgPool {
        let Shape::Image { height, width, channels } = input else {
            panic!("images are pooled, not vectors")
        };
        let output = Shape::Image { height: 1, width: 1, channels };
        AvgPool::new(Geometry::new(input, output, [height, width], [height, width], Padding::Valid))
    }

    /// The weight of each pixel in the mean: one over the number of pixels of a window.
    fn share(&self) -> f32 {
        1.0 / (self.geometry.kernel[0] * self.geometry.kernel[1]) as f32
    }
}

impl Layer for AvgPool {
    type Cache = ();

    fn outputs(&self) -> usize {
        self.geometry.outputs()
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        // A mean can be zero although the inputs are not.
        false
    }

    fn alloc_cache(&self, _capacity: usize, _backward: bool) {}

    /// x is [batch, height, width, channels], y is [batch, output height, output width, channels].
    fn forward(&mut self, _context: &Context, x: &[f32], y: &mut [f32], _cache: &mut ()) {
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        let (channels, share) = (self.geometry.channels, self.share());
        par_for_each(y.par_chunks_exact_mut(outputs).zip(x.par_chunks_exact(inputs)), |(y, x)| {
            y.fill(0.0);
            self.each(|output, input| {
                let (y, x) = (&mut y[output..output + channels], &x[input..input + channels]);
                y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
            });
            y.iter_mut().for_each(|y| *y *= share);
        });
    }

    /// Each dy is distributed equally to all pixels of its window. Where windows overlap, dx is summed in the order of the
    /// windows. dx and dy have the shapes of x and y.
    fn backward(&mut self, _context: &Context, args: BackwardArgs, _cache: &mut (), _grad_mode: GradMode) {
        let BackwardArgs { dy, dx: Some(dx), .. } = args else { return };
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        let (channels, share) = (self.geometry.channels, self.share());
        par_for_each(dx.par_chunks_exact_mut(inputs).zip(dy.par_chunks_exact(outputs)), |(dx, dy)| {
            dx.fill(0.0);
            self.each(|output, input| {
                let (dy, dx) = (&dy[output..output + channels], &mut dx[input..input + channels]);
                dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += share * dy);
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::isa::Isa;
    use crate::layers::reference::avg_pool;
    use crate::layers::testing::{assert_close, numerical_gradient, on_any_threads, uniform, wide, windows};
    use crate::random::RngStream;

    fn geometry(input: [usize; 3], kernel: [usize; 2], stride: [usize; 2]) -> Geometry {
        let [height, width, channels] = input;
        let output = [0, 1].map(|side| (input[side] - kernel[side]) / stride[side] + 1);
        let of = |height, width| Shape::Image { height, width, channels };
        Geometry::new(of(height, width), of(output[0], output[1]), kernel, stride, Padding::Valid)
    }

    fn run(geometry: Geometry, batch: usize, x: &[f32], mut dy: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
        let mut layer = AvgPool::new(geometry);
        let context = Context { isa: Isa::current(), batch, training: true, pairs: false };
        let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
        layer.forward(&context, x, &mut y, &mut ());
        let args = BackwardArgs { x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
        layer.backward(&context, args, &mut (), GradMode::Store);
        (y, dx)
    }

    /// The definition, of a batch.
    fn plain(g: &Geometry, x: &[f64]) -> Vec<f64> {
        avg_pool::forward(&windows(g), g.channels, x)
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_and_its_differences(
            input in [1_usize..8, 1_usize..8, 1_usize..20],
            kernel in [1_usize..5, 1_usize..5], stride in [1_usize..4, 1_usize..4],
            batch in 1_usize..4, seed in 0_u64..1000,
        ) {
            let kernel = [kernel[0].min(input[0]), kernel[1].min(input[1])];
            let g = geometry(input, kernel, stride);
            let mut stream = RngStream::new(seed, "test/avg_pool");
            let x = uniform(&mut stream, batch * g.inputs());
            let dy = uniform(&mut stream, batch * g.outputs());
            let (y, dx) = run(g, batch, &x, dy.clone());
            assert_close(&y, &plain(&g, &wide(&x)), 1e-6);
            assert_close(&dx, &numerical_gradient(&x, &dy, |x| plain(&g, x)), 2e-6);
        }
    }

    #[test]
    fn is_the_same_on_any_threads() {
        let g = geometry([9, 7, 5], [3, 2], [2, 1]);
        let mut stream = RngStream::new(1, "test/avg_pool");
        let (x, dy) = (uniform(&mut stream, 7 * g.inputs()), uniform(&mut stream, 7 * g.outputs()));
        let (y, dx) = on_any_threads(|| run(g, 7, &x, dy.clone()));
        assert!(y.iter().chain(&dx).all(|number| number.is_finite()));
    }
}
