//! Tests of replacing files, of what is left over, and of new folders.

use super::*;
use std::thread;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_new_version_replaces_the_old_one_and_nothing_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a file – é 墨.json");
    write(&path, b"old, and longer").unwrap();
    write(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["a file – é 墨.json"]);
}

#[test]
fn a_failure_keeps_the_old_version_and_removes_the_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    write(&path, b"old").unwrap();
    let fill = |file: &mut BufWriter<&File>| {
        file.write_all(b"half of the new").unwrap();
        Err(WriteError { path: path.clone(), source: ErrorKind::StorageFull.into() })
    };
    let error = write_after(&path, fill, || Ok(())).unwrap_err();
    assert!(error.path == path && error.source.kind() == ErrorKind::StorageFull);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["file"]);

    let taken = folder.path().join("folder");
    fs::create_dir(&taken).unwrap();
    assert!(write(&taken, b"new").is_err());
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn threads_that_write_one_file_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    thread::scope(|scope| {
        for thread in 0..4_u8 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..25 {
                    write(path, &vec![thread; 1000 + usize::from(thread)]).unwrap();
                }
            });
        }
    });
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 1000 + usize::from(bytes[0]));
    assert!(bytes.iter().all(|&byte| byte == bytes[0]));
    assert_eq!(names(folder.path()), ["file"]);
}

/// The name of a temporary file of a process on this computer.
fn temporary(pid: u32) -> String {
    format!("{PREFIX}{}-{pid}-3{SUFFIX}", machine::tag())
}

/// A process number that no process has.
const NOBODY: u32 = 4_000_000;

#[test]
fn only_our_own_leftovers_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let kept = [".inkling-12.tmp", ".inkling-x-3.tmp", ".inkling-xyz-4000000-3.tmp", ".lock", "notes.tmp"];
    let removed = [".inkling-4000000-3.tmp".to_owned(), temporary(NOBODY), temporary(process::id())];
    for name in kept.iter().copied().chain(removed.iter().map(String::as_str)) {
        fs::write(folder.path().join(name), "").unwrap();
    }
    remove_leftovers(folder.path());
    assert_eq!(names(folder.path()), kept);
}

#[test]
fn what_a_live_process_or_another_computer_writes_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (here, half) = (machine::tag(), machine::HALF);
    let other = "0123456789abcdef";
    let elsewhere = format!("{PREFIX}{other}-{NOBODY}-0{SUFFIX}");
    // A container of this computer, and this computer before it was started again.
    let container = format!("{PREFIX}{}{}-{NOBODY}-0{SUFFIX}", &other[..half], &here[half..]);
    let restarted = format!("{PREFIX}{}{}-1-0{SUFFIX}", &here[..half], &other[half..]);
    // Process 1 lives wherever the system says so at all.
    let alive = temporary(1);
    for name in [&elsewhere, &container, &restarted, &alive] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    remove_leftovers(folder.path());
    let left = names(folder.path());
    assert!(
        left.contains(&elsewhere) && !left.contains(&container) && !left.contains(&restarted),
        "{left:?}"
    );
    assert_eq!(left.contains(&alive), machine::life(1, None) == Life::Alive);
}

#[cfg(unix)]
#[test]
fn nothing_is_removed_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    fs::write(real.join(temporary(NOBODY)), "").unwrap();
    remove_leftovers(&link);
    assert_eq!(names(&real).len(), 1);
    remove_leftovers(&real);
    assert!(names(&real).is_empty());
}

#[test]
fn a_folder_is_created_with_all_its_parents() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c");
    create_folder(&deep).unwrap();
    create_folder(&deep).unwrap();
    assert!(deep.is_dir());
    fs::write(folder.path().join("file"), "").unwrap();
    let below = folder.path().join("file/below");
    assert_eq!(create_folder(&below).unwrap_err().path, below);
}
