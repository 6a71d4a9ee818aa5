//! One set in every form, and sources that no set is in.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, GrayImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::TempDir;

use super::*;

const CLASSES: [&str; 3] = ["1", "2", "10"];
/// Images of each class.
const EACH: usize = 10;

/// A picture of 8 × 8 grey pixels that tells its class and its number.
fn picture(class: usize, number: usize) -> Vec<u8> {
    let pixel = |i: usize| if i % 8 == class { 255 } else { (17 + 5 * i + 11 * number) as u8 % 200 };
    (0..64).map(pixel).collect()
}

fn gray(pixels: Vec<u8>) -> DynamicImage {
    GrayImage::from_raw(8, 8, pixels).unwrap().into()
}

/// A folder with so many pictures of each class.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (class, name) in CLASSES.iter().enumerate() {
        put_class(&folder.path().join(name), class, 0..EACH);
    }
    folder
}

fn put_class(folder: &Path, class: usize, numbers: std::ops::Range<usize>) {
    fs::create_dir_all(folder).unwrap();
    for number in numbers {
        gray(picture(class, number)).save(folder.join(format!("{number}.png"))).unwrap();
    }
}

fn read(source: &Path, request: &Request) -> Result<Imported, String> {
    import(source, request, &|_, _| {}).map_err(|error| {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        assert!(!help.is_empty(), "{error} has no help");
        format!("{error}; {help}")
    })
}

/// What is wrong with a source.
fn wrong(source: &Path) -> String {
    match read(source, &Request::default()) {
        Ok(set) => panic!("{} was read, with {} images to train on", set.name, set.train.len()),
        Err(problem) => problem,
    }
}

/// The images of a part with the names of their classes, in an order that no draw changes.
fn content(part: &Samples, classes: &[String]) -> Vec<(String, Vec<u8>)> {
    let image = |i: usize| (classes[usize::from(part.labels[i])].clone(), part.images.image(i).to_vec());
    let mut all: Vec<_> = (0..part.len()).map(image).collect();
    all.sort();
    all
}

fn all(set: &Imported) -> Vec<(String, Vec<u8>)> {
    let mut all = [content(&set.train, &set.classes), content(&set.test, &set.classes)].concat();
    all.sort();
    all
}

fn expected() -> Vec<(String, Vec<u8>)> {
    let pictures =
        |class: usize| (0..EACH).map(move |number| (CLASSES[class].to_owned(), picture(class, number)));
    let mut all: Vec<_> = (0..3).flat_map(pictures).collect();
    all.sort();
    all
}

fn csv_lines(header: &str) -> String {
    let mut text = header.to_owned();
    for number in 0..EACH {
        for (class, name) in CLASSES.iter().enumerate() {
            let pixels: Vec<String> = picture(class, number).iter().map(u8::to_string).collect();
            text += &format!("{name},{}\n", pixels.join(","));
        }
    }
    text
}

