//! Tables as other programs write them (`tests/parquet/make.py`), and tables that are damaged or lie.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::thrift::Value;
use crate::import::{Imported, Request, describe, import, is_source};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet").join(name)
}

fn read(source: &Path) -> Result<Imported, String> {
    import(source, &Request::default(), &|_, _| {}).map_err(|error| {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        assert!(!help.is_empty(), "{error} has no help");
        format!("{error}; {help}")
    })
}

/// What is wrong with a file of these bytes.
fn wrong(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parquet");
    fs::write(&path, bytes).unwrap();
    read(&path).expect_err("a table that is damaged")
}

/// Images with the names of their classes in an order of their own.
fn content(set: &Imported) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for part in [&set.train, &set.test] {
        for image in 0..part.len() {
            let class = set.classes[usize::from(part.labels[image])].clone();
            all.push((class, part.images.image(image).to_vec()));
        }
    }
    all.sort();
    all
}

const NAMES: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

#[test]
fn tables_of_every_writer_hold_the_same_images() {
    // The images as the IDX files have them, from which the tables were made.
    let mnist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
    let whole = read(&mnist).unwrap();
    let first = read(&fixture("snappy.parquet")).unwrap();
    assert_eq!((first.train.len(), first.test.len(), first.drawn), (20, 10, true));
    assert_eq!(
        (first.train.images.height, first.train.images.width, first.train.images.channels),
        (28, 28, 1)
    );
    assert_eq!(first.classes, whole.classes);
    let known: std::collections::HashSet<(String, Vec<u8>)> = content(&whole).into_iter().collect();
    assert!(content(&first).iter().all(|image| known.contains(image)));
    for name in ["gzip", "zstd", "none", "delta"] {
        let path = fixture(&format!("{name}.parquet"));
        assert!(is_source(&path));
        assert_eq!(read(&path).unwrap().checksum(), first.checksum(), "{name}");
    }
    let mut named = content(&first);
    named.iter_mut().for_each(|(class, _)| *class = NAMES[class.parse::<usize>().unwrap()].to_owned());
    named.sort();
    for name in ["names.parquet", "shards", "shards/mnist"] {
        let set = read(&fixture(name)).unwrap();
        assert!(is_source(&fixture(name)));
        assert_eq!((content(&set), set.notes.len()), (named.clone(), 0), "{name}");
        assert_eq!((set.train.len(), set.test.len()), (20, 10));
        assert_eq!(set.drawn, name == "names.parquet");
        assert_eq!(describe(&set).test, [1; 10]);
    }
}

#[test]
fn images_get_the_size_and_the_turn_that_are_asked_for() {
    let asked = Request { size: Some([14, 20]), channels: Some(3), ..Request::default() };
    let set = import(&fixture("none.parquet"), &asked, &|_, _| {}).unwrap();
    assert_eq!((set.train.images.height, set.train.images.width, set.train.images.channels), (14, 20, 3));
    let turned = Request { transposed: true, ..Request::default() };
    let [plain, turned] = [Request::default(), turned]
        .map(|request| import(&fixture("none.parquet"), &request, &|_, _| {}).unwrap().train.images);
    let pixel = |place: usize| 28 * (place % 28) + place / 28;
    assert!((0..784).all(|place| plain.image(3)[place] == turned.image(3)[pixel(place)]));
    // One file may hold the test images of another.
    let test = Request { test: Some(fixture("gzip.parquet")), ..Request::default() };
    let set = import(&fixture("zstd.parquet"), &test, &|_, _| {}).unwrap();
    assert_eq!((set.train.len(), set.test.len(), set.drawn), (30, 30, false));
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let count = |_, all| {
        assert_eq!(all, 30);
        seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    };
    import(&fixture("names.parquet"), &Request::default(), &count).unwrap();
    assert_eq!(seen.into_inner(), 30);
}

/// A folder with the files of the two shards and the test images, under other names.
fn folder(names: [&str; 3]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = ["train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"];
    for (from, name) in from.into_iter().zip(names) {
        let to = folder.path().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(fixture(&format!("shards/mnist/{from}.parquet")), to).unwrap();
    }
    folder
}

