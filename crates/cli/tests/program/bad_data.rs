//! Bad data: what the person reads, and the exit code.

use std::fs;
use std::path::Path;

use crate::common::{Done, copy_of_mnist, done, gz, idx, inkling, project_data, run};

/// Runs the smoke study on a copy of MNIST in which one file holds `bytes`.
fn with_file(name: &str, bytes: &[u8]) -> Done {
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
    done.says(65, &["t10k-images-idx3-ubyte.gz is not a valid IDX file", "help", "inkling data fetch"]);
}

#[test]
fn a_wrong_magic_number() {
    let done = with_file("t10k-labels-idx1-ubyte", &gz(b"<!doctype html><title>Not found</title>"));
    done.says(65, &["t10k-labels-idx1-ubyte.gz is not a valid IDX file", "help"]);
}

#[test]
fn a_header_that_claims_more_than_the_file_holds() {
    let done = with_file("train-images-idx3-ubyte", &gz(&idx(&[4_000_000_000, 28, 28], &[0; 784])));
    done.says(65, &["train-images-idx3-ubyte.gz is not a valid IDX file", "4000000000", "help"]);
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

/// Runs `inkling data …` where neither the working folder nor the cache holds a set; the project's own copy does.
fn data(folder: &Path, arguments: &[&str]) -> Done {
    run(folder, &[&["data"], arguments].concat())
}

#[test]
fn folders_without_sets_are_errors_of_verify_and_told_by_list() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for place in ["nowhere", "file"] {
        let words = ["cannot look for data sets in", place, "help", "--data"];
        data(folder.path(), &["verify", "--data", place]).says(74, &words);
        data(folder.path(), &["verify", "--data", place, "--json"]).says(74, &words);
        data(folder.path(), &["list", "--data", place]).says(74, &words);
        data(folder.path(), &["verify", "mnist", "--data", place]).says(74, &["cannot find MNIST's", place]);
    }
    let none = data(folder.path(), &["verify", "--data", "empty"]);
    none.says(74, &["none of the data sets is in `empty`", "mnist or fashion-mnist", "four IDX files"]);
    let list = data(folder.path(), &["list", "--data", "empty"]);
    list.says(0, &[]);
    assert_eq!(list.stdout.matches("not in empty").count(), 2, "nothing is fetched for it: {}", list.stdout);
}

#[test]
fn of_two_sets_the_one_that_is_there_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let mnist = copy_of_mnist(folder.path());
    for place in [".", "mnist"] {
        let done = data(folder.path(), &["verify", "--data", place]);
        done.says(0, &[]);
        assert!(done.stdout.contains("mnist          checksums match: 60000 + 10000"), "{}", done.stdout);
        assert!(done.stdout.contains(&format!("fashion-mnist  not in {place}")), "{}", done.stdout);
    }
    let rows = data(folder.path(), &["verify", "--data", ".", "--json"]).stdout;
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    assert_eq!((&rows[0]["folder"], &rows[1]["folder"]), (&"./mnist".into(), &().into()));
    data(folder.path(), &["verify", "fashion-mnist", "--data", "."])
        .says(74, &["cannot find Fashion-MNIST's", "there is no such folder"]);

    // A part of a set is not none of it, and what lies in its place is named.
    fs::remove_file(mnist.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    fs::write(mnist.join("mnist.npz"), b"PK\x03\x04\x14\0and more").unwrap();
    let part = data(folder.path(), &["verify", "--data", "."]);
    part.says(74, &["cannot find MNIST's t10k-labels-idx1-ubyte", "found mnist.npz, which is a ZIP archive"]);
    let list = data(folder.path(), &["list", "--data", "."]).stdout;
    assert!(list.contains("incomplete: t10k-labels-idx1-ubyte missing"), "{list}");
}

