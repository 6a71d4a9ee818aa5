//! What `networks.json` says of a network: its counts of right answers, and how it was trained.

use inkling_schema::{LayerSpec, Loss, ModelCard, Optimizer, TrainRun, TrainingPrecision, Weighting};
use serde_json::{Map, Value, json};

use crate::python::description::{TestedHead, tested_heads};
use crate::python::places::Place;
use crate::tensors::{Format, NamedLayers, TensorKind, plan};
use crate::{InterchangeError, Portable, pytorch};

/// The entry of a network.
///
/// # Errors
/// A network that cannot be built.
pub(crate) fn facts([name, run, folder]: [&str; 3], network: &Portable) -> Result<Value, InterchangeError> {
    let [height, width, channels] = network.model.input;
    let mut entry = json!({ "name": name, "run": run, "folder": folder, "shape": [height, width, channels] });
    let Some(card) = &network.card else { return Ok(entry) };
    let members = json!({
        "set": card.data.name,
        "heads": heads(card),
        "training": training(network, &card.run)?,
    });
    let (Value::Object(entry_members), Value::Object(members)) = (&mut entry, members) else {
        unreachable!("both are objects")
    };
    entry_members.extend(members);
    Ok(entry)
}

/// Each head whose results are known: test images, right answers, and the group of each class where it says groups.
fn heads(card: &ModelCard) -> Value {
    let head = |tested: TestedHead| {
        let TestedHead { head, groups, images, correct } = tested;
        json!({ "name": head.name, "images": images, "correct": correct, "groups": groups })
    };
    tested_heads(card).into_iter().map(head).collect()
}

/// How the network was trained, with all that `train.py` needs.
fn training(network: &Portable, run: &TrainRun) -> Result<Value, InterchangeError> {
    let plan = plan(&network.model, Format::PyTorch)?;
    let named = NamedLayers::new(&network.model, &plan);
    let places = pytorch::modules(&named, &pytorch::attributes(&network.model)).places;
    let module = |name: &str| {
        let of_layer = |place: &&Place| {
            place.tensor.kind == TensorKind::Weight && place.tensor.name == format!("{name}.weight")
        };
        places.iter().find(of_layer).and_then(|place| place.key.rsplit_once('.')).map(|(module, _)| module)
    };
    let initializers = named.all().into_iter().filter_map(|layer| match &layer.plan.layer {
        LayerSpec::Dense { initializer, .. } | LayerSpec::Conv2d { initializer, .. } => {
            Some((module(&layer.name)?.to_owned(), json!(initializer)))
        }
        _ => None,
    });
    let heads = &run.model.heads;
    let weights: Map<String, Value> = match &run.weighting {
        Weighting::Fixed { weights } => {
            heads.iter().zip(weights).map(|(head, weight)| (head.name.clone(), json!(weight))).collect()
        }
        _ => Map::new(),
    };
    let smoothing = heads.iter().filter_map(|head| match head.loss {
        Loss::CrossEntropy { label_smoothing } => Some((head.name.clone(), json!(label_smoothing))),
        _ => None,
    });
    let training = &run.training;
    Ok(json!({
        "train_images": run.data.train_images,
        "seed": run.seed,
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "schedule": training.schedule,
        "warmup_steps": training.warmup_steps,
        "clip_norm": training.clip_norm,
        "optimizer": training.optimizer,
        "loss_weights": weights,
        "label_smoothing": smoothing.collect::<Map<_, _>>(),
        "initializers": initializers.collect::<Map<_, _>>(),
        "not_here": not_here(run),
    }))
}

/// What of a training `train.py` does not do, where there is such a thing.
fn not_here(run: &TrainRun) -> Option<String> {
    let training = &run.training;
    let parts = [
        (
            matches!(training.optimizer, Optimizer::Lion { .. }),
            "Lion, which PyTorch does not have".to_owned(),
        ),
        (
            !matches!(run.weighting, Weighting::Fixed { .. }),
            format!("the weighting {}", run.weighting.name()),
        ),
        (training.validation.is_some(), "the choice of an epoch by validation images".into()),
        (training.augmentation.is_some(), "augmentation".into()),
        (training.class_weights.is_some(), "class weights".into()),
        (training.precision == TrainingPrecision::Bfloat16, "products of bfloat16 numbers".into()),
        (run.model.heads.iter().any(|head| !head.loss.is_of_classes()), "losses of numbers".into()),
    ];
    parts.into_iter().find(|(is_used, _)| *is_used).map(|(_, what)| what)
}