fn write(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_set_is_the_same_from_a_folder_a_table_arrays_and_idx_files() {
    let request = Request::default();
    let set = read(folder().path(), &request).unwrap();
    assert_eq!(set.classes, ["1", "2", "10"]);
    assert_eq!((set.train.len(), set.test.len(), set.drawn), (24, 6, true));
    assert_eq!((set.train.images.height, set.train.images.channels), (8, 1));
    assert_eq!(all(&set), expected());
    assert_eq!(set.files[1].len(), 6);
    assert!(set.notes.is_empty(), "{:?}", set.notes);
    // Each part has each class in its share, and so has every beginning.
    assert_eq!(set.test.labels.iter().filter(|&&label| label == 2).count(), 2);
    assert_eq!(set.train.labels[..3].iter().collect::<std::collections::BTreeSet<_>>().len(), 3);

    let out = tempfile::tempdir().unwrap();
    let header: String = (0..64).map(|i| format!(",pixel{i}")).collect();
    for (name, header) in [("plain.csv", String::new()), ("named.csv", format!("label{header}\n"))] {
        let table = read(&write(&out, name, csv_lines(&header)), &request).unwrap();
        assert_eq!((all(&table), table.classes), (expected(), set.classes.clone()), "{name}");
        assert!(table.notes.is_empty(), "{:?}", table.notes);
    }
    // What is prepared and kept is read back as it was, with its parts and its classes.
    let file = write(&out, "kept.npz", write_npz(&set.clone().into()));
    let kept = read(&file, &Request { seed: 7, ..Request::default() }).unwrap();
    assert!(!kept.drawn);
    assert_eq!(kept.checksum(), set.checksum());
    // Prepared otherwise, the images are another set, and in an order of its own.
    let small = Request { size: Some([4, 4]), ..Request::default() };
    let [one, other] = [1, 2].map(|seed| read(&file, &Request { seed, ..small.clone() }).unwrap());
    assert_ne!(one.checksum(), other.checksum());
    for (part, samples) in [("train", &set.train), ("t10k", &set.test)] {
        let count = (samples.len() as u32).to_be_bytes();
        let images = [&[0, 0, 8, 3][..], &count, &[0, 0, 0, 8, 0, 0, 0, 8], &samples.images.pixels].concat();
        let names = samples.labels.iter().map(|&label| CLASSES[usize::from(label)].parse::<u8>().unwrap());
        let labels = [&[0, 0, 8, 1][..], &count, &names.collect::<Vec<_>>()].concat();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&labels).unwrap();
        fs::create_dir_all(out.path().join("set/MNIST/raw")).unwrap();
        write(&out, &format!("set/MNIST/raw/{part}-images.idx3-ubyte"), images);
        write(&out, &format!("set/MNIST/raw/{part}-labels.idx1-ubyte.gz"), packed.finish().unwrap());
    }
    let idx = read(&out.path().join("set"), &request).unwrap();
    assert_eq!((all(&idx), idx.drawn, idx.test.len()), (expected(), false, 6));
    assert_eq!(idx.checksum(), read(&out.path().join("set"), &request).unwrap().checksum());
    assert_ne!(idx.checksum(), set.checksum(), "other draws, other sets");
}

#[test]
fn parts_are_recognised_and_their_classes_joined_by_name() {
    let source = tempfile::tempdir().unwrap();
    for (part, numbers) in [("Train", 0..6), ("val", 6..8), ("test", 8..10)] {
        for (class, name) in CLASSES.iter().enumerate() {
            put_class(&source.path().join(part).join(name), class, numbers.clone());
        }
    }
    // What systems and notebooks leave is neither a class nor an image, and no part either.
    fs::create_dir(source.path().join(".ipynb_checkpoints")).unwrap();
    fs::write(source.path().join("Train/.DS_Store"), "x").unwrap();
    fs::write(source.path().join("Train/1/Thumbs.db"), "x").unwrap();
    fs::write(source.path().join("Train/1/notes.txt"), "x").unwrap();
    let set = read(source.path(), &Request::default()).unwrap();
    assert_eq!((set.train.len(), set.test.len(), set.drawn), (18, 6, false));
    assert_eq!(set.validation.as_ref().map(Samples::len), Some(6));
    let noted = |words: &str| set.notes.iter().any(|note| note.contains(words));
    assert!(
        set.notes.len() == 2 && noted("notes.txt") && noted("validation (6 of the images)"),
        "{:?}",
        set.notes
    );
    fs::remove_dir_all(source.path().join("test/10")).unwrap();
    assert!(wrong(source.path()).contains("no test image of the class `10`"));
    // A class may be called as a part is.
    let odd = tempfile::tempdir().unwrap();
    put_class(&odd.path().join("test"), 0, 0..4);
    put_class(&odd.path().join("rest"), 1, 0..4);
    assert_eq!(read(odd.path(), &Request::default()).unwrap().classes, ["rest", "test"]);
    // Test images from elsewhere.
    let elsewhere = Request { test: Some(folder().keep()), ..Request::default() };
    let set = read(folder().path(), &elsewhere).unwrap();
    assert_eq!((set.train.len(), set.test.len(), set.drawn), (30, 30, false));
}

#[test]
fn draws_follow_the_seed() {
    let source = folder();
    let drawn = |seed| read(source.path(), &Request { seed, ..Request::default() }).unwrap();
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(content(&drawn(1).test, &drawn(1).classes), content(&drawn(2).test, &drawn(2).classes));
}

