//! Submitting scripts with Slurm's `sbatch`, which is all that is asked of the scheduler.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::UsageError;

const SBATCH: &str = "sbatch";

/// Refuses a host that cannot submit jobs, before anything is planned.
pub(super) fn check() -> Result<(), UsageError> {
    let asked = Command::new(SBATCH).arg("--version").stdin(Stdio::null()).output();
    match asked {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(UsageError::NoSlurm),
        Err(source) => Err(UsageError::Sbatch { said: source.to_string(), earlier: Vec::new() }),
    }
}

/// Submits a script, to be started after these jobs have ended, however they end: the runs themselves know whether what they need
/// is there. Gives back the job's number; `earlier` are those that were submitted before.
pub(super) fn submit(
    script: &Path,
    output: &Path,
    after: &[String],
    earlier: &[String],
) -> Result<String, UsageError> {
    let mut command = Command::new(SBATCH);
    command.arg("--parsable").arg(option("--output=", output));
    if !after.is_empty() {
        command.arg(format!("--dependency=afterany:{}", after.join(":")));
    }
    let refused = |said: String| UsageError::Sbatch { said, earlier: earlier.to_vec() };
    let done = command.arg(script).stdin(Stdio::null()).output();
    let done = done.map_err(|error| refused(error.to_string()))?;
    let said = String::from_utf8_lossy(&done.stdout);
    // The number, and after a semicolon the cluster's name where there are several.
    let number = said.trim().split(';').next().unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    if done.status.success() && is_number {
        return Ok(number.to_owned());
    }
    let mut said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if said.is_empty() {
        said = format!("it ended with {} and said nothing", done.status);
    }
    Err(refused(said))
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}
