//! What the store touches: its own names in its own places, and nothing else.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use inkling_store::{ErrorClass, Metadata, Reader, Store, StoreError};

const ID: &str = "0123456789abcdef";
/// A temporary file as older programs named it, of a process that is no more.
const LEFT: &str = ".inkling-4000000-17.tmp";

/// Every file under a folder, by its path in it, with its contents.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    fn collect(folder: &Path, under: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), under.join(entry.file_name()));
            if entry.file_type().unwrap().is_dir() {
                collect(&path, &name, found);
            } else {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    collect(folder, Path::new(""), &mut found);
    found.sort();
    found
}

/// What cleaning up a finished run removes.
fn litter(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for name in [
        LEFT,
        "result.json",
        "checkpoint.safetensors",
        "checkpoint.previous.safetensors",
        "checkpoint.unfit.safetensors",
    ] {
        fs::write(folder.join(name), "somebody's").unwrap();
    }
}

#[test]
fn a_foreign_folder_survives_opening_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let foreign = [
        "experiment",
        "figures/deeper",
        "tables/deeper",
        "runs/my notes",
        "runs/0123456789ABCDEF",
        "runs/0123456789abcde",
        "runs/0123456789abcdef0",
        "runs/runs",
        "runs/0123456789abcdef/deeper",
    ];
    foreign.iter().for_each(|name| litter(&out.join(name)));
    let before = files(out);
    drop(Store::open(out).unwrap());
    let mut after = files(out);
    after.retain(|(name, _)| name != Path::new(".lock"));
    assert!(after == before, "{:?}", after.iter().map(|(name, _)| name).collect::<Vec<_>>());
}

#[test]
fn only_the_stores_own_names_go() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let run = out.join("runs").join(ID);
    litter(&run);
    fs::write(run.join("notes.txt"), "mine").unwrap();
    for place in ["", "runs", "figures", "tables"] {
        fs::create_dir_all(out.join(place)).unwrap();
        fs::write(out.join(place).join(LEFT), "half").unwrap();
    }
    fs::write(out.join("checkpoint.safetensors"), "mine").unwrap();
    fs::write(out.join("result.json"), "mine").unwrap();
    drop(Store::open(out).unwrap());
    let names: Vec<String> = files(out).into_iter().map(|(name, _)| name.display().to_string()).collect();
    let run = format!("runs/{ID}");
    let kept = [".lock", "checkpoint.safetensors", "result.json"].map(str::to_owned);
    // A finished run may keep its last checkpoint, for a longer one to go on from.
    let of_run = ["checkpoint.safetensors", "notes.txt", "result.json"].map(|name| format!("{run}/{name}"));
    assert_eq!(names, [&kept[..], &of_run].concat());
}

#[test]
fn a_store_among_anothers_files_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let store = Store::open(&out).unwrap();
    store.begin(ID, "spec").unwrap().finish(&Metadata::new()).unwrap();
    let before = files(folder.path());
    let run = format!("runs/{ID}");
    // While another process works in the outer folder, and when nobody does.
    let mut held = Some(store);
    for _ in 0..2 {
        for inner in
            ["runs", &run, "runs/new", "runs/new/deeper", "figures", "tables", "figures/new", "other/../runs"]
        {
            let error = Store::open(&out.join(inner)).unwrap_err();
            assert!(matches!(&error, StoreError::InsideStore { .. }), "{inner}: {error}");
            assert_eq!(error.class(), ErrorClass::CannotWrite);
            let message = error.to_string();
            assert!(
                message.contains("lies among the files of the output folder") && message.contains("out`"),
                "{message}"
            );
        }
        let after = files(folder.path());
        assert!(after.iter().map(|(name, _)| name).eq(before.iter().map(|(name, _)| name)), "{after:?}");
        held = None;
    }
    assert!(held.is_none());
}

#[test]
fn stores_side_by_side_or_in_a_folder_of_their_own_do_not_touch_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let outer = folder.path();
    // Also under names that are a store's own places: made before the outer folder became one.
    for name in ["inner", "notes/inner", "figures", "runs", "runs/0123456789abcdef"] {
        let inner = outer.join(name);
        let store = Store::open(&inner).unwrap();
        let run = store.begin(ID, "spec").unwrap();
        fs::write(inner.join(LEFT), "being written").unwrap();
        fs::write(run.dir().path().join(LEFT), "being written").unwrap();
        drop(run);
    }
    let before = files(outer);
    drop(Store::open(outer).unwrap());
    let after = files(outer);
    let lost: Vec<_> = before.iter().filter(|file| !after.contains(file)).map(|(name, _)| name).collect();
    assert!(lost.is_empty(), "{lost:?}");
    // Beside each other, in a folder that is no store's own.
    Store::open(&outer.join("another")).unwrap();
    Reader::open(&outer.join("inner")).unwrap();
}