#[test]
fn images_of_every_kind_become_bytes_of_one_size() {
    let source = folder();
    let path = |name: &str| source.path().join("1").join(name);
    let colour: DynamicImage = RgbImage::from_pixel(8, 8, Rgb([200, 100, 50])).into();
    for (name, format) in [
        ("a.jpg", ImageFormat::Jpeg),
        ("b.bmp", ImageFormat::Bmp),
        ("c.tiff", ImageFormat::Tiff),
        ("d.webp", ImageFormat::WebP),
    ] {
        colour.save_with_format(path(name), format).unwrap();
    }
    let file = fs::File::create(path("e.gif")).unwrap();
    GifEncoder::new(file).encode_frame(Frame::new(colour.to_rgba8())).unwrap();
    DynamicImage::from(RgbaImage::from_pixel(8, 8, Rgba([255, 255, 255, 0]))).save(path("f.png")).unwrap();
    gray(vec![128; 64]).into_luma16().save(path("g.png")).unwrap();
    let set = read(source.path(), &Request::default()).unwrap();
    assert_eq!((set.train.images.channels, set.train.len() + set.test.len()), (3, 37));
    let of = |name: &str| {
        let find =
            |part: usize| set.files[part].iter().position(|file| file.ends_with(name)).map(|i| (part, i));
        let (part, i) = find(0).or_else(|| find(1)).unwrap();
        [&set.train, &set.test][part].images.image(i)[..3].to_vec()
    };
    for name in ["a.jpg", "b.bmp", "c.tiff", "d.webp", "e.gif"] {
        let near =
            of(name).iter().zip([200_i16, 100, 50]).all(|(&found, want)| (i16::from(found) - want).abs() < 6);
        assert!(near, "{name}: {:?}", of(name));
    }
    // What is transparent lies on black; of 16 bits the upper 8 count.
    assert_eq!((of("f.png"), of("g.png")), (vec![0; 3], vec![128; 3]));
    let grey = Request { size: Some([4, 6]), channels: Some(1), fit: Fit::Pad, ..Request::default() };
    let set = read(source.path(), &grey).unwrap();
    assert_eq!(set.train.images.dim(), 24);
    // Of different sizes, which are read as one.
    gray(vec![9; 64]).resize_exact(20, 10, image::imageops::FilterType::Nearest).save(path("h.png")).unwrap();
    let set = read(source.path(), &Request::default()).unwrap();
    assert_eq!((set.train.images.height, set.train.images.width), (32, 32));
    assert!(set.notes[0].contains("different sizes"), "{:?}", set.notes);
}

#[test]
fn a_photograph_is_turned_as_its_camera_says() {
    let source = folder();
    let mut bytes = Vec::new();
    let left_white = |x: u32, _: u32| image::Luma([if x < 8 { 255_u8 } else { 0 }]);
    let picture = DynamicImage::from(GrayImage::from_fn(16, 8, left_white));
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), ImageFormat::Jpeg).unwrap();
    // An Exif segment with one entry, the orientation: 6, which is turned clockwise by a quarter.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    bytes.splice(2..2, exif.iter().copied());
    fs::write(source.path().join("1/turned.jpg"), bytes).unwrap();
    let asked = Request { size: Some([16, 8]), channels: Some(1), ..Request::default() };
    let set = read(source.path(), &asked).unwrap();
    let find =
        |part: usize| set.files[part].iter().position(|file| file.ends_with("turned.jpg")).map(|i| (part, i));
    let (part, i) = find(0).or_else(|| find(1)).unwrap();
    let image = [&set.train, &set.test][part].images.image(i);
    assert!(
        image[..8].iter().all(|&pixel| pixel > 200) && image[120..].iter().all(|&pixel| pixel < 50),
        "{image:?}"
    );
}

