//! Max pooling: the largest value of each window, channel by channel.

use rayon::prelude::*;

use super::geometry::Geometry;
use super::parameter::GradMode;
use super::{BackwardArgs, Context, Layer};
use crate::parallel::par_for_each;

/// The number of channels that are compared at once.
const LANES: usize = 16;

/// Max pooling without padding (Goodfellow, Bengio and Courville 2016, section 9.3). Windows may overlap.
#[derive(Debug)]
pub(crate) struct MaxPool {
    geometry: Geometry,
}

/// The index in the image of the largest value of each window, [capacity, outputs]. Among equal values it is the first,
/// row by row. Empty if there is no backward pass.
#[derive(Debug)]
pub(crate) struct Places(Vec<u32>);

impl MaxPool {
    /// # Panics
    /// If a window reaches beyond the image, the numbers of input and output channels differ, or an image has 2³² values
    /// or more.
    pub(crate) fn new(geometry: Geometry) -> MaxPool {
        assert_eq!(geometry.padded, geometry.input, "windows stay inside the image");
        assert_eq!(geometry.filters, geometry.channels, "each channel is pooled by itself");
        assert!(u32::try_from(geometry.inputs()).is_ok(), "an image of at most 2³² numbers");
        MaxPool { geometry }
    }

    /// Computes y, [output height, output width, channels], of an image x, [height, width, channels]; and, if given, the
    /// `places` of the maxima, of the same shape as y.
    fn forward_image(&self, x: &[f32], y: &mut [f32], mut places: Option<&mut [u32]>) {
        let Geometry { input, output, channels, stride, .. } = self.geometry;
        for (pixel, y) in y.chunks_exact_mut(channels).enumerate() {
            let corner = pixel / output[1] * stride[0] * input[1] + pixel % output[1] * stride[1];
            let mut places = places.as_mut().map(|places| &mut places[pixel * channels..][..channels]);
            let mut channel = 0;
            while channel < channels {
                let left = channels - channel;
                let start = corner * channels + channel;
                let places = places.as_mut().map(|places| &mut places[channel..]);
                let y = &mut y[channel..];
                channel += if left >= LANES {
                    self.window::<LANES>(x, start, y, places)
                } else {
                    self.window::<1>(x, start, y, places)
                };
            }
        }
    }

    /// Computes the maxima of N channels of the window that begins at index `start` of the image. Returns N.
    #[inline]
    fn window<const N: usize>(
        &self,
        x: &[f32],
        start: usize,
        y: &mut [f32],
        places: Option<&mut [u32]>,
    ) -> usize {
        let Geometry { input, channels, kernel, .. } = self.geometry;
        // Local arrays stay in registers; the slices would not.
        let mut largest = [f32::NEG_INFINITY; N];
        let mut place: [u32; N] = std::array::from_fn(|i| (start + i) as u32);
        for row in 0..kernel[0] {
            for column in 0..kernel[1] {
                let start = start + (row * input[1] + column) * channels;
                let x: &[f32; N] = x[start..start + N].try_into().expect("N numbers");
                for i in 0..N {
                    let larger = is_larger(x[i], largest[i]);
                    largest[i] = if larger { x[i] } else { largest[i] };
                    place[i] = if larger { (start + i) as u32 } else { place[i] };
                }
            }
        }
        y[..N].copy_from_slice(&largest);
        if let Some(places) = places {
            places[..N].copy_from_slice(&place);
        }
        N
    }
}

/// Whether x replaces the largest value so far. NaN counts as larger, so that it reaches the loss and is noticed.
fn is_larger(x: f32, largest: f32) -> bool {
    // Not `||`: a branch would keep the compiler from comparing whole vectors.
    (x > largest) | x.is_nan()
}

impl Layer for MaxPool {
    type Cache = Places;

    fn outputs(&self) -> usize {
        self.geometry.outputs()
    }

    fn ignores_gradient_of_zeros(&self, of_inputs: bool) -> bool {
        // An output that is zero is an input that is zero, and its gradient goes to that input alone.
        of_inputs
    }

    fn alloc_cache(&self, capacity: usize, backward: bool) -> Places {
        Places(vec![0; if backward { capacity * self.geometry.outputs() } else { 0 }])
    }

