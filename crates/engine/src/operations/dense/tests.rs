//! Tests of dense layers: both ways of computing them against the definition and against each other.

use inkling_spec::Optimizer;
use proptest::prelude::*;

use super::*;
use crate::kernels::path::Path;
use crate::network::Part;
use crate::operations::testing::on_any_threads;

fn numbers(count: usize, name: &str) -> Vec<f32> {
    let mut stream = Stream::new(1, name);
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
        inputs in 1_usize..80, units in 1_usize..80, batch in 1_usize..70, relu: bool,
    ) {
        let mut layer = Dense::new(Size { inputs, units, relu, silent: true }, Initial::HeUniform, &mut Stream::new(2, "weights"));
        let b = numbers(units, "bias");
        layer.parameters[1].layout.pack(&b, &mut layer.parameters[1].value);
        let plain_order = |parameter: &Parameter, packed: &[f32]| {
            let mut values = vec![0.0; parameter.shape.iter().product()];
            parameter.layout.unpack(packed, 0, &mut values);
            values
        };
        let w = plain_order(&layer.parameters[0], &layer.parameters[0].value);
        let (x, dy) = (numbers(batch * inputs, "x"), numbers(batch * units, "dy"));

        for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
            let pass = Pass { path, batch, training: true };
            let mut memory = layer.memory(batch + 5, true);
            let mut y = vec![0.0; batch * units];
            layer.forward(&pass, &x, &mut y, &mut memory);

        let wide = f64::from;
        let (mut exact_y, mut dx) = (vec![0.0; batch * units], vec![0.0; batch * inputs]);
        let (mut dw, mut db) = (vec![0.0; inputs * units], vec![0.0; units]);
        for n in 0..batch {
            for j in 0..units {
                let terms = (0..inputs).map(|k| wide(x[n * inputs + k]) * wide(w[k * units + j]));
                let sum = wide(b[j]) + terms.sum::<f64>();
                exact_y[n * units + j] = if relu { sum.max(0.0) } else { sum };
                // Of a sum that is nothing but rounding, the layer says on which side of zero it is.
                if relu && y[n * units + j] <= 0.0 {
                    continue;
                }
                let dy = wide(dy[n * units + j]);
                db[j] += dy;
                for k in 0..inputs {
                    dx[n * inputs + k] += dy * wide(w[k * units + j]);
                    dw[k * units + j] += dy * wide(x[n * inputs + k]);
                }
            }
        }

            let (mut dy, mut found_dx) = (dy.clone(), vec![f32::NAN; x.len()]);
            let flow = Flow { x: &x, y: &y, dy: &mut dy, dx: Some(&mut found_dx) };
            layer.backward(&pass, flow, &mut memory, Receive::Keep);
            close(&y, &exact_y)?;
            close(&found_dx, &dx)?;
            for (parameter, exact) in layer.parameters.iter().zip([&dw, &db]) {
                close(&plain_order(parameter, &parameter.gradient), exact)?;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_agree_whatever_the_shape(
        inputs in 1_usize..80, units in 1_usize..80, batch in 1_usize..=ROWS, relu: bool, silent: bool, seed in 0_u64..99,
    ) {
        for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
            let mut ways = Ways::new(Size { inputs, units, relu, silent });
            let mut sparse = Sparse { stream: Stream::new(seed, "sparse"), size: ways.size };
            for step in 1..6 {
                let rules = crate::optimizer::rules(&ADAM, step as u64, 1e-3);
                let (x, dy) = sparse.draw(step, batch);
                let [thin, plain] = ways.go(path, &x, &dy, Receive::Update(&rules));
                prop_assert_eq!(thin, plain);
            }
            let [thin, plain] = ways.states();
            prop_assert_eq!(thin, plain);
            ways.check_filling();
        }
    }
}

/// Both ways of a layer: the one of thin batches, which puts steps off, and the one that takes every step at once.
struct Ways {
    size: Size,
    thin: Dense,
    plain: Dense,
    memories: [Memory; 2],
}

/// What a step of one way gave: y and dX, bit by bit.
type Step = (Vec<u32>, Vec<u32>);

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

impl Ways {
    fn new(size: Size) -> Ways {
        let make = |thin| {
            let mut layer = Dense::new(size, Initial::HeUniform, &mut Stream::new(2, "weights"));
            layer.thin = thin;
            layer
        };
        let (thin, plain) = (make(true), make(false));
        let memories = [thin.memory(20, true), plain.memory(20, true)];
        Ways { size, thin, plain, memories }
    }