#[test]
fn folders_that_hold_no_set_are_refused_with_the_file_at_fault() {
    let case = |prepare: &dyn Fn(&Path)| {
        let source = folder();
        prepare(source.path());
        wrong(source.path())
    };
    let put = |name: &'static str, bytes: &'static [u8]| {
        move |source: &Path| fs::write(source.join(name), bytes).unwrap()
    };
    for (problem, told) in [
        ("holds no image", case(&|source| fs::create_dir(source.join("empty")).unwrap())),
        ("1/text.png` is no image", case(&put("1/text.png", b"this is a text"))),
        (
            "1/cut.png` is",
            case(&|source| {
                let whole = fs::read(source.join("1/0.png")).unwrap();
                fs::write(source.join("1/cut.png"), &whole[..whole.len() / 2]).unwrap();
            }),
        ),
        (
            "differ by case alone",
            case(&|source| {
                put_class(&source.join("oak"), 0, 0..2);
                put_class(&source.join("Oak"), 1, 0..2);
            }),
        ),
        (
            "is a link out of the folder",
            case(&|source| {
                #[cfg(unix)]
                std::os::unix::fs::symlink("/etc/hostname", source.join("1/link.png")).unwrap();
                #[cfg(not(unix))]
                panic!("`{}` is a link out of the folder", source.display());
            }),
        ),
        ("one image of the class `lonely`", case(&|source| put_class(&source.join("lonely"), 0, 0..1))),
        (
            "is an animation",
            case(&|source| {
                let mut encoder = GifEncoder::new(fs::File::create(source.join("1/moving.gif")).unwrap());
                for shade in [0, 255] {
                    encoder.encode_frame(Frame::new(RgbaImage::from_pixel(8, 8, Rgba([shade; 4])))).unwrap();
                }
            }),
        ),
        // The header of a PNG of 10,000 × 10,000 pixels.
        (
            "has 10000 × 10000 pixels",
            case(&|source| {
                let mut huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x27\x10\0\0\x27\x10\x08\0\0\0\0".to_vec();
                huge.extend(0x9f25_3dfb_u32.to_be_bytes());
                huge.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
                fs::write(source.join("1/huge.png"), huge).unwrap();
            }),
        ),
    ] {
        assert!(told.contains(problem), "expected `{problem}` in: {told}");
    }
    let alone = tempfile::tempdir().unwrap();
    assert!(wrong(alone.path()).contains("no sub-folder"));
    put_class(&alone.path().join("only"), 0, 0..3);
    assert!(wrong(alone.path()).contains("one class only, `only`"));
    assert!(wrong(&alone.path().join("nowhere")).contains("cannot read"));
    let pdf = write(&alone, "a.pdf", "%PDF-1.4");
    assert!(wrong(&pdf).contains("is a PDF document, and no data set"));
    let share = Request { test_share: 1.5, ..Request::default() };
    assert!(read(folder().path(), &share).unwrap_err().contains("1.5"));
}

