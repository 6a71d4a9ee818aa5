//! Sets by name: found in folders as people have them, read from archives, refused where a byte differs.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::*;
use crate::import::{Imported, Request, import};

/// An IDX file of bytes.
fn idx_file(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(bytes);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Names and contents of the files of a set in IDX: two classes, six images of 2 × 3 a part.
fn files(names: [&str; 4]) -> Vec<(String, Vec<u8>)> {
    let pixels: Vec<u8> = (0..36).collect();
    let images = gzip(&idx_file(&[6, 2, 3], &pixels));
    let labels = gzip(&idx_file(&[6], &[0, 1, 0, 1, 0, 1]));
    let contents = [images.clone(), labels.clone(), images, labels];
    names.iter().map(|name| (*name).to_owned()).zip(contents).collect()
}

fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in files {
        let path = format!("gzip/{name}");
        let (mut entry, config) =
            archive.new_file(&path).compression_method(CompressionMethod::STORE).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(bytes).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

fn tar_gz(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), bytes.as_slice()).unwrap();
    }
    gzip(&archive.into_inner().unwrap())
}

fn named(name: &str) -> PublishedSet {
    published().into_iter().find(|set| set.name == name).unwrap()
}

fn read(name: &str, place: &Path) -> Result<Imported, ImportError> {
    let request = Request { places: vec![place.to_owned()], ..Request::default() };
    import(Path::new(name), &request, &|_, _| {})
}

const KMNIST: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

const LETTERS: [&str; 4] = [
    "emnist-letters-train-images-idx3-ubyte.gz",
    "emnist-letters-train-labels-idx1-ubyte.gz",
    "emnist-letters-test-images-idx3-ubyte.gz",
    "emnist-letters-test-labels-idx1-ubyte.gz",
];

#[test]
fn every_set_is_told_apart_and_has_checksums() {
    let sets = published();
    for (number, set) in sets.iter().enumerate() {
        assert!(sets[..number].iter().all(|other| other.name != set.name && other.title != set.title));
        assert!(crate::catalogue::find(&set.name).is_err(), "{} is in the catalogue", set.name);
        assert!(!set.files.is_empty() && !set.origin.is_empty() && !set.licence.is_empty());
        for (_, md5) in &set.files {
            assert!(md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", set.name);
        }
    }
}

#[test]
fn checksums_are_those_of_rfc_1321() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abc");
    fs::write(&path, "abc").unwrap();
    assert_eq!(checksum(&path).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn a_path_wins_over_a_name_and_a_set_that_is_nowhere_is_told_where_to_get() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(published_set(Path::new("kmnist")).map(|set| set.title), Some("KMNIST".into()));
    assert_eq!(published_set(place.path()), None);
    let error = read("bloodmnist", place.path()).unwrap_err();
    let told = format!("{error} {}", miette::Diagnostic::help(&error).unwrap());
    for words in ["BloodMNIST", "lies in none of these folders", "bloodmnist.npz", "zenodo", "data/medmnist"]
    {
        assert!(told.contains(words), "no {words:?} in {told}");
    }
}

#[test]
fn a_file_with_another_checksum_is_refused_and_an_unpacked_one_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("KMNIST/raw");
    fs::create_dir_all(&folder).unwrap();
    // In a folder of another name lies another set under the same names.
    fs::create_dir_all(place.path().join("mnist")).unwrap();
    for (name, bytes) in files(KMNIST) {
        fs::write(place.path().join("mnist").join(&name), &bytes).unwrap();
        fs::write(folder.join(&name), &bytes).unwrap();
    }
    let error = read("kmnist", place.path()).unwrap_err().to_string();
    assert!(
        error.contains("KMNIST/raw") && error.contains("is not the file that was published of KMNIST"),
        "{error}"
    );
    for name in KMNIST {
        let packed = folder.join(name);
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(File::open(&packed).unwrap()).read_to_end(&mut bytes).unwrap();
        fs::write(packed.with_extension(""), bytes).unwrap();
        fs::remove_file(packed).unwrap();
    }
    let set = read("kmnist", place.path()).unwrap();
    assert_eq!((set.name.as_str(), &set.classes[..]), ("KMNIST", &["ki".to_owned(), "o".into()][..]));
    assert!(set.notes.iter().any(|note| note.contains("No checksum was published")), "{:?}", set.notes);
}

