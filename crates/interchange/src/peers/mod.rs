//! The folder `peers`: the networks of a study in PyTorch and in Keras, with scripts that repeat their results.

mod facts;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::python::check::READING;
use crate::{File, InterchangeError, Portable, keras, pytorch};

const REPRODUCE: &str = include_str!("templates/reproduce.py");
const TRAIN: &str = include_str!("templates/train.py");
const README: &str = include_str!("templates/README.md");
/// What the README says where weights are left out.
const LEFT_OUT: &str = include_str!("templates/left-out.md");
const IMAGES: &str = include_str!("templates/images.py");
const REQUIREMENTS: &str = "keras>=3.3\nnumpy>=1.26\nsafetensors>=0.4\ntorch>=2.2\n";

/// Writes the files of a network by its name for one library.
type Write = fn(&Portable, &str) -> Result<Vec<File>, InterchangeError>;

/// The folder `peers`, which grows network by network: for each, `NAME/pytorch` and `NAME/keras` as [`pytorch()`] and [`keras()`]
/// write them; at last `reproduce.py`, which classifies the test images with each and compares the counts of right answers;
/// `train.py`, which trains the networks from scratch in PyTorch; `networks.json`, from which both read counts and settings;
/// `images.py`, which reads images; and a `README.md`.
#[derive(Debug, Default)]
pub struct Peers {
    entries: Vec<Value>,
    folders: Vec<String>,
    /// Networks whose weights are left out.
    left_out: Vec<String>,
}

impl Peers {
    /// The files of a network by its name in the study and the id of its run. Those of one are written before the next is read, as their weights are large.
    ///
    /// # Errors
    /// As those of [`pytorch()`], with the network's name.
    pub fn add(&mut self, name: &str, run: &str, network: &Portable) -> Result<Vec<File>, InterchangeError> {
        self.files((name, run), network, [pytorch, keras])
    }

    /// As [`Peers::add`], but without the weights, which `network` need not have. The README says that they are left out.
    ///
    /// # Errors
    /// As those of [`Peers::add`].
    pub fn add_without_weights(
        &mut self,
        name: &str,
        run: &str,
        network: &Portable,
    ) -> Result<Vec<File>, InterchangeError> {
        self.left_out.push(name.to_owned());
        let pytorch = |network: &Portable, name: &str| pytorch::texts(network, name).map(|texts| texts.0);
        let keras = |network: &Portable, name: &str| keras::texts(network, name).map(|texts| texts.0);
        self.files((name, run), network, [pytorch, keras])
    }

    fn files(
        &mut self,
        (name, run): (&str, &str),
        network: &Portable,
        [pytorch, keras]: [Write; 2],
    ) -> Result<Vec<File>, InterchangeError> {
        let folder = free(&folder(name), &self.folders);
        let of_name = |error: InterchangeError| {
            InterchangeError::new(format!("the network `{name}`: {error}"), error.help())
        };
        let mut files = Vec::new();
        for (part, write) in [("pytorch", pytorch), ("keras", keras)] {
            let written = write(network, name).map_err(of_name)?.into_iter();
            files.extend(written.map(|file| File::new(format!("{folder}/{part}/{}", file.name), file.bytes)));
        }
        self.entries.push(facts::facts([name, run, &folder], network)?);
        self.folders.push(folder);
        Ok(files)
    }

    /// The files that are of all networks.
    pub fn finish(self) -> Vec<File> {
        let facts = serde_json::to_string_pretty(&json!({ "networks": self.entries })).expect("plain data");
        let torch = pytorch::SCORES.trim_end();
        let reproduce = REPRODUCE
            .replace("@BACKEND@", keras::BACKEND.trim_end())
            .replace("@TORCH@", torch)
            .replace("@KERAS@", keras::SCORES.trim_end());
        let mut readme = README.to_owned();
        if !self.left_out.is_empty() {
            let names = self.left_out.iter().map(|name| format!("- `{name}`\n"));
            readme.push_str(&LEFT_OUT.replace("@NAMES@", &names.collect::<String>()));
        }
        vec![
            File::new("networks.json", facts + "\n"),
            File::new("images.py", IMAGES.replace("@READING@", READING.trim_end())),
            File::new("reproduce.py", reproduce),
            File::new("train.py", TRAIN.replace("@TORCH@", torch)),
            File::new("requirements.txt", REQUIREMENTS),
            File::new("README.md", readme),
        ]
    }
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
