//! The IDX format, raw or gzip-compressed: bytes to a typed array, with nothing taken on trust.
//!
//! A file is two zero bytes, an element type, the number of dimensions, each dimension as a big-endian `u32`,
//! and then the elements, big-endian, the last index the fastest. It was published with MNIST
//! (<http://yann.lecun.com/exdb/mnist/>).

use std::io::{BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use crate::kind::kind;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The most zeros that may follow a gzip stream. Tapes, block devices and some mirrors fill the last block with them.
const MAX_PADDING: u64 = 64 << 20;

/// An array as the file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The size of each dimension, the slowest first. Their product is the number of elements.
    pub shape: Vec<usize>,
    /// The elements, the last index the fastest.
    pub elements: Elements,
}

/// The elements of an array in their own type.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Type code 0x08.
    U8(Vec<u8>),
    /// Type code 0x09.
    I8(Vec<i8>),
    /// Type code 0x0B.
    I16(Vec<i16>),
    /// Type code 0x0C.
    I32(Vec<i32>),
    /// Type code 0x0D.
    F32(Vec<f32>),
    /// Type code 0x0E.
    F64(Vec<f64>),
}

impl Elements {
    /// The element type's name, as in Rust.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::U8(_) => "u8",
            Self::I8(_) => "i8",
            Self::I16(_) => "i16",
            Self::I32(_) => "i32",
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
        }
    }
}

/// Why bytes are not an IDX file.
#[derive(Debug, thiserror::Error)]
pub enum IdxError {
    /// The bytes could not be read at all.
    #[error("{0}")]
    Io(std::io::Error),
    /// The gzip stream stops before its end.
    #[error("the gzip stream is cut short: it ends after {produced} uncompressed bytes")]
    TruncatedGzip {
        /// Uncompressed bytes before the cut.
        produced: u64,
    },
    /// The gzip stream contradicts itself.
    #[error("the gzip stream is damaged: {0}")]
    DamagedGzip(String),
    /// Something that is neither zeros nor another gzip stream follows the gzip stream.
    #[error("after the end of its gzip stream come other bytes, the first of them 0x{first:02x}")]
    AfterGzip {
        /// The first byte that is not zero.
        first: u8,
    },
    /// There is more content than the caller expects; the rest was not read.
    #[error("it holds more than the {limit} bytes expected")]
    TooLong {
        /// The most bytes that were expected, uncompressed.
        limit: u64,
        /// The first of them.
        start: Vec<u8>,
    },
    /// The file is of another kind.
    #[error("it is {0}")]
    OtherKind(&'static str),
    /// The file ends within the header.
    #[error("the header needs {needed} bytes and the file holds {held}")]
    ShortHeader {
        /// Bytes that the header takes, as far as it could be read.
        needed: usize,
        /// Bytes that there are.
        held: usize,
    },
    /// The file does not begin with two zero bytes.
    #[error("wrong magic number 0x{:08x}; IDX files begin with two zero bytes", u32::from_be_bytes(*.found))]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// The third byte is no element type.
    #[error("unknown element type 0x{code:02x}; IDX has 0x08, 0x09, 0x0b, 0x0c, 0x0d and 0x0e")]
    ElementType {
        /// The third byte.
        code: u8,
    },
    /// The header announces more elements than the file has bytes for.
    #[error("the header claims {shape:?} elements of {width} bytes and the file holds {held} bytes of them")]
    ClaimsMore {
        /// The dimensions in the header.
        shape: Vec<usize>,
        /// Bytes of one element.
        width: usize,
        /// Bytes after the header.
        held: usize,
    },
    /// Bytes follow the last element.
    #[error("{extra} bytes follow the last of the {shape:?} elements")]
    Trailing {
        /// The dimensions in the header.
        shape: Vec<usize>,
        /// Bytes after the last element.
        extra: usize,
    },
}

/// Reads a file's content to its end, uncompressing it where its first bytes, not its name, say gzip. Several gzip
/// streams one after the other are one content, and zeros after a stream are padding, as for `gzip` itself.
///
/// At most `limit + 1` bytes of content are produced, however many a small compressed file claims to stand
/// for.
///
/// # Errors
/// [`IdxError::TooLong`], [`IdxError::TruncatedGzip`], [`IdxError::DamagedGzip`], [`IdxError::AfterGzip`] or
/// [`IdxError::Io`].
pub fn content(mut reader: impl BufRead, limit: u64) -> Result<Vec<u8>, IdxError> {
    let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
    reader.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut magic).map_err(IdxError::Io)?;
    let mut whole = magic.as_slice().chain(reader);

    let mut bytes = Vec::new();
    // One byte more than expected shows that there is more; it also makes the decoder check the trailing CRC.
    let bound = limit.saturating_add(1);
    if magic == GZIP_MAGIC {
        uncompress(whole, bound, &mut bytes)?;
    } else {
        whole.by_ref().take(limit).read_to_end(&mut bytes).map_err(IdxError::Io)?;
        // Zeros after a raw file are padding as well.
        match after_zeros(&mut whole) {
            Ok(None) => {}
            Err(IdxError::Io(error)) => return Err(IdxError::Io(error)),
            Ok(Some(_)) | Err(_) => bytes.push(0),
        }
    }
    if bytes.len() as u64 > limit {
        bytes.truncate(crate::kind::ENOUGH);
        return Err(IdxError::TooLong { limit, start: bytes });
    }
    Ok(bytes)
}

