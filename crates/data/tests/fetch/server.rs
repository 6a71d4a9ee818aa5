//! A small HTTP server that misbehaves as told, and a small set for it to serve.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use inkling_data::SetInfo;
use inkling_data::catalogue::SetFile;
use sha2::{Digest, Sha256};

/// How the server answers a request for the training images.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    /// As it should, byte ranges included.
    Good,
    /// The whole file, whatever range was asked for.
    NoRanges,
    /// At most so many bytes of what was asked for, under a `Content-Length` that promises all of it.
    Cut(usize),
    /// The same for a server without byte ranges.
    CutNoRanges(usize),
    /// So many bytes, then silence.
    Stall(usize),
    /// A byte every 20 ms.
    Trickle,
    /// A `Content-Length` of so many bytes, fewer than there are, and just those.
    SaysLess(usize),
    /// A `Content-Length` far beyond what the file can have.
    SaysMore,
    /// Zeros without a stated length, until the reader has enough.
    Endless,
    /// A page that says what it is.
    Html,
    /// A page that says it is a file.
    HtmlAsFile,
    /// A sound gzip file with other content.
    WrongBytes,
    /// A 206 that begins at the first byte, whatever was asked for.
    WrongRange,
    /// The file as no compression level would make it: uncompressed.
    Raw,
    /// Only a status.
    Status(u16),
    /// To the same file at another mirror.
    Redirect(&'static str),
}

/// Mirrors of one small set, all on one local port.
pub(crate) struct Site {
    pub(crate) info: &'static SetInfo,
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// A site whose mirrors answer requests for the training images as scripted, the last reply again and
    /// again, and every other request as they should. The set has `count` training images.
    pub(crate) fn new(count: usize, mirrors: &[(&'static str, &[Reply])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let (info, files) = set(count, &base, mirrors);
        let mut scripts: HashMap<String, Vec<Reply>> =
            mirrors.iter().map(|(name, replies)| ((*name).to_owned(), replies.to_vec())).collect();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(ask) = stream.ok().and_then(Ask::read) else { continue };
                let mut reply = Reply::Good;
                if ask.file == "train-images-idx3-ubyte.gz" {
                    log.lock().unwrap().push(format!(
                        "{} {}",
                        ask.mirror,
                        ask.from.map_or(String::new(), |n| n.to_string())
                    ));
                    let script = scripts.get_mut(&ask.mirror).expect("a scripted mirror");
                    reply = if script.len() > 1 { script.remove(0) } else { script[0] };
                }
                let body = files[&ask.file].clone();
                // A client that has heard enough hangs up, so a write may fail.
                thread::spawn(move || ask.answer(reply, &body));
            }
        });
        Self { info, port, asked }
    }

    /// The requests for the training images, each as `mirror first-byte`, the byte empty where no range was
    /// asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The compressed training images.
    pub(crate) fn images(&self) -> Vec<u8> {
        gzip(&pixels_file(self.info.train_count))
    }
}

struct Ask {
    stream: TcpStream,
    mirror: String,
    file: String,
    from: Option<usize>,
}

impl Ask {
    fn read(mut stream: TcpStream) -> Option<Self> {
        let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
        let mut first = lines.next()?;
        if first.starts_with("CONNECT ") {
            lines.by_ref().find(String::is_empty)?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
            first = lines.next()?;
        }
        let headers: Vec<_> =
            lines.take_while(|line| !line.is_empty()).map(|line| line.to_lowercase()).collect();
        let from = headers
            .iter()
            .find_map(|line| line.strip_prefix("range: bytes="))
            .map(|range| range.trim_end_matches('-').parse().unwrap());
        let mut path = first.split(' ').nth(1)?.rsplit('/');
        let (file, mirror) = (path.next()?.to_owned(), path.next()?.to_owned());
        Some(Self { stream, mirror, file, from })
    }

