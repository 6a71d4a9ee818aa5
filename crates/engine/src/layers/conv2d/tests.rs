//! The convolution against its definition, forward and backward.

use inkling_schema::{Initializer, Padding, Shape};
use proptest::prelude::*;

use super::*;
use crate::kernels::isa::Isa;
use crate::layers::parameter::{GradMode, Parameter};
use crate::layers::reference::conv2d as definition;
use crate::layers::testing::{assert_close, numerical_gradient, through_relu, wide, windows};
use crate::layers::{BackwardArgs, Context};

/// y, dx, dw and db by the definition, all row-major. The argument y is the output of the layer under test.
pub(super) fn plain(g: &Geometry, [x, w, b, y, dy]: [&[f32]; 5], relu: bool) -> [Vec<f64>; 4] {
    let (windows, x, w) = (windows(g), wide(x), wide(w));
    let mut exact = definition::forward(&windows, &x, &w, &wide(b));
    if relu {
        exact.iter_mut().for_each(|y| *y = y.max(0.0));
    }
    let [dx, dw, db] = definition::backward(&windows, &x, &w, &through_relu(relu, y, dy), g.filters);
    [exact, dx, dw, db]
}

fn close(found: &[f32], exact: &[f64], what: &str) -> Result<(), TestCaseError> {
    let size = exact.iter().fold(1e-3_f64, |size, value| size.max(value.abs()));
    prop_assert_eq!(found.len(), exact.len());
    for (i, (&found, exact)) in found.iter().zip(exact).enumerate() {
        prop_assert!((f64::from(found) - exact).abs() <= 1e-5 * size, "{what}[{i}]: {found} {exact}");
    }
    Ok(())
}

pub(super) fn uniform(count: usize, name: &str) -> Vec<f32> {
    let mut stream = RngStream::new(1, name);
    (0..count).map(|_| 2.0 * stream.uniform() - 1.0).collect()
}

pub(super) fn plain_order(parameter: &Parameter, packed: &[f32]) -> Vec<f32> {
    let mut values = vec![0.0; parameter.shape.iter().product()];
    parameter.layout.unpack(packed, 0, &mut values);
    values
}

/// Compares a layer with the definition on every instruction set.
pub(super) fn check(
    layer: &mut dyn DynLayer,
    g: &Geometry,
    relu: bool,
    batch: usize,
) -> Result<(), TestCaseError> {
    let bias = uniform(g.filters, "bias");
    let parameter = &mut layer.parameters_mut()[1];
    parameter.layout.pack(&bias, &mut parameter.value);
    let weight = plain_order(&layer.parameters()[0], &layer.parameters()[0].value);
    let (x, dy) = (uniform(batch * g.inputs(), "x"), uniform(batch * g.outputs(), "dy"));
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let context = Context { isa, batch, training: true, pairs: false };
        let mut cache = layer.alloc_cache(batch + 3, true);
        let mut y = vec![0.0; batch * g.outputs()];
        // Twice, because what one pass leaves in the cache must not affect the next.
        for _ in 0..2 {
            layer.forward(&context, &x, &mut y, &mut cache);
            let [exact_y, exact_dx, dw, db] = plain(g, [&x, &weight, &bias, &y, &dy], relu);
            let (mut dy, mut dx) = (dy.clone(), vec![f32::NAN; x.len()]);
            let args = BackwardArgs { x: &x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
            layer.backward(&context, args, &mut cache, GradMode::Store);
            close(&y, &exact_y, "y")?;
            close(&dx, &exact_dx, "dx")?;
            for (parameter, exact) in layer.parameters().iter().zip([&dw, &db]) {
                close(&plain_order(parameter, &parameter.gradient), exact, parameter.name)?;
            }
        }
        let mut evaluation = layer.alloc_cache(batch, false);
        let mut again = vec![f32::NAN; y.len()];
        layer.forward(&Context { training: false, ..context }, &x, &mut again, &mut evaluation);
        prop_assert_eq!(y, again);
    }
    Ok(())
}

