//! Folders that are not what they seem: another's lock files, links, pipes, folders that go away. Nothing of a person's is
//! lost, nothing is waited for, and every message says what is there.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use inkling_engine::NamedTensor;

use crate::common::{Done, done, hold, inkling, run};
use crate::look::common::{COLOUR, STUDY, changed_model, look, picture};

/// A finished study of the first task.
fn study() -> &'static Path {
    static STUDY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = STUDY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["study", "smoke", "--only", "pca"]).says(0, &[]);
        folder
    });
    folder.path()
}

/// A copy of it as `out` in a folder of its own.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&study().join("out"), &folder.path().join("out"));
    folder
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copy_folder(&path, &copied) } else { assert!(fs::copy(path, copied).is_ok()) }
    }
}

/// The run's folder that has a file of this name.
fn run_with(out: &Path, file: &str) -> PathBuf {
    let runs = fs::read_dir(out.join("runs")).unwrap().map(|run| run.unwrap().path());
    runs.filter(|run| run.join(file).exists()).min().unwrap()
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn pca(folder: &Path) -> Done {
    run(folder, &["study", "smoke", "--only", "pca"])
}

#[test]
fn a_lock_file_alone_makes_no_folder_a_store_of_ours() {
    for lock in ["", "token of another program"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        fs::create_dir_all(out.join("figures")).unwrap();
        fs::write(out.join(".lock"), lock).unwrap();
        fs::write(out.join("report.pdf"), "my own").unwrap();
        fs::write(out.join("figures/task1_pca_scatter.svg"), "mine").unwrap();
        pca(folder.path()).says(73, &["`out` holds `report.pdf`", "no study was ever written", "--out"]);
        fs::remove_file(out.join("report.pdf")).unwrap();
        pca(folder.path()).says(73, &["`out` holds `figures/`"]);
        assert_eq!(fs::read(out.join("figures/task1_pca_scatter.svg")).unwrap(), b"mine");
        assert_eq!(fs::read(out.join(".lock")).unwrap(), lock.as_bytes());
    }
}

#[test]
fn what_has_the_lock_files_name_and_is_none_is_left_alone() {
    type Make = fn(&Path);
    let cases: [(Make, &str); 5] = [
        (|lock| fs::write(lock, "token").unwrap(), "it holds a text of another kind"),
        (|lock| fs::write(lock, "{\"pid\": 7}").unwrap(), "it holds a text of another kind"),
        (|lock| symlink("../precious.txt", lock).unwrap(), "it is a link"),
        (|lock| fs::create_dir(lock).unwrap(), "it is a folder"),
        (pipe, "it is not a regular file"),
    ];
    for (make, what) in cases {
        let folder = copy();
        fs::write(folder.path().join("precious.txt"), "precious").unwrap();
        let lock = folder.path().join("out/.lock");
        fs::remove_file(&lock).unwrap();
        make(&lock);
        let words = ["`out/.lock` is not this program’s lock file", what, "help", "Move it away"];
        pca(folder.path()).says(73, &words);
        run(folder.path(), &["report", "out"]).says(73, &words);
        assert_eq!(fs::read(folder.path().join("precious.txt")).unwrap(), b"precious");
        if what.contains("text") {
            assert!(!fs::read(&lock).unwrap().is_empty());
        }
    }
}

#[test]
fn an_animation_takes_the_place_of_another_and_of_no_other_picture() {
    let folder = tempfile::tempdir().unwrap();
    let model = changed_model(folder.path(), COLOUR, None, &"none", |_| {});
    let dream = |file: &str, more: &[&str]| {
        let asked = ["dream", model.to_str().unwrap(), "--class", "1", "--steps", "2", "--animation", file];
        look(folder.path(), &[&asked[..], more].concat())
    };
    picture(&folder.path().join("mine.png"), [10, 12], png::ColorType::Rgb);
    let before = fs::read(folder.path().join("mine.png")).unwrap();
    for more in [&[][..], &["--image", "mine.png"]] {
        dream("mine.png", more).says(73, &["`mine.png` exists and is not an animation of this program"]);
    }
    assert_eq!(fs::read(folder.path().join("mine.png")).unwrap(), before);
    for file in ["new.png", "new.gif"] {
        dream(file, &[]).says(0, &[]);
        dream(file, &["--seed", "9"]).says(0, &[]);
    }
}

#[test]
fn a_result_behind_a_link_stays_though_a_file_beside_it_is_damaged() {
    let folder = copy();
    let run = run_with(&folder.path().join("out"), "arrays.safetensors");
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&run, &elsewhere).unwrap();
    symlink(&elsewhere, &run).unwrap();
    fs::remove_file(elsewhere.join("arrays.safetensors")).unwrap();
    pca(folder.path()).says(73, &["is a link to another folder", "changes nothing through a link"]);
    assert!(elsewhere.join("result.json").exists());
}

