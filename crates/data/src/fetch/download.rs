//! One HTTP exchange: asks a server for the rest of a file and appends what it sends.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, StatusCode, header};

use super::{FetchEvent, Fetcher, Policy, length};

/// Why an attempt failed, by what to do about it.
pub(super) enum Fault {
    /// Another attempt at the same mirror may go better.
    Passing(String),
    /// This mirror does not have what is wanted.
    Lasting(String),
    /// The fault is this computer's: no mirror can help.
    Disk(io::Error),
    /// Somebody asked for the end.
    Interrupted,
}

/// Bytes that a server must send in the time that counts as a stall. A trickle is a stall that never ends.
const TRICKLE: u64 = 1024;

impl Fetcher<'_> {
    /// Asks for the bytes of `url` that `part` lacks and appends them, up to `most` in all. What has come
    /// before a fault stays in `part`, unless it is known to be no beginning of the file.
    pub(super) fn extend(&self, url: &str, part: &Path, most: u64) -> Result<(), Fault> {
        let Self { agent, policy, progress, interrupted } = self;
        if interrupted() {
            return Err(Fault::Interrupted);
        }
        let have = length(part);
        let mut request = agent.get(url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let mut response = request.call().map_err(|error| Fault::Passing(describe(&error, policy)))?;

        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if have > 0 && range_start(response.headers()) == Some(have) => have,
            StatusCode::PARTIAL_CONTENT => {
                // Keeping the part would bring the same wrong range again.
                discard(part)?;
                return Err(Fault::Passing(
                    "it sent a different range of the file from the one requested".to_owned(),
                ));
            }
            // There is nothing after what is here: it is either the whole file or none of it.
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(()),
            status => {
                let problem = format!("it answered {status}");
                let passing = status.is_server_error()
                    || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
                return Err(if passing { Fault::Passing(problem) } else { Fault::Lasting(problem) });
            }
        };
        if response.body().mime_type() == Some("text/html") {
            return Err(Fault::Lasting("it sent an HTML page instead of the file".to_owned()));
        }
        let total = response.body().content_length().map(|rest| start.saturating_add(rest));
        if let Some(total) = total.filter(|total| *total > most) {
            return Err(Fault::Lasting(format!("it announced {total} bytes; the file has at most {most}")));
        }
        progress(FetchEvent::Started { url, resumed_at: start, total });

        let mut output =
            File::options().create(true).write(true).truncate(false).open(part).map_err(Fault::Disk)?;
        output.set_len(start).map_err(Fault::Disk)?;
        output.seek(SeekFrom::Start(start)).map_err(Fault::Disk)?;
        let received =
            receive(&mut response.body_mut().as_reader(), &mut output, start, most, policy.stall, &|bytes| {
                progress(FetchEvent::Received { url, bytes });
                !interrupted()
            });
        output.sync_all().map_err(Fault::Disk)?;
        match received {
            Ok(()) => Ok(()),
            Err(Broken::Input(error)) => Err(Fault::Passing(describe(&error.into(), policy))),
            Err(Broken::Trickle) => Err(Fault::Passing(stalled(policy))),
            Err(Broken::Output(error)) => Err(Fault::Disk(error)),
            Err(Broken::Interrupted) => Err(Fault::Interrupted),
            Err(Broken::TooLong) => {
                discard(part)?;
                Err(Fault::Lasting(format!("it sent more than the {most} bytes that the file can have")))
            }
        }
    }
}

/// Why a body was not received to its end.
enum Broken {
    Input(io::Error),
    Output(io::Error),
    Interrupted,
    Trickle,
    TooLong,
}

/// Copies a body that begins at byte `start` of the file, as long as `progress` says to go on.
fn receive(
    body: &mut impl Read,
    output: &mut File,
    start: u64,
    most: u64,
    stall: Duration,
    progress: &dyn Fn(u64) -> bool,
) -> Result<(), Broken> {
    let mut buffer = vec![0; 64 * 1024];
    let mut here = start;
    let (mut since, mut then) = (Instant::now(), start);
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Input(error)),
        };
        here += count as u64;
        if here > most {
            return Err(Broken::TooLong);
        }
        output.write_all(&buffer[..count]).map_err(Broken::Output)?;
        if !progress(here) {
            return Err(Broken::Interrupted);
        }
        if since.elapsed() >= stall {
            if here - then < TRICKLE {
                return Err(Broken::Trickle);
            }
            (since, then) = (Instant::now(), here);
        }
    }
}

/// The first byte of the range that a server sends: `Content-Range: bytes FIRST-LAST/TOTAL`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    value.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// Removes `part`, if it is there: a server may be wrong before there is any.
pub(super) fn discard(part: &Path) -> Result<(), Fault> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Fault::Disk(error)),
        _ => Ok(()),
    }
}

/// What went wrong with the connection, for a person.
fn describe(error: &ureq::Error, policy: &Policy) -> String {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            format!("no connection within {:?}", policy.connect)
        }
        ureq::Error::Timeout(_) => stalled(policy),
        ureq::Error::HostNotFound => "the host name cannot be resolved".to_owned(),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed before the end of the file".to_owned()
        }
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn stalled(policy: &Policy) -> String {
    format!("it stalled: (next to) nothing came for {:?}", policy.stall)
}