#[test]
fn what_lies_under_a_sets_name_is_judged_as_that_set() {
    let folder = tempfile::tempdir().unwrap();
    let mnist = copy_of_mnist(folder.path());
    let fashion = folder.path().join("fashion-mnist");
    fs::create_dir(&fashion).unwrap();
    // Another set's files in a folder of this set's name are the wrong files, not none.
    for file in fs::read_dir(&mnist).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), fashion.join(file.file_name())).unwrap();
    }
    for place in [".", "fashion-mnist"] {
        let done = data(folder.path(), &["verify", "--data", place]);
        done.says(65, &["fashion-mnist/", "this is MNIST, not Fashion-MNIST"]);
        let list = data(folder.path(), &["list", "--data", place]).stdout;
        assert!(list.contains("wrong: ") && list.contains("holds files of MNIST"), "{list}");
    }
    // A part of a set is told, though the whole of another lies beside it, or around it.
    fs::remove_file(fashion.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    for file in fs::read_dir(&mnist).unwrap() {
        let file = file.unwrap();
        fs::rename(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    for command in [&["verify"][..], &["verify", "fashion-mnist"]] {
        let done = data(folder.path(), &[command, &["--data", "."]].concat());
        done.says(74, &["cannot find Fashion-MNIST's t10k-labels-idx1-ubyte", "fashion-mnist"]);
    }
    data(folder.path(), &["verify", "mnist", "--data", "."]).says(0, &[]);
    // What is there and no file is said to be that.
    fs::create_dir(fashion.join("t10k-labels-idx1-ubyte")).unwrap();
    data(folder.path(), &["verify", "--data", "."]).says(74, &["t10k-labels-idx1-ubyte, which is a folder"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_not_said_to_lack_files() {
    let folder = tempfile::tempdir().unwrap();
    // A link to itself is as closed as a folder without permissions, to root as well.
    std::os::unix::fs::symlink("mnist", folder.path().join("mnist")).unwrap();
    let list = data(folder.path(), &["list", "--data", "."]);
    assert!(list.stdout.contains("unknown: ./mnist (it cannot be read: "), "{}", list.stdout);
    assert!(!list.stdout.contains("missing"), "{}", list.stdout);
    data(folder.path(), &["verify", "mnist", "--data", "."]).says(74, &["./mnist (it cannot be read: "]);
}

#[test]
fn zeros_after_a_stream_are_no_fault_and_a_sound_other_set_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mnist = copy_of_mnist(folder.path());
    let labels = mnist.join("t10k-labels-idx1-ubyte.gz");
    let whole = fs::read(&labels).unwrap();
    fs::write(&labels, [&whole[..], &[0; 512]].concat()).unwrap();
    data(folder.path(), &["verify", "mnist", "--data", "."]).says(0, &[]);
    fs::write(&labels, gz(&idx(&[18_800], &[3; 18_800]))).unwrap();
    let words = ["holds 18800 labels, and MNIST's", "holds 10000 labels", "help", "inkling data fetch mnist"];
    data(folder.path(), &["verify", "mnist", "--data", "."]).says(65, &words);
}

#[test]
fn every_data_command_has_the_exit_codes_of_the_help() {
    let folder = tempfile::tempdir().unwrap();
    data(folder.path(), &["list"]).says(0, &[]);
    data(folder.path(), &["list", "--json"]).says(0, &[]);
    data(folder.path(), &["list", "more"]).says(2, &["unexpected argument"]);
    data(folder.path(), &["fetch"]).says(2, &["<NAME>"]);
    data(folder.path(), &["fetch", "mnits"]).says(2, &["there is no data set", "did you mean 'mnist'?"]);
    data(folder.path(), &["verify", "mnits"]).says(2, &["there is no data set"]);
    // A cache that cannot be written: a file stands in its place, whoever asks.
    fs::write(folder.path().join("cache"), "").unwrap();
    let fetch = |cache: &str| {
        let mut command = inkling();
        command.current_dir(folder.path()).args(["data", "fetch", "mnist"]).env("INKLING_CACHE", cache);
        // Nobody answers there.
        for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
            command.env(proxy, "http://127.0.0.1:9").env(proxy.to_lowercase(), "http://127.0.0.1:9");
        }
        done(&command.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap())
    };
    fetch("cache").says(73, &["cannot write", "cache", "help", "INKLING_CACHE"]);
    fetch("good").says(74, &["could not fetch MNIST's train-images-idx3-ubyte", "help", "HTTPS_PROXY"]);
}

#[test]
fn an_unknown_set_is_told_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["data", "verify", "fashion-mnits"])
        .says(2, &["fashion-mnits", "did you mean 'fashion-mnist'?"]);
}
