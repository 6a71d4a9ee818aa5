//! Tests of dense layers: against the definition, a visit of the weights against separate passes, and deferred steps
//! against steps taken in f64.

use inkling_schema::Optimizer;
use proptest::prelude::*;

use super::*;
use crate::kernels::isa::Isa;
use crate::kernels::pairs::rounded;
use crate::kernels::update::ParamState;
use crate::layers::parameter::StateKind;
use crate::layers::reference::dense as definition;
use crate::layers::testing::{assert_close, numerical_gradient, on_any_threads, through_relu, wide};
use crate::optimizers::tests::Scalar;
use crate::optimizers::{StepRule, step_rule};

fn uniform(count: usize, name: &str) -> Vec<f32> {
    let mut stream = RngStream::new(1, name);
    (0..count).map(|_| 2.0 * stream.uniform() - 1.0).collect()
}

fn close(found: &[f32], exact: &[f64]) -> Result<(), TestCaseError> {
    let size = exact.iter().fold(1e-3_f64, |size, value| size.max(value.abs()));
    prop_assert_eq!(found.len(), exact.len());
    for (&found, exact) in found.iter().zip(exact) {
        prop_assert!((f64::from(found) - exact).abs() <= 1e-5 * size, "{} {}", found, exact);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_definition(
        inputs in 1_usize..80, units in 1_usize..80, batch in 1_usize..140, relu: bool,
    ) {
        let mut layer = Dense::new(Size { inputs, units, relu, skips_zeros: true }, Initializer::HeUniform, &mut RngStream::new(2, "weights"));
        let b = uniform(units, "bias");
        layer.parameters[1].layout.pack(&b, &mut layer.parameters[1].value);
        let plain_order = |parameter: &Parameter, packed: &[f32]| {
            let mut values = vec![0.0; parameter.shape.iter().product()];
            parameter.layout.unpack(packed, 0, &mut values);
            values
        };
        let w = plain_order(&layer.parameters[0], &layer.parameters[0].value);
        let (x, dy) = (uniform(batch * inputs, "x"), uniform(batch * units, "dy"));
        let paths = Isa::ALL.into_iter().filter(|isa| isa.is_available());
        for (isa, pairs) in paths.flat_map(|isa| [(isa, false), (isa, true)]) {
            let context = Context { isa, batch, training: true, pairs };
            // What factors are rounded to.
            let factor = |numbers: &[f32]| -> Vec<f64> {
                let is_rounded = pairs && units > FEW;
                numbers.iter().map(|&x| f64::from(if is_rounded { rounded(x) } else { x })).collect()
            };
            let mut exact_y = definition::forward(&factor(&x), &factor(&w), &wide(&b));
            if relu {
                exact_y.iter_mut().for_each(|y| *y = y.max(0.0));
            }
            let mut cache = layer.alloc_cache(batch + 5, true);
            let mut y = vec![0.0; batch * units];
            layer.forward(&context, &x, &mut y, &mut cache);
            let dy_masked: Vec<f32> = through_relu(relu, &y, &dy).iter().map(|&dy| dy as f32).collect();
            let [dx, dw, _] = definition::backward(&factor(&x), &factor(&w), &factor(&dy_masked), units);
            let [_, _, db] = definition::backward(&wide(&x), &wide(&w), &wide(&dy_masked), units);
            let (mut dy, mut found_dx) = (dy.clone(), vec![f32::NAN; x.len()]);
            let args = BackwardArgs { x: &x, y: &y, dy: &mut dy, dx: Some(&mut found_dx) };
            layer.backward(&context, args, &mut cache, GradMode::Store);
            close(&y, &exact_y)?;
            close(&found_dx, &dx)?;
            for (parameter, exact) in layer.parameters.iter().zip([&dw, &db]) {
                close(&plain_order(parameter, &parameter.gradient), exact)?;
            }
        }
    }
}

#[test]
fn the_gradients_of_the_definition_are_its_differences() {
    let (inputs, units, batch) = (5, 4, 3);
    let [x, w] = [(batch * inputs, "x"), (inputs * units, "w")].map(|(count, name)| uniform(count, name));
    let [b, dy] = [(units, "b"), (batch * units, "dy")].map(|(count, name)| uniform(count, name));
    let [wide_x, wide_w, wide_b] = [&x, &w, &b].map(|numbers| wide(numbers));
    let narrow = |numbers: Vec<f64>| numbers.iter().map(|&number| number as f32).collect::<Vec<f32>>();
    let [dx, dw, db] = definition::backward(&wide_x, &wide_w, &wide(&dy), units).map(narrow);
    let of_x = |x: &[f64]| definition::forward(x, &wide_w, &wide_b);
    assert_close(&dx, &numerical_gradient(&x, &dy, of_x), 1e-6);
    let of_w = |w: &[f64]| definition::forward(&wide_x, w, &wide_b);
    assert_close(&dw, &numerical_gradient(&w, &dy, of_w), 1e-6);
    let of_b = |b: &[f64]| definition::forward(&wide_x, &wide_w, b);
    assert_close(&db, &numerical_gradient(&b, &dy, of_b), 1e-6);
}

/// Draws inputs and gradients in which inputs and units are zero for a step or for hundreds of them, and then active again.
struct Sparse {
    stream: RngStream,
    size: Size,
}

impl Sparse {
    fn draw(&mut self, step: usize, batch: usize) -> (Vec<f32>, Vec<f32>) {
        let Size { inputs, units, .. } = self.size;
        // Every eighth column is always active, the next one in every other step or so, the last ones rarely or never.
        let rare = [1, 2, 4, 16, 60, 300, 700, u32::MAX];
        let mut draw = |width: usize| {
            let mut numbers = vec![0.0; batch * width];
            for k in 0..width {
                let period = rare[(k + k / 8) % 8];
                let there = period == 1 || (period < u32::MAX && self.stream.random_range(period) == 0);
                // For a while half of the columns are zero.
                if !there || (k % 2 == 0 && (400..900).contains(&step)) {
                    continue;
                }
                for n in 0..batch {
                    if self.stream.random_range(3) > 0 {
                        numbers[n * width + k] = 2.0 * self.stream.uniform() - 1.0;
                    }
                }
            }
            numbers
        };
        (draw(inputs), draw(units))
    }
}

const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
const PARTS: [StateKind; 3] = [StateKind::Values, StateKind::FirstMoments, StateKind::SecondMoments];

/// A layer with moments, ready for training.
fn layer(size: Size) -> Dense {
    let mut layer = Dense::new(size, Initializer::HeUniform, &mut RngStream::new(2, "weights"));
    layer.parameters.iter_mut().for_each(|parameter| parameter.alloc_moments([true, true]));
    layer
}

/// An optimiser that has begun a step.
fn begun(optimizer: &Optimizer, step: u64, learning_rate: f64) -> Box<dyn StepRule> {
    let mut rule = step_rule(optimizer);
    rule.begin_step(step, learning_rate);
    rule
}

/// Weights and moments in the order of files.
fn states(layer: &Dense) -> [Vec<f32>; 3] {
    let weight = &layer.parameters[0];
    PARTS.map(|part| {
        let mut values = vec![f32::NAN; weight.shape.iter().product()];
        let (some, others) = values.split_at_mut(weight.shape[1]);
        weight.read(part, 0, some);
        weight.read(part, some.len(), others);
        values
    })
}

/// Runs a forward and a backward pass; returns y and dX.
fn go(
    layer: &mut Dense,
    (isa, pairs): (Isa, bool),
    x: &[f32],
    dy: &[f32],
    cache: &mut DenseCache,
    grad_mode: GradMode,
) -> [Vec<f32>; 2] {
    let Size { inputs, units, .. } = layer.size;
    let batch = x.len() / inputs;
    let context = Context { isa, batch, training: true, pairs };
    let (mut y, mut dx) = (vec![f32::NAN; batch * units], vec![f32::NAN; x.len()]);
    layer.forward(&context, x, &mut y, cache);
    let args = BackwardArgs { x, y: &y, dy: &mut dy.to_vec(), dx: Some(&mut dx) };
    layer.backward(&context, args, cache, grad_mode);
    [y, dx]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// A visit of the weights gives the bits of separate passes followed by an update of all weights.
    #[test]
    fn a_visit_gives_what_separate_passes_give(
        inputs in 1_usize..80, units in 1_usize..300, batch in 1_usize..140, relu: bool, skips_zeros: bool, seed in 0_u64..99,
    ) {
        let size = Size { inputs, units, relu, skips_zeros };
        let paths = Isa::ALL.into_iter().filter(|isa| isa.is_available());
        for (isa, pairs) in paths.flat_map(|isa| [(isa, false), (isa, true)]) {
            let (mut visited, mut plain) = (layer(size), layer(size));
            let mut memories = [visited.alloc_cache(150, true), plain.alloc_cache(150, true)];
            let mut sparse = Sparse { stream: RngStream::new(seed, "sparse"), size };
            for step in 1..6 {
                let rule = begun(&ADAM, step as u64, 1e-3);
                let (x, dy) = sparse.draw(step, batch);
                for (part, values) in PARTS.into_iter().zip(states(&visited)) {
                    let weight = &mut plain.parameters[0];
                    let to = match part {
                        StateKind::FirstMoments => &mut weight.first,
                        StateKind::SecondMoments => &mut weight.second,
                        _ => &mut weight.value,
                    };
                    weight.layout.pack(&values, to);
                }
                plain.parameters[1].value = visited.parameters[1].value.clone();
                let [y, dx] = go(&mut visited, (isa, pairs), &x, &dy, &mut memories[0], GradMode::Step(&*rule));
                let [plain_y, mut plain_dx] = go(&mut plain, (isa, pairs), &x, &dy, &mut memories[1], GradMode::Store);
                for input in (0..inputs).filter(|_| skips_zeros) {
                    // Not computed for inputs that are zero in the whole batch, unless nearly all others are active.
                    if (0..batch).all(|n| x[n * inputs + input] == 0.0) {
                        (0..batch).filter(|n| dx[n * inputs + input] == 0.0).for_each(|n| plain_dx[n * inputs + input] = 0.0);
                    }
                }
                prop_assert_eq!(y, plain_y);
                prop_assert_eq!(dx, plain_dx);
                let weight = &mut plain.parameters[0];
                let gradient = weight.gradient.clone();
                let Parameter { value, first, second, .. } = weight;
                rule.update(isa, ParamState { value, first, second }, &gradient, true);
                let mut moved = vec![0.0; inputs * units];
                weight.layout.unpack(&gradient, 0, &mut moved);
                for (found, plain) in states(&visited).iter().zip(&states(&plain)) {
                    for ((found, plain), &gradient) in found.iter().zip(plain).zip(&moved) {
                        let close = (found - plain).abs() <= 2e-6 * plain.abs().max(1e-3);
                        prop_assert!(if gradient == 0.0 { close } else { found == plain }, "{} {}", found, plain);
                    }
                }
            }
            // The padding of panels stays zero.
            let weight = &visited.parameters[0];
            for of in [&weight.value, &weight.first, &weight.second] {
                let used = size.columns(size.panels() - 1);
                let last = &of[of.len() - inputs * NR..];
                prop_assert!(last.chunks(NR).all(|row| row[used..].iter().all(|&filling| filling == 0.0)));
            }
        }
    }
}

/// Weights as the definition of the optimiser moves them, in f64, and the length of the path of each.
struct Exact {
    weights: Vec<Scalar>,
    gone: Vec<f64>,
}

impl Exact {
    /// Step number `t` by this gradient.
    fn step(&mut self, t: i32, gradient: &[f64], optimizer: &Optimizer, rate: f64) {
        for ((weight, gone), &gradient) in self.weights.iter_mut().zip(&mut self.gone).zip(gradient) {
            let before = weight.value;
            weight.step(t, gradient, optimizer, rate);
            *gone += (weight.value - before).abs();
        }
    }
}

/// Thousands of steps in which inputs and units become zero and active again, with a learning rate that falls and once
/// jumps up, and batches of various sizes. The error is at most 5e-6 of the first value plus the length of the path, as
/// without deferred steps.
fn stay_by_the_definition(isa: Isa, optimizer: &Optimizer, steps: usize) {
    let size @ Size { inputs, units, .. } = Size { inputs: 45, units: 150, relu: false, skips_zeros: true };
    let mut layer = layer(size);
    let mut cache = layer.alloc_cache(20, true);
    let mut sparse = Sparse { stream: RngStream::new(3, "sparse"), size };
    let states_of = |layer: &Dense| states(layer).map(|numbers| wide(&numbers));
    let start = states_of(&layer)[0].clone();
    let weights = start.iter().map(|&value| Scalar { value, ..Scalar::default() });
    let mut exact = Exact { weights: weights.collect(), gone: vec![0.0; inputs * units] };
    let mut waited = 0;
    for step in 1..=steps {
        let rate = if step < steps / 2 { 1e-3 } else { 5e-3 } / (1.0 + step as f64 / 500.0);
        let rule = begun(optimizer, step as u64, rate);
        let batch = 1 + step % 17;
        let (x, dy) = sparse.draw(step, batch);
        go(&mut layer, (isa, false), &x, &dy, &mut cache, GradMode::Step(&*rule));
        let [_, gradient, _] = definition::backward(&wide(&x), &vec![0.0; inputs * units], &wide(&dy), units);
        exact.step(step as i32, &gradient, optimizer, rate);
        waited += usize::from(
            (0..inputs).any(|row| layer.parameters[0].deferred.as_ref().unwrap().steps(0, row).is_some()),
        );
        if step % 50 == 0 || step < 40 {
            let found = states_of(&layer);
            for i in 0..start.len() {
                let exactly = exact.weights[i];
                let error = (found[0][i] - exactly.value).abs();
                let bound = 5e-6 * (start[i].abs() + exact.gone[i]);
                assert!(
                    error <= bound,
                    "{optimizer:?}, weight {i} at step {step}: off by {error}, not {bound}"
                );
                for (found, exact) in found[1..].iter().zip([exactly.first, exactly.second]) {
                    let error = (found[i] - exact).abs();
                    assert!(error <= 1e-5 * exact.abs() + 1e-6, "moment {i}: off by {error}");
                }
            }
        }
        if (step as u64).is_multiple_of(rule.window(step as u64)) {
            layer.settle();
        }
    }
    assert!(waited > steps / 2, "steps were put off");
}

#[test]
fn steps_put_off_stay_by_the_definition() {
    let optimizers = [
        ADAM,
        Optimizer::AdamW { beta_1: 0.9, beta_2: 0.99, epsilon: 1e-6, weight_decay: 0.1 },
        Optimizer::Sgd { momentum: 0.9, nesterov: false },
        Optimizer::Sgd { momentum: 0.0, nesterov: false },
        Optimizer::Sgd { momentum: 0.9, nesterov: true },
    ];
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        for optimizer in &optimizers {
            stay_by_the_definition(isa, optimizer, 2500);
        }
    }
}