pub(super) fn geometry(
    input: [usize; 2],
    channels: usize,
    filters: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Geometry {
    let output: [usize; 2] = std::array::from_fn(|side| match padding {
        Padding::Same => input[side].div_ceil(stride[side]),
        Padding::Valid => (input[side] - kernel[side]) / stride[side] + 1,
    });
    let shape = |[height, width]: [usize; 2], channels| Shape::Image { height, width, channels };
    Geometry::new(shape(input, channels), shape(output, filters), kernel, stride, padding)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_definition(
        input in (1_usize..9, 1_usize..9),
        (channels, filters) in (1_usize..40, 1_usize..40),
        kernel in (1_usize..5, 1_usize..5),
        stride in (1_usize..5, 1_usize..5),
        same: bool,
        relu: bool,
        batch in 1_usize..20,
    ) {
        let (input, kernel) = (<[usize; 2]>::from(input), <[usize; 2]>::from(kernel));
        prop_assume!(same || (kernel[0] <= input[0] && kernel[1] <= input[1]));
        let padding = if same { Padding::Same } else { Padding::Valid };
        let g = geometry(input, channels, filters, kernel, stride.into(), padding);
        let mut layer = conv2d(g, relu, Initializer::HeUniform, &mut RngStream::new(2, "weights"));
        check(&mut *layer, &g, relu, batch)?;
    }
}

#[test]
fn the_gradients_of_the_definition_are_its_differences() {
    for (kernel, stride, padding) in
        [([3, 2], [1, 2], Padding::Same), ([2, 3], [2, 1], Padding::Valid), ([4, 4], [3, 2], Padding::Same)]
    {
        let g = geometry([5, 4], 2, 3, kernel, stride, padding);
        let (windows, batch) = (windows(&g), 2);
        let [x, dy] =
            [(batch * g.inputs(), "x"), (batch * g.outputs(), "dy")].map(|(n, name)| uniform(n, name));
        let [w, b] = [(kernel[0] * kernel[1] * 6, "w"), (3, "b")].map(|(n, name)| uniform(n, name));
        let [wide_x, wide_w, wide_b] = [&x, &w, &b].map(|numbers| wide(numbers));
        let narrow = |numbers: Vec<f64>| numbers.iter().map(|&number| number as f32).collect::<Vec<f32>>();
        let [dx, dw, db] = definition::backward(&windows, &wide_x, &wide_w, &wide(&dy), 3).map(narrow);
        let of_x = |x: &[f64]| definition::forward(&windows, x, &wide_w, &wide_b);
        assert_close(&dx, &numerical_gradient(&x, &dy, of_x), 1e-6);
        let of_w = |w: &[f64]| definition::forward(&windows, &wide_x, w, &wide_b);
        assert_close(&dw, &numerical_gradient(&w, &dy, of_w), 1e-6);
        let of_b = |b: &[f64]| definition::forward(&windows, &wide_x, &wide_w, b);
        assert_close(&db, &numerical_gradient(&b, &dy, of_b), 1e-6);
    }
}

#[test]
fn memory_for_a_batch_is_enough_for_every_smaller_one() {
    let direct = geometry([2, 1], 1, 2, [2, 1], [1, 1], Padding::Same);
    let minimal = geometry([3, 3], NR, NR, [2, 2], [1, 1], Padding::Same);
    for g in [direct, minimal] {
        let mut layer = conv2d(g, false, Initializer::HeUniform, &mut RngStream::new(2, "weights"));
        for capacity in (1..=90).chain([191, 192, 280]) {
            let mut cache = layer.alloc_cache(capacity, true);
            for batch in capacity.saturating_sub(20).max(1)..=capacity {
                let context = Context { isa: Isa::current(), batch, training: true, pairs: false };
                let x = vec![1.0; batch * g.inputs()];
                let (mut y, mut dy) = (vec![0.0; batch * g.outputs()], vec![1.0; batch * g.outputs()]);
                let mut dx = vec![0.0; x.len()];
                layer.forward(&context, &x, &mut y, &mut cache);
                let args = BackwardArgs { x: &x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
                layer.backward(&context, args, &mut cache, GradMode::Store);
            }
        }
    }
}
