//! What can be asked of `inkling export` and `inkling import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ModelChoice;

const EXPORT_HELP: &str = "\
Of one network:
  inkling export model --onnx cnn.onnx                  for onnxruntime and whatever else reads ONNX (opset 17)
  inkling export model --pytorch cnn-pytorch            model.py, a module to read, with its weights and check.py, a check
  inkling export model --keras cnn-keras                the same for Keras 3
Of a whole study:
  inkling export out --metrics metrics.csv              one long table for pandas and Polars (.csv, .json, .parquet)
  inkling export out --run activations --arrays a.npz   arrays of one run for NumPy: embedding, logits, activations, dreams, …
  inkling export out --tensorboard logs                 curves of all runs and the figures, for `tensorboard --logdir logs`
  inkling export out --peers peers                      every network of tasks 3, 4 and 6 in PyTorch and Keras, and scripts that \
repeat their results

Several of these can be asked for at once. Nothing that exists is written over, but files that this program wrote under the same \
name. docs/formats.md describes each form.";

#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
#[command(group(clap::ArgGroup::new("forms").required(true).multiple(true)))]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Write the network as an ONNX file.
    #[arg(long, value_name = "FILE", group = "forms")]
    pub(crate) onnx: Option<PathBuf>,

    /// Order of the axes of the ONNX graph's images.
    #[arg(long, value_enum, default_value_t = LayoutName::Nchw, requires = "onnx")]
    pub(crate) layout: LayoutName,

    /// Let the ONNX graph take pixels from 0 to 255 and divide them itself.
    #[arg(long, requires = "onnx")]
    pub(crate) preparation: bool,

    /// Write the network as a folder for PyTorch.
    #[arg(long, value_name = "DIR", group = "forms")]
    pub(crate) pytorch: Option<PathBuf>,

    /// Write the network as a folder for Keras.
    #[arg(long, value_name = "DIR", group = "forms")]
    pub(crate) keras: Option<PathBuf>,

    /// Write the metrics of all runs of a study as one table: .csv, .json or .parquet.
    #[arg(long, value_name = "FILE", group = "forms")]
    pub(crate) metrics: Option<PathBuf>,

    /// Write the arrays of one run as an NPZ file for NumPy.
    #[arg(long, value_name = "FILE.npz", group = "forms")]
    pub(crate) arrays: Option<PathBuf>,

    /// Run of a study's folder whose arrays are meant, by its task and title or its id [default: that of the network].
    #[arg(long, value_name = "RUN", requires = "arrays", conflicts_with = "network")]
    pub(crate) run: Option<String>,

    /// Write the metrics and figures of a study for TensorBoard.
    #[arg(long, value_name = "DIR", group = "forms")]
    pub(crate) tensorboard: Option<PathBuf>,

    /// Write all networks of a study for PyTorch and Keras, with scripts that repeat their results.
    #[arg(long, value_name = "DIR", group = "forms")]
    pub(crate) peers: Option<PathBuf>,
}

/// The order of the axes of a batch of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutName {
    /// Channels before rows and columns, as PyTorch has them.
    Nchw,
    /// Channels last, as Keras and this program have them.
    Nhwc,
}

const IMPORT_HELP: &str = "\
  inkling import cnn.onnx                                          the network in an ONNX file, as model.safetensors
  inkling import --pytorch state.safetensors --network lenet-5     weights of PyTorch for a network of ours
  inkling import --keras weights.safetensors --network mine.toml   weights of Keras
  inkling import cnn.onnx --classes names.txt                      with the names of its classes, a line each

A network's file is written with `safetensors.torch.save_file(network.state_dict(), \"state.safetensors\")`. Weights are matched by \
the names of an exported network, else by shapes in the natural order of their names; what was taken for what is printed.";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_HELP)]
#[command(group(clap::ArgGroup::new("source").required(true)))]
pub(crate) struct ImportArgs {
    /// An ONNX file.
    #[arg(value_name = "FILE.onnx", group = "source")]
    pub(crate) onnx: Option<PathBuf>,

    /// Weights of PyTorch in a safetensors file.
    #[arg(long, value_name = "FILE", group = "source", requires = "network")]
    pub(crate) pytorch: Option<PathBuf>,

    /// Weights of Keras in a safetensors file.
    #[arg(long, value_name = "FILE", group = "source", requires = "network")]
    pub(crate) keras: Option<PathBuf>,

    /// The network that the weights are for: a name that `inkling models` lists, or a TOML file.
    #[arg(long, value_name = "NETWORK", conflicts_with = "onnx")]
    pub(crate) network: Option<String>,

    /// A text file with the names of the classes, a line each, in the order of the network's scores.
    #[arg(long, value_name = "FILE")]
    pub(crate) classes: Option<PathBuf>,

    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "model.safetensors")]
    pub(crate) out: PathBuf,
}
