//! Fetching from a local server that cuts, stalls, lies about lengths, and serves pages and wrong bytes.

mod server;
mod waiting;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use inkling_data::catalogue::SetFile;
use inkling_data::fetch::{Policy, fetch};
use inkling_data::{DataError, FetchEvent, SetInfo, Sources, read_folder};
use server::{Reply, Site};
use tempfile::TempDir;

const PART: &str = "train-images-idx3-ubyte.gz.part";
const WHOLE: &str = "train-images-idx3-ubyte.gz";

/// Without a proxy, whatever the environment says, and with time-outs that only a broken test meets.
fn hasty() -> Policy {
    let patience = Duration::from_secs(10);
    Policy {
        attempts: 3,
        backoff: Duration::from_millis(1),
        connect: patience,
        stall: patience,
        lock: patience,
        proxy: None,
    }
}

/// Takes a third of a second of silence for a stall.
fn impatient() -> Policy {
    Policy { stall: Duration::from_millis(300), ..hasty() }
}

/// A folder whose path has spaces and letters beyond ASCII, not made yet.
fn cache() -> (TempDir, PathBuf) {
    let holder = TempDir::new().unwrap();
    let folder = holder.path().join("Zwischenspeicher für 数据").join("noise");
    (holder, folder)
}

fn fetch_into(site: &Site, folder: &Path) -> Result<(), DataError> {
    fetch(site.info, folder, &hasty(), &|_| {}, &|| false)
}

/// Fetches from one mirror that replies as scripted; the set must arrive whole after exactly these requests.
fn arrives(replies: &[Reply], requests: &[&str]) {
    arrives_under(&hasty(), replies, requests);
}

fn arrives_under(policy: &Policy, replies: &[Reply], requests: &[&str]) {
    let site = Site::new(20, &[("a", replies)]);
    let (_holder, folder) = cache();
    fetch(site.info, &folder, policy, &|_| {}, &|| false).unwrap();
    assert_eq!(site.asked(), requests);
    is_whole(&site, &folder);
}

fn is_whole(site: &Site, folder: &Path) {
    let set = read_folder(site.info, folder).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (site.info.train_count, 2));
    assert!(!folder.join(PART).exists());
}

/// Fetches from a bad mirror and then a good one: the set must arrive, and the bad one's problem be reported.
/// Without the good mirror, the error must say the same.
fn is_given_up(reply: Reply, requests: usize, expected: &str) {
    is_given_up_under(&hasty(), reply, requests, expected);
}

fn is_given_up_under(policy: &Policy, reply: Reply, requests: usize, expected: &str) {
    let site = Site::new(20, &[("bad", &[reply]), ("good", &[Reply::Good])]);
    let (_holder, folder) = cache();
    let problems = RefCell::new(Vec::new());
    let hear = |event: FetchEvent| {
        if let FetchEvent::Failed { problem, retry_in: None, .. } = event {
            problems.borrow_mut().push(problem.to_owned());
        }
    };
    fetch(site.info, &folder, policy, &hear, &|| false).unwrap();
    is_whole(&site, &folder);
    assert!(problems.borrow()[0].contains(expected), "{problems:?}");
    assert_eq!(site.asked().iter().filter(|asked| asked.starts_with("bad")).count(), requests);

    let site = Site::new(20, &[("bad", &[reply]), ("worse", &[Reply::Status(404)])]);
    let (_holder, folder) = cache();
    let error = fetch(site.info, &folder, policy, &|_| {}, &|| false).unwrap_err();
    let message = error.to_string();
    assert!(error.is_io());
    assert!(message.starts_with("could not fetch Noise's train-images-idx3-ubyte into "), "{message}");
    assert!(message.contains(&format!("/bad/{WHOLE}: ")) && message.contains(expected), "{message}");
    assert!(message.ends_with(&format!("/worse/{WHOLE}: it answered 404 Not Found")), "{message}");
    assert!(!folder.join(WHOLE).exists());
}

#[test]
fn a_good_mirror_is_asked_once() {
    arrives(&[Reply::Good], &["a "]);
}

#[test]
fn a_cut_download_is_resumed() {
    arrives(&[Reply::Cut(5000), Reply::Cut(4000), Reply::Good], &["a ", "a 5000", "a 9000"]);
}

#[test]
fn a_server_without_ranges_starts_over() {
    arrives(&[Reply::Cut(5000), Reply::NoRanges], &["a ", "a 5000"]);
}

#[test]
fn a_server_that_sends_another_range_is_not_believed() {
    arrives(&[Reply::Cut(5000), Reply::WrongRange, Reply::Good], &["a ", "a 5000", "a "]);
}

#[test]
fn a_server_error_is_tried_again() {
    arrives(&[Reply::Status(500), Reply::Status(503), Reply::Good], &["a ", "a ", "a "]);
}

#[test]
fn a_stall_is_noticed_and_the_rest_asked_for() {
    arrives_under(&impatient(), &[Reply::Stall(7000), Reply::Good], &["a ", "a 7000"]);
}

#[test]
fn a_length_that_says_less_costs_one_more_request() {
    arrives(&[Reply::SaysLess(6000), Reply::Good], &["a ", "a 6000"]);
}