    /// x is [batch, height, width, channels], y is [batch, output height, output width, channels].
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], Places(kept): &mut Places) {
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        assert_eq!(
            (x.len(), y.len()),
            (context.batch * inputs, context.batch * outputs),
            "a batch of images"
        );
        let images = y.par_chunks_exact_mut(outputs).zip(x.par_chunks_exact(inputs));
        if kept.is_empty() {
            par_for_each(images, |(y, x)| self.forward_image(x, y, None));
        } else {
            let images = images.zip(kept.par_chunks_exact_mut(outputs));
            par_for_each(images, |((y, x), places)| self.forward_image(x, y, Some(places)));
        }
    }

    /// Each dy goes to the place of its window's maximum. Where windows overlap, dx is summed in the order of the
    /// windows. dx and dy have the shapes of x and y.
    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        Places(kept): &mut Places,
        _grad_mode: GradMode,
    ) {
        let BackwardArgs { dy, dx: Some(dx), .. } = args else { return };
        let (inputs, outputs) = (self.geometry.inputs(), self.geometry.outputs());
        assert_eq!(
            (dx.len(), dy.len()),
            (context.batch * inputs, context.batch * outputs),
            "a batch of images"
        );
        let images = dx.par_chunks_exact_mut(inputs).zip(dy.par_chunks_exact(outputs));
        par_for_each(images.zip(kept.par_chunks_exact(outputs)), |((dx, dy), places)| {
            dx.fill(0.0);
            for (&dy, &place) in dy.iter().zip(places) {
                dx[place as usize] += dy;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::{Padding, Shape};
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::isa::Isa;
    use crate::layers::reference::max_pool;
    use crate::layers::testing::{assert_close, numerical_gradient, on_any_threads, uniform, wide, windows};
    use crate::random::RngStream;

    fn geometry(input: [usize; 2], channels: usize, size: [usize; 2], stride: [usize; 2]) -> Geometry {
        let image = |[height, width]: [usize; 2]| Shape::Image { height, width, channels };
        let output = [0, 1].map(|side| (input[side] - size[side]) / stride[side] + 1);
        Geometry::new(image(input), image(output), size, stride, Padding::Valid)
    }

    /// The definition, of a batch.
    fn plain(g: &Geometry, x: &[f64]) -> Vec<f64> {
        max_pool::forward(&windows(g), g.channels, x)
    }

    /// y and dx.
    fn run(g: &Geometry, batch: usize, x: &[f32], mut dy: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
        let mut pool = MaxPool::new(*g);
        let context = Context { isa: Isa::current(), batch, training: true, pairs: false };
        // Memory for one image more than the batch has.
        let mut cache = pool.alloc_cache(batch + 1, true);
        let (mut y, mut dx) = (vec![f32::NAN; batch * g.outputs()], vec![f32::NAN; x.len()]);
        pool.forward(&context, x, &mut y, &mut cache);
        let args = BackwardArgs { x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
        pool.backward(&context, args, &mut cache, GradMode::Store);

        let mut evaluated = vec![f32::NAN; y.len()];
        pool.forward(
            &Context { training: false, ..context },
            x,
            &mut evaluated,
            &mut pool.alloc_cache(batch, false),
        );
        assert_eq!(evaluated, y, "without places the values are the same");
        (y, dx)
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_and_its_differences(
            batch in 1_usize..4, channels in 1_usize..6, more in prop::array::uniform2(0_usize..6),
            size in prop::array::uniform2(1_usize..4), stride in prop::array::uniform2(1_usize..4), seed in 0_u64..1000,
        ) {
            let g = geometry([size[0] + more[0], size[1] + more[1]], channels, size, stride);
            let mut stream = RngStream::new(seed, "test/pool");
            // A permutation of numbers that are further apart than the step of the differences.
            let mut order: Vec<u32> = (0..(batch * g.inputs()) as u32).collect();
            stream.shuffle(&mut order);
            let x: Vec<f32> = order.iter().map(|&i| i as f32 / 64.0 - 1.0).collect();
            let dy = uniform(&mut stream, batch * g.outputs());
            let (y, dx) = run(&g, batch, &x, dy.clone());
            prop_assert!(wide(&y) == plain(&g, &wide(&x)));
            assert_close(&dx, &numerical_gradient(&x, &dy, |x| plain(&g, x)), 1e-6);
        }
    }

    #[test]
    fn of_equals_the_first_takes_the_gradient() {
        let g = geometry([2, 4], 1, [2, 2], [2, 2]);
        let (y, dx) = run(&g, 1, &[0.0, 0.0, 1.0, 3.0, 0.0, 0.0, 3.0, 3.0], vec![1.0, 2.0]);
        assert_eq!(y, [0.0, 3.0]);
        assert_eq!(dx, [1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_is_not_a_number_shows() {
        let g = geometry([1, 3], 1, [1, 3], [1, 1]);
        for place in 0..3 {
            let mut x = [1.0; 3];
            x[place] = f32::NAN;
            assert!(run_forward(&g, &x)[0].is_nan(), "at {place}");
        }
    }

    fn run_forward(g: &Geometry, x: &[f32]) -> Vec<f32> {
        let mut y = vec![0.0; g.outputs()];
        MaxPool::new(*g).forward_image(x, &mut y, None);
        y
    }

    #[test]
    fn is_the_same_on_any_threads() {
        let g = geometry([9, 8], 5, [3, 3], [1, 2]);
        let mut stream = RngStream::new(1, "test/pool");
        let (x, dy) = (uniform(&mut stream, 7 * g.inputs()), uniform(&mut stream, 7 * g.outputs()));
        let (y, dx) = on_any_threads(|| run(&g, 7, &x, dy.clone()));
        assert!(y.iter().chain(&dx).all(|number| number.is_finite()));
    }
}