#[cfg(unix)]
#[test]
fn nothing_is_removed_or_written_through_a_link() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let (out, real) = (folder.path().join("out"), folder.path().join("real"));
    for name in ["figures", "tables", ID] {
        litter(&real.join(name));
    }
    let before = files(&real);
    fs::create_dir_all(out.join("runs")).unwrap();
    symlink(real.join("figures"), out.join("figures")).unwrap();
    symlink(real.join("tables"), out.join("tables")).unwrap();
    symlink(real.join(ID), out.join("runs").join(ID)).unwrap();
    fs::write(out.join("study.json"), inkling_store::sealed_json(&"a study")).unwrap();
    let store = Store::open(&out).unwrap();
    let error = store.begin(ID, "spec").unwrap_err();
    assert!(matches!(&error, StoreError::Linked { path } if path.ends_with(ID)), "{error}");
    assert!(error.to_string().contains("is a link to another folder"), "{error}");
    drop(store);
    assert!(files(&real) == before);

    // All runs elsewhere, on a larger disk: they are written there, and only cleaning up keeps away.
    fs::remove_file(out.join("runs").join(ID)).unwrap();
    fs::remove_dir(out.join("runs")).unwrap();
    symlink(&real, out.join("runs")).unwrap();
    let store = Store::open(&out).unwrap();
    assert!(files(&real) == before);
    let other = "fedcba9876543210";
    store.begin(other, "spec").unwrap().finish(&Metadata::new()).unwrap();
    assert!(real.join(other).join("result.json").exists());

    // A link to the whole output folder is what a person named.
    drop(store);
    let link = folder.path().join("link");
    symlink(&out, &link).unwrap();
    fs::write(out.join(LEFT), "half").unwrap();
    drop(Store::open(&link).unwrap());
    assert!(!out.join(LEFT).exists());
    let error = Store::open(&link.join("figures")).unwrap_err();
    assert!(matches!(error, StoreError::InsideStore { .. }), "{error}");
    symlink(out.join("tables"), folder.path().join("shortcut")).unwrap();
    fs::remove_file(out.join("tables")).unwrap();
    fs::create_dir(out.join("tables")).unwrap();
    let error = Store::open(&folder.path().join("shortcut/new")).unwrap_err();
    assert!(matches!(error, StoreError::InsideStore { .. }), "{error}");
}

/// A holder of the lock as another computer would have left it.
const ELSEWHERE: &str =
    r#"{"pid": 7, "host": "elsewhere", "version": "0.1.0", "since": "2026-01-01T00:00:00Z"}"#;

#[test]
fn a_holder_on_another_computer_is_not_called_dead_and_keeps_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    drop(Store::open(out).unwrap());
    litter(&out.join("runs").join(ID));
    let before = files(&out.join("runs"));
    fs::write(out.join(".lock"), ELSEWHERE).unwrap();
    let store = Store::open(out).unwrap();
    let notes = store.notes();
    assert!(notes.len() == 1 && notes[0].contains("process 7 on elsewhere"), "{notes:?}");
    assert!(notes[0].contains("still running on elsewhere") && !notes[0].contains("died"), "{notes:?}");
    assert!(files(&out.join("runs")) == before);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("out")).unwrap();
    let panics = |act: &dyn Fn()| catch_unwind(AssertUnwindSafe(act)).is_err();
    let published =
        ["../x", "/x", "", ".", "figures/../../x", "other/x", "figures/deeper/x", "runs", "runs/x", ".lock"];
    for name in published.iter().chain(&["figures/.x", "figures/.."]) {
        assert!(panics(&|| drop(store.publish(name, b""))), "{name:?}");
    }
    for id in ["../x", "/x", "", ".", "a/b"] {
        assert!(panics(&|| drop(store.run(id))), "{id:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    // A name within a result, whose checksum may be right.
    store.begin(ID, "spec").unwrap().finish(&Metadata::new()).unwrap();
    let path = store.run(ID).path().join("result.json");
    for name in ["../../../x", "/etc/hostname", "result.json", "checkpoint.safetensors", "notes.txt", ""] {
        let text = inkling_store::sealed_json(&serde_json::json!({ "files": { name: "00" } }));
        fs::write(&path, text).unwrap();
        let error = store.run(ID).finished::<Metadata>().unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { path: named, .. } if *named == path), "{error}");
        assert!(error.to_string().contains("which no run writes"), "{error}");
    }
}

