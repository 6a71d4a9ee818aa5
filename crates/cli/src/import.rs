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
    let portable = match (&args.onnx, &args.pytorch, &args.keras) {
        (Some(path), ..) => onnx::import(read(path)?).map_err(|source| of(path, source))?,
        (_, Some(path), _) => weights(path, args, Convention::PyTorch)?,
        (.., Some(path)) => weights(path, args, Convention::Keras)?,
        _ => unreachable!("clap asks for one of them"),
    };
    let plan = portable.model.plan()?;
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
    Ok(Portable { model, tensors, card: None })
}

fn read(path: &Path) -> Result<Vec<u8>, ExchangeError> {
    fs::read(path).map_err(|source| ExchangeError::Unreadable { path: path.to_owned(), source })
}

fn of(path: &Path, source: inkling_interchange::InterchangeError) -> ExchangeError {
    ExchangeError::Network { path: path.to_owned(), source }
}
