//! Named, typed, shaped arrays in a file: a thin layer on the safetensors format.
//!
//! The same tensors and metadata always give the same bytes, so a checksum tells whether a run came out the
//! same twice.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use inkling_files::{atomic, hex};
use safetensors::Dtype;
use safetensors::tensor::{Metadata as Header, TensorInfo};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::files;

#[cfg(target_endian = "big")]
compile_error!("tensor files are little-endian, and this crate writes memory as it is");

/// Free text beside the tensors of a file, by key.
pub type Metadata = BTreeMap<String, String>;

/// A type of number that tensors are made of.
pub trait Element: bytemuck::Pod {
    /// Its name in the file format.
    const DTYPE: Dtype;
}

impl Element for u8 {
    const DTYPE: Dtype = Dtype::U8;
}
impl Element for u32 {
    const DTYPE: Dtype = Dtype::U32;
}
impl Element for i64 {
    const DTYPE: Dtype = Dtype::I64;
}
impl Element for half::f16 {
    const DTYPE: Dtype = Dtype::F16;
}
impl Element for f32 {
    const DTYPE: Dtype = Dtype::F32;
}
impl Element for f64 {
    const DTYPE: Dtype = Dtype::F64;
}

/// A tensor to be written: values under a name, borrowed or made when their turn comes.
#[derive(Clone, Debug)]
pub struct Tensor<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    values: Values<'a>,
}

#[derive(Clone)]
enum Values<'a> {
    Held(&'a [u8]),
    /// Fills memory for a run of whole rows from the value with this number on, aligned for them.
    Made(Rc<Make<'a>>),
}

type Make<'a> = dyn Fn(usize, &mut [u8]) -> Result<(), StoreError> + 'a;

/// Bytes of values that are made at once, if not a single row is more.
const RUN: usize = 1 << 20;

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Values::Held(bytes) => write!(f, "{} bytes", bytes.len()),
            Values::Made(_) => f.write_str("made when written"),
        }
    }
}

impl<'a> Tensor<'a> {
    /// The tensor `name` of the given shape, whose `values` lie in row-major order (the last axis is
    /// contiguous). A scalar has the shape `[]`.
    ///
    /// # Panics
    /// When the shape does not ask for exactly as many values as there are, or the name is the format's
    /// reserved word `__metadata__`.
    pub fn new<E: Element>(name: impl Into<String>, shape: &[usize], values: &'a [E]) -> Self {
        let name = name.into();
        assert_eq!(shape.iter().product::<usize>(), values.len(), "tensor `{name}` of shape {shape:?}");
        Self::of::<E>(name, shape, Values::Held(bytemuck::cast_slice(values)))
    }

    /// As [`Tensor::new`], of values that are nowhere yet: when the tensor is written, `make` is called with the number of
    /// a value that starts a row and fills a run of whole rows (the last axis) from there, run after run. One is in memory
    /// at a time, so that a file can be larger than what is free.
    ///
    /// # Panics
    /// When the name is the format's reserved word `__metadata__`.
    pub fn made<E: Element>(
        name: impl Into<String>,
        shape: &[usize],
        make: impl Fn(usize, &mut [E]) -> Result<(), StoreError> + 'a,
    ) -> Self {
        let make = move |first, bytes: &mut [u8]| make(first, bytemuck::cast_slice_mut(bytes));
        Self::of::<E>(name.into(), shape, Values::Made(Rc::new(make)))
    }

    fn of<E: Element>(name: String, shape: &[usize], values: Values<'a>) -> Self {
        assert_ne!(name, METADATA, "the safetensors format reserves this name");
        Self { name, dtype: E::DTYPE, shape: shape.to_vec(), values }
    }

    /// Length of the values in bytes.
    fn len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }

    /// Gives `write` the values run after run, in `scratch` where they have to be made.
    fn write(
        &self,
        scratch: &mut Vec<u64>,
        mut write: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let make = match &self.values {
            Values::Held(bytes) => return write(bytes),
            Values::Made(make) => make,
        };
        let width = self.dtype.bitsize() / 8;
        let row = self.shape.last().map_or(1, |&last| last.max(1)) * width;
        let run = (RUN / row).max(1) * row;
        // Eight bytes are aligned for every type of number.
        scratch.resize(scratch.len().max(run.min(self.len()).div_ceil(size_of::<u64>())), 0);
        for start in (0..self.len()).step_by(run) {
            let bytes = &mut bytemuck::cast_slice_mut(scratch)[..run.min(self.len() - start)];
            make(start / width, bytes)?;
            write(bytes)?;
        }
        Ok(())
    }
}

