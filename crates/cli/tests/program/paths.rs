//! Paths and files that a person names: commands to give work when they are copied, and no help text harms a file.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Done, done, inkling, run};

/// Folders whose names need care in a shell.
const NAMES: [&str; 6] = ["plain", "two words", "it's", "$(id)`;&", "-dash", "été 墨"];

/// The lines of a message that stand alone: commands to give.
fn command(said: &std::process::Output) -> String {
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with("            "))
        .unwrap_or_else(|| panic!("no command in {text}"));
    line.trim().to_owned()
}

#[cfg(unix)]
#[test]
fn a_command_that_a_help_text_gives_makes_the_file_and_then_works() {
    use std::os::unix::ffi::OsStrExt;
    let mut names: Vec<std::ffi::OsString> = NAMES.map(Into::into).into();
    names.push("new\nline".into());
    names.push(std::ffi::OsStr::from_bytes(b"latin\xe9\x1b[31m").into());
    for name in names {
        let folder = tempfile::tempdir().unwrap();
        let mut file = Path::new("./").join(&name);
        file.set_extension("toml");
        let said = inkling().current_dir(folder.path()).arg("study").arg(&file).output().unwrap();
        assert_eq!(said.status.code(), Some(74), "{name:?}: {}", String::from_utf8_lossy(&said.stderr));
        assert!(!said.stderr.contains(&0x1b));
        let command = command(&said);
        assert!(command.starts_with("inkling study --print-spec > "), "{command}");
        // Exactly as it is printed, in a shell that finds the program on its path.
        let program = Path::new(env!("CARGO_BIN_EXE_inkling")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-c", &command]).current_dir(folder.path()).env("PATH", path);
        assert!(shell.status().unwrap().success(), "{command}");
        assert!(folder.path().join(&file).exists(), "{command}");
        let read = inkling()
            .current_dir(folder.path())
            .arg("study")
            .arg(&file)
            .arg("--print-spec")
            .output()
            .unwrap();
        assert_eq!(read.status.code(), Some(0), "{}", String::from_utf8_lossy(&read.stderr));
    }
}

/// What is said of a study file and of a network file that `make` has made at the path it is given.
fn unreadable(make: impl Fn(&Path)) -> Vec<Done> {
    let folder = tempfile::tempdir().unwrap();
    make(&folder.path().join("mine.toml"));
    ["study", "model"].map(|command| run(folder.path(), &[command, "mine.toml"])).into()
}

#[test]
fn no_help_text_overwrites_a_file_that_is_there() {
    type Case = (fn(&Path), i32, &'static str);
    let cases: [Case; 4] = [
        (|path| fs::create_dir(path).unwrap(), 74, "it is a folder"),
        (|path| fs::write(path, b"seed = 1 # \xe9").unwrap(), 78, "save it as UTF-8"),
        (|path| fs::write(path, b"\0\x01").unwrap(), 78, "save it as UTF-8"),
        (|path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap(), 74, "too large"),
    ];
    for (make, code, words) in cases {
        for said in unreadable(make) {
            said.says(code, &["mine.toml` cannot be read", "help", words]);
            assert!(!said.stderr.contains('>') && !said.stderr.contains("--print-spec"), "{}", said.stderr);
        }
    }
    for said in unreadable(|_| ()) {
        said.says(74, &["mine.toml` cannot be read", "check the name", "> mine.toml"]);
    }
}

#[test]
fn a_file_within_a_file_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "").unwrap();
    let said = run(folder.path(), &["study", "a/mine.toml"]);
    said.says(74, &["cannot be read", "a part of the path that should be a folder is a file"]);
}

#[test]
fn a_folder_without_a_study_is_named_in_a_command_that_works() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(name).join("runs")).unwrap();
        let output = inkling().current_dir(folder.path()).args(["report", "--", name]).output().unwrap();
        let shown = match name {
            "plain" => "plain",
            "two words" => "'two words'",
            "it's" => r"'it'\''s'",
            "$(id)`;&" => "'$(id)`;&'",
            "-dash" => "./-dash",
            _ => "'été 墨'",
        };
        done(&output).says(65, &["holds no study", &format!("`inkling study --out {shown}` runs")]);
    }
}

#[test]
fn names_on_the_command_line_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = "\u{1b}]0;title\u{7}\u{202e}\r";
    for arguments in [
        vec!["study", name],
        vec!["study", "--only", name],
        vec!["data", "verify", name],
        vec!["report", name],
        vec!["model", name],
        vec![name],
    ] {
        let output = inkling().current_dir(folder.path()).args(&arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            !text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']) && text.contains(r"\u{202e}"),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn an_output_folder_that_is_a_link_to_nowhere_or_a_file_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(folder.path().join("gone/disk"), folder.path().join("link")).unwrap();
    fs::write(folder.path().join("file"), "mine").unwrap();
    std::os::unix::fs::symlink("round", folder.path().join("round")).unwrap();
    run(folder.path(), &["report", "file"]).says(65, &["`file` is a file, and a study is a folder"]);
    for (out, words) in [
        ("round", &["cannot write", "round", "a link in this path leads to itself: remove it"][..]),
        (
            "link",
            &["cannot write", "link", "help", "a link in this path leads to a place that does not exist"],
        ),
        ("link/in", &["cannot write", "help", "a link in this path leads to a place that does not exist"]),
        ("file", &["cannot write", "file", "help", "a file stands where a folder is needed"]),
        ("file/in", &["cannot write", "help", "a file stands where a folder is needed"]),
    ] {
        run(folder.path(), &["study", "smoke", "--only", "pca", "--out", out]).says(73, words);
    }
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"mine");
    assert!(!folder.path().join("gone").exists());
    // A link to a folder that is there is that folder.
    fs::create_dir_all(folder.path().join("gone/disk")).unwrap();
    run(folder.path(), &["study", "smoke", "--only", "pca", "--out", "link"]).says(0, &["finished in"]);
    assert!(folder.path().join("gone/disk/report.pdf").exists());
}

#[cfg(unix)]
#[test]
fn folders_whose_names_are_no_text_are_worked_in_and_printed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = OsStr::from_bytes(b"latin\xe9 \xff");
    fs::create_dir(folder.path().join(odd)).unwrap();
    crate::common::copy_of_mnist(&folder.path().join(odd));
    let ask = |arguments: &[&OsStr]| {
        let said = done(&inkling().current_dir(folder.path()).args(arguments).output().unwrap());
        said.says(0, &[]);
        said.stdout
    };
    let words = |text: &'static str| text.split(' ').map(OsStr::new).collect::<Vec<_>>();
    for text in ["data list --data", "data verify --data", "data verify mnist --data"] {
        let command = [&words(text)[..], &[odd]].concat();
        assert!(ask(&command).contains("latin\u{fffd} \u{fffd}/mnist"), "{text}");
        let rows = ask(&[&command[..], &[OsStr::new("--json")]].concat());
        let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
        assert_eq!(rows[0]["folder"], "latin\u{fffd} \u{fffd}/mnist");
    }
    // A whole study, its report, and looks into it.
    ask(&[&words("study smoke --only inside --json --data")[..], &[odd, "--out".as_ref(), odd]].concat());
    ask(&[&words("report --json")[..], &[odd]].concat());
    for text in ["look filters --json --out", "look activations --json --class 2 --out"] {
        let look = [&words(text)[..], &[odd, odd]].concat();
        let found: serde_json::Value = serde_json::from_str(&ask(&look)).unwrap();
        assert!(found["run"].is_string(), "{found}");
    }
}