/// The bits of the outputs, input gradients, weights and moments of a layer in steps 1001 to 1100. `between` is called
/// after each step.
fn bits_of_steps(pairs: bool, mut between: impl FnMut(&mut Dense, u64)) -> Vec<u32> {
    let mut layer = layer(Size { inputs: 300, units: 170, relu: true, skips_zeros: true });
    let mut cache = layer.alloc_cache(20, true);
    let mut sparse = Sparse { stream: RngStream::new(4, "sparse"), size: layer.size };
    let mut bits = Vec::new();
    for step in 1001..=1100 {
        let rule = begun(&ADAM, step, 1e-3);
        let (x, dy) = sparse.draw(step as usize, 10);
        let outputs = go(&mut layer, (Isa::current(), pairs), &x, &dy, &mut cache, GradMode::Step(&*rule));
        bits.extend(outputs.as_flattened_bits());
        if step.is_multiple_of(rule.window(step)) {
            layer.settle();
        }
        between(&mut layer, step);
    }
    bits.extend(states(&layer).as_flattened_bits());
    bits
}

trait Bits {
    fn as_flattened_bits(&self) -> Vec<u32>;
}

impl<const N: usize> Bits for [Vec<f32>; N] {
    fn as_flattened_bits(&self) -> Vec<u32> {
        self.iter().flatten().map(|number| number.to_bits()).collect()
    }
}

