//! The two sets that the project ships load, whole and right.

use std::path::{Path, PathBuf};

use inkling_data::{DataSet, Look, PictureNote, SetInfo, Sources, catalogue, load, read_png};

fn shipped(name: &str) -> DataSet {
    let data: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    load(name, &Sources::new(Some(data))).unwrap()
}

fn info(set: &DataSet) -> &'static SetInfo {
    catalogue::find(&set.about.name).unwrap()
}

fn check(set: &DataSet, first_labels: [u8; 5]) {
    assert_eq!((set.train.len(), set.test.len()), (60_000, 10_000));
    for samples in [&set.train, &set.test] {
        assert_eq!(samples.images.len(), samples.len());
        assert_eq!(samples.images.pixels.len(), samples.len() * 784);
    }
    assert_eq!(set.train.labels[..5], first_labels);
    assert_eq!(set.checksum, info(set).checksum());
    check_brightness(set);
}

/// The catalogue says how light the images are, by which pictures that look inverted are known.
fn check_brightness(set: &DataSet) {
    let found = set.train.images.brightness();
    for (found, known) in found.iter().zip(info(set).brightness) {
        assert!((found - known).abs() < 1e-4, "{found} is not {known}");
    }
}

#[test]
fn images_of_the_sets_do_not_look_inverted_and_inverted_ones_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.png");
    for name in ["mnist", "fashion-mnist"] {
        let set = shipped(name);
        let (mut wrongly, mut missed) = (0, 0);
        for index in 0..500 {
            let file = std::fs::File::create(&path).unwrap();
            let mut encoder = png::Encoder::new(file, 28, 28);
            encoder.set_color(png::ColorType::Grayscale);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(set.test.images.image(index)).unwrap();
            writer.finish().unwrap();
            let noted = |inverted| {
                let notes = read_png(&path, 1, inverted).unwrap().notes(Some(&Look::from(info(&set))));
                notes.iter().any(|note| matches!(note, PictureNote::Inverted { .. }))
            };
            wrongly += usize::from(noted(false));
            missed += usize::from(!noted(true));
        }
        assert!(wrongly <= 1 && missed == 0, "{name}: {wrongly} wrongly, {missed} missed");
    }
}

#[test]
fn mnist() {
    let set = shipped("mnist");
    check(&set, [5, 0, 4, 1, 9]);
    // 6,742 ones and 5,421 fives are published with the set.
    assert_eq!(set.train.pair(1, 5).1.len(), 6742 + 5421);
    assert_eq!(set.test.take(100).images.len(), 100);
}

#[test]
fn fashion_mnist() {
    let set = shipped("fashion-mnist");
    check(&set, [9, 0, 0, 3, 0]);
    for class in 0..10 {
        assert_eq!(set.train.pair(class, class).1.len(), 6000);
    }
}