#[test]
fn folders_are_read_as_they_are_laid_out() {
    for names in [
        ["train-0.parquet", "train-1.parquet", "test.parquet"],
        [
            "data/train-00000-of-00002-abc.parquet",
            "data/train-00001-of-00002-abc.parquet",
            "data/test.parquet",
        ],
        ["default/train/0000.parquet", "default/train/0001.parquet", "default/test/0000.parquet"],
        ["mnist_train_1.parquet", "mnist_train_2.parquet", "mnist_test.PARQUET"],
    ] {
        let folder = folder(names);
        let set = read(folder.path()).unwrap();
        assert_eq!((set.train.len(), set.test.len(), set.drawn), (20, 10, false), "{names:?}");
    }
    let others = folder(["train-0.parquet", "train-1.parquet", "extra.parquet"]);
    let set = read(others.path()).unwrap();
    assert!(set.drawn && set.notes[0].contains("extra.parquet` says no part"), "{:?}", set.notes);
    let validated = folder(["train-0.parquet", "validation-0.parquet", "test-0.parquet"]);
    assert_eq!(read(validated.path()).unwrap().validation.unwrap().len(), 10);
    let gap = folder(["train-00000-of-00003.parquet", "train-00002-of-00003.parquet", "test.parquet"]);
    let told = read(gap.path()).unwrap_err();
    assert!(
        told.contains("00000-of-00003.parquet` is one of 3, and the one with the number 1 is missing"),
        "{told}"
    );
    let two = folder(["a/train.parquet", "b/train.parquet", "b/test.parquet"]);
    let told = read(two.path()).unwrap_err();
    assert!(told.contains("Parquet files of a set in") && told.contains("name the one folder"), "{told}");
    let none = folder(["a.parquet", "b.parquet", "test.parquet"]);
    assert!(!is_source(none.path()) && read(none.path()).is_err());
}

#[test]
fn files_that_are_no_sound_tables_are_refused() {
    let good = fs::read(fixture("snappy.parquet")).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        wrong(&bytes)
    };
    let end = good.len();
    for (problem, told) in [
        ("is an empty file, and no Parquet file", wrong(b"")),
        ("is a PNG picture, and no Parquet file", wrong(b"\x89PNG\r\n\x1a\n")),
        ("is cut short", wrong(b"PAR1")),
        ("is cut short", wrong(&good[..end / 2])),
        ("is encrypted; write the file without", with(&|bytes| bytes[..4].copy_from_slice(b"PARE"))),
        ("larger than the file", with(&|bytes| bytes[end - 8..end - 4].fill(0xff))),
        ("describes no table", with(&|bytes| bytes[end - 8..end - 4].copy_from_slice(&[1, 0, 0, 0]))),
        ("has damaged or missing pages", with(&|bytes| drop(bytes.drain(4..50)))),
    ] {
        assert!(told.contains(problem), "expected `{problem}` in: {told}");
    }
}

/// A table with this footer and these pages of images, of which there is one column of bytes, beside labels that are all 0.
fn table(pages: &[u8], codec: i64, rows: i64) -> Vec<u8> {
    let text = |text: &'static str| Value::Bytes(text.as_bytes());
    let number = Value::Integer;
    let structure = Value::Structure;
    let leaf = |name, kind| structure(vec![(1, number(kind)), (3, number(0)), (4, text(name))]);
    let chunk = |kind: i64, codec: i64, start: usize, length: usize| {
        let about =
            [(1, number(kind)), (4, number(codec)), (7, number(length as i64)), (9, number(start as i64))];
        structure(vec![(3, structure(about.into()))])
    };
    let mut bytes = [b"PAR1", pages].concat();
    let labels = bytes.len();
    // A page of places in a dictionary of one label, in one run.
    let mut run = vec![1];
    write_number(rows.cast_unsigned() << 1, &mut run);
    run.push(0);
    bytes.extend(page(2, 8, 8, vec![(7, structure(vec![(1, number(1)), (2, number(0))]))]));
    bytes.extend([0; 8]);
    bytes.extend(page(
        0,
        run.len(),
        run.len(),
        vec![(5, structure(vec![(1, number(rows)), (2, number(8))]))],
    ));
    bytes.extend(run);
    let columns = vec![chunk(6, codec, 4, pages.len()), chunk(2, 0, labels, bytes.len() - labels)];
    let schema = structure(vec![(4, text("schema")), (5, number(2))]);
    let footer = structure(vec![
        (2, Value::List(vec![schema, leaf("image", 6), leaf("label", 2)])),
        (4, Value::List(vec![structure(vec![(1, Value::List(columns)), (3, number(rows))])])),
    ]);
    let start = bytes.len();
    write(&footer, &mut bytes);
    let length = (bytes.len() - start) as u32;
    bytes.extend(length.to_le_bytes());
    bytes.extend(b"PAR1");
    bytes
}

