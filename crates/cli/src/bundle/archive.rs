//! Files to a zip archive: the same files give the same bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, Error, ZipArchiveWriter};

/// When every file was changed, as the archive says: noon on the first day that the format knows, 1 January 1980, which is
/// that day in nearly every time zone. In seconds since 1970.
const CHANGED: i64 = 315_576_000;

/// The files of an archive by their paths, with `/` between the parts.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, Cow<'static, [u8]>>);

impl Files {
    /// Adds a file.
    ///
    /// # Panics
    /// When there is a file of this path already.
    pub(super) fn add(&mut self, path: String, bytes: impl Into<Cow<'static, [u8]>>) {
        let before = self.0.insert(path, bytes.into());
        assert!(before.is_none(), "two files want one place");
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The archive, in the order of the paths. All files have one time, and whether a file can be executed shows
    /// in its first line (`#!/bin/sh`): nothing depends on the file system that they were read from.
    pub(super) fn zip(&self) -> Vec<u8> {
        let mut archive = ZipArchiveWriter::new(Vec::new());
        for (path, bytes) in &self.0 {
            add(&mut archive, path, bytes).expect("memory takes every write, and paths are short");
        }
        archive.finish().expect("memory takes every write")
    }
}

fn add(archive: &mut ZipArchiveWriter<Vec<u8>>, path: &str, bytes: &[u8]) -> Result<(), Error> {
    let file = archive.new_file(path).compression_method(CompressionMethod::DEFLATE);
    let mode = if bytes.starts_with(b"#!/") { 0o100_755 } else { 0o100_644 };
    let (mut entry, config) =
        file.unix_permissions(mode).last_modified(UtcDateTime::from_unix(CHANGED)).start()?;
    // What is compressed already is wrapped only. The method "stored" would do as well, but sizes come after the bytes
    // here, and some programs that read archives as they arrive expect that of deflated entries alone.
    let level = if path.ends_with(".gz") { Compression::none() } else { Compression::default() };
    let mut writer = config.wrap(DeflateEncoder::new(&mut entry, level));
    writer.write_all(bytes)?;
    let (encoder, descriptor) = writer.finish()?;
    encoder.finish()?;
    entry.finish(descriptor)?;
    Ok(())
}
