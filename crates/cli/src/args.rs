//! What can be asked on the command line. Help, completions and parsing all come from these declarations.

mod bundle;
#[cfg(test)]
mod commands;
mod export;
mod jobs;
mod look;
mod source;
mod train;
mod values;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use inkling_engine::Isa;
use inkling_schema::{Task, TrainingPrecision};

use crate::failure::CODES;
use source::SOURCES;

pub(crate) use bundle::BundleArgs;
pub(crate) use export::{ExportArgs, ImportArgs, LayoutName};
pub(crate) use jobs::{PlanArgs, RunArgs, StatusArgs};
pub(crate) use look::{ActivationsArgs, DreamArgs, LookArgs, LookCommand, ObjectiveArgs, StartName};
pub(crate) use source::SourceArgs;
pub(crate) use train::{EvaluateArgs, ModelChoice, PredictArgs, TrainArgs};
pub(crate) use values::most_threads;

const EXAMPLES: &str = "\
Examples:
  inkling                           the study `quick`, into the folder `out`
  inkling study brief --out real    the assignment's own hyperparameters
  inkling study --print-spec        a whole study file, to change and run
  inkling study mine.toml           your own study
  inkling plan brief --out shared   the runs of a study, for processes on many machines to do
  inkling train cnn --data photos   one network on a folder of your own images
  inkling report out                figures and report again, without training
  inkling look dream out --class 2  an image that is recognised as a 2
  inkling bundle out --group 7      report, notebook, code and data in one archive, to hand in

Ctrl-C, SIGTERM and SIGHUP stop the program: the current step is finished and nothing is lost. A second one stops it at \
once. A program that was started with nohup continues when its terminal is closed.";

/// The examples, and every exit code.
fn after_help() -> String {
    let codes = CODES.map(|(code, meaning)| format!("{code} {meaning}")).join(" · ");
    format!("{EXAMPLES}\n\nExit codes: {codes}")
}

