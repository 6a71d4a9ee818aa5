//! Other programs that fetch into the same folder, and interruptions.

use std::cell::Cell;

use inkling_files::Lock;

use super::*;

#[test]
fn a_complete_folder_is_neither_locked_nor_written() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    fetch_into(&site, &folder).unwrap();
    fs::remove_file(folder.join(".lock")).unwrap();
    let count = fs::read_dir(&folder).unwrap().count();
    fetch_into(&site, &folder).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), count);
    assert_eq!(site.asked(), ["a "]);
}

#[test]
fn a_wait_for_another_program_says_for_whom_and_ends() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    fs::create_dir_all(&folder).unwrap();
    let lock = folder.join(".lock");
    let held = Lock::take(&lock).unwrap();
    let waited = Cell::new(0);
    let hear = |event: FetchEvent| {
        if let FetchEvent::Waiting { lock: named, holder } = event {
            assert_eq!((named, holder.map(|holder| holder.pid)), (lock.as_path(), Some(std::process::id())));
            waited.set(waited.get() + 1);
        }
    };
    let policy = Policy { lock: Duration::from_millis(100), ..hasty() };
    let error = fetch(site.info, &folder, &policy, &hear, &|| false).unwrap_err();
    let message = error.to_string();
    assert!(matches!(&error, DataError::Busy { .. }) && error.is_io(), "{message}");
    assert!(message.contains(&format!("process {} on ", std::process::id())), "{message}");
    assert!(message.contains(".lock`"), "{message}");

    // Somebody asks for the end after a while.
    let begun = Instant::now();
    let stop = || begun.elapsed() > Duration::from_millis(500);
    let error = fetch(site.info, &folder, &hasty(), &hear, &stop).unwrap_err();
    assert!(matches!(error, DataError::Interrupted), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5) && site.asked().is_empty());

    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(400));
            drop(held);
        });
        fetch(site.info, &folder, &hasty(), &hear, &|| false).unwrap();
    });
    assert_eq!(waited.get(), 3);
    is_whole(&site, &folder);
}

#[test]
fn an_interruption_ends_retries_and_downloads_and_keeps_what_has_come() {
    // Between two attempts.
    let site = Site::new(20, &[("a", &[Reply::Status(500)])]);
    let (_holder, folder) = cache();
    let failed = Cell::new(false);
    let hear = |event: FetchEvent| {
        if let FetchEvent::Failed { .. } = event {
            failed.set(true);
        }
    };
    let patient = Policy { backoff: Duration::from_secs(600), ..hasty() };
    let error = fetch(site.info, &folder, &patient, &hear, &|| failed.get()).unwrap_err();
    assert!(matches!(error, DataError::Interrupted), "{error}");
    assert_eq!(site.asked(), ["a "]);

    // In the middle of a file.
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    let received = Cell::new(false);
    let hear = |event: FetchEvent| {
        if let FetchEvent::Received { url, .. } = event {
            received.set(received.get() || url.ends_with(WHOLE));
        }
    };
    let error = fetch(site.info, &folder, &hasty(), &hear, &|| received.get()).unwrap_err();
    assert!(matches!(error, DataError::Interrupted), "{error}");
    assert!(fs::metadata(folder.join(PART)).unwrap().len() > 0);
    fetch_into(&site, &folder).unwrap();
    is_whole(&site, &folder);
}