const METADATA: &str = "__metadata__";
/// The file starts with the header's length as a u64.
const LENGTH: usize = size_of::<u64>();
/// The longest header that the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

/// Writes a tensor file.
///
/// # Panics
/// When two tensors have one name.
pub(crate) fn write(path: &Path, tensors: &[Tensor], metadata: &Metadata) -> Result<(), StoreError> {
    let tensors = ordered(tensors);
    let header = header(&tensors, metadata);
    atomic::write_after(path, |file| fill(path, &header, &tensors, |bytes| file.write_all(bytes)), || Ok(()))
}

/// Writes a tensor file whose metadata holds the SHA-256 of the whole file, which [`Tensors::check_seal`] checks; as
/// it is hashed, that checksum's own place is filled with zeros. `make_way` runs right before the file takes its name.
///
/// # Panics
/// When two tensors have one name.
pub(crate) fn write_sealed(
    path: &Path,
    tensors: &[Tensor],
    metadata: &Metadata,
    make_way: impl FnOnce() -> io::Result<()>,
) -> Result<(), StoreError> {
    let tensors = ordered(tensors);
    let mut metadata = metadata.clone();
    assert!(
        metadata.insert(SEAL.to_owned(), UNSEALED.to_owned()).is_none(),
        "the file's own checksum goes there"
    );
    let header = header(&tensors, &metadata);
    let place = LENGTH + seal_place(&header, UNSEALED).expect("it was put there");
    let fill = |file: &mut io::BufWriter<&File>| {
        let mut hasher = Sha256::new();
        fill(path, &header, &tensors, |bytes| {
            hasher.update(bytes);
            file.write_all(bytes)
        })?;
        // Values may be made for this once, so that what they hash to is known when the header is long written.
        let mut seal = || {
            file.seek(SeekFrom::Start(place as u64))?;
            file.write_all(hex(hasher.clone()).as_bytes())
        };
        seal().map_err(|source| StoreError::writing(path, source))
    };
    atomic::write_after(path, fill, make_way)
}

/// The metadata key of a file's own checksum.
pub(crate) const SEAL: &str = "checksum";
const UNSEALED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where in a header the checksum stands that says `checksum`. A quote within a text is escaped, so nothing but the
/// key and its value can look like this.
fn seal_place(header: &[u8], checksum: &str) -> Option<usize> {
    let key = format!("\"{SEAL}\":\"");
    let entry = format!("{key}{checksum}\"");
    let at = header.windows(entry.len()).position(|window| window == entry.as_bytes())?;
    Some(at + key.len())
}

/// The widest types first keep every tensor aligned, as the format asks; the name settles the order for good.
fn ordered<'a, 'b>(tensors: &'a [Tensor<'b>]) -> Vec<&'a Tensor<'b>> {
    let mut tensors: Vec<_> = tensors.iter().collect();
    tensors.sort_by(|a, b| b.dtype.cmp(&a.dtype).then_with(|| a.name.cmp(&b.name)));
    tensors
}

/// Gives `write` the file at `path` piece by piece.
fn fill(
    path: &Path,
    header: &[u8],
    tensors: &[&Tensor],
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), StoreError> {
    let mut write = |bytes: &[u8]| write(bytes).map_err(|source| StoreError::writing(path, source));
    write(&(header.len() as u64).to_le_bytes())?;
    write(header)?;
    let mut scratch = Vec::new();
    tensors.iter().try_for_each(|tensor| tensor.write(&mut scratch, &mut write))
}

/// The header's JSON, padded to a multiple of 8 bytes. The safetensors crate keeps metadata in a hash map and
/// writes it in a new order each time, so the header is made here.
fn header(tensors: &[&Tensor], metadata: &Metadata) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Entry<'a> {
        Metadata(&'a Metadata),
        Tensor(TensorInfo),
    }
    struct Entries<'a>(Vec<(&'a str, Entry<'a>)>);
    impl Serialize for Entries<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, entry)| (name, entry)))
        }
    }

    let mut entries = Vec::with_capacity(tensors.len() + 1);
    if !metadata.is_empty() {
        entries.push((METADATA, Entry::Metadata(metadata)));
    }
    let mut start = 0;
    for tensor in tensors {
        let end = start + tensor.len();
        let info =
            TensorInfo { dtype: tensor.dtype, shape: tensor.shape.clone(), data_offsets: (start, end) };
        entries.push((tensor.name.as_str(), Entry::Tensor(info)));
        start = end;
    }
    let mut names: Vec<_> = tensors.iter().map(|tensor| &tensor.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two tensors have one name: {names:?}");

    let mut json = serde_json::to_vec(&Entries(entries)).expect("names, numbers and texts have a JSON form");
    json.resize(json.len().next_multiple_of(LENGTH), b' ');
    json
}

