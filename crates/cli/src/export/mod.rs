//! `inkling export`: networks and metrics in the forms of other programs.

mod arrays;
mod board;
mod error;
mod features;
mod live;
mod study;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use indicatif::DecimalBytes;
use inkling_engine::StateKind;
use inkling_interchange::{File, InterchangeError, Portable, Tensor, keras, onnx, pytorch};
use inkling_lab::Trained;
use inkling_store::atomic;

use crate::args::{ExportArgs, LayoutName};
use crate::failure::{Failure, UsageError};
use crate::trained::{self, Named};
use crate::{output, replace};

pub(crate) use error::ExchangeError;
pub(crate) use live::Live;
pub(crate) use study::{for_tensorboard as study_for_tensorboard, networks, peer};

/// How an ONNX file of this program begins: the version of the form, and the producer.
const ONNX_START: &[u8] = b"\x08\x08\x12\x07inkling";

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    if let Some(path) = &args.onnx {
        replace::check(path, "an ONNX file of this program", |start| start.starts_with(ONNX_START))?;
    }
    for folder in [&args.pytorch, &args.keras, &args.peers, &args.tensorboard].into_iter().flatten() {
        check_folder(folder)?;
    }
    if let Some(path) = &args.arrays {
        arrays::check(path)?;
    }
    study::check(args)?;
    if args.onnx.is_some() || args.pytorch.is_some() || args.keras.is_some() {
        forms(args)?;
    }
    if let Some(path) = &args.arrays {
        arrays::export(args, path)?;
    }
    study::export(args)
}

/// The forms of one network.
fn forms(args: &ExportArgs) -> Result<(), Failure> {
    let Named { network, file, name, words } = trained::read(&args.model)?;
    let portable = portable(network);
    let of_file = |source| ExchangeError::Network { path: file.clone(), source };
    if let Some(path) = &args.onnx {
        let layout = match args.layout {
            LayoutName::Nchw => onnx::Layout::Nchw,
            LayoutName::Nhwc => onnx::Layout::Nhwc,
        };
        let options = onnx::Options { layout, preparation: args.preparation };
        let bytes = onnx::export(&portable, &options).map_err(of_file)?;
        atomic::write(path, &bytes)?;
        let size = DecimalBytes(bytes.len() as u64);
        output::line(&format!("{}: {words} as ONNX, opset {}, {size}", path.display(), onnx::OPSET));
    }
    type Write = fn(&Portable, &str) -> Result<Vec<File>, InterchangeError>;
    let folders: [(&Option<PathBuf>, &str, Write); 2] =
        [(&args.pytorch, "PyTorch", pytorch), (&args.keras, "Keras", keras)];
    for (folder, program, write) in folders {
        let Some(folder) = folder else { continue };
        let files = write(&portable, &name).map_err(of_file)?;
        write_folder(folder, &files)?;
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        output::line(&format!("{}: {words} for {program}: {}", folder.display(), names.join(", ")));
    }
    Ok(())
}

/// A network as plain values.
fn portable(trained: Trained) -> Portable {
    let tensors = trained.network.state_dict(StateKind::Values).into_iter();
    Portable {
        model: trained.network.spec().clone(),
        tensors: tensors
            .map(|tensor| Tensor { name: tensor.name, shape: tensor.shape, values: tensor.values })
            .collect(),
        card: trained.card,
        classes: trained.classes,
    }
}

/// Checks that a folder can be written into without touching what a person has there: it is new, or empty.
fn check_folder(folder: &Path) -> Result<(), UsageError> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(UsageError::WouldReplace { path: folder.to_owned(), what: "an empty folder" }),
    }
}

/// Writes files into a folder that is new or empty. Where one cannot be written, none stay.
fn write_folder(folder: &Path, files: &[File]) -> Result<(), Failure> {
    write_folder_by_parts(folder, |write| write(files))
}

/// As [`write_folder`], of files that come in several parts, of which one is in memory at a time.
fn write_folder_by_parts(
    folder: &Path,
    parts: impl FnOnce(&mut dyn FnMut(&[File]) -> Result<(), Failure>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let existed = folder.is_dir();
    let mut tops = BTreeSet::new();
    let mut write = |files: &[File]| -> Result<(), Failure> {
        for file in files {
            tops.extend(Path::new(&file.name).components().next().map(|top| folder.join(top)));
            let path = folder.join(&file.name);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent)
                .map_err(|source| UsageError::OutFolder { path: parent.to_owned(), source })?;
            atomic::write(&path, &file.bytes)?;
        }
        Ok(())
    };
    parts(&mut write).inspect_err(|_| {
        // The error that is told is that of writing.
        for top in &tops {
            let _ = if top.is_dir() { fs::remove_dir_all(top) } else { fs::remove_file(top) };
        }
        if !existed {
            let _ = fs::remove_dir(folder);
        }
    })
}
