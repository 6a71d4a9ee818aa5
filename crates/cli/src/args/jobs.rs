//! What can be asked of `inkling plan`, `inkling run` and `inkling status`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use inkling_schema::{RunId, Setting};

use super::{ComputeArgs, DataArgs, TaskName, values};

#[derive(Debug, Args)]
#[command(after_help = "\
The plan is written to DIR/study.json, so other processes need only the folder:
  inkling plan brief --out shared        the runs, what each needs, and how long a training may take
  inkling run --out shared --all         on as many machines as you like
  inkling status shared                  how the runs stand
  inkling study brief --out shared       does what is left, and makes the report

The estimate of a training is its multiply-adds, divided by a rate. Without --rate it is measured, with some steps of each \
network on all threads of this machine; another machine may be much faster or slower. Other runs are estimated roughly, at one \
rate for all: their times are the right order of magnitude, and no more.

With --nodes, a table says how long the study may take on so many machines, each of which does one run at a time:
  inkling plan brief --nodes 1,4,16,64")]
pub(crate) struct PlanArgs {
    /// A preset (quick, brief, smoke) or a study file.
    #[arg(value_name = "PRESET|FILE.toml", default_value = "quick")]
    pub(crate) study: OsString,

    /// Folder for the plan and the runs; created if missing.
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub(crate) out: PathBuf,

    /// Plan only these tasks of the study, separated by commas. Others that the folder holds stay part of its study.
    #[arg(long, value_name = "TASK", value_delimiter = ',', value_parser = values::names::<TaskName>("a task"))]
    pub(crate) only: Vec<TaskName>,

    /// Seed of all random streams, instead of the study's own.
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,

    /// Train every network with so many seeds, from 1 to 100: the first is that of the study or of --seed, each further one the
    /// next number.
    #[arg(long, value_name = "N", value_parser = values::between::<1, 100>, allow_negative_numbers = true)]
    pub(crate) seeds: Option<u32>,

    /// Multiply-adds a second to estimate with, such as 4e10, instead of what is measured here.
    #[arg(long, value_name = "N", value_parser = values::rate, allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,

    /// Say how long the whole study may take on so many machines, separated by commas: 1,4,16.
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = values::counting, allow_negative_numbers = true)]
    pub(crate) nodes: Vec<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// Plan also in a folder whose networks were computed with instructions (--cpu) that give other last digits.
    #[arg(long = "mixed", alias = "mix-instructions")]
    pub(crate) mix_instructions: bool,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Any number of processes, on any number of machines, can work in one folder. Each claims a run before it does it; a process \
that is killed, or whose machine is gone, is taken over by another one, which goes on from its newest checkpoint. No run is \
published twice, and no finished run is changed.

The exit code is 0 if the runs are done (by this process or another), 65 if one failed or data is not what it should be, 75 if \
the same command may succeed later (another process does the run, one that it needs is not finished, or the process was \
interrupted, after writing a checkpoint), and 78 if the folder was planned for another version or other instructions. With \
--all, other processes are waited for.

With --set, the study needs validation images and no [sweep]: one of its networks is trained with other values, once with each \
seed, and judged on its validation images. The test images are not looked at. The runs are those of a sweep with this point, so \
that none is done twice; they stay in the folder, and the report leaves them out.")]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(crate) struct RunArgs {
    /// Ids of runs, in the order in which they are done.
    #[arg(value_name = "ID", group = "which", value_parser = values::run_id)]
    pub(crate) ids: Vec<RunId>,

    /// Folder of the plan.
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub(crate) out: PathBuf,

    /// Do the run of this number in the plan, from 0; each run has a higher number than those that it needs.
    #[arg(
        long, value_name = "N", group = "which", value_parser = values::whole, allow_negative_numbers = true
    )]
    pub(crate) index: Option<usize>,

    /// Do one run that can be done.
    #[arg(long, group = "which")]
    pub(crate) next: bool,

    /// Do runs until all are done, by this process or others.
    #[arg(long, group = "which")]
    pub(crate) all: bool,

    /// Train a network with this value of a key of the study, and say how it does on the validation images; can be given several
    /// times.
    #[arg(long, value_name = "KEY=VALUE", group = "which", value_parser = values::setting)]
    pub(crate) set: Vec<Setting>,

    /// The network to train with --set, where the task has several and task 5 looks into none of them.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["ids", "index", "next", "all"])]
    pub(crate) network: Option<String>,

    /// Print the result of --set as JSON.
    #[arg(long, conflicts_with_all = ["ids", "index", "next", "all"])]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// Compute in a folder whose networks were computed with instructions (--cpu) that give other last digits.
    #[arg(long = "mixed", alias = "mix-instructions")]
    pub(crate) mix_instructions: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Everything is read from the folder's files. Whether a process that has claimed a run still lives cannot be seen at one look: \
with --watch, a claim that is not renewed for as long as it states is called silent, and any other process may take it over.")]
pub(crate) struct StatusArgs {
    /// Folder of the plan.
    #[arg(value_name = "DIR", default_value = "out")]
    pub(crate) out: PathBuf,

    /// Look again every two seconds, and say what has changed, until nothing is left to do.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Print JSON; with --watch, a line for each look.
    #[arg(long)]
    pub(crate) json: bool,
}