#[test]
fn runs_of_which_no_record_tells_are_said_to_leave_the_report() {
    for damage in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| fs::write(path, "{}").unwrap()]
    {
        let folder = copy();
        damage(&folder.path().join("out/study.json"));
        let again = pca(folder.path());
        again.says(0, &["finished earlier, not repeated"]);
        assert!(!again.stderr.contains("study.json"), "every run is of this study: {}", again.stderr);
        damage(&folder.path().join("out/study.json"));
        let words = [
            "note: this folder’s study.json is damaged or missing",
            "finished runs in it do not belong to this study",
        ];
        run(folder.path(), &["study", "smoke", "--only", "perceptron"]).says(0, &words);
    }
}

#[test]
fn pipes_in_a_store_are_damage_and_are_not_waited_for() {
    for file in ["arrays.safetensors", "model.safetensors", "result.json", "metrics.jsonl", "spec.json"] {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(Path::new(&*STUDY), &folder.path().join("out"));
        let path = run_with(&folder.path().join("out"), "model.safetensors").join(file);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        pipe(&path);
        let within = |arguments: &[&str]| {
            let limited = [&["30", env!("CARGO_BIN_EXE_inkling")], arguments].concat();
            let mut command = Command::new("timeout");
            command.args(limited).current_dir(folder.path()).env("NO_COLOR", "1");
            done(&command.env("INKLING_CACHE", "/nonexistent").output().unwrap())
        };
        for command in
            [&["report", "out"][..], &["look", "filters", "out"], &["bundle", "out", "--group", "3"]]
        {
            let said = within(command);
            assert!(
                [Some(0), Some(65)].contains(&said.code),
                "{file}, {command:?}: {:?} {}",
                said.code,
                said.stderr
            );
            assert!(
                said.code == Some(0) || said.stderr.contains("not a regular file"),
                "{file}: {}",
                said.stderr
            );
        }
        within(&["study", "smoke", "--only", "inside"]).says(0, &["finished in"]);
    }
}

#[test]
fn a_folder_that_keeps_to_itself_what_it_holds_is_not_said_to_hold_nothing() {
    // A link to itself is as closed as a folder without permissions, to root as well.
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    symlink("runs", out.join("runs")).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    for out in ["out", "loop"] {
        for command in [&["report", out][..], &["bundle", out, "--group", "3"]] {
            run(folder.path(), command).says(74, &["cannot read `", out, "help"]);
        }
    }
    symlink("model.safetensors", out.join("model.safetensors")).unwrap();
    look(folder.path(), &["filters", "out"]).says(74, &["out/model.safetensors` cannot be read"]);
    look(folder.path(), &["filters", "loop"]).says(74, &["`loop` cannot be read"]);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_the_write() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_inkling");
    let script = format!("ulimit -f 100; exec '{program}' study smoke --only pca");
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(folder.path()).env("NO_COLOR", "1");
    let said = done(&shell.output().unwrap());
    said.says(73, &["cannot write `out/", "File too large"]);
    assert_eq!(fs::read(folder.path().join("out/.lock")).unwrap(), b"");
    pca(folder.path()).says(0, &["finished in"]);
}

