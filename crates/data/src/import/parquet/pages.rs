//! A column's values of some rows: pages, each packed for itself, that hold values or places in a dictionary.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::footer::{Chunk, Codec, Kind, Leaf};
use super::thrift::Value;
use super::values::{differences, hybrid, lengths_first, places, plain_bytes, plain_integers};
use super::{MAX_ROWS, Problem, unread};

/// The most bytes of all pages of a chunk when they are unpacked.
const MAX_UNPACKED: usize = 4 << 30;
/// The most bytes that Snappy makes of one: its longest copy is 64 bytes, which take 3.
const SNAPPY_GROWTH: usize = 22;

const DAMAGED: &str = "has a damaged page";

/// A page of values.
struct Page<'a> {
    rows: usize,
    /// Whether each row has a value; `None` where all have.
    present: Option<Vec<bool>>,
    /// How many rows have a value.
    count: usize,
    encoding: i64,
    /// Unpacked bytes, of which the values begin at this place.
    bytes: Cow<'a, [u8]>,
    start: usize,
}

/// A dictionary: its values, and how many they are.
struct Dictionary<'a> {
    bytes: Cow<'a, [u8]>,
    count: usize,
}

/// A column's values of some rows, unpacked.
pub(super) struct Column<'a> {
    kind: Kind,
    dictionary: Option<Dictionary<'a>>,
    pages: Vec<Page<'a>>,
}

impl<'a> Column<'a> {
    /// The column of so many rows whose pages these bytes are.
    pub(super) fn parse(
        mut bytes: &'a [u8],
        (chunk, leaf): (&Chunk, &Leaf),
        rows: usize,
    ) -> Result<Column<'a>, Problem> {
        let codec =
            chunk.codec.map_err(|method| unread(format!("is packed with {method}, which is not read")))?;
        let mut column = Column { kind: leaf.kind, dictionary: None, pages: Vec::new() };
        let (mut left, mut unpacked) = (rows, 0_usize);
        while left > 0 {
            let (header, length) = Value::parse(bytes).map_err(|_| "has damaged or missing pages")?;
            let (size, packed) = (header.count(2).ok_or(DAMAGED)?, header.count(3).ok_or(DAMAGED)?);
            let (body, rest) =
                bytes[length..].split_at_checked(packed).ok_or("has a page that is cut short")?;
            bytes = rest;
            unpacked = unpacked.saturating_add(size);
            if unpacked > MAX_UNPACKED {
                return Err(unread("has more than 4 GiB in a row group"));
            }
            let about = |field: i16| header.field(field).ok_or(DAMAGED);
            let page = match header.integer(1).ok_or(DAMAGED)? {
                0 => Page::first_form(about(5)?, unpack(codec, body, size)?, leaf)?,
                3 => Page::second_form(about(8)?, (codec, body, size), leaf)?,
                2 if column.dictionary.is_none() => {
                    let count = about(7)?.count(1).filter(|&count| count <= MAX_ROWS).ok_or(DAMAGED)?;
                    column.dictionary = Some(Dictionary { bytes: unpack(codec, body, size)?, count });
                    continue;
                }
                // An index, which nothing here needs.
                1 => continue,
                _ => return Err(DAMAGED.into()),
            };
            left = left.checked_sub(page.rows).ok_or("has more rows in its pages than it says")?;
            column.pages.push(page);
        }
        Ok(column)
    }

    /// Texts or images, one for each row; nothing where it is missing.
    pub(super) fn bytes(&self) -> Result<Vec<Option<&[u8]>>, Problem> {
        let dictionary = match &self.dictionary {
            Some(found) => slices(&found.bytes, plain_bytes(&found.bytes, found.count)?),
            None => Vec::new(),
        };
        self.rows(&dictionary, |encoding, bytes, count| {
            let ranges = match encoding {
                0 => plain_bytes(bytes, count),
                6 => lengths_first(bytes, count),
                other => Err(unknown(other)),
            };
            Ok(slices(bytes, ranges?))
        })
    }

    /// Whole numbers, one for each row; nothing where it is missing.
    pub(super) fn integers(&self) -> Result<Vec<Option<i64>>, Problem> {
        let plain = |bytes: &[u8], count: usize| match self.kind {
            Kind::Int32 => plain_integers(bytes, count, |bytes| i32::from_le_bytes(bytes).into()),
            _ => plain_integers(bytes, count, i64::from_le_bytes),
        };
        let dictionary = match &self.dictionary {
            Some(found) => plain(&found.bytes, found.count)?,
            None => Vec::new(),
        };
        self.rows(&dictionary, |encoding, bytes, count| match encoding {
            0 => plain(bytes, count),
            5 => Ok(differences(bytes, count)?.0),
            other => Err(unknown(other)),
        })
    }

    /// The values of all pages; `decode` is how a page is read that does not name places in the dictionary.
    fn rows<'b, T: Copy>(
        &'b self,
        dictionary: &[T],
        decode: impl Fn(i64, &'b [u8], usize) -> Result<Vec<T>, Problem>,
    ) -> Result<Vec<Option<T>>, Problem> {
        let mut rows = Vec::new();
        for page in &self.pages {
            let bytes = &page.bytes[page.start..];
            let values = match page.encoding {
                2 | 8 => {
                    let of = |place: u32| dictionary.get(place as usize).copied();
                    let values = places(bytes, page.count)?.into_iter().map(of).collect::<Option<_>>();
                    values.ok_or("has a damaged page: it names a value that its dictionary does not have")?
                }
                other => decode(other, bytes, page.count)?,
            };
            match &page.present {
                None => rows.extend(values.into_iter().map(Some)),
                Some(present) => {
                    let mut values = values.into_iter();
                    rows.extend(present.iter().map(|&there| if there { values.next() } else { None }));
                }
            }
        }
        Ok(rows)
    }
}

