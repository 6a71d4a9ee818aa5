//! Task 6 within a study: its networks are trained, and those that must end alike are compared.

use inkling_schema::outcome::{Checks, PlannedRun, SameBits};
use inkling_schema::{RunSpec, TrainRun, Weighting};
use inkling_store::{Store, StoreError, TensorFile};

use crate::error::LabError;
use crate::runs::RunContext;
use crate::train::train_in;

/// Name of the file that says what holds between the runs.
const CHECKS: &str = "checks.json";

/// Does the runs of task 6 that `store` does not hold yet, and leaves `checks.json`.
pub(crate) fn run_multitask(context: &RunContext, runs: &[&PlannedRun]) -> Result<(), LabError> {
    let store = context.store;
    // One network after the other: each takes all threads. All are begun on one of the pool's, because what a thread gives
    // back is what the same thread is given again: begun on another, the next network would come on top of up to 64 MiB
    // that no one uses.
    rayon::scope(|_| runs.iter().try_for_each(|run| train_in(context, run)))?;
    let mut same_bits = Vec::new();
    for single in runs {
        for two_headed in runs.iter().filter(|other| ends_alike(trained(single), trained(other))) {
            same_bits.push(compare(single, two_headed, store)?);
        }
    }
    store.publish_json(CHECKS, &Checks { same_bits })?;
    Ok(())
}

fn trained(run: &PlannedRun) -> &TrainRun {
    let RunSpec::Train(spec) = &run.spec else { unreachable!("every run of task 6 is a training") };
    spec
}

/// Whether training `two_headed` moves what it shares with `single`, a network of one head, just as training that does:
/// the streams are named by layer, and a head of weight zero is passed by.
fn ends_alike(single: &TrainRun, two_headed: &TrainRun) -> bool {
    let ([head], [labels]) = (&single.model.heads[..], &single.labels[..]) else { return false };
    let heads = &two_headed.model.heads;
    let Some(place) = heads.iter().position(|other| other == head).filter(|_| heads.len() > 1) else {
        return false;
    };
    let weights = |run: &TrainRun| match &run.weighting {
        Weighting::Fixed { weights } => weights.clone(),
        _ => Vec::new(),
    };
    let mut alone = vec![0.0; heads.len()];
    alone[place] = 1.0;
    let rest = |run: &TrainRun| (run.data.clone(), run.training.clone(), run.seed, run.model.trunk.clone());
    weights(single) == [1.0]
        && weights(two_headed) == alone
        && two_headed.labels.get(place) == Some(labels)
        && rest(single) == rest(two_headed)
}

fn compare(single: &PlannedRun, two_headed: &PlannedRun, store: &Store) -> Result<SameBits, StoreError> {
    let model = |run: &PlannedRun| store.run(run.id.as_ref()).tensors(TensorFile::Model);
    let (one, other) = (model(single)?, model(two_headed)?);
    let (mut numbers, mut differing) = (0, Vec::new());
    for name in one.names() {
        let shape = one.shape(&name)?;
        let values = one.values::<f32>(&name, shape)?;
        numbers += values.len();
        let same = other.values::<f32>(&name, shape).is_ok_and(|others| {
            values.iter().zip(&others).all(|(value, other)| value.to_bits() == other.to_bits())
        });
        if !same {
            differing.push(name);
        }
    }
    Ok(SameBits { single: single.id.clone(), two_headed: two_headed.id.clone(), numbers, differing })
}
