//! Folders that do not hold what they should: every message says what happened, to what, and what to do.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use inkling_data::{DataError, Sources, catalogue, load};
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
        load(name, &self.sources()).expect_err("no real set")
    }

    fn sources(&self) -> Sources<'static> {
        Sources::new(Some(self.path.clone()))
    }

    /// A folder with MNIST's own files, as they are published.
    fn of_mnist() -> Self {
        let folder = Self::new();
        for name in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
            fs::remove_file(folder.path.join(name)).unwrap();
            folder.put(
                &format!("{name}.gz"),
                &fs::read(project_data("mnist").join(format!("{name}.gz"))).unwrap(),
            );
        }
        folder
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
    let folder = Folder::of_mnist();
    folder.put(&format!("{TEST_LABELS}.gz"), &gzip(&labels(&[3; 10_000])));
    let error = folder.load("mnist");
    let message = error.to_string();
    assert!(message.contains("is not MNIST's t10k-labels-idx1-ubyte: the SHA-256"), "{message}");
    assert!(
        message.contains("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        "{message}"
    );
    let help = error.help().unwrap().to_string();
    assert!(
        help.contains("another set of the same form") && help.contains("inkling data fetch mnist"),
        "{help}"
    );
}

#[test]
fn a_sound_set_that_is_another_one_or_a_part_is_named_for_what_it_is() {
    for (name, bytes, words) in [
        // More than the set has, fewer, and what EMNIST has.
        (
            TRAIN_IMAGES,
            images(3),
            "holds 3 images of 28×28, and MNIST's train-images-idx3-ubyte holds 60000 images",
        ),
        (
            TEST_LABELS,
            gzip(&labels(&[1; 18_800])),
            "holds 18800 labels, and MNIST's t10k-labels-idx1-ubyte holds 10000",
        ),
        (TRAIN_LABELS, idx(&[697_932], &[7; 697_932]), "holds 697932 labels, and MNIST's"),
    ] {
        let message = Folder::with(name, &bytes);
        assert!(message.contains(words), "{message}");
    }
    let help = Folder::new().load("mnist").help().unwrap().to_string();
    assert!(help.contains("the file is valid") && help.contains("data.train_images"), "{help}");
}

#[test]
fn a_file_of_another_kind_is_named_for_what_it_is() {
    let large = |start: &[u8]| [start, &[7; 20_000]].concat();
    for (bytes, words) in [
        (b"".to_vec(), "it is an empty file"),
        (gzip(b""), "it is an empty file"),
        (b"<html>Please log in</html>".to_vec(), "it is an HTML page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n".to_vec(),
            "a pointer of Git LFS",
        ),
        (
            large(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.npy"),
            "a NumPy archive (NPZ)",
        ),
        (large(b"\x89PNG\r\n\x1a\n"), "it is a PNG picture"),
        (gzip(&large(b"\x93NUMPY")), "it is a NumPy array"),
        (b"5,0,0,0,0\n".repeat(3000), "comma-separated values"),
    ] {
        let message = Folder::with(TEST_LABELS, &bytes);
        assert!(message.contains("is not a valid IDX file: ") && message.contains(words), "{message}");
    }
}

#[test]
fn no_help_asks_a_person_to_remove_a_file_of_their_own() {
    let compressed = gzip(&images(3));
    for bytes in [&compressed[..30], b"PK\x03\x04", b"", &images(3), &idx(&[3, 14, 14], &[0; 588])] {
        let folder = Folder::new();
        folder.put(TRAIN_IMAGES, bytes);
        let help = folder.load("mnist").help().unwrap().to_string();
        assert!(!["remove", "delete", "replace"].iter().any(|word| help.contains(word)), "{help}");
    }
}

#[test]
fn padded_raw_and_split_files_under_any_usual_name_are_the_set() {
    let folder = Folder::of_mnist();
    let read = |name: &str| fs::read(folder.path.join(format!("{name}.gz"))).unwrap();
    let content = |name: &str| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(read(name).as_slice()), &mut bytes)
            .unwrap();
        bytes
    };
    // Zeros after the stream; several streams; raw under the name of compressed, and the other way about.
    folder.put(&format!("{TEST_LABELS}.gz"), &[read(TEST_LABELS), vec![0; 1000]].concat());
    let (raw, compressed) = (content(TRAIN_LABELS), read(TEST_IMAGES));
    folder.put(&format!("{TRAIN_LABELS}.gz"), &[gzip(&raw[..999]), gzip(&raw[999..])].concat());
    fs::remove_file(folder.path.join(format!("{TEST_IMAGES}.gz"))).unwrap();
    folder.put("t10k-images.idx3-ubyte", &compressed);
    assert_eq!(load("mnist", &folder.sources()).unwrap().test.len(), 10_000);
    folder.put(&format!("{TRAIN_LABELS}.gz"), &raw);
    assert_eq!(load("mnist", &folder.sources()).unwrap().train.len(), 60_000);

    folder.put(&format!("{TRAIN_LABELS}.gz"), &[raw, vec![0; 1000]].concat());
    assert_eq!(load("mnist", &folder.sources()).unwrap().train.len(), 60_000);

    let message = Folder::with(TEST_LABELS, &[gzip(&labels(&[1, 2])), b"and more".to_vec()].concat());
    assert!(message.contains("after the end of its gzip stream come other bytes"), "{message}");
}

