//! What a person says about a cluster: the table `[slurm]` of a file beside the studies.

use serde::{Deserialize, Serialize};

use crate::numbers::{count, positive, some_count};
use crate::parse::{SpecError, from_toml};

/// How jobs are asked for with Slurm. What is left out is as the cluster or [`Default`] has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlurmSettings {
    /// The partition (`--partition`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The account that pays (`--account`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The quality of service (`--qos`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qos: Option<String>,
    /// Processors of a job, and the threads that it computes with.
    #[serde(deserialize_with = "count")]
    pub cpus: usize,
    /// Multiply-adds a second of a node with so many threads; measured where the jobs are submitted if it is not given.
    #[serde(deserialize_with = "some_number", skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// The time limit of a job is so many times its estimate,
    #[serde(deserialize_with = "positive")]
    pub time_factor: f64,
    /// and at least so many minutes.
    #[serde(deserialize_with = "count")]
    pub least_minutes: usize,
    /// and at most so many, where the partition has a limit. Jobs that need longer go on in another turn.
    #[serde(deserialize_with = "some_count", skip_serializing_if = "Option::is_none")]
    pub most_minutes: Option<usize>,
    /// The memory of a job is so many times its estimate,
    #[serde(deserialize_with = "positive")]
    pub memory_factor: f64,
    /// and at least so many MiB.
    #[serde(deserialize_with = "count")]
    pub least_memory: usize,
    /// Short runs are done one after the other in one job until their estimates fill so many minutes.
    #[serde(deserialize_with = "positive")]
    pub pack_minutes: f64,
    /// Instructions that all nodes compute with (`--cpu`), where the processors differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// More options of `sbatch`, such as `--constraint=avx512`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<String>,
}

impl Default for SlurmSettings {
    fn default() -> Self {
        Self {
            partition: None,
            account: None,
            qos: None,
            cpus: 4,
            rate: None,
            time_factor: 3.0,
            least_minutes: 10,
            most_minutes: None,
            memory_factor: 1.5,
            least_memory: 1024,
            pack_minutes: 5.0,
            instructions: None,
            extra: Vec::new(),
        }
    }
}

/// A file of settings.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlurmFile {
    slurm: SlurmSettings,
}

/// Options that decide how jobs follow each other and go on, which are not a person's to say.
const OURS: [&str; 6] = ["array", "dependency", "signal", "no-requeue", "requeue", "wrap"];

impl SlurmSettings {
    /// Reads the table `[slurm]` of a TOML file; `file` is the name that errors show.
    ///
    /// # Errors
    /// What is wrong, with file, line and key.
    pub fn from_toml(file: &str, text: &str) -> Result<SlurmSettings, SpecError> {
        let SlurmFile { slurm } = from_toml(file, text)?;
        let wrong = |path: &[&str], message: &str, help: &str| {
            let path: Vec<String> = ["slurm"].iter().chain(path).map(|&word| word.to_owned()).collect();
            SpecError::at_key(file, text, &path, message, help.to_owned())
        };
        let words = [("partition", &slurm.partition), ("account", &slurm.account), ("qos", &slurm.qos)];
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '#')
        };
        for (key, word) in words {
            if word.as_deref().is_some_and(|word| !is_word(word)) {
                return Err(wrong(&[key], "this is not a name", "a name is one word, without spaces"));
            }
        }
        const INSTRUCTIONS: [&str; 3] = ["avx512", "avx2", "portable"];
        if slurm.instructions.as_deref().is_some_and(|asked| !INSTRUCTIONS.contains(&asked)) {
            return Err(wrong(
                &["instructions"],
                "there are no such instructions",
                "they are `avx512`, `avx2` or `portable`",
            ));
        }
        for (number, option) in slurm.extra.iter().enumerate() {
            let number = number.to_string();
            let name =
                option.strip_prefix("--").map(|rest| rest.split(['=', ' ']).next().unwrap_or_default());
            let is_line = !option.chars().any(char::is_control);
            let Some(name) = name.filter(|name| !name.is_empty() && is_line) else {
                let help = "write each option as in `#SBATCH` lines, such as \"--constraint=avx512\"";
                return Err(wrong(&["extra", &number], "this is not an option of `sbatch`", help));
            };
            if OURS.contains(&name) {
                let help = "leave it out: Inkling says how its jobs follow each other and how they go on";
                return Err(wrong(&["extra", &number], "this option is not for settings", help));
            }
        }
        Ok(slurm)
    }
}

/// A number above zero that may be absent.
fn some_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    positive(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_and_what_is_left_out_has_a_default() {
        let text = "[slurm]\npartition = \"long\"\naccount = \"a\"\nqos = \"q\"\ncpus = 2\nrate = 4e10\ntime_factor = 2.5\n\
                    least_minutes = 3\nmost_minutes = 60\nmemory_factor = 2.0\nleast_memory = 512\npack_minutes = 0.5\ninstructions = \"avx2\"\n\
                    extra = [\"--constraint=avx2\", \"--mail-type END\"]\n";
        let settings = SlurmSettings::from_toml("slurm.toml", text).unwrap();
        assert_eq!((settings.cpus, settings.rate, settings.extra.len()), (2, Some(4e10), 2));
        let few = SlurmSettings::from_toml("slurm.toml", "[slurm]\npartition = \"long\"\n").unwrap();
        assert_eq!(few, SlurmSettings { partition: Some("long".into()), ..SlurmSettings::default() });
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_key() {
        for (text, said, helped) in [
            (
                "[slurm]\npartitoin = \"a\"\n",
                "slurm.toml, line 2: unknown key `partitoin` in [slurm]",
                "did you mean `partition`?",
            ),
            (
                "partition = \"a\"\n",
                "slurm.toml, line 1: unknown key `partition` at the top level",
                "`slurm`",
            ),
            ("[slurm]\ncpus = 0\n", "line 2: `slurm.cpus` cannot be `0`", "at least 1"),
            ("[slurm]\nqos = \"a b\"\n", "line 2: `slurm.qos`: this is not a name", "one word"),
            ("[slurm]\ninstructions = \"sse\"\n", "line 2: `slurm.instructions`", "`avx2`"),
            ("[slurm]\nextra = [\"--nice\", \"x\"]\n", "line 2: `slurm.extra[1]`", "#SBATCH"),
            ("[slurm]\nextra = [\"--nice\\nrm\"]\n", "line 2: `slurm.extra[0]`", "#SBATCH"),
            ("[slurm]\nextra = [\"--array=1-2\"]\n", "this option is not for settings", "leave it out"),
        ] {
            let error = SlurmSettings::from_toml("slurm.toml", text).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            let help = miette::Diagnostic::help(&error).unwrap().to_string();
            assert!(help.contains(helped), "{help}");
        }
    }
}
