//! The folder `peers`: the networks of a study in PyTorch and in Keras, with scripts that repeat their results.

mod facts;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::python::check::READING;
use crate::{File, InterchangeError, Portable, keras, pytorch};

/// A network with its name in the study.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPortable {
    /// What figures and tables call it.
    pub name: String,
    /// The network.
    pub network: Portable,
}

const REPRODUCE: &str = include_str!("templates/reproduce.py");
const TRAIN: &str = include_str!("templates/train.py");
const README: &str = include_str!("templates/README.md");
const IMAGES: &str = include_str!("templates/images.py");
const REQUIREMENTS: &str = "keras>=3.3\nnumpy>=1.26\nsafetensors>=0.4\ntorch>=2.2\n";

/// The files of `peers`: for each network `NAME/pytorch` and `NAME/keras` as [`pytorch()`] and [`keras()`] write them;
/// `reproduce.py`, which classifies the test images with each and compares the counts of right answers; `train.py`, which trains
/// the networks from scratch in PyTorch; `networks.json`, from which both read counts and settings; `images.py`, which reads
/// images; and a `README.md`.
///
/// # Errors
/// As those of [`pytorch()`], with the network's name.
pub fn peers(networks: &[NamedPortable]) -> Result<Vec<File>, InterchangeError> {
    let mut files = Vec::new();
    let mut entries: Vec<Value> = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    for NamedPortable { name, network } in networks {
        let folder = free(&folder(name), &folders);
        let of_name = |error: InterchangeError| {
            InterchangeError::new(format!("the network `{name}`: {error}"), error.help())
        };
        for (part, written) in [("pytorch", pytorch(network, name)), ("keras", keras(network, name))] {
            let written = written.map_err(of_name)?;
            files.extend(
                written
                    .into_iter()
                    .map(|file| File::new(format!("{folder}/{part}/{}", file.name), file.bytes)),
            );
        }
        entries.push(facts::facts(name, &folder, network)?);
        folders.push(folder);
    }
    let facts = serde_json::to_string_pretty(&json!({ "networks": entries })).expect("plain data");
    let torch = pytorch::SCORES.trim_end();
    let reproduce = REPRODUCE
        .replace("@BACKEND@", keras::BACKEND.trim_end())
        .replace("@TORCH@", torch)
        .replace("@KERAS@", keras::SCORES.trim_end());
    files.extend([
        File::new("networks.json", facts + "\n"),
        File::new("images.py", IMAGES.replace("@READING@", READING.trim_end())),
        File::new("reproduce.py", reproduce),
        File::new("train.py", TRAIN.replace("@TORCH@", torch)),
        File::new("requirements.txt", REQUIREMENTS),
        File::new("README.md", README),
    ]);
    Ok(files)
}

/// A name as that of a folder on every system: letters and digits, with dashes between.
fn folder(name: &str) -> String {
    let name = name.replace('λ', "lambda").replace('α', "alpha");
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { ' ' };
    let words: String = name.chars().map(plain).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.is_empty() { "network".into() } else { words.join("-") }
}

/// The folder, with a number if there is one of the name.
fn free(folder: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{folder}-{number}"));
    let mut names = std::iter::once(folder.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).expect("numbers do not end")
}
