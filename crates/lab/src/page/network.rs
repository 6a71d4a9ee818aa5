//! A trained network in the precision in which the page has it.

use half::f16;
use inkling_data::Images;
use inkling_engine::logits::argmax;
use inkling_engine::{NamedTensor, StateKind};
use inkling_schema::outcome::PageNetworkOutcome;
use inkling_schema::{MODEL_CARD, MODEL_FORMAT, PageNetworkRun, Precision};
use inkling_store::{Metadata, RunWriter, StoreError, Tensor, TensorFile};

use crate::error::LabError;
use crate::inside::Trained;
use crate::runs::RunContext;

/// Writes the network's file for the page, and counts the test images that it classifies otherwise than the network itself.
pub(super) fn run(
    spec: &PageNetworkRun,
    context: &RunContext,
    writer: &RunWriter,
) -> Result<PageNetworkOutcome, LabError> {
    let (set, folder) = (context.set(), context.store.run(spec.of.as_ref()));
    let mut trained = Trained::read(&folder.path().join(TensorFile::Model.name()))?;
    let mut metadata = Metadata::from([
        ("format".into(), MODEL_FORMAT.into()),
        ("model".into(), serde_json::to_string(trained.network.spec()).expect("a network is plain data")),
        ("data".into(), set.about.name.clone()),
    ]);
    let card = trained.card.as_ref().map(|card| serde_json::to_string(card).expect("a card is plain data"));
    metadata.extend(card.map(|card| (MODEL_CARD.into(), card)));

    let parameters = trained.network.num_parameters();
    let weights = trained.network.state_dict(StateKind::Values);
    let write = |tensors: &[Tensor]| writer.write_tensors(TensorFile::Model, tensors, &metadata);
    let changed = match spec.precision {
        Precision::F32 => {
            let tensor = |tensor| {
                let NamedTensor { name, shape, values }: &NamedTensor = tensor;
                Tensor::new(name.clone(), shape, values)
            };
            write(&weights.iter().map(tensor).collect::<Vec<_>>())?;
            vec![0; trained.network.num_classes().len()]
        }
        Precision::F16 => {
            let rounded: Vec<Vec<f16>> =
                weights.iter().map(|tensor| tensor.values.iter().copied().map(half).collect()).collect();
            let of = weights.iter().zip(&rounded);
            let tensors: Vec<Tensor> =
                of.map(|(tensor, values)| Tensor::new(tensor.name.clone(), &tensor.shape, values)).collect();
            write(&tensors)?;
            let before = classes(&mut trained, &set.test.images);
            let mut values = rounded.iter();
            let next = |_: &str, _: &[usize]| {
                let values = values.next().expect("as many tensors as before");
                Ok::<_, StoreError>(values.iter().map(|value| value.to_f32()).collect())
            };
            trained.network.load_state_dict(StateKind::Values, next)?;
            let after = classes(&mut trained, &set.test.images);
            let differing = |(before, after): (&Vec<usize>, &Vec<usize>)| {
                before.iter().zip(after).filter(|(before, after)| before != after).count()
            };
            before.iter().zip(&after).map(differing).collect()
        }
    };
    Ok(PageNetworkOutcome { parameters, images: set.test.len(), changed })
}

/// The nearest number of half precision; the largest one for what is beyond it, so that nothing becomes infinite.
fn half(value: f32) -> f16 {
    f16::from_f32(value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()))
}

/// The class that each head gives each image.
fn classes(trained: &mut Trained, images: &Images) -> Vec<Vec<usize>> {
    let counts = trained.network.num_classes();
    let scores = trained.scores_of_images(images);
    let of_head = |(scores, count): (&Vec<f32>, usize)| scores.chunks_exact(count).map(argmax).collect();
    scores.iter().zip(counts).map(of_head).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_half_precision_cannot_hold_becomes_its_largest_number() {
        assert_eq!(half(1e9), f16::MAX);
        assert_eq!(half(-65_519.9), f16::MIN);
        assert_eq!(half(0.1).to_f32(), 0.099_975_586);
    }
}
