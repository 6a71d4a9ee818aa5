//! The weights of a network in training and their gradients, for an observer that shows them.

use std::collections::HashMap;
use std::convert::Infallible;

use inkling_engine::random::RngStream;
use inkling_engine::{Dataset, NamedTensor, Network, StateKind, TensorView};
use inkling_schema::TrainRun;

use super::labelled_dataset::LabelledDataset;
use super::split::arange;

/// Most images of the batch that gradients are of.
const BATCH: usize = 256;

/// The values of a network, and the gradients of the weighted loss on a batch of training images that the run's seed alone
/// determines. They are computed in a network of their own, because a pass in training draws masks of dropout and updates running
/// statistics: the network in training keeps its bits.
pub(super) fn weights_and_gradients(
    network: &Network,
    run: &TrainRun,
    train: &LabelledDataset,
    loss_weights: &[f32],
) -> [Vec<NamedTensor>; 2] {
    let mut copy = Network::new(&run.model, run.seed).expect("it was built before");
    {
        let views: HashMap<String, TensorView> =
            network.tensor_views(StateKind::Values).map(|view| (view.name.clone(), view)).collect();
        let values = |name: &str, shape: &[usize]| {
            let mut values = vec![0.0; shape.iter().product()];
            views[name].read(0, &mut values);
            Ok::<_, Infallible>(values)
        };
        let Ok(()) = copy.load_state_dict(StateKind::Values, values);
    }
    let values = copy.state_dict(StateKind::Values);
    let mut order = arange(train.len());
    RngStream::new(run.seed, "images whose gradients are shown").shuffle(&mut order);
    order.truncate(BATCH);
    let labels = train.by_head();
    copy.gradients_of(Dataset::new(&train.samples.images.pixels, &labels), &order, loss_weights);
    let heads = run.model.heads.iter().zip(loss_weights);
    let untrained: Vec<String> =
        heads.filter(|(_, weight)| **weight == 0.0).map(|(head, _)| format!("{}.", head.name)).collect();
    let is_trained = |view: &TensorView| !untrained.iter().any(|head| view.name.starts_with(head));
    let gradient = |view: TensorView| {
        let (name, shape) = (view.name.clone(), view.shape().to_vec());
        let mut values = vec![0.0; shape.iter().product()];
        view.read(0, &mut values);
        NamedTensor { name, shape, values }
    };
    let gradients = copy.tensor_views(StateKind::Gradients).filter(is_trained).map(gradient).collect();
    [values, gradients]
}