#[test]
fn tables_that_hold_no_set_are_refused_with_the_line_at_fault() {
    let out = tempfile::tempdir().unwrap();
    let good = csv_lines("");
    for (problem, text) in [
        ("line 31: it has 4 cells, and the first line 65", good.clone() + "1,2,3,4\n"),
        ("line 31: the label is missing", good.clone() + &format!("{}\n", ",0".repeat(64))),
        ("line 31: -1 is no label", good.clone() + &format!("-1{}\n", ",0".repeat(64))),
        ("line 31: 1.5 is no label", good.clone() + &format!("1.5{}\n", ",0".repeat(64))),
        ("line 31: `nan` is no finite number", good.clone() + &format!("1{},nan\n", ",0".repeat(63))),
        ("line 31: a pixel is missing", good.clone() + &format!("1{},\n", ",0".repeat(63))),
        ("line 31: `abc` is no number", good.clone() + &format!("1{},abc\n", ",0".repeat(63))),
        ("has a decimal comma", good.replace(',', ";") + &format!("1{};0,5\n", ";0".repeat(63))),
        ("from 0 to 300", good.clone() + &format!("1{},300\n", ",0".repeat(63))),
        ("has 10 pixels in a line", (0..9).map(|i| format!("{}{}\n", i % 3, ",20".repeat(10))).collect()),
        ("holds no image", String::new()),
        ("has one column", "1\n2\n".into()),
    ] {
        let told = wrong(&write(&out, "bad.csv", text));
        assert!(told.contains(problem), "expected `{problem}` in: {told}");
    }
    // Names as labels, columns in another order, pixels that go up to 16.
    let names: Vec<String> = (0..64).rev().map(|i| format!("pixel{i}")).collect();
    let mut text = format!("{},label\n", names.join(","));
    for i in 0..12 {
        let pixels: Vec<String> = (0..64).rev().map(|pixel| (pixel % 17).to_string()).collect();
        text += &format!("{},{}\n", pixels.join(","), ["oak", "ash"][i % 2]);
    }
    let set = read(&write(&out, "trees.csv", text), &Request::default()).unwrap();
    assert_eq!(set.classes, ["ash", "oak"]);
    assert_eq!(
        set.train.images.image(0)[..17],
        [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    );
    assert!(set.notes[0].contains("go up to 16"), "{:?}", set.notes);
}

#[test]
fn arrays_that_hold_no_set_are_refused_with_the_array_at_fault() {
    let out = tempfile::tempdir().unwrap();
    let set = read(folder().path(), &Request::default()).unwrap();
    let good = write_npz(&set.clone().into());
    for cut in [0, 10, good.len() / 2, good.len() - 1] {
        wrong(&write(&out, "cut.npz", &good[..cut]));
    }
    for place in (0..good.len()).step_by(37) {
        let mut flipped = good.clone();
        flipped[place] ^= 0x10;
        // Whatever was changed, it is an error or of no effect.
        if let Ok(read) = read(&write(&out, "flipped.npz", flipped), &Request::default()) {
            let same = |a: &Samples, b: &Samples| a.images.count == b.images.count;
            assert!(
                same(&read.train, &set.train) || read.classes != set.classes || read.drawn,
                "byte {place}"
            );
        }
    }
    assert!(wrong(&write(&out, "text.npz", "text")).contains("is no sound NPZ archive"));
}

#[test]
fn a_description_counts_classes_and_what_is_there_twice() {
    let source = tempfile::tempdir().unwrap();
    for (part, numbers) in [("train", 0..6), ("test", 5..9)] {
        for (class, name) in CLASSES.iter().enumerate() {
            put_class(&source.path().join(part).join(name), class, numbers.clone());
        }
    }
    // The same picture again, under another class; and one that is all but the same.
    gray(picture(0, 0)).save(source.path().join("train/2/again.png")).unwrap();
    let mut near = picture(1, 2);
    near[3] = near[3].wrapping_add(3);
    gray(near).save(source.path().join("train/2/near.png")).unwrap();
    let found = describe(&read(source.path(), &Request::default()).unwrap());
    assert_eq!((found.train, found.test), (vec![6, 8, 6], vec![4, 4, 4]));
    assert!((found.majority - 1.0 / 3.0).abs() < 1e-12);
    let twice = found.duplicates;
    assert_eq!((twice.within_train, twice.contradictory, twice.across), (1, 1, 3));
    assert!(twice.near_within_train >= 1 && !twice.examples.is_empty(), "{twice:?}");
    let white = Imported { ..read(source.path(), &Request::default()).unwrap() };
    let mean = white.train.images.pixels.iter().map(|&pixel| f64::from(pixel) / 255.0).sum::<f64>()
        / white.train.images.pixels.len() as f64;
    assert!((found.mean[0] - mean).abs() < 1e-12 && found.deviation[0] > 0.0);
}

#[test]
fn a_large_folder_is_decoded_once_and_again_when_a_file_of_it_changes() {
    let (source, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let grey = |value: u8| {
        let mut bytes = Vec::new();
        let image = GrayImage::from_pixel(2, 2, image::Luma([value]));
        image.write_to(&mut std::io::Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    };
    for class in 0..2_u8 {
        let folder = source.path().join(class.to_string());
        fs::create_dir(&folder).unwrap();
        let bytes = grey(100 * class);
        (0..1000).for_each(|number| fs::write(folder.join(format!("{number}.png")), &bytes).unwrap());
    }
    // What was changed just now is not relied on.
    std::thread::sleep(std::time::Duration::from_millis(3100));
    let request = Request { cache: Some(cache.path().to_owned()), ..Request::default() };
    let decoded = std::sync::atomic::AtomicUsize::new(0);
    let count = |_, _| {
        decoded.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    };
    let first = import(source.path(), &request, &count).unwrap();
    assert_eq!(decoded.load(std::sync::atomic::Ordering::Relaxed), 2000);
    let second = import(source.path(), &request, &count).unwrap();
    assert_eq!(decoded.load(std::sync::atomic::Ordering::Relaxed), 2000);
    assert!(first == second);
    fs::write(source.path().join("1/7.png"), grey(200)).unwrap();
    let third = import(source.path(), &request, &count).unwrap();
    assert_eq!(decoded.load(std::sync::atomic::Ordering::Relaxed), 4000);
    assert_ne!(third.checksum(), first.checksum());
}
