//! Bad data: what the person reads, and the exit code.

use std::fs;

use crate::common::{copy_of_mnist, gz, idx, project_data, run};

/// Runs the smoke study on a copy of MNIST in which one file holds `bytes`.
fn with_file(name: &str, bytes: &[u8]) -> crate::common::Done {
    let folder = tempfile::tempdir().unwrap();
    let mnist = copy_of_mnist(folder.path());
    fs::write(mnist.join(format!("{name}.gz")), bytes).unwrap();
    let done = run(folder.path(), &["study", "smoke", "--data", "."]);
    assert!(!folder.path().join("out/summary.json").exists());
    done
}

#[test]
fn a_truncated_gz() {
    let whole = fs::read(project_data().join("mnist/t10k-images-idx3-ubyte.gz")).unwrap();
    let done = with_file("t10k-images-idx3-ubyte", &whole[..whole.len() / 2]);
    done.says(65, &["t10k-images-idx3-ubyte.gz is not a sound IDX file", "help", "inkling data fetch"]);
}

#[test]
fn a_wrong_magic_number() {
    let done = with_file("t10k-labels-idx1-ubyte", &gz(b"<!doctype html><title>Not found</title>"));
    done.says(65, &["t10k-labels-idx1-ubyte.gz is not a sound IDX file", "help"]);
}

#[test]
fn a_header_that_claims_more_than_the_file_holds() {
    let done = with_file("train-images-idx3-ubyte", &gz(&idx(&[4_000_000_000, 28, 28], &[0; 784])));
    done.says(65, &["train-images-idx3-ubyte.gz is not a sound IDX file", "4000000000", "help"]);
}

#[test]
fn image_and_label_counts_that_differ() {
    let done = with_file("train-labels-idx1-ubyte", &gz(&idx(&[59_999], &[0; 59_999])));
    done.says(65, &["60000", "59999"]);
}

#[test]
fn a_label_out_of_range_with_its_index() {
    let mut labels = vec![3; 60_000];
    labels[4711] = 12;
    let done = with_file("train-labels-idx1-ubyte", &gz(&idx(&[60_000], &labels)));
    done.says(65, &["4711", "12"]);
}

#[test]
fn a_folder_that_holds_the_wrong_set() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("mnist");
    fs::create_dir(&target).unwrap();
    for file in crate::common::FILES {
        let name = format!("{file}.gz");
        fs::copy(project_data().join("fashion-mnist").join(&name), target.join(&name)).unwrap();
    }
    let done = run(folder.path(), &["study", "smoke", "--data", "."]);
    done.says(65, &["MNIST", "Fashion-MNIST"]);
    run(folder.path(), &["data", "verify", "mnist", "--data", "."]).says(65, &["Fashion-MNIST"]);
}

#[test]
fn a_data_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(folder.path(), &["study", "smoke", "--data", "nowhere"]);
    done.says(74, &["cannot find MNIST's", "nowhere", "help", "--data"]);
}

#[test]
fn an_unknown_set_is_told_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["data", "verify", "fashion-mnits"])
        .says(2, &["fashion-mnits", "did you mean 'fashion-mnist'?"]);
}
