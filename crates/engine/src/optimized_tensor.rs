//! Numbers that an optimiser moves, outside any network.

use inkling_schema::Optimizer;

use crate::aligned::AlignedVec;
use crate::kernels::isa::Isa;
use crate::kernels::update::ParamState;
use crate::optimizer::param_groups;

/// Numbers with their moments: what a dream changes in place of a network's weights.
#[derive(Debug, Clone)]
pub struct OptimizedTensor {
    isa: Isa,
    /// All filled up with zeros to whole cache lines.
    values: AlignedVec,
    gradient: AlignedVec,
    first: AlignedVec,
    second: AlignedVec,
    len: usize,
    steps: u64,
}

impl OptimizedTensor {
    /// Begins with these values, to compute with the current [`Isa`].
    pub fn new(values: &[f32]) -> OptimizedTensor {
        let padded = || AlignedVec::zeros(values.len().next_multiple_of(16));
        let mut all = padded();
        all[..values.len()].copy_from_slice(values);
        let (gradient, first, second) = (padded(), padded(), padded());
        OptimizedTensor {
            isa: Isa::current(),
            values: all,
            gradient,
            first,
            second,
            len: values.len(),
            steps: 0,
        }
    }

    /// The values as they are now.
    pub fn values(&self) -> &[f32] {
        &self.values[..self.len]
    }

    /// Moves the values down this gradient, as a network's weights would be: where those decay, so do these.
    ///
    /// # Panics
    /// If there is not a gradient for every value.
    pub fn descend(&mut self, gradient: &[f32], optimizer: &Optimizer, learning_rate: f64) {
        self.gradient[..self.len].copy_from_slice(gradient);
        self.steps += 1;
        let rule = param_groups(optimizer, self.steps, learning_rate).decay;
        let OptimizedTensor { isa, values, gradient, first, second, .. } = self;
        ParamState { value: values, first, second }.update(*isa, &rule, gradient);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layers::testing::uniform;
    use crate::random::RngStream;

    const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };

    /// One value as its optimiser's definition moves it (Kingma and Ba 2015; Loshchilov and Hutter 2019; Sutskever et al.
    /// 2013), in f64.
    #[derive(Clone)]
    struct Plain {
        value: f64,
        first: f64,
        second: f64,
        /// Whether a step of Lion could have gone either way.
        is_open: bool,
    }