/// A laboratory for small neural networks: from image files to trained models, figures and a typeset report.
#[derive(Debug, Parser)]
#[command(name = "inkling", version, after_help = after_help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole study: load the data, train, draw figures and typeset the report (what `inkling` alone does).
    Study(StudyArgs),
    /// Plan the runs of a study, so that processes on any machines can do them.
    Plan(PlanArgs),
    /// Do runs of a planned study, beside other processes in the same folder.
    Run(RunArgs),
    /// Show how the runs of a planned study stand: done, running where, waiting, failed.
    Status(StatusArgs),
    /// Train one network on any images, and report on it.
    Train(Box<TrainArgs>),
    /// Evaluate a trained network on test images.
    Evaluate(EvaluateArgs),
    /// Say what a trained network makes of pictures.
    Predict(PredictArgs),
    /// List the networks that ship with the program.
    Models {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make figures, tables and report again from the folder of a finished study, without training.
    Report(ReportArgs),
    /// Pack a finished study into one archive to hand in: report, executed notebook, sources and data.
    Bundle(BundleArgs),
    /// Take a trained network or a study's metrics to other programs: ONNX, PyTorch, Keras, TensorBoard, tables.
    Export(Box<ExportArgs>),
    /// Bring a network or weights from ONNX, PyTorch or Keras.
    Import(ImportArgs),
    /// Look inside a trained network: at its filters, its activations or its dreams.
    #[command(subcommand)]
    Look(LookCommand),
    /// Print a network's layers: shapes, parameters, work and memory.
    Model(ModelArgs),
    /// List, verify or fetch data sets.
    #[command(subcommand)]
    Data(DataCommand),
    /// Measure how fast the program's main operations are on this machine.
    Bench(BenchArgs),
    /// Print a completion script for a shell.
    #[command(after_help = "\
For bash:
  inkling completions bash > ~/.local/share/bash-completion/completions/inkling")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
A study is a TOML file. The presets are such files, built into the program:
  quick   a sixth of the training images, every network at full size, one epoch each
  brief   the assignment's own hyperparameters; the full study
  smoke   a few thousand images, every kind of run once; under a minute

A finished run is never repeated: the same command on the same folder continues where it stopped, and after a change \
to the study only the runs that the change affects are done again. A network that is to be trained for more epochs \
continues from the end of its earlier training, unless its learning rate follows a cosine over all epochs. For this, \
each finished training keeps its checkpoint (DIR/runs/*/checkpoint.safetensors), which you may delete to save space.

--data may also name images of your own: a folder with a sub-folder for each class, an .npz, .csv or .parquet file, a folder of \
IDX files, or the name of a set such as `kmnist` (`inkling help data describe` tells more). Tasks 1 to 5 then use them; images in colour of more than 4,096 values are read as grey where tasks 1 or 2 are asked for. \
There are no more components than an image has pixels, batches hold at most a tenth of the training images, networks are \
trained for as many epochs as 500 steps take (at most 100) if the study says fewer, and task 5 looks at the first two classes \
if the set has not those of the study. Of more than 25 classes, tasks 1 and 2 compare the 25 with the most training images in \
pairs, which are 300. `inkling study --init photos > mine.toml` writes the study that this makes, with \
comments; in the file, the set can have groups of classes for task 6.

--on slurm plans the study, submits its runs with `sbatch` and returns:
  inkling study brief --out shared --on slurm
The folder must be one that all nodes see under the same path. Short runs share a job, task 5 waits for its network, and the last \
job makes the report. A job whose time is up writes a checkpoint and goes back into the queue. The table [slurm] of the settings has \
the keys partition, account, qos, cpus (threads of a job, 4), rate (multiply-adds a second, measured here if not given), time_factor \
(3), least_minutes (10) and most_minutes for time limits, memory_factor (1.5) and least_memory (1024 MiB), pack_minutes (5) for short runs, \
instructions (avx512, avx2 or portable, where nodes differ) and extra (a list of options of sbatch). After the same command, what is \
not done is submitted again.")]
pub(crate) struct StudyArgs {
    /// A preset (quick, brief, smoke) or a study file.
    #[arg(value_name = "PRESET|FILE.toml", default_value = "quick")]
    pub(crate) study: OsString,

    /// Folder for runs, figures, tables and report; created if missing.
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub(crate) out: PathBuf,

    /// Write metrics for TensorBoard while networks are trained, and at the end also weights, hyperparameters and figures.
    #[arg(long, value_name = "DIR")]
    pub(crate) tensorboard: Option<PathBuf>,

    /// Run only these tasks of the study, separated by commas. Results of its other tasks that are in the folder stay in
    /// the report.
    #[arg(long, value_name = "TASK", value_delimiter = ',', value_parser = values::names::<TaskName>("a task"))]
    pub(crate) only: Vec<TaskName>,

    /// Seed of all random streams, instead of the study's own.
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,

    /// Train every network with so many seeds, from 1 to 100: the first is that of the study or of --seed, each further one the
    /// next number.
    #[arg(long, value_name = "N", value_parser = values::between::<1, 100>, allow_negative_numbers = true)]
    pub(crate) seeds: Option<u32>,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// Continue in a folder whose networks were computed with instructions (--cpu) that give other last digits: finished
    /// runs are kept, unfinished runs start again.
    #[arg(long = "mixed", alias = "mix-instructions")]
    pub(crate) mix_instructions: bool,

    /// Have a cluster do the runs: plan them, submit them as jobs and return at once. The last job makes the report.
    #[arg(long, value_name = "ENGINE", conflicts_with_all = ["print_spec", "init", "json", "tensorboard"])]
    pub(crate) on: Option<Engine>,

    /// Settings of the cluster: a file with the table `[slurm]` [default: the file that INKLING_SLURM names, or slurm.toml in the
    /// current folder, if there is one].
    #[arg(long, value_name = "FILE.toml", requires = "on")]
    pub(crate) slurm: Option<PathBuf>,

    /// Print the study with every hyperparameter, as TOML, and exit.
    #[arg(long)]
    pub(crate) print_spec: bool,

    /// Print a study file for images of your own, with comments, to start from, and exit.
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["print_spec", "folder", "only", "out"])]
    pub(crate) init: Option<PathBuf>,

    /// Print the results (summary.json) instead of a few lines about them.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Folder that holds the data sets (DIR/mnist/…) or the files of one, instead of the usual places.
    #[arg(long = "data", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// What computes.
#[derive(Debug, Args)]
pub(crate) struct ComputeArgs {
    /// Number of threads [default: as many as the machine has]. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = values::threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Instructions for networks: avx512, avx2 or portable [default: the environment variable INKLING_CPU, or the fastest
    /// that the processor has]. With portable, results differ in their last digits.
    #[arg(long, value_name = "PATH", value_parser = Isa::from_str)]
    pub(crate) cpu: Option<Isa>,
}

/// What can do the runs of a study besides this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Slurm, by its command `sbatch`.
    Slurm,
}

/// A task by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskName {
    /// Principal components and linear separability.
    Pca,
    /// A perceptron for every pair of classes.
    Perceptron,
    /// Multilayer perceptrons of several depths.
    Mlp,
    /// Convolutional networks of several depths.
    Cnn,
    /// Looking inside a network of `cnn`, which is trained too.
    Inside,
    /// One network for two tasks.
    Multitask,
    /// The study's sweep over hyperparameters of a network, which is trained as the study has it too.
    Sweep,
}

impl From<TaskName> for Task {
    fn from(name: TaskName) -> Task {
        match name {
            TaskName::Pca => Task::Pca,
            TaskName::Perceptron => Task::Perceptron,
            TaskName::Mlp => Task::Mlp,
            TaskName::Cnn => Task::Cnn,
            TaskName::Inside => Task::Inside,
            TaskName::Multitask => Task::Multitask,
            TaskName::Sweep => Task::Sweep,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
A network is a TOML file: the shape of an image, a trunk of layers, and a head for each task. \
`inkling model cnn --toml` prints one to start from. Its layers are dense, conv2d, max-pool, \
avg-pool, global-avg-pool, flatten, relu, leaky-relu, elu, gelu, silu, sigmoid, tanh, dropout, batch-norm, layer-norm, \
residual (a block of layers) and custom (an activation of a program that uses the library). The kinds of the `loss` of a \
head are cross-entropy, mean-squared-error and binary-cross-entropy.")]
pub(crate) struct ModelArgs {
    /// A network file, or a built-in network: mlp, cnn, item, item-and-group (the assignment's), lenet-5, all-conv, resnet-8.
    #[arg(value_name = "NAME|FILE.toml")]
    pub(crate) model: String,

    /// Batch size for which the memory of the activations is given.
    #[arg(
        long, value_name = "N", default_value = "1", value_parser = values::steps, allow_negative_numbers = true
    )]
    pub(crate) batch: NonZeroUsize,

    /// Print the network as TOML.
    #[arg(long, conflicts_with = "json")]
    pub(crate) toml: bool,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Folder of a finished study.
    #[arg(value_name = "DIR", default_value = "out")]
    pub(crate) out: PathBuf,

    /// Print the results (summary.json) instead of a few lines about them.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List the data sets that the program knows, and where each lies on this machine.
    List {
        #[command(flatten)]
        data: DataArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Verify the checksums of a data set, or of all that are there if none is named.
    #[command(after_help = "\
Files may be raw or compressed and may have the usual names in any spelling, such as train-images-idx3-ubyte.gz or \
train-images.idx3-ubyte; torchvision's folders MNIST/raw and FashionMNIST/raw are found too. The exit code is 0 if a set \
is there and the checksums of every set that is there match, 65 if one has other contents, and 74 if none is there, a \
file of one is missing or one cannot be read.")]
    Verify {
        /// Name of the set, which must be there.
        name: Option<String>,
        #[command(flatten)]
        data: DataArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Describe images of your own: classes, brightness, and what is there twice.
    #[command(after_help = SOURCES)]
    Describe {
        #[command(flatten)]
        source: SourceArgs,
        /// Folder for a contact sheet (SVG and PNG) and a page that shows it with the numbers; created if missing.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Keep images of your own, prepared, in one file of NumPy's arrays.
    #[command(after_help = SOURCES)]
    Import {
        #[command(flatten)]
        source: SourceArgs,
        /// The file to write: x_train, y_train, x_test, y_test and class_names, as Keras names them.
        #[arg(long, value_name = "FILE.npz")]
        out: PathBuf,
    },
    /// Fetch a data set from its official mirrors into the user's cache.
    Fetch {
        /// Name of the set.
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
For training steps, the line of each layer gives its times, its arithmetic rate and its share of the machine's peak. \
Dense layers and the whole step also have GB/s and the share of the machine's streaming rate (three arrays that no cache \
holds, each read and written), for the 28 bytes per parameter that a step has to move: the forward pass reads the weights, \
and the backward pass reads and writes them and both of Adam's moments. Weights that do not change are not moved at all, \
so more than 100 % is possible.")]
pub(crate) struct BenchArgs {
    /// Operations to time [default: all].
    #[arg(value_name = "WORK", value_parser = values::names::<BenchName>("something to time"))]
    pub(crate) work: Vec<BenchName>,

    /// Number of repetitions.
    #[arg(
        long, value_name = "N", default_value = "5", value_parser = values::counting, allow_negative_numbers = true
    )]
    pub(crate) rounds: NonZeroUsize,

    /// Training steps before a network's first round.
    #[arg(
        long, value_name = "STEPS", default_value = "5", value_parser = values::whole, allow_negative_numbers = true
    )]
    pub(crate) after: usize,

    /// Batch size of a training step [default: 50 for `mlp` and `cnn`, 10 for `single` and `mtl`].
    #[arg(long, value_name = "N", value_parser = values::batch, allow_negative_numbers = true)]
    pub(crate) batch: Option<NonZeroUsize>,

    /// What the factors of large products in dense layers and convolutions are rounded to in training steps.
    #[arg(long, value_name = "NAME", default_value = "float32", value_parser = values::precisions())]
    pub(crate) precision: TrainingPrecision,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// Work that can be timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchName {
    /// PCA of the 60,000 training images of MNIST and their projection onto two components.
    Pca,
    /// 45 perceptrons on MNIST with the assignment's rule, and one pass of one of them.
    Perceptron,
    /// Training steps of the assignment's MLP, layer by layer, and the classification of 10,000 images.
    Mlp,
    /// The same for the assignment's CNN.
    Cnn,
    /// The same for the network of task 6 for items alone, on Fashion-MNIST.
    Single,
    /// The same for the network with two heads.
    Mtl,
}