fn slices(bytes: &[u8], ranges: Vec<Range<usize>>) -> Vec<&[u8]> {
    ranges.into_iter().map(|range| &bytes[range]).collect()
}

fn unknown(encoding: i64) -> Problem {
    let name = match encoding {
        7 => "DELTA_BYTE_ARRAY",
        9 => "BYTE_STREAM_SPLIT",
        _ => "another encoding",
    };
    unread(format!("stores its values in {name}, which is not read"))
}

impl<'a> Page<'a> {
    /// A page whose levels are packed with its values.
    fn first_form(about: &Value, bytes: Cow<'a, [u8]>, leaf: &Leaf) -> Result<Page<'a>, Problem> {
        let mut levels = &[][..];
        let mut start = 0;
        if leaf.levels > 0 {
            if about.integer(3) != Some(3) {
                return Err(unread("says in an old way which values are missing, which is not read"));
            }
            let (length, rest) = bytes.split_first_chunk::<4>().ok_or(DAMAGED)?;
            levels = rest.get(..u32::from_le_bytes(*length) as usize).ok_or(DAMAGED)?;
            start = 4 + levels.len();
        }
        let (rows, present) = present(about, levels, leaf)?;
        Page::new(rows, present, about.integer(2), bytes, start)
    }

    /// A page whose levels lie before its values and are not packed.
    fn second_form(
        about: &Value,
        (codec, body, size): (Codec, &'a [u8], usize),
        leaf: &Leaf,
    ) -> Result<Page<'a>, Problem> {
        let [levels, lists] = [5, 6].map(|field| about.count(field));
        let (levels, lists) = (levels.ok_or(DAMAGED)?, lists.ok_or(DAMAGED)?);
        let (levels, values) = body.split_at_checked(levels).filter(|_| lists == 0).ok_or(DAMAGED)?;
        let size = size.checked_sub(levels.len()).ok_or(DAMAGED)?;
        let codec = if about.field(7) == Some(&Value::Bool(false)) { Codec::None } else { codec };
        let (rows, present) = present(about, levels, leaf)?;
        Page::new(rows, present, about.integer(4), unpack(codec, values, size)?, 0)
    }

    fn new(
        rows: usize,
        present: Option<Vec<bool>>,
        encoding: Option<i64>,
        bytes: Cow<'a, [u8]>,
        start: usize,
    ) -> Result<Page<'a>, Problem> {
        let count = present.as_ref().map_or(rows, |present| present.iter().filter(|&&there| there).count());
        Ok(Page { rows, present, count, encoding: encoding.ok_or(DAMAGED)?, bytes, start })
    }
}

/// How many rows a page has, and whether each has a value, by its levels.
fn present(about: &Value, levels: &[u8], leaf: &Leaf) -> Result<(usize, Option<Vec<bool>>), Problem> {
    let rows = about.count(1).filter(|&rows| rows <= MAX_ROWS).ok_or(DAMAGED)?;
    if leaf.levels == 0 {
        return Ok((rows, None));
    }
    let levels = hybrid(levels, u32::BITS - leaf.levels.leading_zeros(), rows)?;
    let present: Vec<bool> = levels.into_iter().map(|level| level == leaf.levels).collect();
    Ok((rows, present.contains(&false).then_some(present)))
}

/// The bytes that were packed, which must be as many as was said.
fn unpack(codec: Codec, packed: &[u8], size: usize) -> Result<Cow<'_, [u8]>, Problem> {
    const WRONG: &str = "has a page of another size than it says";
    let damaged = |error: &dyn std::error::Error| Problem::from(format!("has a damaged page: {error}"));
    let bytes = match codec {
        _ if size == 0 => return Ok(Cow::Borrowed(&[])),
        Codec::None => Cow::Borrowed(packed),
        Codec::Snappy => {
            if size > packed.len().saturating_mul(SNAPPY_GROWTH)
                || snap::raw::decompress_len(packed) != Ok(size)
            {
                return Err(WRONG.into());
            }
            let unpacked = snap::raw::Decoder::new().decompress_vec(packed);
            Cow::Owned(unpacked.map_err(|error| damaged(&error))?)
        }
        Codec::Gzip => Cow::Owned(drain(MultiGzDecoder::new(packed), size).map_err(|error| damaged(&error))?),
        Codec::Zstd => {
            let unpacked = StreamingDecoder::new(packed).map_err(|error| damaged(&error))?;
            Cow::Owned(drain(unpacked, size).map_err(|error| damaged(&error))?)
        }
    };
    if bytes.len() == size { Ok(bytes) } else { Err(WRONG.into()) }
}

/// What a reader gives, and one byte more than was said shows that there is more.
fn drain(reader: impl Read, size: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(size as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