/// The header of a page of a kind, with its sizes unpacked and packed.
fn page(kind: i64, size: usize, packed: usize, about: Vec<(i16, Value<'static>)>) -> Vec<u8> {
    let sizes = [kind, size as i64, packed as i64].map(Value::Integer);
    let mut fields: Vec<(i16, Value)> = (1..).zip(sizes).collect();
    fields.extend(about);
    let mut bytes = Vec::new();
    write(&Value::Structure(fields), &mut bytes);
    bytes
}

fn values(rows: i64, encoding: i64) -> Vec<(i16, Value<'static>)> {
    vec![(5, Value::Structure(vec![(1, Value::Integer(rows)), (2, Value::Integer(encoding))]))]
}

fn write_number(mut value: u64, bytes: &mut Vec<u8>) {
    while value > 127 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Thrift's compact protocol, as far as [`table`] needs it.
fn write(value: &Value, bytes: &mut Vec<u8>) {
    let kind = |value: &Value| match value {
        Value::Integer(_) => 6,
        Value::Bytes(_) => 8,
        Value::List(_) => 9,
        _ => 12,
    };
    match value {
        Value::Integer(value) => write_number((value << 1 ^ (value >> 63)).cast_unsigned(), bytes),
        Value::Bytes(text) => {
            write_number(text.len() as u64, bytes);
            bytes.extend(*text);
        }
        Value::List(values) => {
            bytes.push((values.len() as u8) << 4 | 12);
            values.iter().for_each(|value| write(value, bytes));
        }
        Value::Structure(fields) => {
            let mut last = 0;
            for (number, value) in fields {
                bytes.push(((number - last) as u8) << 4 | kind(value));
                write(value, bytes);
                last = *number;
            }
            bytes.push(0);
        }
        Value::Bool(_) | Value::Double => unreachable!("no table here has these"),
    }
}

#[test]
fn sizes_that_lie_ask_for_no_memory() {
    // A page that says that it has two gigabytes or more rows than there are, and rows without pages.
    let mut snappy = page(0, i32::MAX as usize, 9, values(2, 0));
    snappy.extend([0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0, 0]);
    let zeros = [0; 9];
    let plain = |size, rows, encoding| [page(0, size, 9, values(rows, encoding)), zeros.to_vec()].concat();
    // Twice the first value of a dictionary that is not there.
    let place = [page(0, 3, 3, values(2, 8)), vec![1, 4, 0]].concat();
    let gzip = [page(0, 1 << 30, 9, values(2, 0)), zeros.to_vec()].concat();
    let dictionary = |count| {
        [page(2, 9, 9, vec![(7, Value::Structure(vec![(1, Value::Integer(count))]))]), zeros.to_vec()]
            .concat()
    };
    for (problem, bytes) in [
        ("another size than it says", table(&snappy, 1, 2)),
        ("another size than it says", table(&plain(1 << 30, 2, 0), 0, 2)),
        ("has more than 4 GiB in a row group", table(&plain(5 << 30, 2, 0), 0, 2)),
        ("has a damaged page", table(&gzip, 2, 2)),
        ("has a damaged page", table(&gzip, 6, 2)),
        ("a page that is cut short", table(&page(0, 9, 1 << 40, values(2, 0)), 0, 2)),
        ("more rows in its pages than it says", table(&plain(9, 3, 0), 0, 2)),
        ("has a damaged page", table(&plain(9, 1 << 40, 0), 0, 2)),
        ("damaged or missing pages", table(&[], 0, 2_000_000)),
        ("has 2000001 rows", table(&[], 0, 2_000_001)),
        ("ends within a value", table(&plain(9, 2_000_000, 0), 0, 2_000_000)),
        ("a value that its dictionary does not have", table(&place, 0, 2)),
        ("a run of no numbers", table(&plain(9, 2, 8), 0, 2)),
        ("has a damaged page", table(&dictionary(1 << 40), 0, 2)),
        ("DELTA_BYTE_ARRAY, which is not read", table(&plain(9, 2, 7), 0, 2)),
        ("packed with LZ4, which is not read", table(&plain(9, 2, 0), 7, 2)),
        ("holds no image", table(&[], 0, 0)),
        ("in row 1 an image that is missing", table(&plain(9, 2, 0), 0, 2)),
    ] {
        let told = wrong(&bytes);
        assert!(told.contains(problem), "expected `{problem}` in: {told}");
    }
    // An image that is no image, and one that is empty; the second form of a page without packing.
    let form = |number| Value::Integer(number);
    let about = [(1, 1), (2, 0), (3, 1), (4, 0), (5, 0), (6, 0)].map(|(field, value)| (field, form(value)));
    let second =
        [page(3, 8, 8, vec![(8, Value::Structure(about.into()))]), b"\x04\0\0\0text".to_vec()].concat();
    let told = wrong(&table(&second, 0, 1));
    assert!(told.contains("in row 1 an image that is no image but"), "{told}");
}

#[test]
fn whatever_is_changed_nothing_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parquet");
    for name in ["snappy", "gzip", "zstd", "delta", "names"] {
        let good = fs::read(fixture(&format!("{name}.parquet"))).unwrap();
        let footer = u32::from_le_bytes(*good[good.len() - 8..].first_chunk().unwrap()) as usize;
        // The footer, the first page's header, and places everywhere.
        let everywhere = (0..good.len()).step_by(151);
        for place in (good.len() - 8 - footer..good.len()).step_by(5).chain(0..60).chain(everywhere) {
            let mut bytes = good.clone();
            bytes[place] ^= [1, 0x80, 0x10, 0xff][place % 4];
            fs::write(&path, bytes).unwrap();
            if let Ok(set) = read(&path) {
                assert_eq!(set.train.images.pixels.len(), set.train.len() * set.train.images.dim());
            }
        }
        for cut in (0..good.len()).step_by(501) {
            assert!(read_cut(&path, &good[..cut]).is_err(), "{name} of {cut} bytes");
        }
    }
}

fn read_cut(path: &Path, bytes: &[u8]) -> Result<Imported, String> {
    fs::write(path, bytes).unwrap();
    read(path)
}