#[test]
fn torchvisions_folders_are_found() {
    let holder = TempDir::new().unwrap();
    for (set, folder) in [("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST/raw")] {
        let raw = holder.path().join(folder);
        fs::create_dir_all(&raw).unwrap();
        for name in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
            fs::copy(project_data(set).join(format!("{name}.gz")), raw.join(format!("{name}.gz"))).unwrap();
        }
        // The folder that holds both, the set's own, and the one with the files.
        for given in [holder.path().to_owned(), raw.parent().unwrap().to_owned(), raw.clone()] {
            let sources = Sources::new(Some(given));
            let found = sources.survey(catalogue::find(set).unwrap()).unwrap().unwrap();
            assert_eq!((found.folder, found.holds.map(|set| set.name)), (raw.clone(), None));
        }
    }
    // Among the files of one set there is none of the other.
    let raw = Sources::new(Some(holder.path().join("MNIST/raw")));
    assert!(raw.survey(catalogue::find("fashion-mnist").unwrap()).unwrap().is_none());
}

#[test]
fn a_folder_that_is_none_is_told_and_so_is_one_without_sets() {
    let folder = Folder::new();
    let mnist = catalogue::find("mnist").unwrap();
    for (given, problem) in [("gone", "No such file"), (TRAIN_LABELS, "Not a directory")] {
        let sources = Sources::new(Some(folder.path.join(given)));
        let error = sources.survey(mnist).err().unwrap();
        assert!(error.is_io() && error.to_string().starts_with("cannot look for data sets in `"), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(problem), "{source}");
    }
    fs::create_dir(folder.path.join("empty")).unwrap();
    let sources = Sources::new(Some(folder.path.join("empty")));
    assert!(sources.survey(mnist).unwrap().is_none());
    let none = sources.none().to_string();
    assert!(none.contains("there is no mnist or fashion-mnist"), "{none}");
    // A part of a set is not none of it.
    fs::remove_file(folder.path.join(TEST_LABELS)).unwrap();
    let part = Sources::new(Some(folder.path.clone())).survey(mnist).err().unwrap();
    assert!(part.to_string().starts_with("cannot find MNIST's t10k-labels-idx1-ubyte"), "{part}");
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
    let message = Folder::with(TEST_LABELS, &[0x12, 0x34, 0xff, 0xfe, 0]);
    assert!(message.contains("wrong magic number 0x1234fffe"), "{message}");
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
    assert!(message.ends_with("holds f32 of shape [2]; u8 in 1 dimension are expected"), "{message}");

    let message = Folder::with(TEST_IMAGES, &idx(&[2, 14, 14], &[0; 392]));
    assert!(message.ends_with("holds images of 14×14; images of 28×28 are expected"), "{message}");
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
    let words = "this is MNIST's t10k-labels-idx1-ubyte, under the name of its train-labels-idx1-ubyte";
    assert!(message.contains(words), "{message}");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_an_input_error() {
    // A device that exists and fails on its first read, whoever asks.
    let broken = Path::new("/proc/self/mem");
    if !broken.exists() {
        // Continuous integration sets this where the system has what a test needs.
        assert!(std::env::var_os("INKLING_MUST_MOUNT").is_none(), "there is no {}", broken.display());
        std::io::stderr().write_all(b"skipped: there is no file that fails on its first read\n").unwrap();
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