#[test]
fn a_file_that_a_proxy_has_uncompressed_is_the_same_file() {
    arrives(&[Reply::Raw], &["a "]);
}

#[test]
fn a_redirect_is_followed_with_its_range() {
    let site = Site::new(20, &[("a", &[Reply::Cut(3000), Reply::Redirect("b")]), ("b", &[Reply::Good])]);
    let (_holder, folder) = cache();
    fetch_into(&site, &folder).unwrap();
    assert_eq!(site.asked(), ["a ", "a 3000", "b 3000"]);
}

#[test]
fn redirects_in_a_circle_end() {
    is_given_up(Reply::Redirect("bad"), 33, "too many redirects");
}

#[test]
fn bad_answers_lead_to_the_next_mirror() {
    is_given_up(Reply::Status(404), 1, "it answered 404 Not Found");
    is_given_up(Reply::Status(500), 3, "it answered 500 Internal Server Error");
    is_given_up(Reply::Html, 1, "it sent an HTML page instead of the file");
    is_given_up(Reply::HtmlAsFile, 1, "it sent an HTML page instead of the file");
    is_given_up(Reply::WrongBytes, 1, "it sent the wrong bytes: 25 with SHA-256");
    is_given_up(Reply::WrongRange, 3, "it sent a different range of the file from the one requested");
    is_given_up(Reply::SaysMore, 1, "it announced 1099511627776 bytes");
    is_given_up(Reply::Endless, 1, "it sent more than the");
    is_given_up(Reply::CutNoRanges(100), 3, "the connection was closed before the end of the file");
}

#[test]
fn silence_and_trickles_end_in_time() {
    let begun = Instant::now();
    is_given_up_under(&impatient(), Reply::Stall(0), 3, "it stalled: (next to) nothing came for 300ms");
    is_given_up_under(&impatient(), Reply::Trickle, 3, "it stalled: (next to) nothing came for 300ms");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn nobody_listening_is_reported() {
    let site = Site::new(1, &[]);
    let (_holder, folder) = cache();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mirrors = Vec::leak(vec![&*String::leak(format!("http://{free}/"))]);
    let info = SetInfo { mirrors, ..copy(site.info) };
    let message = fetch(&info, &folder, &hasty(), &|_| {}, &|| false).unwrap_err().to_string();
    assert!(message.contains("onnection refused"), "{message}");
}

fn copy(info: &SetInfo) -> SetInfo {
    let files = info.files.each_ref().map(|file| SetFile { ..*file });
    SetInfo { groups: None, files, ..*info }
}

#[test]
fn a_part_of_other_bytes_does_not_spoil_the_file() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(PART), [&[0x1f, 0x8b, 8, 0], [9; 46].as_slice()].concat()).unwrap();
    fetch_into(&site, &folder).unwrap();
    assert_eq!(site.asked(), ["a 50", "a "]);
    is_whole(&site, &folder);
}

#[test]
fn a_part_that_was_whole_already_is_only_checked() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    fs::create_dir_all(&folder).unwrap();
    let images = site.images();
    fs::write(folder.join(PART), &images).unwrap();
    fetch_into(&site, &folder).unwrap();
    assert_eq!(site.asked(), [format!("a {}", images.len())]);
    is_whole(&site, &folder);
}

#[test]
fn a_file_of_the_cache_that_is_not_right_is_named_and_fetched_again() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let good = site.images();
    let (short, other) = (good[..good.len() / 2].to_vec(), vec![7; 500]);
    for (left, problem) in [
        (short, "it is cut short"),
        (b"<!doctype html><title>404</title>".to_vec(), "it is an HTML page"),
        (other, "it has the wrong bytes: "),
        (Vec::new(), "it has the wrong bytes: 0 with SHA-256"),
        (good, ""),
    ] {
        let (_holder, folder) = cache();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(WHOLE), left).unwrap();
        let told = RefCell::new(Vec::new());
        let hear = |event: FetchEvent| {
            if let FetchEvent::Replacing { path, problem } = event {
                told.borrow_mut().push((path.to_owned(), problem.to_owned()));
            }
        };
        fetch(site.info, &folder, &hasty(), &hear, &|| false).unwrap();
        is_whole(&site, &folder);
        let told = told.into_inner();
        assert_eq!(told.len(), usize::from(!problem.is_empty()), "{told:?}");
        for (path, said) in told {
            assert!(path == folder.join(WHOLE) && said.starts_with(problem), "{said}");
        }
    }
}

#[test]
fn what_has_come_is_kept_for_the_next_run() {
    let site =
        Site::new(20, &[("a", &[Reply::Cut(5000), Reply::Status(500), Reply::Status(500), Reply::Good])]);
    let (_holder, folder) = cache();
    assert!(fetch_into(&site, &folder).is_err());
    assert_eq!(fs::metadata(folder.join(PART)).unwrap().len(), 5000);
    fetch_into(&site, &folder).unwrap();
    assert_eq!(site.asked().last().unwrap(), "a 5000");
    is_whole(&site, &folder);
}

