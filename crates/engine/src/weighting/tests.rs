//! States of weightings: the text in checkpoints of earlier versions is still read and written.

use inkling_schema::Weighting;

use super::*;

/// Every method with the state that earlier versions wrote for it after one step on two heads.
fn states() -> Vec<(Weighting, &'static str)> {
    vec![
        (Weighting::Fixed { weights: vec![0.25, 0.75] }, ""),
        (
            Weighting::Uncertainty { learning_rate: 0.01 },
            r#"{"values":[0.009999999944444444,0.009999999500000025],"first":[-0.17999999999999994,-0.01999999999999999],"second":[0.0032400000000000024,0.00004000000000000002],"steps":1}"#,
        ),
        (
            Weighting::GradNorm { alpha: 1.5, learning_rate: 0.01 },
            r#"{"weights":{"values":[0.9900000001077817,1.0099999998922184],"first":[0.11180339887498947,-0.07905694150420947],"second":[0.0012500000000000011,0.0006250000000000007],"steps":1},"first_losses":[2.3,0.7]}"#,
        ),
        (Weighting::PcGrad, "0"),
    ]
}

/// A step with fixed losses and gradients.
fn step(method: &mut dyn LossWeighting, losses: [f64; 2]) {
    let gradients: [[f64; 2]; 2] = [[1.0, 0.5], [-0.75, 0.25]];
    let dot = |a: usize, b: usize| gradients[a][0] * gradients[b][0] + gradients[a][1] * gradients[b][1];
    method.gradient_weights(&dot);
    method.update(&losses, Some(&dot));
}

/// A method after its first step, whose arithmetic is the same on every machine.
fn after_a_step(weighting: &Weighting) -> Box<dyn LossWeighting> {
    let mut method = loss_weighting(weighting, 2, 3);
    step(&mut *method, [2.3, 0.7]);
    method
}

#[test]
fn states_are_written_as_in_earlier_versions() {
    for (weighting, text) in states() {
        assert_eq!(after_a_step(&weighting).state(), text, "{weighting:?}");
    }
}

#[test]
fn states_of_earlier_versions_are_continued_to_the_bit() {
    for (weighting, text) in states() {
        let (mut restored, mut expected) = (loss_weighting(&weighting, 2, 3), after_a_step(&weighting));
        restored.restore(text).unwrap();
        for losses in [[2.1, 0.625], [1.9, 0.5]] {
            assert_eq!((restored.weights(), restored.state()), (expected.weights(), expected.state()));
            step(&mut *restored, losses);
            step(&mut *expected, losses);
        }
    }
}

#[test]
fn states_of_other_methods_and_other_heads_are_refused() {
    for (weighting, text) in states() {
        for (other, theirs) in states().iter().filter(|(other, _)| *other != weighting) {
            // A method that learns nothing has nothing to restore.
            let refused = loss_weighting(&weighting, 2, 3).restore(theirs).is_err();
            assert_eq!(
                refused,
                !matches!(weighting, Weighting::Fixed { .. }),
                "{weighting:?} from {other:?}"
            );
        }
        if let Weighting::Uncertainty { .. } | Weighting::GradNorm { .. } = weighting {
            let refusal = loss_weighting(&weighting, 3, 3).restore(text).unwrap_err().to_string();
            assert!(refusal.contains("numbers for 3 heads"), "{refusal}");
        }
    }
}
