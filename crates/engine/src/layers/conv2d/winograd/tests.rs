//! Minimal filtering against the definition, and its rounding errors.

use inkling_schema::{Initializer, Padding};
use proptest::prelude::*;

use super::scheme::SCHEMES;
use super::*;
use crate::kernels::pairs::rounded;
use crate::layers::conv2d::direct::Direct;
use crate::layers::conv2d::tests::{check, geometry, plain, plain_order, uniform};
use crate::layers::testing::on_any_threads;
use crate::layers::{BackwardArgs, Context, DynLayer, GradMode};

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_definition_whatever_the_scheme(
        scheme in 0..SCHEMES.len(),
        input in (1_usize..12, 1_usize..12),
        (channels, filters) in (1_usize..3, 1_usize..3),
        stride in (1_usize..4, 1_usize..4),
        short in (0_usize..3, 0_usize..3),
        same: bool,
        relu: bool,
        batch in 1_usize..20,
    ) {
        let scheme = &SCHEMES[scheme];
        // Includes kernels that do not have all taps of the last remainders.
        let side = |stride: usize, short: usize| (scheme.taps * stride - short % stride).max(1);
        let (stride, kernel) = (<[usize; 2]>::from(stride), [side(stride.0, short.0), side(stride.1, short.1)]);
        let input = <[usize; 2]>::from(input);
        prop_assume!(same || (kernel[0] <= input[0] && kernel[1] <= input[1]));
        let padding = if same { Padding::Same } else { Padding::Valid };
        let g = geometry(input, NR * channels, NR * filters, kernel, stride, padding);
        let mut layer = with(&g, scheme, relu);
        check(&mut layer, &g, relu, batch)?;
    }
}

fn with(g: &Geometry, scheme: &'static Scheme, relu: bool) -> Winograd {
    let parameters = parameters(g, Initializer::HeUniform, &mut RngStream::new(2, "weights"));
    Winograd { plan: Plan::new(*g, scheme, division(g, scheme)), relu, parameters }
}

#[test]
fn agrees_with_the_definition_over_several_spans() {
    let g = geometry([4, 5], NR, NR, [2, 2], [1, 1], Padding::Same);
    let mut layer = with(&g, &SCHEMES[1], true);
    layer.plan = Plan::new(g, &SCHEMES[1], [2, 3]);
    check(&mut layer, &g, true, 19).expect("the same");
}

/// Runs a layer forward and backward; returns y, dx and dw.
fn found(
    layer: &mut dyn DynLayer,
    (isa, pairs): (Isa, bool),
    [x, dy]: [&[f32]; 2],
    batch: usize,
) -> [Vec<f32>; 3] {
    let context = Context { isa, batch, training: true, pairs };
    let mut cache = layer.alloc_cache(batch, true);
    let (mut y, mut dx) = (vec![0.0; batch * layer.outputs()], vec![0.0; x.len()]);
    layer.forward(&context, x, &mut y, &mut cache);
    let args = BackwardArgs { x, y: &y, dy: &mut dy.to_vec(), dx: Some(&mut dx) };
    layer.backward(&context, args, &mut cache, GradMode::Store);
    let weight = &layer.parameters()[0];
    [y, dx, plain_order(weight, &weight.gradient)]
}

#[test]
fn every_path_with_fused_multiply_add_and_any_threads_give_the_same_bits() {
    let g = geometry([9, 7], NR, NR, [4, 4], [2, 2], Padding::Same);
    let batch = 23;
    let (x, dy) = (uniform(batch * g.inputs(), "x"), uniform(batch * g.outputs(), "dy"));
    for scheme in SCHEMES.iter().filter(|scheme| scheme.taps == 2) {
        for pairs in [false, true] {
            let of = |isa: Isa| {
                on_any_threads(|| {
                    let mut layer = with(&g, scheme, true);
                    layer.plan = Plan::new(g, scheme, [2, 3]);
                    found(&mut layer, (isa, pairs), [&x, &dy], batch)
                })
            };
            let fused = [Isa::Avx512, Isa::Avx2].into_iter().filter(|isa| isa.is_available());
            let found: Vec<_> = fused.map(of).collect();
            assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "F({}, 2)", scheme.outputs);
        }
    }
}