/// Appends what gzip streams one after the other hold, up to `bound` bytes in all.
fn uncompress(mut reader: impl BufRead, bound: u64, bytes: &mut Vec<u8>) -> Result<(), IdxError> {
    loop {
        let room = bound - bytes.len() as u64;
        GzDecoder::new(&mut reader).take(room).read_to_end(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => IdxError::TruncatedGzip { produced: bytes.len() as u64 },
            ErrorKind::InvalidInput | ErrorKind::InvalidData => IdxError::DamagedGzip(error.to_string()),
            _ => IdxError::Io(error),
        })?;
        if bytes.len() as u64 >= bound {
            return Ok(());
        }
        match after_zeros(&mut reader)? {
            None => return Ok(()),
            Some(first) if first == GZIP_MAGIC[0] => {}
            Some(first) => return Err(IdxError::AfterGzip { first }),
        }
    }
}

/// The next byte that is not zero, which stays to be read; nothing at the end of the file.
fn after_zeros(reader: &mut impl BufRead) -> Result<Option<u8>, IdxError> {
    let mut zeros = 0;
    loop {
        let buffer = reader.fill_buf().map_err(IdxError::Io)?;
        let (length, count) = (buffer.len(), buffer.iter().take_while(|&&byte| byte == 0).count());
        let next = buffer.get(count).copied();
        reader.consume(count);
        zeros += count as u64;
        if length == 0 || next.is_some() {
            return Ok(next);
        }
        if zeros > MAX_PADDING {
            return Err(IdxError::AfterGzip { first: 0 });
        }
    }
}

/// The shape that an IDX file's first bytes announce, and the name of its elements' type; nothing where it is no IDX file.
pub fn announced(start: &[u8]) -> Option<(Vec<usize>, &'static str)> {
    let &[0, 0, code, dimensions] = start.first_chunk()? else { return None };
    let name = match code {
        0x08 => "u8",
        0x09 => "i8",
        0x0b => "i16",
        0x0c => "i32",
        0x0d => "f32",
        0x0e => "f64",
        _ => return None,
    };
    let sizes = start.get(4..4 + 4 * usize::from(dimensions))?;
    Some((big_endian(sizes, u32::from_be_bytes).into_iter().map(|size| size as usize).collect(), name))
}

/// Parses an uncompressed IDX file. Memory beyond `bytes` is taken only once the header's claim is known to
/// fit them; an array of `u8` reuses theirs.
///
/// # Errors
/// Any [`IdxError`] about the header, or about its claim being more or less than what follows it.
pub fn parse(mut bytes: Vec<u8>) -> Result<Array, IdxError> {
    const FIXED: usize = 4;
    let held = bytes.len();
    if !bytes.starts_with(&[0, 0])
        && let Some(kind) = kind(&bytes)
    {
        return Err(IdxError::OtherKind(kind));
    }
    let Some(&[zero_0, zero_1, code, dimensions]) = bytes.first_chunk::<FIXED>() else {
        return Err(IdxError::ShortHeader { needed: FIXED, held });
    };
    if (zero_0, zero_1) != (0, 0) {
        return Err(IdxError::Magic { found: [zero_0, zero_1, code, dimensions] });
    }
    let width = match code {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => return Err(IdxError::ElementType { code }),
    };
    let header = FIXED + 4 * usize::from(dimensions);
    let Some(sizes) = bytes.get(FIXED..header) else {
        return Err(IdxError::ShortHeader { needed: header, held });
    };
    let shape: Vec<usize> =
        big_endian(sizes, u32::from_be_bytes).into_iter().map(|size| size as usize).collect();

    let held = held - header;
    match claimed_bytes(&shape, width) {
        Some(claimed) if claimed == held => {}
        Some(claimed) if claimed < held => return Err(IdxError::Trailing { shape, extra: held - claimed }),
        _ => return Err(IdxError::ClaimsMore { shape, width, held }),
    }

    let body = &bytes[header..];
    let elements = match code {
        0x09 => Elements::I8(big_endian(body, i8::from_be_bytes)),
        0x0b => Elements::I16(big_endian(body, i16::from_be_bytes)),
        0x0c => Elements::I32(big_endian(body, i32::from_be_bytes)),
        0x0d => Elements::F32(big_endian(body, f32::from_be_bytes)),
        0x0e => Elements::F64(big_endian(body, f64::from_be_bytes)),
        _ => {
            bytes.drain(..header);
            Elements::U8(bytes)
        }
    };
    Ok(Array { shape, elements })
}

/// The bytes that an array of this shape takes; `None` where that is more than memory can address.
fn claimed_bytes(shape: &[usize], width: usize) -> Option<usize> {
    // A zero anywhere makes the array empty, so it must not matter whether the sizes before it overflow.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(width, |bytes, &size| bytes.checked_mul(size))
}

/// The elements in `bytes`, whose length is a multiple of theirs.
fn big_endian<const WIDTH: usize, T>(bytes: &[u8], element: impl Fn([u8; WIDTH]) -> T) -> Vec<T> {
    let (elements, rest) = bytes.as_chunks::<WIDTH>();
    debug_assert!(rest.is_empty());
    elements.iter().map(|&bytes| element(bytes)).collect()
}

#[cfg(test)]
#[path = "idx_tests.rs"]
mod tests;
