//! Every optimiser against its definition in f64, on every instruction set.

use inkling_schema::Optimizer;
use proptest::prelude::*;

use super::{adam, lion, rms_prop, sgd};
use crate::kernels::isa::Isa;
use crate::layers::testing::uniform;
use crate::optimized_tensor::OptimizedTensor;
use crate::random::RngStream;

/// A weight and its moments.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scalar {
    pub(crate) value: f64,
    pub(crate) first: f64,
    pub(crate) second: f64,
    /// Whether rounding decided the sign of a step, which could have gone either way.
    pub(crate) is_open: bool,
}

impl Scalar {
    /// Takes step number `t`, counted from 1, by the definition of the optimiser.
    pub(crate) fn step(&mut self, t: i32, gradient: f64, optimizer: &Optimizer, learning_rate: f64) {
        match *optimizer {
            Optimizer::Adam { beta_1, beta_2, epsilon } => {
                adam::reference::step(self, t, gradient, learning_rate, [beta_1, beta_2, epsilon, 0.0]);
            }
            Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                adam::reference::step(
                    self,
                    t,
                    gradient,
                    learning_rate,
                    [beta_1, beta_2, epsilon, weight_decay],
                );
            }
            Optimizer::Sgd { momentum, nesterov } => {
                sgd::reference::step(self, gradient, learning_rate, momentum, nesterov);
            }
            Optimizer::RmsProp { alpha, epsilon } => {
                rms_prop::reference::step(self, gradient, learning_rate, alpha, epsilon);
            }
            Optimizer::Lion { beta_1, beta_2, weight_decay } => {
                lion::reference::step(self, gradient, learning_rate, [beta_1, beta_2, weight_decay]);
            }
        }
    }
}

/// Optimisers whose decay rates are exact in f32; otherwise 1 − β would lose digits before any step is taken.
fn optimizers() -> impl Strategy<Value = Optimizer> {
    let decay = |largest: f32| (0.0..largest).prop_map(f64::from);
    let adam = (decay(0.99), decay(0.9999), prop::sample::select(vec![1e-8, 1e-5, 1e-2]));
    prop_oneof![
        adam.clone().prop_map(|(beta_1, beta_2, epsilon)| Optimizer::Adam { beta_1, beta_2, epsilon }),
        (adam, 0.0..1.0).prop_map(|((beta_1, beta_2, epsilon), weight_decay)| {
            Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay }
        }),
        (decay(0.99), prop::bool::ANY).prop_map(|(momentum, nesterov)| Optimizer::Sgd { momentum, nesterov }),
        (decay(0.9999), prop::sample::select(vec![1e-8, 1e-5, 1e-2]))
            .prop_map(|(alpha, epsilon)| Optimizer::RmsProp { alpha, epsilon }),
        (decay(0.99), decay(0.9999), 0.0..1.0)
            .prop_map(|(beta_1, beta_2, weight_decay)| { Optimizer::Lion { beta_1, beta_2, weight_decay } }),
    ]
}

proptest! {
    /// On every instruction set, over 50 steps: the error is at most 5e-6 of the first value plus the length of the path.
    /// The value and its decay are rounded in each step.
    #[test]
    fn values_move_as_defined(
        optimizer in optimizers(), len in 1_usize..70, rate in 1e-4..0.1, size in 1e-4_f32..1e3, seed in 0_u64..1000,
    ) {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let mut stream = RngStream::new(seed, "test/variables");
            let mut variables = OptimizedTensor::on(isa, &uniform(&mut stream, len), &optimizer);
            let wide = |&value: &f32| Scalar { value: f64::from(value), ..Scalar::default() };
            let mut exact: Vec<Scalar> = variables.values().iter().map(wide).collect();
            let mut scales: Vec<f64> = exact.iter().map(|plain| plain.value.abs()).collect();
            for t in 1..=50 {
                let gradient: Vec<f32> = uniform(&mut stream, len).iter().map(|g| size * g).collect();
                variables.descend(&gradient, rate);
                prop_assert_eq!(variables.values().len(), len);
                for (i, plain) in exact.iter_mut().enumerate() {
                    let before = plain.value;
                    plain.step(t, f64::from(gradient[i]), &optimizer, rate);
                    scales[i] += (plain.value - before).abs();
                    let found = f64::from(variables.values()[i]);
                    let error = (found - plain.value).abs();
                    prop_assert!(plain.is_open || error <= 5e-6 * scales[i], "value {i}: {found}, not {}, at step {t}", plain.value);
                }
            }
        }
    }

    /// Paths with fused multiply-add give the same bits.
    #[test]
    fn paths_agree(optimizer in optimizers(), len in 1_usize..70, seed in 0_u64..1000) {
        let on = |isa: Isa| {
            let mut stream = RngStream::new(seed, "test/variables");
            let mut variables = OptimizedTensor::on(isa, &uniform(&mut stream, len), &optimizer);
            for _ in 0..50 {
                variables.descend(&uniform(&mut stream, len), 0.01);
            }
            variables.values().iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
        };
        let fused = [Isa::Avx512, Isa::Avx2].into_iter().filter(|isa| isa.is_available());
        let found: Vec<_> = fused.map(on).collect();
        prop_assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn values_go_to_where_the_gradient_vanishes() {
    let target: Vec<f32> = (0..37).map(|i| i as f32 / 37.0).collect();
    for optimizer in [
        Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
        Optimizer::Sgd { momentum: 0.5, nesterov: false },
    ] {
        let mut variables = OptimizedTensor::new(&[0.5; 37], &optimizer);
        for _ in 0..2000 {
            let gradient: Vec<f32> = variables.values().iter().zip(&target).map(|(x, t)| x - t).collect();
            variables.descend(&gradient, 0.01);
        }
        let off = variables.values().iter().zip(&target).map(|(x, t)| (x - t).abs()).fold(0.0, f32::max);
        assert!(off < 1e-3, "{optimizer:?} ends {off} away");
    }
}