#[test]
fn a_line_that_is_often_cut_gets_there() {
    let site = Site::new(2000, &[("a", &[Reply::Cut(300_000)])]);
    let (_holder, folder) = cache();
    fetch_into(&site, &folder).unwrap();
    assert_eq!(site.asked().len(), site.images().len().div_ceil(300_000));
    assert!(site.asked().len() > hasty().attempts as usize);
    is_whole(&site, &folder);
}

#[test]
fn two_programs_at_once_fetch_once() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| fetch_into(&site, &folder).unwrap());
        }
    });
    assert_eq!(site.asked(), ["a "]);
}

#[test]
fn a_proxy_is_gone_through() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    let info = SetInfo { mirrors: &["http://mirror.invalid/a/"], ..copy(site.info) };
    let proxy = Some(ureq::Proxy::new(&format!("http://127.0.0.1:{}", site.port)).unwrap());
    fetch(&info, &folder, &Policy { proxy, ..hasty() }, &|_| {}, &|| false).unwrap();
    is_whole(&site, &folder);
}

#[test]
fn progress_is_told_in_order() {
    let site = Site::new(20, &[("a", &[Reply::Cut(5000), Reply::Good])]);
    let (_holder, folder) = cache();
    let total = site.images().len() as u64;
    let events = RefCell::new(Vec::new());
    let hear = |event: FetchEvent| match event {
        FetchEvent::Received { url, bytes } if url.ends_with(WHOLE) => {
            events.borrow_mut().push(("received", bytes));
        }
        FetchEvent::Started { url, resumed_at, total: Some(_) } if url.ends_with(WHOLE) => {
            events.borrow_mut().push(("started", resumed_at));
        }
        FetchEvent::Failed { retry_in: Some(wait), .. } => {
            events.borrow_mut().push(("failed", wait.as_millis() as u64));
        }
        FetchEvent::Finished { url } if url.ends_with(WHOLE) => events.borrow_mut().push(("finished", 0)),
        _ => {}
    };
    fetch(site.info, &folder, &hasty(), &hear, &|| false).unwrap();
    let mut events = events.into_inner();
    events.dedup_by_key(|event| event.0);
    let steps: Vec<_> = events.iter().map(|event| event.0).collect();
    assert_eq!(steps, ["started", "received", "failed", "started", "received", "finished"]);
    assert_eq!((events[0].1, events[2].1, events[3].1), (0, 1, 5000));
    assert!(events.iter().all(|event| event.1 <= total));
}

fn sources(cache: &Path) -> Sources<'static> {
    Sources {
        ready: Default::default(),
        given: None,
        folders: vec![],
        cache: Some(cache.to_owned()),
        policy: hasty(),
        progress: &|_| {},
        interrupted: &|| false,
    }
}

#[test]
fn a_set_that_is_nowhere_is_fetched_and_then_found() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    let sources = sources(folder.parent().unwrap());
    assert!(sources.locate(site.info).unwrap().is_none());
    assert_eq!(sources.load(site.info).unwrap().train.len(), 20);
    assert_eq!(sources.locate(site.info).unwrap(), Some(folder));
    sources.load(site.info).unwrap();
    assert_eq!(site.asked(), ["a "]);
}

#[test]
fn a_damaged_file_in_the_cache_is_fetched_again() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (_holder, folder) = cache();
    let sources = sources(folder.parent().unwrap());
    sources.load(site.info).unwrap();
    let images = site.images();
    fs::write(folder.join(WHOLE), &images[..9000]).unwrap();
    assert_eq!(sources.load(site.info).unwrap().train.len(), 20);
    assert_eq!(site.asked(), ["a ", "a "]);
}

#[test]
fn a_folder_of_ones_own_goes_before_the_cache_and_is_never_mended() {
    let site = Site::new(20, &[("a", &[Reply::Good])]);
    let (holder, folder) = cache();
    let own = holder.path().join("own");
    fetch_into(&site, &own.join("noise")).unwrap();
    let sources = Sources { folders: vec![own.clone()], ..sources(folder.parent().unwrap()) };
    sources.load(site.info).unwrap();
    fs::write(own.join("noise").join(WHOLE), b"oops").unwrap();
    assert!(matches!(sources.load(site.info), Err(DataError::Idx { .. })));
    assert!(!folder.exists());
    assert_eq!(site.asked(), ["a "]);
}

#[test]
fn without_a_cache_the_error_says_so() {
    let site = Site::new(1, &[]);
    let sources = Sources { cache: None, ..sources(Path::new("unused")) };
    let error = sources.load(site.info).unwrap_err();
    assert!(error.is_io());
    assert_eq!(error.to_string(), "Noise is not on this disk, and there is no home folder to fetch it into");
}

#[test]
fn a_cache_that_cannot_be_written_is_an_output_error() {
    let site = Site::new(1, &[("a", &[Reply::Good])]);
    let holder = TempDir::new().unwrap();
    let file = holder.path().join("a file");
    fs::write(&file, "in the way").unwrap();
    let error = fetch_into(&site, &file.join("noise")).unwrap_err();
    assert!(error.is_io() && matches!(error, DataError::Write { .. }), "{error}");
}
