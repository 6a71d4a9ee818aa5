//! Folders that do not hold what they should: every message says what happened, to what, and what to do.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use inkling_data::{DataError, Sources, load};
use miette::Diagnostic;
use tempfile::TempDir;

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn idx(sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, u8::try_from(sizes.len()).unwrap()];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(body);
    bytes
}

fn images(count: u32) -> Vec<u8> {
    idx(&[count, 28, 28], &vec![3; count as usize * 784])
}

fn labels(labels: &[u8]) -> Vec<u8> {
    idx(&[u32::try_from(labels.len()).unwrap()], labels)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A small set, sound in itself, in a folder whose path has spaces and letters beyond ASCII.
struct Folder {
    path: PathBuf,
    _holder: TempDir,
}

impl Folder {
    fn new() -> Self {
        let holder = TempDir::new().unwrap();
        let path = holder.path().join("Daten für Übung 数据");
        fs::create_dir(&path).unwrap();
        let folder = Self { path, _holder: holder };
        folder.put(TRAIN_IMAGES, &images(3));
        folder.put(TRAIN_LABELS, &labels(&[0, 9, 4]));
        folder.put(TEST_IMAGES, &images(2));
        folder.put(TEST_LABELS, &labels(&[1, 2]));
        folder
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path.join(name), bytes).unwrap();
    }

    /// Replaces one file, loads the folder as MNIST and gives back the error, which blames the bytes.
    fn with(name: &str, bytes: &[u8]) -> String {
        let folder = Self::new();
        folder.put(name, bytes);
        let error = folder.load("mnist");
        assert!(!error.is_io(), "{error}");
        assert!(error.help().is_some());
        let message = error.to_string();
        assert!(message.contains(&*folder.path.join(name).to_string_lossy()), "{message}");
        message
    }

    fn load(&self, name: &str) -> DataError {
        load(name, &Sources::new(Some(self.path.clone()))).expect_err("no real set")
    }
}

#[test]
fn an_unknown_set_lists_those_that_exist() {
    let error = load("fashion_mnist", &Sources::new(None)).unwrap_err();
    assert_eq!(error.to_string(), "there is no data set 'fashion_mnist'; the sets are: mnist, fashion-mnist");
    assert_eq!(error.help().unwrap().to_string(), "did you mean 'fashion-mnist'?");
    assert!(!error.is_io());
}

#[test]
fn a_missing_file_says_where_it_was_looked_for() {
    let folder = Folder::new();
    fs::remove_file(folder.path.join(TEST_LABELS)).unwrap();
    let error = folder.load("mnist");
    let message = error.to_string();
    assert!(error.is_io());
    assert!(message.starts_with("cannot find MNIST's t10k-labels-idx1-ubyte; looked"), "{message}");
    for looked in [folder.path.join("mnist"), folder.path.clone()] {
        assert!(message.contains(&format!("\n  {}", looked.display())), "{message}");
    }
}

