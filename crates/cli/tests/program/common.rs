//! What the program's tests share: running it, and data folders to run it on.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// The program, kept from colours, from the person's cache and from line breaks in the middle of a message.
pub(crate) fn inkling() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inkling"));
    command.env("NO_COLOR", "1").env("INKLING_CACHE", "/nonexistent").env_remove("RUST_BACKTRACE");
    command
}

/// A finished process: exit code, standard output, and standard error with its line breaks and margins folded.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn done(output: &Output) -> Done {
    let stderr = String::from_utf8_lossy(&output.stderr).replace(['│', '╰', '╭', '─'], " ");
    Done {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: stderr.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// Runs the program in `folder`.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Done {
    done(&inkling().current_dir(folder).args(arguments).output().unwrap())
}

/// Starts a long study in `folder` and waits until it holds `folder/out`.
pub(crate) fn hold(folder: &Path, environment: &[(&str, &OsStr)]) -> Child {
    let mut command = inkling();
    command.current_dir(folder).args(["study", "brief", "--only", "perceptron", "--threads", "1"]);
    let mut holder = command.envs(environment.iter().copied()).stderr(Stdio::null()).spawn().unwrap();
    while !folder.join("out/study.json").exists() {
        assert!(holder.try_wait().unwrap().is_none(), "the holder ended before it began");
        std::thread::sleep(Duration::from_millis(10));
    }
    holder
}

impl Done {
    /// Asserts the exit code and that the message holds each of these words in this order.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        let mut rest = self.stderr.as_str();
        for word in words {
            let at = rest.find(word).unwrap_or_else(|| panic!("no {word:?} in {:?}", self.stderr));
            rest = &rest[at + word.len()..];
        }
    }
}

/// The project's own data folder.
pub(crate) fn project_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("data")
}

pub(crate) const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// A copy of MNIST's files in `folder/mnist`.
pub(crate) fn copy_of_mnist(folder: &Path) -> PathBuf {
    let target = folder.join("mnist");
    fs::create_dir_all(&target).unwrap();
    for file in FILES {
        let name = format!("{file}.gz");
        fs::copy(project_data().join("mnist").join(&name), target.join(&name)).unwrap();
    }
    target
}

/// An IDX file of bytes.
pub(crate) fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    for size in shape {
        bytes.extend(size.to_be_bytes());
    }
    bytes.extend(values);
    bytes
}

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Changes a document as a program would that writes other contents: the checksum is right.
pub(crate) fn change_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = inkling_store::read_json(path).unwrap().unwrap();
    change(&mut value);
    fs::write(path, inkling_store::sealed_json(&value)).unwrap();
}

/// Says that a test cannot be done on this machine; under `INKLING_MUST_MOUNT`, which continuous integration sets, that is
/// a failure.
#[track_caller]
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("INKLING_MUST_MOUNT").is_none(), "{why}");
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}