#[test]
fn a_folder_that_is_moved_away_is_told_and_no_other_is_begun_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let holder = hold(folder.path(), &[]);
    let (out, moved) = (folder.path().join("out"), folder.path().join("moved"));
    fs::rename(&out, &moved).unwrap();
    let ended = holder.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(73));
    assert!(!out.exists(), "a folder was begun in its place");
    let mut again = inkling();
    again.current_dir(folder.path()).args(["study", "brief", "--only", "perceptron", "--threads", "1"]);
    let mut again = again.args(["--out", "moved"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(again.try_wait().unwrap().is_none(), "it goes on in the new place");
    again.kill().unwrap();
    again.wait().unwrap();

    // A study's own record is one of ours, though the runs are gone.
    let folder = copy();
    fs::remove_dir_all(folder.path().join("out/runs")).unwrap();
    fs::remove_file(folder.path().join("out/.lock")).unwrap();
    pca(folder.path()).says(0, &["finished in"]);
}

#[test]
fn slices_of_a_layer_of_zeros_are_near_zero() {
    let folder = tempfile::tempdir().unwrap();
    let zero = |arrays: &mut Vec<NamedTensor>| arrays.iter_mut().for_each(|array| array.values.fill(0.0));
    let model = changed_model(folder.path(), COLOUR, None, &"none", zero);
    let found = crate::look::common::found(folder.path(), &["filters", model.to_str().unwrap()]);
    let kinds = &found["result"]["outcome"]["layers"][0]["kinds"];
    assert_eq!((kinds["near_zero"].as_f64(), kinds["blobs"].as_f64()), (Some(15.0), Some(0.0)));
}

#[test]
fn help_fits_what_is_wrong_with_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let model = changed_model(folder.path(), COLOUR, Some("mnist"), &"none", |_| {});
    let model = model.to_str().unwrap();
    let of_set = look(folder.path(), &["activations", model]);
    of_set.says(65, &["an image of MNIST has 28×28×1", "the network takes 10×12×3", "help", "the set that"]);
    assert!(!of_set.stderr.contains("cut or scale"), "{}", of_set.stderr);
    // A picture whose bytes were changed says so in words.
    let path = folder.path().join("a.png");
    picture(&path, [10, 12], png::ColorType::Rgb);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 14;
    bytes[end] ^= 1;
    fs::write(&path, bytes).unwrap();
    let changed = look(folder.path(), &["activations", model, "--image", "a.png"]);
    changed.says(65, &["a.png cannot be read as a picture", "the checksum of one of its parts is wrong"]);
    assert!(!changed.stderr.contains("ChunkType"), "{}", changed.stderr);
    // As much memory as no number of bytes says.
    let batch = ["model", "cnn", "--batch", "18446744073709551615"];
    run(folder.path(), &batch).says(2, &["--batch", "at most 4294967295"]);
}

#[test]
fn a_file_of_another_kind_in_the_place_of_a_text_is_named() {
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("a.toml"), [4, 4], png::ColorType::Rgb);
    for command in ["study", "model"] {
        let said = run(folder.path(), &[command, "a.toml"]);
        said.says(78, &["the file `a.toml` is a PNG picture, not a text", "help", "--toml"]);
        assert!(!said.stderr.contains("save it as UTF-8"), "{}", said.stderr);
    }
    fs::write(folder.path().join("b.toml"), b"# caf\xe9").unwrap();
    let said = run(folder.path(), &["study", "b.toml"]);
    said.says(78, &["line 1 is not UTF-8", "help"]);
    assert_eq!(said.stderr.matches("is not UTF-8").count(), 1, "nothing is said twice: {}", said.stderr);
}