/// A tensor file that is open, its header checked against its length. Values are read when they are asked for: a file that
/// is replaced meanwhile stays what it was to whoever has it open.
#[derive(Debug)]
pub struct Tensors {
    path: PathBuf,
    file: Mutex<File>,
    header: Header,
    /// Where the values start in the file.
    start: u64,
}

impl Tensors {
    /// Opens the tensor file at `path`.
    ///
    /// # Errors
    /// [`StoreError::Io`] where it cannot be read, [`StoreError::Damaged`] where it is no tensor file or a
    /// truncated one.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::reading(path, source);
        let damaged = |reason: String| StoreError::damaged(path, reason);
        // That there is none, the system says best.
        let mut file = files::open(path)?.map_or_else(|| File::open(path), Ok).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let short = || damaged(format!("it ends within its header, after {bytes} bytes"));
        let mut length = [0; LENGTH];
        let after_length = bytes.checked_sub(LENGTH as u64).ok_or_else(short)?;
        file.read_exact(&mut length).map_err(failed)?;
        let length = u64::from_le_bytes(length);
        let values = after_length.checked_sub(length).ok_or_else(short)?;
        if length > LONGEST_HEADER {
            return Err(damaged(format!("its header of {length} bytes is longer than the format allows")));
        }
        let mut header = vec![0; usize::try_from(length).map_err(|_| short())?];
        file.read_exact(&mut header).map_err(failed)?;
        // Not the crate's own `SafeTensors::deserialize`: version 0.8 adds lengths from the header without a
        // check for overflow, which a crafted file turns into a panic.
        let header: Header = serde_json::from_slice(&header)
            .map_err(|error| damaged(format!("its header is not a safetensors header: {error}")))?;
        if header.data_len() as u64 != values {
            let promised = header.data_len();
            return Err(damaged(format!("its header promises {promised} bytes of values, it has {values}")));
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), header, start: bytes - values })
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.header.offset_keys();
        names.sort_unstable();
        names
    }

    /// A tensor as it lies in the file: the format's name for the type of its numbers, such as `F32`, its shape, and its bytes,
    /// the lowest of each number first.
    ///
    /// # Errors
    /// [`StoreError::WrongTensor`] where there is none, [`StoreError::Io`] where it cannot be read.
    pub fn raw(&self, name: &str) -> Result<(String, &[usize], Vec<u8>), StoreError> {
        let info = self.info(name)?;
        let (from, to) = info.data_offsets;
        let mut bytes = vec![0; to - from];
        self.read_at(self.start + from as u64, &mut bytes)?;
        Ok((info.dtype.to_string(), &info.shape, bytes))
    }

    /// The shape of the tensor `name`.
    ///
    /// # Errors
    /// [`StoreError::WrongTensor`] where there is none.
    pub fn shape(&self, name: &str) -> Result<&[usize], StoreError> {
        self.info(name).map(|info| info.shape.as_slice())
    }

    /// The values of the tensor `name` in row-major order.
    ///
    /// # Errors
    /// [`StoreError::WrongTensor`] where there is none, or it has another type or shape; [`StoreError::Io`] where it
    /// cannot be read.
    pub fn values<E: Element>(&self, name: &str, shape: &[usize]) -> Result<Vec<E>, StoreError> {
        let (at, bytes) = self.find::<E>(name, shape)?;
        let mut values = vec![E::zeroed(); bytes / size_of::<E>()];
        self.read_at(at, bytemuck::cast_slice_mut(&mut values))?;
        Ok(values)
    }

    /// As [`Tensors::values`], of numbers that must all be finite.
    ///
    /// # Errors
    /// As for [`Tensors::values`], and [`StoreError::NotFinite`] with the first number that is not.
    pub fn finite(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, StoreError> {
        let values: Vec<f32> = self.values(name, shape)?;
        let Some(first) = values.iter().position(|value| !value.is_finite()) else { return Ok(values) };
        let count = values[first..].iter().filter(|value| !value.is_finite()).count();
        let mut rest = first;
        let mut place: Vec<usize> = shape
            .iter()
            .rev()
            .map(|&size| {
                let index = rest % size;
                rest /= size;
                index
            })
            .collect();
        place.reverse();
        let (path, name, of) = (self.path.clone(), name.to_owned(), values.len());
        Err(StoreError::NotFinite { path, name, count, of, value: values[first], place })
    }

    /// As [`Tensors::values`], into memory that is there, from the value with this number on.
    ///
    /// # Errors
    /// As for [`Tensors::values`].
    ///
    /// # Panics
    /// When the shape does not ask for so many values.
    pub fn read_values<E: Element>(
        &self,
        name: &str,
        shape: &[usize],
        first: usize,
        values: &mut [E],
    ) -> Result<(), StoreError> {
        let (at, bytes) = self.find::<E>(name, shape)?;
        let from = first * size_of::<E>();
        assert!(from + size_of_val(values) <= bytes, "values of `{name}` beyond its last");
        self.read_at(at + from as u64, bytemuck::cast_slice_mut(values))
    }

    /// Where in the file the values of the tensor `name` start, and how many bytes they are.
    fn find<E: Element>(&self, name: &str, shape: &[usize]) -> Result<(u64, usize), StoreError> {
        let info = self.info(name)?;
        if info.dtype != E::DTYPE || info.shape != shape {
            let (found, expected) = (info.dtype, E::DTYPE);
            let reason = format!("{expected} of shape {shape:?} expected, {found} of {:?} found", info.shape);
            return Err(self.wrong(name, reason));
        }
        let (from, to) = info.data_offsets;
        Ok((self.start + from as u64, to - from))
    }

    /// The metadata text under `key`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// All metadata.
    pub(crate) fn all_metadata(&self) -> Metadata {
        self.header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Every tensor, to be written to another file; each is read when it is written.
    pub(crate) fn copies(&self) -> Vec<Tensor<'_>> {
        let copy = |name: String| {
            let info = self.header.info(&name).expect("the file has its own names");
            let (width, at) = (info.dtype.bitsize() / 8, self.start + info.data_offsets.0 as u64);
            let read = move |first: usize, bytes: &mut [u8]| self.read_at(at + (first * width) as u64, bytes);
            let (dtype, shape) = (info.dtype, info.shape.clone());
            Tensor { name, dtype, shape, values: Values::Made(Rc::new(read)) }
        };
        self.names().into_iter().map(copy).collect()
    }

    /// Checks every byte against the checksum that the file holds of itself.
    pub(crate) fn check_seal(&self) -> Result<(), StoreError> {
        let damaged = |reason: String| StoreError::damaged(&self.path, reason);
        let none = || damaged("it holds no checksum of itself".to_owned());
        let expected = self.metadata(SEAL).ok_or_else(none)?;
        let mut header = vec![0; usize::try_from(self.start).expect("it was in memory once")];
        self.read_at(0, &mut header)?;
        let place = seal_place(&header, expected).ok_or_else(none)?;
        header[place..place + expected.len()].fill(b'0');
        let mut hasher = Sha256::new().chain_update(&header);
        let mut at = self.start;
        let end = self.start + self.header.data_len() as u64;
        let mut buffer = vec![0; 1 << 16];
        while at < end {
            let count = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            self.read_at(at, &mut buffer[..count])?;
            hasher.update(&buffer[..count]);
            at += count as u64;
        }
        let found = hex(hasher);
        if found != expected {
            return Err(damaged(format!("its SHA-256 is {found}, it says {expected}")));
        }
        Ok(())
    }

    /// Fills `bytes` with those of the file from byte `at` on.
    fn read_at(&self, at: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = || {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(bytes)
        };
        read().map_err(|source| StoreError::reading(&self.path, source))
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, StoreError> {
        self.header.info(name).ok_or_else(|| {
            let names = self.names().join("`, `");
            self.wrong(name, format!("there is none of this name; the file holds `{names}`"))
        })
    }

    fn wrong(&self, name: &str, reason: String) -> StoreError {
        StoreError::WrongTensor { path: self.path.clone(), name: name.to_owned(), reason }
    }
}

#[cfg(test)]
#[path = "tensors_tests.rs"]
mod tests;