#[test]
fn steps_put_off_are_the_same_on_any_threads() {
    for pairs in [false, true] {
        on_any_threads(|| bits_of_steps(pairs, |_, _| {}));
    }
}

#[test]
fn looking_changes_no_bit_of_what_follows() {
    let undisturbed = bits_of_steps(true, |_, _| {});
    let disturbed = bits_of_steps(true, |layer, step| {
        let mut cache = layer.alloc_cache(150, true);
        let mut sparse = Sparse { stream: RngStream::new(5, "sparse"), size: layer.size };
        let (x, dy) = sparse.draw(1, if step % 2 == 0 { 9 } else { 150 });
        for grad_mode in [GradMode::Skip, GradMode::Store] {
            go(layer, (Isa::current(), false), &x, &dy, &mut cache, grad_mode);
        }
        states(layer);
    });
    assert!(undisturbed == disturbed);
}

#[test]
fn a_layer_goes_on_from_where_it_is_settled() {
    let undisturbed = bits_of_steps(false, |_, _| {});
    let mut places = 0;
    let resumed = bits_of_steps(false, |layer, _| {
        if layer.parameters[0].deferred.as_ref().unwrap().is_settled() {
            places += 1;
            let mut resumed = self::layer(layer.size);
            for (to, from) in resumed.parameters.iter_mut().zip(&layer.parameters) {
                [to.value, to.first, to.second] = [&from.value, &from.first, &from.second].map(Clone::clone);
            }
            *layer = resumed;
        }
    });
    assert!(undisturbed == resumed && places > 2 && places < 20, "{places} places");
}