    impl Plain {
        /// Step number `t`, counted from 1.
        fn descend(&mut self, t: i32, gradient: f64, optimizer: &Optimizer, learning_rate: f64) {
            let mut adam = |beta_1: f64, beta_2: f64, epsilon: f64| {
                self.first = beta_1 * self.first + (1.0 - beta_1) * gradient;
                self.second = beta_2 * self.second + (1.0 - beta_2) * gradient * gradient;
                let first = self.first / (1.0 - beta_1.powi(t));
                let second = self.second / (1.0 - beta_2.powi(t));
                learning_rate * first / (second.sqrt() + epsilon)
            };
            match *optimizer {
                Optimizer::Adam { beta_1, beta_2, epsilon } => self.value -= adam(beta_1, beta_2, epsilon),
                Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                    let step = adam(beta_1, beta_2, epsilon);
                    self.value -= learning_rate * weight_decay * self.value + step;
                }
                Optimizer::Sgd { momentum, nesterov } => {
                    self.first = momentum * self.first + gradient;
                    let by = if nesterov { gradient + momentum * self.first } else { self.first };
                    self.value -= learning_rate * by;
                }
                Optimizer::RmsProp { alpha, epsilon } => {
                    self.second = alpha * self.second + (1.0 - alpha) * gradient * gradient;
                    self.value -= learning_rate * gradient / (self.second.sqrt() + epsilon);
                }
                Optimizer::Lion { beta_1, beta_2, weight_decay } => {
                    let terms = [beta_1 * self.first, (1.0 - beta_1) * gradient];
                    let along = terms[0] + terms[1];
                    let sign = if along == 0.0 { 0.0 } else { along.signum() };
                    // Rounding decides the sign of what nearly cancels.
                    self.is_open |= along.abs() < 1e-5 * (terms[0].abs() + terms[1].abs());
                    self.value -= learning_rate * (sign + weight_decay * self.value);
                    self.first = beta_2 * self.first + (1.0 - beta_2) * gradient;
                }
            }
        }
    }

    /// With decays that f32 holds: of others, 1 − β loses digits before any step is taken.
    fn optimizers() -> impl Strategy<Value = Optimizer> {
        let decay = |largest: f32| (0.0..largest).prop_map(f64::from);
        let adam = (decay(0.99), decay(0.9999), prop::sample::select(vec![1e-8, 1e-5, 1e-2]));
        prop_oneof![
            adam.clone().prop_map(|(beta_1, beta_2, epsilon)| Optimizer::Adam { beta_1, beta_2, epsilon }),
            (adam, 0.0..1.0).prop_map(|((beta_1, beta_2, epsilon), weight_decay)| {
                Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay }
            }),
            (decay(0.99), prop::bool::ANY)
                .prop_map(|(momentum, nesterov)| Optimizer::Sgd { momentum, nesterov }),
            (decay(0.9999), prop::sample::select(vec![1e-8, 1e-5, 1e-2]))
                .prop_map(|(alpha, epsilon)| Optimizer::RmsProp { alpha, epsilon }),
            (decay(0.99), decay(0.9999), 0.0..1.0).prop_map(|(beta_1, beta_2, weight_decay)| {
                Optimizer::Lion { beta_1, beta_2, weight_decay }
            }),
        ]
    }

    proptest! {
        /// On every instruction set, over 50 steps: the error is at most 5e-6 of the first value and the way gone since, a
        /// rounding of the value and one of its decay at each step.
        #[test]
        fn values_move_as_defined(
            optimizer in optimizers(), len in 1_usize..70, rate in 1e-4..0.1, size in 1e-4_f32..1e3, seed in 0_u64..1000,
        ) {
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let mut stream = RngStream::new(seed, "test/variables");
                let mut variables = OptimizedTensor { isa, ..OptimizedTensor::new(&uniform(&mut stream, len)) };
                let wide = |&value: &f32| Plain { value: f64::from(value), first: 0.0, second: 0.0, is_open: false };
                let mut exact: Vec<Plain> = variables.values().iter().map(wide).collect();
                let mut scales: Vec<f64> = exact.iter().map(|plain| plain.value.abs()).collect();
                for t in 1..=50 {
                    let gradient: Vec<f32> = uniform(&mut stream, len).iter().map(|g| size * g).collect();
                    variables.descend(&gradient, &optimizer, rate);
                    prop_assert_eq!(variables.values().len(), len);
                    for (i, plain) in exact.iter_mut().enumerate() {
                        let before = plain.value;
                        plain.descend(t, f64::from(gradient[i]), &optimizer, rate);
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
                let mut variables = OptimizedTensor { isa, ..OptimizedTensor::new(&uniform(&mut stream, len)) };
                for _ in 0..50 {
                    variables.descend(&uniform(&mut stream, len), &optimizer, 0.01);
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
        for optimizer in [ADAM, Optimizer::Sgd { momentum: 0.5, nesterov: false }] {
            let mut variables = OptimizedTensor::new(&[0.5; 37]);
            for _ in 0..2000 {
                let numerical_gradient: Vec<f32> =
                    variables.values().iter().zip(&target).map(|(x, t)| x - t).collect();
                variables.descend(&numerical_gradient, &optimizer, 0.01);
            }
            let off = variables.values().iter().zip(&target).map(|(x, t)| (x - t).abs()).fold(0.0, f32::max);
            assert!(off < 1e-3, "{optimizer:?} ends {off} away");
        }
    }
}
