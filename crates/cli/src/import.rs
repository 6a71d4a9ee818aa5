//! `inkling import`: networks and weights of other programs, as a model of ours.

use std::fs;
use std::path::Path;

use inkling_interchange::{Convention, Portable, onnx, weights_from};
use inkling_schema::ModelSpec;
use inkling_schema::format::{list, thousands};
use inkling_store::atomic;

use crate::args::ImportArgs;
use crate::export::ExchangeError;
use crate::failure::Failure;
use crate::{model, output, replace};

pub(crate) fn import(args: &ImportArgs) -> Result<(), Failure> {
    // Eight bytes of length, then a header that names the format.
    let is_model = |start: &[u8]| start.windows(14).any(|window| window == b"\"__metadata__\"");
    replace::check(&args.out, "a model", is_model)?;
    let mut portable = match (&args.onnx, &args.pytorch, &args.keras) {
        (Some(path), ..) => onnx::import(read(path)?).map_err(|source| of(path, source))?,
        (_, Some(path), _) => weights(path, args, Convention::PyTorch)?,
        (.., Some(path)) => weights(path, args, Convention::Keras)?,
        _ => unreachable!("clap asks for one of them"),
    };
    let plan = portable.model.plan()?;
    if let Some(path) = &args.classes {
        portable.classes = classes(path, &portable.model)?;
        // It names other classes.
        portable.card = None;
    }
    atomic::write(&args.out, &portable.to_safetensors())?;
    let [height, width, channels] = portable.model.input;
    let heads: Vec<String> = portable.model.heads.iter().map(|head| format!("`{}`", head.name)).collect();
    output::line(&format!(
        "{}: a network for images of {height} × {width} × {channels} with {} parameters and the {} {}",
        args.out.display(),
        thousands(plan.parameters),
        if heads.len() == 1 { "head" } else { "heads" },
        list(&heads),
    ));
    Ok(())
}

/// A network of ours with the weights of a file; says where each came from.
fn weights(path: &Path, args: &ImportArgs, from: Convention) -> Result<Portable, Failure> {
    let (file, text) = model::text(args.network.as_deref().unwrap_or_default())?;
    let model = ModelSpec::from_toml(&file, &text)?;
    // What is left open is told here.
    model.plan()?;
    let (tensors, matches) = weights_from(&model, &read(path)?, from).map_err(|source| of(path, source))?;
    matches.iter().for_each(|found| output::line(&found.to_string()));
    Ok(Portable { model, tensors, card: None, classes: Vec::new() })
}

/// The names of the classes of a network's only head, a line each.
fn classes(path: &Path, model: &ModelSpec) -> Result<Vec<Vec<String>>, Failure> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    let names: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let plan = model.plan()?;
    let scores = plan.layers.last().map_or(0, |layer| layer.output.len());
    let problem = if model.heads.len() != 1 {
        format!("it names classes, but of which of the {} heads it cannot say", model.heads.len())
    } else if names.len() != scores {
        format!("it names {} classes, and the network has scores for {scores}", names.len())
    } else if let Some(twice) = (1..names.len()).find(|&at| names[..at].contains(&names[at])) {
        format!("it names the class `{}` twice", names[twice])
    } else {
        return Ok(vec![names]);
    };
    let help = "write the names of the classes of a network with one head into a text file, a line each, in the order of its scores";
    Err(of(path, inkling_interchange::InterchangeError::new(problem, help)).into())
}

fn read(path: &Path) -> Result<Vec<u8>, ExchangeError> {
    fs::read(path).map_err(|source| ExchangeError::Unreadable { path: path.to_owned(), source })
}

fn of(path: &Path, source: inkling_interchange::InterchangeError) -> ExchangeError {
    ExchangeError::Network { path: path.to_owned(), source }
}
