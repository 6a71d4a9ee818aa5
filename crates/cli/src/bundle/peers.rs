//! The trained networks of a bundle for PyTorch and Keras, with scripts that repeat their results.

use std::collections::BTreeSet;
use std::path::Path;

use inkling_interchange::{File, Peers, Portable};
use inkling_schema::outcome::{PlannedRun, StudyRecord};
use inkling_schema::{MODEL_CARD, ModelSpec, RunSpec};
use inkling_store::{Reader, Tensors};

use crate::export::{self, ExchangeError};
use crate::failure::Failure;

/// Bytes of weights that a bundle has at most. It holds all networks of tasks 3 and 4 with the assignment's sizes, but none of task 6,
/// of which each takes five times as many in both libraries.
const MOST: usize = 45_000_000;

/// The folder `peers`.
pub(super) struct Packed {
    pub(super) files: Vec<File>,
    /// Networks in it.
    pub(super) networks: usize,
    /// Those whose weights are left out.
    pub(super) without_weights: usize,
}

/// The networks of tasks 3, 4 and 6 of a study; none where it has none.
pub(super) fn packed(reader: &Reader, record: &StudyRecord) -> Result<Option<Packed>, Failure> {
    let networks = export::networks(reader, record);
    let sizes: Vec<usize> = networks.iter().map(|(run, _)| model(run).map_or(0, size)).collect();
    let with_weights = fitting(&sizes, MOST);
    let (mut peers, mut files) = (Peers::default(), Vec::new());
    for (number, (run, file)) in networks.iter().enumerate() {
        files.extend(match with_weights.contains(&number) {
            true => export::peer(&mut peers, run, file)?,
            false => without_weights(&mut peers, run, file)?,
        });
    }
    files.extend(peers.finish());
    let without_weights = networks.len() - with_weights.len();
    Ok((!networks.is_empty()).then_some(Packed { files, networks: networks.len(), without_weights }))
}

/// The numbers of the smallest networks that have no more bytes together.
fn fitting(sizes: &[usize], most: usize) -> BTreeSet<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&number| sizes[number]);
    let mut total = 0;
    let fits = |number: &usize| {
        total += sizes[*number];
        total <= most
    };
    order.into_iter().take_while(fits).collect()
}

fn model(run: &PlannedRun) -> Option<&ModelSpec> {
    match &run.spec {
        RunSpec::Train(spec) => Some(&spec.model),
        _ => None,
    }
}

/// The bytes of a network's weights in both libraries.
fn size(model: &ModelSpec) -> usize {
    2 * size_of::<f32>() * model.plan().map_or(0, |plan| plan.parameters)
}

/// The files of a network without its weights, which are not read.
fn without_weights(peers: &mut Peers, run: &PlannedRun, file: &Path) -> Result<Vec<File>, Failure> {
    let card = Tensors::read(file)?.metadata(MODEL_CARD).and_then(|card| serde_json::from_str(card).ok());
    let model = model(run).cloned().expect("a network's run trains it");
    let network = Portable { model, tensors: Vec::new(), card, classes: Vec::new() };
    let of_file = |source| ExchangeError::Network { path: file.to_owned(), source };
    Ok(peers.add_without_weights(&run.full_title(), run.id.as_ref(), &network).map_err(of_file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_networks_keep_their_weights() {
        assert_eq!(fitting(&[30, 5, 10, 5, 100], 40), BTreeSet::from([1, 2, 3]));
        assert_eq!(fitting(&[30, 5, 10, 5, 100], 50), BTreeSet::from([0, 1, 2, 3]));
        assert!(fitting(&[], 40).is_empty() && fitting(&[41], 40).is_empty());
    }
}