    fn answer(mut self, reply: Reply, body: &[u8]) -> std::io::Result<()> {
        let from = self.from;
        let rest = &body[from.unwrap_or(0).min(body.len())..];
        match reply {
            Reply::Good if from.is_some() && rest.is_empty() => {
                self.send("416 Range Not Satisfiable", "", 0, b"")
            }
            Reply::Good | Reply::Cut(_) => {
                let sent = if let Reply::Cut(most) = reply { &rest[..most.min(rest.len())] } else { rest };
                match from {
                    Some(from) => {
                        let range =
                            format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
                        self.send("206 Partial Content", &range, rest.len(), sent)
                    }
                    None => self.send("200 OK", "", rest.len(), sent),
                }
            }
            Reply::NoRanges => self.send("200 OK", "", body.len(), body),
            Reply::CutNoRanges(most) => self.send("200 OK", "", body.len(), &body[..most]),
            Reply::Stall(most) => {
                self.send("200 OK", "", body.len(), &body[..most])?;
                thread::sleep(Duration::from_secs(5));
                Ok(())
            }
            Reply::Trickle => {
                self.send("200 OK", "", body.len(), b"")?;
                for byte in body {
                    self.stream.write_all(&[*byte])?;
                    thread::sleep(Duration::from_millis(20));
                }
                Ok(())
            }
            Reply::SaysLess(length) => self.send("200 OK", "", length, &body[..length]),
            Reply::SaysMore => self.send("200 OK", "", 1 << 40, body),
            Reply::Endless => {
                self.stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
                loop {
                    self.stream.write_all(&[0; 4096])?;
                }
            }
            Reply::Html => {
                self.send("200 OK", "Content-Type: text/html; charset=utf-8\r\n", PAGE.len(), PAGE)
            }
            Reply::HtmlAsFile => self.send("200 OK", "Content-Type: application/gzip\r\n", PAGE.len(), PAGE),
            Reply::WrongBytes => {
                let other = gzip(b"something else altogether");
                self.send("200 OK", "", other.len(), &other)
            }
            Reply::WrongRange => {
                let range = format!("Content-Range: bytes 0-{}/{}\r\n", body.len() - 1, body.len());
                self.send("206 Partial Content", &range, body.len(), body)
            }
            Reply::Raw => {
                let mut raw = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(body), &mut raw)?;
                self.send("200 OK", "", raw.len(), &raw)
            }
            Reply::Status(code) => self.send(&format!("{code} As told"), "", 0, b""),
            Reply::Redirect(mirror) => {
                let location = format!("Location: /{mirror}/{}\r\n", self.file);
                self.send("302 Found", &location, 0, b"")
            }
        }
    }

    fn send(&mut self, status: &str, headers: &str, length: usize, body: &[u8]) -> std::io::Result<()> {
        write!(
            self.stream,
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        )?;
        self.stream.write_all(body)
    }
}

const PAGE: &[u8] = b"<!DOCTYPE html><title>Please log in to the guest network</title>";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Images of noise, which compression cannot make smaller.
fn pixels_file(count: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    bytes.extend([u32::try_from(count).unwrap(), 28, 28].iter().flat_map(|size| size.to_be_bytes()));
    let mut state = 1_u32;
    bytes.extend((0..count * 784).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }));
    bytes
}

fn labels_file(count: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1];
    bytes.extend(u32::try_from(count).unwrap().to_be_bytes());
    bytes.extend((0..count).map(|index| (index % 10) as u8));
    bytes
}

/// A set of noise, and its compressed files by name.
fn set(
    count: usize,
    base: &str,
    mirrors: &[(&str, &[Reply])],
) -> (&'static SetInfo, HashMap<String, Vec<u8>>) {
    let test_count = 2;
    let contents = [
        ("train-images-idx3-ubyte", pixels_file(count)),
        ("train-labels-idx1-ubyte", labels_file(count)),
        ("t10k-images-idx3-ubyte", pixels_file(test_count)),
        ("t10k-labels-idx1-ubyte", labels_file(test_count)),
    ];
    let files = contents.each_ref().map(|(name, bytes)| SetFile {
        name,
        bytes: bytes.len() as u64,
        sha256: leak(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()),
    });
    let mirrors: Vec<&'static str> =
        mirrors.iter().map(|(name, _)| leak(format!("{base}/{name}/"))).collect();
    let info = SetInfo {
        name: "noise",
        title: "Noise",
        shape: [28, 28, 1],
        train_count: count,
        test_count,
        brightness: [0.5, 0.5],
        classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        groups: None,
        files,
        origin: "this test",
        licence: "none",
        mirrors: Vec::leak(mirrors),
    };
    let served = contents.into_iter().map(|(name, bytes)| (format!("{name}.gz"), gzip(&bytes))).collect();
    (Box::leak(Box::new(info)), served)
}

/// A catalogue's strings live as long as the program.
fn leak(text: String) -> &'static str {
    String::leak(text)
}
