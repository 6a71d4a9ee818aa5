//! Tests of locks: held, left behind, waited for, and on file systems that have none.

use super::*;
use std::cell::Cell;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

const FILE: &str = ".lock";

fn text(holder: &Holder) -> Vec<u8> {
    sealed::to_json(holder)
}

/// A holder that this computer had and has no more.
fn dead() -> Holder {
    Holder { started: Some(1), pid: 4_000_000, ..Holder::this_process() }
}

/// A holder on another computer.
fn elsewhere() -> Holder {
    Holder { host: "elsewhere".into(), boot: Some("another".into()), ..dead() }
}

#[test]
fn a_file_of_another_kind_is_refused_and_keeps_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let whole = text(&dead());
    for foreign in [&b"token"[..], b"{\"pid\": 7}", b"\0\0x", &whole[1..]] {
        fs::write(&path, foreign).unwrap();
        assert!(matches!(Lock::take(&path), Err(Refusal::Foreign(_))), "{foreign:?}");
        assert_eq!(fs::read(&path).unwrap(), foreign);
    }
    // What a power cut may leave of a holder's name is none of that.
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(Lock::take(&path).is_ok(), "{length}");
        fs::write(&path, vec![0; length]).unwrap();
        assert!(Lock::take(&path).is_ok(), "{length} zeros");
    }
}

#[test]
fn a_copy_of_a_folder_in_which_a_process_works_does_not_call_it_dead() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join(FILE), folder.path().join("copy"));
    let held = Lock::take(&path).unwrap();
    fs::copy(&path, &copy).unwrap();
    let copied = Lock::take(&copy).unwrap();
    assert!(copied.died().is_none() && copied.elsewhere().is_none());
    drop(held);
}

#[test]
fn a_held_lock_is_refused_naming_the_holder_and_freed_on_drop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let held = Lock::take(&path).unwrap();
    assert!(held.died().is_none() && held.elsewhere().is_none() && !held.is_missing());
    let Err(Refusal::Held(Some(holder))) = Lock::take(&path) else { panic!("it was given twice") };
    let words = holder.to_string();
    assert!(
        words.starts_with(&format!("process {} on ", process::id())) && words.contains(" since 20"),
        "{words}"
    );
    drop(held);
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert!(Lock::take(&path).unwrap().died().is_none());
}

#[test]
fn a_holder_that_has_not_yet_written_its_name_is_refused_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let file = File::create(&path).unwrap();
    file.lock().unwrap();
    assert!(matches!(Lock::take(&path), Err(Refusal::Held(None))));
}

#[test]
fn a_text_left_in_an_unlocked_file_is_a_holder_that_died_if_it_was_on_this_computer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let before = |text: &[u8]| {
        fs::write(&path, text).unwrap();
        let lock = Lock::take(&path).unwrap();
        (lock.died().cloned(), lock.elsewhere().cloned())
    };
    assert_eq!(before(&text(&dead())), (Some(dead()), None));
    // Of the same kernel, in a container with another name.
    let container = Holder { host: "container".into(), ..dead() };
    assert_eq!(
        before(&text(&container)),
        if container.boot.is_some() { (Some(container), None) } else { (None, Some(container)) }
    );
    // As older programs wrote it.
    let older = Holder { boot: None, started: None, ..dead() };
    assert_eq!(before(&serde_json::to_vec(&older).unwrap()), (Some(older), None));
    assert_eq!(before(&text(&elsewhere())), (None, Some(elsewhere())));
    let other = Holder { boot: None, started: None, ..elsewhere() };
    assert_eq!(before(&serde_json::to_vec(&other).unwrap()), (None, Some(other)));
    assert_eq!(before(br#"{"pid": 1, "ho"#), (None, None));
    let mut flipped = text(&dead());
    let host = flipped.windows(6).position(|window| window == b"\"host\"").unwrap() + 9;
    flipped[host] ^= 1;
    assert_eq!(before(&flipped), (None, None), "a text that is damaged names nobody");
}

/// What a file system without locks answers.
fn none<const CODE: i32>(_: &File) -> Result<(), TryLockError> {
    Err(TryLockError::Error(io::Error::from_raw_os_error(CODE)))
}

#[cfg(unix)]
#[test]
fn a_file_system_without_locks_is_worked_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    for kernel in [none::<{ libc::ENOLCK }> as Kernel, none::<{ libc::ENOSYS }>, none::<{ libc::EOPNOTSUPP }>]
    {
        let lock = Lock::take_from(&path, kernel).unwrap();
        assert!(lock.is_missing());
        drop(lock);
        assert_eq!(fs::read(&path).unwrap(), b"", "the name goes with the lock");
    }
    assert!(matches!(Lock::take_from(&path, none::<{ libc::EIO }>), Err(Refusal::Failed(_))));
}