#[test]
fn rounding_is_that_of_the_direct_sum_times_what_is_stated() {
    for scheme in &SCHEMES {
        let (r, batch) = (scheme.taps, 8);
        let g = geometry([16, 16], 128, 64, [r, r], [1, 1], Padding::Valid);
        let (x, dy) = (uniform(batch * g.inputs(), "x"), uniform(batch * g.outputs(), "dy"));
        let mut layer = with(&g, scheme, false);
        let weight = uniform(r * r * 128 * 64, "w");
        let mut direct = Direct::new(g, false, Initializer::HeUniform, &mut RngStream::new(2, "weights"));
        for parameter in [&mut layer.parameters[0], &mut direct.parameters_mut()[0]] {
            parameter.layout.pack(&weight, &mut parameter.value);
        }
        let bias = vec![0.0; 64];
        let [y, dx, dw, _] = &plain(&g, [&x, &weight, &bias, &dy, &dy], false);
        let errors = |found: [Vec<f32>; 3]| -> [f64; 3] {
            std::array::from_fn(|i| {
                let exact = [y, dx, dw][i];
                let squares = found[i].iter().zip(exact).map(|(f, e)| (f64::from(*f) - e).powi(2));
                (squares.sum::<f64>() / exact.len() as f64).sqrt()
            })
        };
        let isa = Isa::current();
        let direct_errors =
            |direct: &mut Direct, [x, dy]: [&[f32]; 2]| errors(found(direct, (isa, false), [x, dy], batch));
        let exactly = direct_errors(&mut direct, [&x, &dy]);
        // The direct sum of factors that are rounded to bfloat16.
        let factors = |numbers: &[f32]| numbers.iter().map(|&number| rounded(number)).collect::<Vec<f32>>();
        let to = &mut direct.parameters_mut()[0];
        to.layout.pack(&factors(&weight), &mut to.value);
        let roundly = direct_errors(&mut direct, [&factors(&x), &factors(&dy)]);
        let stated = [(false, exactly, scheme.errors), (true, roundly, [scheme.errors_of_pairs; 3])];
        for (pairs, direct, stated) in stated {
            let minimal = errors(found(&mut layer, (isa, pairs), [&x, &dy], batch));
            let ratios: [f64; 3] = std::array::from_fn(|i| minimal[i] / direct[i]);
            for (ratio, stated) in ratios.into_iter().zip(stated) {
                assert!(ratio <= stated, "F({}, {r}), pairs {pairs}: {ratios:?}", scheme.outputs);
            }
        }
    }
}

#[test]
fn the_scheme_with_the_fewest_products_is_taken_where_it_pays() {
    let of = |side: usize, kernel: usize, stride: usize, channels: usize| {
        let g = geometry([side; 2], channels, 64, [kernel; 2], [stride; 2], Padding::Same);
        Scheme::of(&g).map(|scheme| (scheme.outputs, scheme.taps))
    };
    // The networks of the assignment: 14 outputs are five tiles of three, 7 outputs are two tiles of four.
    assert_eq!(of(28, 4, 2, 32), Some((3, 2)));
    assert_eq!(of(14, 4, 2, 64), Some((4, 2)));
    assert_eq!(of(14, 3, 1, 32), Some((4, 3)));
    assert_eq!(of(7, 3, 1, 64), Some((4, 3)));
    // Too few channels in the first two, too few outputs, and windows that do not overlap.
    assert_eq!(of(28, 4, 1, 1), None);
    assert_eq!(of(14, 4, 2, 16), None);
    assert_eq!(of(2, 4, 2, 64), None);
    assert_eq!(of(28, 2, 2, 64), None);
}
