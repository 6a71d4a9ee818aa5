//! `inkling model`: a network's layers in a table.

use std::ffi::OsStr;
use std::path::Path;

use indicatif::HumanBytes;
use inkling_schema::format::{percent, thousands};
use inkling_schema::{Loss, MODELS, ModelSpec, Plan, PlannedLayer};
use serde_json::json;

use crate::args::ModelArgs;
use crate::failure::{Failure, UsageError};
use crate::{message, output};

/// Bytes of a value.
const F32: u64 = 4;

pub(crate) fn model(args: &ModelArgs) -> Result<(), Failure> {
    let (file, text) = text(&args.model)?;
    let spec = ModelSpec::from_toml(&file, &text)?;
    let plan = spec.plan()?;
    if args.toml {
        output::bytes(text.as_bytes());
    } else if args.json {
        let layers = serde_json::to_value(&plan.layers).expect("a plan is plain data");
        let losses: Vec<_> =
            spec.heads.iter().map(|head| json!({ "head": head.name, "loss": head.loss })).collect();
        let memory = activation_bytes(&plan, args.batch.get());
        let summary = json!({
            "parameters": plan.parameters, "batch": args.batch, "activation_bytes": memory,
            "unread_pixels": plan.unread_pixels, "layers": layers, "losses": losses,
        });
        output::line(&serde_json::to_string_pretty(&summary).expect("plain data"));
    } else {
        table(&plan, args.batch.get());
        for head in spec.heads.iter().filter(|head| head.loss != Loss::default()) {
            output::line(&format!("The head `{}` is trained by {}.", head.name, loss(head.loss)));
        }
    }
    if let Some(warning) = plan.unread_warning() {
        message::warning(&warning);
    }
    Ok(())
}

/// `inkling models`: what ships with the program.
pub(crate) fn models(as_json: bool) -> Result<(), Failure> {
    let mut rows = vec![["network", "images", "heads", "parameters", ""].map(String::from).to_vec()];
    let mut all = Vec::new();
    for (name, text) in MODELS {
        let spec = ModelSpec::from_toml(&format!("{name}.toml"), text)?;
        let (plan, about) = (spec.plan()?, about(text));
        let [height, width, channels] = spec.input;
        let heads: Vec<&str> = spec.heads.iter().map(|head| head.name.as_str()).collect();
        all.push(json!({
            "name": name, "about": about, "input": spec.input, "heads": heads, "parameters": plan.parameters,
        }));
        let images = format!("{height}×{width}×{channels}");
        rows.push(vec![name.into(), images, heads.join(", "), thousands(plan.parameters), about]);
    }
    if as_json {
        output::line(&serde_json::to_string_pretty(&all).expect("plain data"));
    } else {
        // What a network is about is as long as it is, and so stands in a line of its own.
        let about: Vec<String> = rows.iter_mut().filter_map(Vec::pop).collect();
        output::table(&rows, 3);
        output::line("");
        for (row, about) in rows.iter().zip(&about).skip(1) {
            output::line(&format!("{}: {about}", row[0]));
        }
        output::line(
            "\n`inkling train` takes each of them that has one head with images of other shapes and classes.",
        );
    }
    Ok(())
}

/// What the comment at the head of a network's file says of it.
fn about(text: &str) -> String {
    let comment = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    comment.collect::<Vec<_>>().join(" ")
}

/// The TOML text that a word on the command line names, and the name that errors show.
pub(crate) fn text(word: &str) -> Result<(String, String), Failure> {
    if let Some((_, text)) = MODELS.iter().find(|(name, _)| *name == word) {
        return Ok((format!("{word}.toml"), (*text).to_owned()));
    }
    let path = Path::new(word);
    // What has a folder before it is a path: of a pipe, perhaps, that a shell made of a command.
    let is_path =
        path.extension() == Some(OsStr::new("toml")) || path.components().count() > 1 || path.is_file();
    if !is_path {
        let known = MODELS.map(|(name, _)| name).join(", ");
        return Err(UsageError::UnknownModel { name: word.into(), known }.into());
    }
    let text = crate::study::read_text(path, |path, source| UsageError::ModelFile { path, source })?;
    Ok((word.into(), text))
}

/// Bytes of a layer's outputs for so many images.
fn bytes(layer: &PlannedLayer, batch: usize) -> u64 {
    (layer.output.len() as u64).saturating_mul(batch as u64).saturating_mul(F32)
}

fn activation_bytes(plan: &Plan, batch: usize) -> u64 {
    plan.all_layers().fold(0, |sum, layer| sum.saturating_add(bytes(layer, batch)))
}

fn table(plan: &Plan, batch: usize) {
    // Most networks read all that they are given, and need no column to say so.
    let holes = plan.layers.iter().any(|layer| layer.unread > 0.0);
    let mut rows: Vec<Vec<String>> = vec![
        ["layer", "what", "output", "parameters", "multiply-adds", "activations"].map(String::from).into(),
    ];
    rows[0].extend(holes.then(|| "never read".to_owned()));
    for layer in plan.all_layers() {
        rows.push(vec![
            layer.place.clone(),
            layer.layer.description(),
            layer.output.to_string(),
            thousands(layer.parameters),
            thousands(layer.multiply_adds),
            HumanBytes(bytes(layer, batch)).to_string(),
        ]);
        rows.last_mut().expect("just pushed").extend(holes.then(|| percent(layer.unread, 1)));
    }
    rows.push(vec![
        "all".into(),
        String::new(),
        String::new(),
        thousands(plan.parameters),
        thousands(plan.layers.iter().map(|layer| layer.multiply_adds).sum()),
        HumanBytes(activation_bytes(plan, batch)).to_string(),
    ]);
    let pixels = plan.unread_pixels.map_or_else(String::new, |share| percent(share, 1));
    rows.last_mut().expect("just pushed").extend(holes.then_some(pixels));
    output::table(&rows, 3);
    let images = if batch == 1 { "one image".to_owned() } else { format!("a batch of {}", thousands(batch)) };
    output::line(&format!("\nMultiply-adds of one image, forward; activations in f32 for {images}."));
    if holes {
        output::line("Never read: share of each layer's input; in the last line, of the image's pixels.");
    }
}

/// A loss in words.
fn loss(loss: Loss) -> String {
    match loss {
        Loss::CrossEntropy { label_smoothing } if label_smoothing > 0.0 => {
            format!("cross-entropy with labels smoothed by {label_smoothing}")
        }
        loss => loss.name().to_owned(),
    }
}