#[test]
fn a_missing_folder_lists_all_files() {
    let message = load("mnist", &Sources::new(Some("no such folder".into()))).unwrap_err().to_string();
    for name in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn sound_files_that_are_nobodys_have_the_wrong_checksum() {
    let message = Folder::with(TRAIN_IMAGES, &images(3));
    assert!(message.contains("is not MNIST's train-images-idx3-ubyte: the SHA-256"), "{message}");
    assert!(
        message.contains("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        "{message}"
    );
}

#[test]
fn a_truncated_gzip_stream_is_named() {
    let compressed = gzip(&images(3));
    let message = Folder::with(TRAIN_IMAGES, &compressed[..compressed.len() - 9]);
    assert!(message.contains("the gzip stream is cut short"), "{message}");
}

#[test]
fn a_damaged_gzip_stream_is_named() {
    let mut compressed = gzip(&images(3));
    let crc = compressed.len() - 8;
    compressed[crc] ^= 1;
    let message = Folder::with(TRAIN_IMAGES, &compressed);
    assert!(message.contains("the gzip stream is damaged"), "{message}");
}

#[test]
fn a_wrong_magic_number_is_shown() {
    let message = Folder::with(TEST_LABELS, b"<html>Please log in</html>");
    assert!(message.contains("wrong magic number 0x3c68746d (an HTML or XML page?)"), "{message}");
}

#[test]
fn a_header_that_claims_too_much_is_refused() {
    let message = Folder::with(TRAIN_IMAGES, &idx(&[u32::MAX, u32::MAX, 28], &[0; 784]));
    let expected =
        "the header claims [4294967295, 4294967295, 28] elements of 1 bytes and the file holds 784 bytes";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn bytes_after_the_last_element_are_refused() {
    let message = Folder::with(TEST_LABELS, &[labels(&[1, 2]), vec![0, 0]].concat());
    assert!(message.contains("2 bytes follow the last of the [2] elements"), "{message}");
}

#[test]
fn a_file_longer_than_the_real_one_is_not_read_to_its_end() {
    let message = Folder::with(TEST_LABELS, &gzip(&vec![0; 1 << 20]));
    assert!(message.contains("it holds more than the 10008 bytes expected"), "{message}");
}

#[test]
fn counts_that_differ_are_both_given() {
    let message = Folder::with(TRAIN_LABELS, &labels(&[1, 2]));
    assert!(message.contains("train-images-idx3-ubyte holds 3 images and "), "{message}");
    assert!(message.ends_with("train-labels-idx1-ubyte holds 2 labels"), "{message}");
}

#[test]
fn a_label_out_of_range_has_its_index() {
    let message = Folder::with(TRAIN_LABELS, &labels(&[0, 9, 10]));
    assert!(message.starts_with("label 2 of "), "{message}");
    assert!(message.ends_with(" is 10; the 10 classes are numbered from 0 to 9"), "{message}");
}

#[test]
fn arrays_of_another_kind_are_described() {
    let mut floats = vec![0, 0, 0x0d, 1, 0, 0, 0, 2];
    floats.extend([0; 8]);
    let message = Folder::with(TEST_LABELS, &floats);
    assert!(message.ends_with("holds f32 of shape [2], where u8 in 1 dimension are expected"), "{message}");

    let message = Folder::with(TEST_IMAGES, &idx(&[2, 14, 14], &[0; 392]));
    assert!(message.ends_with("holds images of 14×14, where images of 28×28 are expected"), "{message}");
}

fn project_data(set: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(set)
}

#[test]
fn the_wrong_set_is_told_by_its_checksum() {
    let folder = Folder::new();
    for name in [TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
        fs::remove_file(folder.path.join(name)).unwrap();
        fs::copy(
            project_data("fashion-mnist").join(format!("{name}.gz")),
            folder.path.join(format!("{name}.gz")),
        )
        .unwrap();
    }
    let error = folder.load("mnist");
    let message = error.to_string();
    assert!(!error.is_io());
    assert!(message.contains("train-labels-idx1-ubyte.gz: this is Fashion-MNIST, not MNIST"), "{message}");
}

#[test]
fn a_swapped_file_of_the_right_set_is_told_too() {
    let folder = Folder::new();
    let labels = fs::read(project_data("mnist").join(format!("{TEST_LABELS}.gz"))).unwrap();
    folder.put(TRAIN_LABELS, &labels);
    let message = folder.load("mnist").to_string();
    assert!(message.contains("its bytes are those of MNIST's t10k-labels-idx1-ubyte"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_an_input_error() {
    // A device that exists and fails on its first read, whoever asks.
    let broken = Path::new("/proc/self/mem");
    if !broken.exists() {
        return;
    }
    let folder = Folder::new();
    fs::remove_file(folder.path.join(TEST_LABELS)).unwrap();
    std::os::unix::fs::symlink(broken, folder.path.join(TEST_LABELS)).unwrap();
    let error = folder.load("mnist");
    assert!(error.is_io());
    assert!(error.to_string().starts_with("cannot read "), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}
