//! Every loss against its definition in f64, and differences of that.

use inkling_schema::Loss;
use proptest::prelude::*;

use super::reference::loss as reference;
use super::*;
use crate::layers::testing::{assert_close, numerical_gradient};

fn losses() -> impl Strategy<Value = Loss> {
    prop_oneof![
        Just(Loss::CrossEntropy { label_smoothing: 0.0 }),
        (0.0..0.9).prop_map(|label_smoothing| Loss::CrossEntropy { label_smoothing }),
        Just(Loss::MeanSquaredError),
        Just(Loss::BinaryCrossEntropy),
    ]
}

proptest! {
    #[test]
    fn agree_with_their_definitions_and_differences(
        kind in losses(), outputs in 1_usize..12, batch in 1_usize..5,
        numbers in proptest::collection::vec((-8.0_f32..8.0, 0.0_f32..1.0), 60), class in 0_usize..100,
    ) {
        let z: Vec<f32> = numbers.iter().take(batch * outputs).map(|pair| pair.0).collect();
        let values: Vec<f32> = numbers.iter().take(batch * outputs).map(|pair| pair.1).collect();
        let classes: Vec<u32> = (0..batch).map(|i| ((class + i) % outputs) as u32).collect();
        let labels = match kind {
            Loss::CrossEntropy { .. } => Labels::Classes(&classes),
            _ => Labels::Values { values: &values, outputs },
        };
        let mut dz = vec![f32::NAN; z.len()];
        let found = loss(kind, outputs, &z, labels, 0.25, Some(&mut dz));
        let targets = |i: usize| match labels {
            Labels::Values { .. } => values[i * outputs..(i + 1) * outputs].iter().map(|&t| t.into()).collect(),
            _ => vec![f64::from(classes[i])],
        };
        let of_all = |z: &[f64]| -> Vec<f64> {
            z.chunks(outputs).enumerate().map(|(i, z)| reference(kind, z, &targets(i))).collect()
        };
        let wide: Vec<f64> = z.iter().map(|&z| z.into()).collect();
        let exact: f64 = of_all(&wide).iter().sum();
        prop_assert!((found.loss_sum - exact).abs() <= 2e-6 * (1.0 + exact), "{} {exact}", found.loss_sum);
        assert_close(&dz, &numerical_gradient(&z, &vec![0.25; batch], of_all), 1e-6);
        prop_assert_eq!(loss(kind, outputs, &z, labels, 0.0, None), found);
    }
}

#[test]
fn large_outputs_do_not_overflow_and_lost_ones_show() {
    let cross_entropy = Loss::CrossEntropy { label_smoothing: 0.0 };
    let judge = |z: &[f32]| loss(cross_entropy, 3, z, Labels::Classes(&[0]), 1.0, None);
    assert_eq!(judge(&[1000.0, 0.0, -1000.0]), Metrics { loss_sum: 0.0, correct: 1 });
    assert_eq!(judge(&[-1000.0, 0.0, 1000.0]), Metrics { loss_sum: 2000.0, correct: 0 });
    assert_eq!(judge(&[1.0, 1.0, 1.0]).correct, 1, "of equal scores the first counts");
    let yes_no = |z: &[f32], values: &[f32]| {
        loss(Loss::BinaryCrossEntropy, 2, z, Labels::Values { values, outputs: 2 }, 1.0, None)
    };
    assert_eq!(yes_no(&[1000.0, -1000.0], &[1.0, 0.0]), Metrics { loss_sum: 0.0, correct: 1 });
    assert_eq!(yes_no(&[1000.0, -1000.0], &[0.0, 0.0]), Metrics { loss_sum: 500.0, correct: 0 });
    for lost in [f32::NAN, f32::INFINITY] {
        assert!(!judge(&[lost, 0.0, 0.0]).loss_sum.is_finite());
        assert!(!yes_no(&[lost, 0.0], &[0.0, 0.0]).loss_sum.is_finite());
    }
}

#[test]
#[should_panic(expected = "mean squared error needs a number for each output")]
fn labels_of_another_kind_are_refused() {
    loss(Loss::MeanSquaredError, 3, &[0.0; 3], Labels::Classes(&[0]), 1.0, None);
}
