//! What can be asked of `inkling bundle`.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;

const AFTER_HELP: &str = "\
Examples:
  inkling bundle out --group 7                  out/Assignment2_Group_7.zip
  inkling bundle out --group 7 --without-data   without the data sets, which the program fetches if they are missing

The archive holds the report (DIR/report.pdf), the executed notebook (DIR/Assignment2_Group_7.ipynb, which `notebook/make DIR \
--group 7` makes in the project's folder), and the folder Assignment2_Group_7.code: the sources that this program was \
built from, the data, the study as study.toml, its numbers as summary.json, its trained networks for PyTorch and Keras in the \
folder peers (the smallest of them, up to 45 MB of weights; of the others, weights alone are left out), and REPEAT.md, which \
says how to repeat the study. The same study gives the same bytes.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct BundleArgs {
    /// Folder of a finished study.
    #[arg(value_name = "DIR", default_value = "out")]
    pub(crate) study: PathBuf,

    /// Number of the group [default: the study's own, under `[report]`].
    #[arg(long, value_name = "N", value_parser = super::values::group, allow_negative_numbers = true)]
    pub(crate) group: Option<u32>,

    /// Name of the archive [default: DIR/Assignment2_Group_N.zip].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Leave the data sets out.
    #[arg(long)]
    pub(crate) without_data: bool,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}
