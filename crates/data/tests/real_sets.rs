//! The two sets that the project ships load, whole and right.

use std::path::{Path, PathBuf};

use inkling_data::{DataSet, Sources, load};

fn shipped(name: &str) -> DataSet {
    let data: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    load(name, &Sources::new(Some(data))).unwrap()
}

fn check(set: &DataSet, first_labels: [u8; 5]) {
    assert_eq!((set.train.len(), set.test.len()), (60_000, 10_000));
    for samples in [&set.train, &set.test] {
        assert_eq!(samples.images.len(), samples.len());
        assert_eq!(samples.images.pixels.len(), samples.len() * 784);
    }
    assert_eq!(set.train.labels[..5], first_labels);
    assert_eq!(set.checksum, set.info.checksum());
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
