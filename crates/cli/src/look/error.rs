//! What can be wrong with what a person asks of `inkling look`, beyond what the network itself cannot do.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::failure::{BAD_DATA, Failure, INPUT_OUTPUT, USAGE};

#[derive(Debug, Error, Diagnostic)]
pub(crate) enum AskError {
    #[error("the trained network `{}` cannot be read", .path.display())]
    #[diagnostic(help(
        "give a model.safetensors, a run's folder that holds one, or a study's folder; `inkling study` makes them"
    ))]
    Model { path: PathBuf, source: std::io::Error },

    #[error("the trained network `{}` cannot be read: it is not a regular file", .path.display())]
    #[diagnostic(help("write it to a file first, and give that"))]
    NoFile { path: PathBuf },

    #[error("the folder `{}` holds no trained network: it has neither a model.safetensors nor a study.json", .path.display())]
    #[diagnostic(help(
        "give a model.safetensors, a run's folder that holds one, or a study's folder; `inkling study` makes them"
    ))]
    NoModel { path: PathBuf },

    #[error("--network names a network of a study, and `{}` is not a study folder", .path.display())]
    #[diagnostic(help("leave --network out, or give the folder of the study"))]
    NoStudy { path: PathBuf },

    #[error("the study in `{}` trains no network called `{name}`", .path.display())]
    #[diagnostic(help("its networks are {known}"))]
    UnknownNetwork { path: PathBuf, name: String, known: String },

    #[error("the study in `{}` trains several networks called `{name}`", .path.display())]
    #[diagnostic(help("say which: {known}"))]
    SeveralNetworks { path: PathBuf, name: String, known: String },

    #[error("the study in `{}` looks inside no network itself", .path.display())]
    #[diagnostic(help("{}", match .known.as_str() {
        "" => "it trains none either: give another study's folder".to_owned(),
        known => format!("say with --network which one is meant: {known}"),
    }))]
    WhichNetwork { path: PathBuf, known: String },

    #[error("the network `{network}` of the study in `{}` is not trained yet", .path.display())]
    #[diagnostic(help("run the study again with the same folder: it continues where it stopped"))]
    NotTrained { path: PathBuf, network: String },

    #[error("the network has no class `{word}`")]
    #[diagnostic(help("{}", match .nearest {
        Some(nearest) => format!("did you mean `{nearest}`? Its head `{head}` has {known}"),
        None => format!("its head `{head}` has {known}"),
    }))]
    UnknownClass { word: String, head: String, known: String, nearest: Option<String> },

    #[error("it is not known which data set the network was trained on, so {what} cannot be shown")]
    #[diagnostic(help("name it with --set (the sets are {known}), or bring a picture with --image"))]
    NoSet { what: &'static str, known: String },

    #[error("cannot keep {frames} frames of an ascent of {steps} steps")]
    #[diagnostic(help("use more --steps or fewer --frames: from 2 to {} here", .steps + 1))]
    Frames { frames: usize, steps: usize },
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        let code = match error {
            AskError::Model { .. } => INPUT_OUTPUT,
            AskError::NoModel { .. } | AskError::NoFile { .. } | AskError::NotTrained { .. } => BAD_DATA,
            _ => USAGE,
        };
        Failure::new(error, code)
    }
}