#[test]
fn files_with_the_published_checksums_are_told_to_be_so() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("kmnist")).unwrap();
    let mut set = named("kmnist");
    for ((name, bytes), file) in files(KMNIST).into_iter().zip(&mut set.files) {
        let path = place.path().join("kmnist").join(name);
        fs::write(&path, bytes).unwrap();
        file.1 = Box::leak(checksum(&path).unwrap().into_boxed_str());
    }
    let mut notes = Vec::new();
    let parts = set.read(&[place.path().to_owned()], &mut notes).unwrap();
    assert_eq!((parts.len(), &parts[0].names[..]), (2, &["o".to_owned(), "ki".into()][..]));
    assert!(notes[0].starts_with("These are the files of KMNIST as published"), "{notes:?}");
}

#[test]
fn a_split_is_found_among_all_of_them_and_in_their_archive() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("EMNIST");
    fs::create_dir(&folder).unwrap();
    let mut all = files(LETTERS);
    all.push(("emnist-letters-mapping.txt".into(), b"0 65 97\n1 66 98\n".to_vec()));
    all.extend(files(
        LETTERS.map(|name| Box::leak(name.replace("letters", "digits").into_boxed_str()) as &str),
    ));
    let write = |(name, bytes): &(String, Vec<u8>)| fs::write(folder.join(name), bytes).unwrap();
    all.iter().for_each(write);
    // Two sets in a folder are ambiguous until one is named.
    let error = import(&folder, &Request::default(), &|_, _| {}).unwrap_err();
    assert!(miette::Diagnostic::help(&error).unwrap().to_string().contains("emnist-letters"));
    let unpacked = read("emnist-letters", place.path()).unwrap();
    assert_eq!(unpacked.classes, ["A", "B"]);
    // Images of 2 × 3 that lie on their sides.
    assert_eq!((unpacked.train.images.height, unpacked.train.images.width), (3, 2));

    let other = tempfile::tempdir().unwrap();
    let archive = other.path().join("gzip.zip");
    fs::write(&archive, zip(&all)).unwrap();
    let mut set = named("emnist-letters");
    let error = read("emnist-letters", other.path()).unwrap_err().to_string();
    assert!(error.contains("MD5"), "{error}");
    set.files[0].1 = Box::leak(checksum(&archive).unwrap().into_boxed_str());
    let parts = set.read(&[other.path().to_owned()], &mut Vec::new()).unwrap();
    assert_eq!(parts[0].names, ["A", "B"]);
    assert_eq!(parts[0].images.pixels, (0..36).collect::<Vec<u8>>());
}

#[test]
fn an_archive_of_cifar_is_read_as_its_folder_is() {
    let record = |label: u8| std::iter::once(label).chain((0..3072).map(|i| (i % 251) as u8));
    let batch: Vec<u8> = [0, 1, 0, 1].into_iter().flat_map(record).collect();
    let members = [
        ("data_batch_1.bin", batch.clone()),
        ("test_batch.bin", batch),
        ("batches.meta.txt", b"airplane\nautomobile\n".to_vec()),
        ("readme.html", b"<html>".to_vec()),
    ];
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("cifar-10-batches-bin");
    fs::create_dir(&folder).unwrap();
    members.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
    let unpacked = read("cifar-10", place.path()).unwrap();
    assert!(read("cifar-100", place.path()).is_err());
    let elsewhere = tempfile::tempdir().unwrap();
    let archive = elsewhere.path().join("cifar-10-binary.tar.gz");
    fs::write(&archive, tar_gz(&members)).unwrap();
    let packed = import(&archive, &Request::default(), &|_, _| {}).unwrap();
    assert_eq!(packed.checksum(), unpacked.checksum());
    assert_eq!(packed.classes, ["airplane", "automobile"]);
    let whole = fs::read(&archive).unwrap();
    fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    let error = import(&archive, &Request::default(), &|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("is no sound .tar.gz archive"), "{error}");
}