#[test]
fn what_a_person_has_in_a_folder_of_their_own_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["report.pdf", "study.json", "summary.json", "figures/mine.svg", "tables/index.csv"] {
        let out = folder.path().join(name.replace('/', "-"));
        fs::create_dir_all(out.join(name).parent().unwrap()).unwrap();
        fs::write(out.join(name), "precious").unwrap();
        fs::write(out.join("thesis.tex"), "mine").unwrap();
        let before = files(&out);
        let error = Store::open(&out).unwrap_err();
        let shown = name.split_inclusive('/').next().unwrap();
        assert!(matches!(&error, StoreError::NotAStore { found, .. } if found == shown), "{name}: {error}");
        assert!(files(&out) == before);
        // Beside other files of a person's there is room for a study, and then the folder is one.
        fs::remove_file(out.join(name)).unwrap();
        let store = Store::open(&out).unwrap();
        store.publish_json("study.json", &"a study").unwrap();
        store.publish("report.pdf", b"new").unwrap();
        drop(store);
        drop(Store::open(&out).unwrap());
    }
}

#[test]
fn a_persons_files_beside_runs_are_not_written_over() {
    let open = |make: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let before = files(folder.path());
        match Store::open(folder.path()) {
            Ok(_) => None,
            Err(StoreError::NotAStore { found, .. }) => {
                assert_eq!(files(folder.path()), before, "nothing is touched");
                Some(found)
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    let write = |folder: &Path, name: &str, text: &str| {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), text).unwrap();
    };
    let thesis = |folder: &Path| write(folder, "report.pdf", "my thesis");
    // Another program's folder of runs, with or without a record, a lock or a run's name.
    for (name, text) in [
        ("study.json", r#"{"optuna": 1}"#),
        ("runs/events.out", "1"),
        (".lock", ""),
        ("runs/0123456789abcdef/result.json", "{}"),
        ("runs/0123456789abcdef/spec.json", "{}"),
        ("summary.json", r#"{"runs": []}"#),
    ] {
        let found = open(&|folder| {
            fs::create_dir(folder.join("runs")).unwrap();
            write(folder, name, text);
            thesis(folder);
        });
        assert!(found.is_some(), "{name}");
    }
    // What `inkling look` leaves, and a study that failed before it began.
    let looked = |folder: &Path| drop(Store::open(folder).unwrap().begin(ID, &"a look").unwrap());
    let found = open(&|folder| {
        looked(folder);
        thesis(folder);
    });
    assert_eq!(found.as_deref(), Some("report.pdf"));
    assert_eq!(open(&|folder| drop(Store::open(folder).unwrap())), None);
    // Looks go on beside the figures of earlier ones, and a study beside both.
    let figures = open(&|folder| {
        looked(folder);
        write(folder, "figures/filters.svg", "<svg/>");
    });
    assert_eq!(figures, None);
    // A study's own: with its record or its summary, sound or damaged.
    let studied = |change: &dyn Fn(&Path)| {
        open(&|folder| {
            let store = Store::open(folder).unwrap();
            drop(store.begin(ID, &"a run").unwrap());
            for name in ["study.json", "summary.json"] {
                store
                    .publish_json(name, &serde_json::json!({ "version": "0", "study": 1, "runs": [] }))
                    .unwrap();
            }
            drop(store);
            thesis(folder);
            change(folder);
        })
    };
    assert_eq!(studied(&|_| {}), None);
    for damaged in ["", "{", "{\n  \"format\": 1", "no JSON"] {
        assert_eq!(studied(&|folder| write(folder, "study.json", damaged)), None, "{damaged:?}");
    }
    assert_eq!(studied(&|folder| fs::remove_file(folder.join("study.json")).unwrap()), None);
    assert_eq!(studied(&|folder| fs::remove_file(folder.join("summary.json")).unwrap()), None);
    assert_eq!(studied(&|folder| fs::remove_dir_all(folder.join("runs")).unwrap()), None);
}