#[cfg(target_os = "linux")]
#[test]
fn without_locks_the_text_keeps_others_away_while_its_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let kernel = none::<{ libc::ENOLCK }>;
    let held = Lock::take_from(&path, kernel).unwrap();
    assert!(
        matches!(Lock::take_from(&path, kernel), Err(Refusal::Held(Some(holder))) if holder.pid == process::id())
    );
    drop(held);

    fs::write(&path, text(&dead())).unwrap();
    assert_eq!(Lock::take_from(&path, kernel).unwrap().died(), Some(&dead()));
    // Nobody can tell from here, and nobody's name is written over.
    for holder in [elsewhere(), Holder { host: "container".into(), ..dead() }] {
        fs::write(&path, text(&holder)).unwrap();
        let refused = Lock::take_from(&path, kernel);
        assert!(matches!(&refused, Err(Refusal::MayBeRunning(found)) if *found == holder), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), text(&holder));
    }
    // Another process that took over keeps its name.
    fs::write(&path, "").unwrap();
    let lock = Lock::take_from(&path, kernel).unwrap();
    fs::write(&path, text(&elsewhere())).unwrap();
    drop(lock);
    assert_eq!(fs::read(&path).unwrap(), text(&elsewhere()));
}

#[test]
fn an_interrupted_call_is_made_again() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn kernel(file: &File) -> Result<(), TryLockError> {
        match CALLS.fetch_add(1, Ordering::Relaxed) {
            0..=2 => Err(TryLockError::Error(ErrorKind::Interrupted.into())),
            _ => file.try_lock(),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(!Lock::take_from(&folder.path().join(FILE), kernel).unwrap().is_missing());
    assert_eq!(CALLS.load(Ordering::Relaxed), 4);
}

#[test]
fn a_wait_says_for_whom_and_ends_with_the_lock_with_the_limit_or_when_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let held = Lock::take(&path).unwrap();
    let told = Cell::new(0);
    let tell = |holder: Option<&Holder>| {
        assert_eq!(holder.map(|holder| holder.pid), Some(process::id()));
        told.set(told.get() + 1);
    };
    let wait = |limit: u64, interrupted: &dyn Fn() -> bool| {
        Lock::wait(&path, &Waiting { limit: Duration::from_millis(limit), interrupted, tell: &tell })
    };
    assert!(matches!(wait(1, &|| false), Err(Refusal::Held(Some(_)))));
    assert!(matches!(wait(60_000, &|| true), Err(Refusal::Interrupted)));
    assert_eq!(told.get(), 2);
    let holder = thread::spawn(move || {
        thread::sleep(Duration::from_millis(400));
        drop(held);
    });
    assert!(wait(60_000, &|| false).is_ok());
    assert_eq!(told.get(), 3);
    holder.join().unwrap();
}

#[cfg(unix)]
#[test]
fn the_lock_file_of_another_person_can_be_locked() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let lock = Lock::take(&path).unwrap();
    // Whoever may write everywhere is named there all the same.
    assert!(matches!(Lock::take(&path), Err(Refusal::Held(_))));
    drop(lock);
    assert!(Lock::take(&path).is_ok());
}