    /// Forward and backward with both; dX of inputs that are zero counts as zero where it is not asked for.
    fn go(&mut self, path: Path, x: &[f32], dy: &[f32], receive: Receive) -> [Step; 2] {
        let Size { inputs, units, silent, .. } = self.size;
        let batch = x.len() / inputs;
        let pass = Pass { path, batch, training: true };
        let layers = [&mut self.thin, &mut self.plain];
        let mut steps = layers.into_iter().zip(&mut self.memories).map(|(layer, memory)| {
            let (mut y, mut dx) = (vec![f32::NAN; batch * units], vec![f32::NAN; x.len()]);
            let mut dy = dy.to_vec();
            layer.forward(&pass, x, &mut y, memory);
            let flow = Flow { x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
            layer.backward(&pass, flow, memory, receive);
            let unasked = |x: f32| silent && x == 0.0;
            dx.iter_mut().zip(x).filter(|(_, x)| unasked(**x)).for_each(|(dx, _)| *dx = 0.0);
            (bits(&y), bits(&dx))
        });
        [steps.next().expect("thin"), steps.next().expect("plain")]
    }

    /// Weights, biases and moments as a checkpoint would have them.
    fn states(&self) -> [Vec<Vec<u32>>; 2] {
        [&self.thin, &self.plain].map(|layer| {
            let parts = [Part::Values, Part::FirstMoments, Part::SecondMoments];
            let of = |parameter: &Parameter, part| {
                let mut values = vec![f32::NAN; parameter.shape.iter().product()];
                let (some, others) =
                    values.split_at_mut(if parameter.shape.len() == 2 { parameter.shape[1] } else { 0 });
                parameter.read(part, 0, some);
                parameter.read(part, some.len(), others);
                bits(&values)
            };
            layer.parameters.iter().flat_map(|parameter| parts.map(|part| of(parameter, part))).collect()
        })
    }

    /// Fails if what fills panels up is not zero.
    fn check_filling(&self) {
        let Size { inputs, units, .. } = self.size;
        let weight = &self.thin.parameters[0];
        for of in [&weight.value, &weight.first, &weight.second] {
            let last = &of[of.len() - inputs * COLUMNS..];
            let used = self.size.columns(units.div_ceil(COLUMNS) - 1);
            assert!(last.chunks(COLUMNS).all(|row| row[used..].iter().all(|&filling| filling == 0.0)));
        }
    }
}

/// Inputs and gradients in which inputs and units fall silent, for a step or for hundreds, and wake again.
struct Sparse {
    stream: Stream,
    size: Size,
}

impl Sparse {
    fn draw(&mut self, step: usize, batch: usize) -> (Vec<f32>, Vec<f32>) {
        let Size { inputs, units, .. } = self.size;
        // Every eighth is always there, the next one every other step or so, the last ones once in hundreds or never.
        let rare = [1, 2, 4, 16, 60, 300, 700, u32::MAX];
        let mut draw = |width: usize| {
            let mut numbers = vec![0.0; batch * width];
            for k in 0..width {
                let period = rare[(k + k / 8) % 8];
                let there = period == 1 || (period < u32::MAX && self.stream.below(period) == 0);
                // A while in which half of them are dead.
                if !there || (k % 2 == 0 && (400..900).contains(&step)) {
                    continue;
                }
                for n in 0..batch {
                    if self.stream.below(3) > 0 {
                        numbers[n * width + k] = 2.0 * self.stream.uniform() - 1.0;
                    }
                }
            }
            numbers
        };
        (draw(inputs), draw(units))
    }
}

/// What the thin way has come across.
#[derive(Default)]
struct Seen {
    still: bool,
    other_order: bool,
}

fn take_both_ways(path: Path, size: Size, optimizer: &Optimizer, steps: usize) -> Seen {
    let mut seen = Seen::default();
    let mut ways = Ways::new(size);
    let mut sparse = Sparse { stream: Stream::new(3, "sparse"), size };
    for step in 1..=steps {
        // A learning rate that falls and once jumps up, and now and then a batch that is not thin.
        let rate = if step < steps / 2 { 1e-3 } else { 5e-3 } / (1.0 + step as f64 / 500.0);
        let rules = crate::optimizer::rules(optimizer, step as u64, rate);
        let batch = if step % 331 == 0 { 18 } else { 1 + step % ROWS };
        let (x, dy) = sparse.draw(step, batch);
        let case = || format!("{size:?}, {optimizer:?} on {}, step {step}", path.name());
        let receive = if step % 97 == 0 { Receive::Discard } else { Receive::Update(&rules) };
        let [thin, plain] = ways.go(path, &x, &dy, receive);
        assert!(thin == plain, "y and dX: {}", case());
        let owed = ways.thin.parameters[0].owed.as_ref().unwrap();
        seen.still |= owed.any_still();
        seen.other_order |= !owed.order().is_plain();
        if step % 50 == 0 || step == 1 || step == steps {
            let [thin, plain] = ways.states();
            assert!(thin == plain, "weights and moments: {}", case());
        }
        if step % 613 == 0 {
            // Someone sets the weights.
            for layer in [&mut ways.thin, &mut ways.plain] {
                layer.parameters_mut()[0].value.iter_mut().step_by(3).for_each(|w| *w *= 0.5);
            }
        }
    }
    seen
}

const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };

#[test]
fn steps_put_off_give_the_bits_of_steps_taken() {
    let optimizers = [
        ADAM,
        Optimizer::AdamW { beta_1: 0.9, beta_2: 0.99, epsilon: 1e-6, weight_decay: 0.1 },
        Optimizer::Sgd { momentum: 0.9 },
        Optimizer::Sgd { momentum: 0.0 },
    ];
    for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
        for optimizer in &optimizers {
            let size = Size { inputs: 45, units: 150, relu: true, silent: true };
            let seen = take_both_ways(path, size, optimizer, 2500);
            assert!(seen.other_order, "units sleep and wake with {optimizer:?}");
            // Weights that decay never stand still, and plain descent is not worth an account.
            assert_eq!(seen.still, matches!(optimizer, Optimizer::Adam { .. }), "{optimizer:?}");
        }
        for (inputs, units, silent) in [(1, 1, true), (33, 32, false), (64, 31, true)] {
            take_both_ways(path, Size { inputs, units, relu: units == 32, silent }, &ADAM, 700);
        }
    }
}

#[test]
fn steps_put_off_are_the_same_on_any_threads() {
    on_any_threads(|| {
        let mut ways = Ways::new(Size { inputs: 300, units: 170, relu: true, silent: true });
        let mut sparse = Sparse { stream: Stream::new(4, "sparse"), size: ways.size };
        let mut last = None;
        for step in 1..=60 {
            let rules = crate::optimizer::rules(&ADAM, step as u64, 1e-3);
            let (x, dy) = sparse.draw(step, 10);
            let [thin, plain] = ways.go(Path::current(), &x, &dy, Receive::Update(&rules));
            assert!(thin == plain);
            last = Some(thin);
        }
        let [thin, plain] = ways.states();
        assert!(thin == plain);
        (last, thin)
    });
}

#[test]
fn batches_whose_backward_passes_come_in_another_order_are_right() {
    let mut ways = Ways::new(Size { inputs: 40, units: 33, relu: false, silent: true });
    let mut sparse = Sparse { stream: Stream::new(5, "sparse"), size: ways.size };
    let path = Path::current();
    let mut others = [ways.thin.memory(20, true), ways.plain.memory(20, true)];
    for step in 1..=300_u64 {
        let rules = crate::optimizer::rules(&ADAM, step, 1e-3);
        let pass = Pass { path, batch: 7, training: true };
        let (x, dy) = sparse.draw(1, 7);
        let mut ys = [vec![0.0; 7 * 33], vec![0.0; 7 * 33]];
        // Another batch goes both ways between this one's forward and backward pass.
        for ((layer, memory), y) in
            [&mut ways.thin, &mut ways.plain].into_iter().zip(&mut others).zip(&mut ys)
        {
            layer.forward(&pass, &x, y, memory);
        }
        let (between_x, between_dy) = sparse.draw(2, 5);
        ways.go(path, &between_x, &between_dy, Receive::Update(&rules));
        for ((layer, memory), y) in [&mut ways.thin, &mut ways.plain].into_iter().zip(&mut others).zip(&ys) {
            let flow = Flow { x: &x, y, dy: &mut dy.clone(), dx: None };
            layer.backward(&pass, flow, memory, Receive::Update(&rules));
        }
        let [thin, plain] = ways.states();
        assert!(thin == plain, "step {step}");
    }
}
