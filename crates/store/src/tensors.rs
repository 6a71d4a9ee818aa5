//! Named, typed, shaped arrays in a file: a thin layer on the safetensors format.
//!
//! The same tensors and metadata always give the same bytes, so a checksum tells whether a run came out the
//! same twice.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::{Metadata as Header, TensorInfo};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::atomic;
use crate::error::StoreError;
use crate::files::hex;

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
impl Element for f32 {
    const DTYPE: Dtype = Dtype::F32;
}
impl Element for f64 {
    const DTYPE: Dtype = Dtype::F64;
}

/// A tensor to be written: borrowed values under a name.
#[derive(Clone, Debug)]
pub struct Tensor<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: &'a [u8],
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
        assert_ne!(name, METADATA, "the safetensors format reserves this name");
        assert_eq!(shape.iter().product::<usize>(), values.len(), "tensor `{name}` of shape {shape:?}");
        Self { name, dtype: E::DTYPE, shape: shape.to_vec(), bytes: bytemuck::cast_slice(values) }
    }
}

const METADATA: &str = "__metadata__";
/// The file starts with the header's length as a u64.
const LENGTH: usize = size_of::<u64>();

/// Writes a tensor file.
///
/// # Panics
/// When two tensors have one name.
pub(crate) fn write(path: &Path, tensors: &[Tensor], metadata: &Metadata) -> Result<(), StoreError> {
    let tensors = ordered(tensors);
    let header = header(&tensors, metadata);
    atomic::write_with(path, |file| fill(file, &header, &tensors))
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
    let mut header = header(&tensors, &metadata);
    let mut hasher = Sha256::new().chain_update((header.len() as u64).to_le_bytes()).chain_update(&header);
    tensors.iter().for_each(|tensor| hasher.update(tensor.bytes));
    let place = seal_place(&header, UNSEALED).expect("it was put there");
    header[place..place + UNSEALED.len()].copy_from_slice(hex(hasher).as_bytes());
    atomic::write_after(path, |file| fill(file, &header, &tensors), make_way)
}

/// The metadata key of a file's own checksum.
const SEAL: &str = "checksum";
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

fn fill(file: &mut impl Write, header: &[u8], tensors: &[&Tensor]) -> io::Result<()> {
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header)?;
    tensors.iter().try_for_each(|tensor| file.write_all(tensor.bytes))
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
        let end = start + tensor.bytes.len();
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

/// A tensor file in memory, its header checked against its length.
#[derive(Debug)]
pub struct Tensors {
    path: PathBuf,
    bytes: Vec<u8>,
    header: Header,
    /// Where the values start in `bytes`.
    start: usize,
}

impl Tensors {
    /// Reads the tensor file at `path`.
    ///
    /// # Errors
    /// [`StoreError::Io`] where it cannot be read, [`StoreError::Damaged`] where it is no tensor file or a
    /// truncated one.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = fs::read(path).map_err(|source| StoreError::reading(path, source))?;
        Self::parse(path, bytes)
    }

    fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, StoreError> {
        let damaged = |reason: String| StoreError::damaged(path, reason);
        let short = || damaged(format!("it ends within its header, after {} bytes", bytes.len()));
        let (length, rest) = bytes.split_first_chunk::<LENGTH>().ok_or_else(short)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
        let (header, values) = rest.split_at_checked(length).ok_or_else(short)?;
        // Not the crate's own `SafeTensors::deserialize`: version 0.8 adds lengths from the header without a
        // check for overflow, which a crafted file turns into a panic.
        let header: Header = serde_json::from_slice(header)
            .map_err(|error| damaged(format!("its header is no safetensors header: {error}")))?;
        if header.data_len() != values.len() {
            let (promised, found) = (header.data_len(), values.len());
            return Err(damaged(format!("its header promises {promised} bytes of values, it has {found}")));
        }
        let start = bytes.len() - values.len();
        Ok(Self { path: path.to_owned(), bytes, header, start })
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.header.offset_keys();
        names.sort_unstable();
        names
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
    /// [`StoreError::WrongTensor`] where there is none, or it has another type or shape.
    pub fn values<E: Element>(&self, name: &str, shape: &[usize]) -> Result<Vec<E>, StoreError> {
        let info = self.info(name)?;
        if info.dtype != E::DTYPE || info.shape != shape {
            let (found, expected) = (info.dtype, E::DTYPE);
            let reason = format!("{expected} of shape {shape:?} expected, {found} of {:?} found", info.shape);
            return Err(self.wrong(name, reason));
        }
        let (from, to) = info.data_offsets;
        let bytes = &self.bytes[self.start + from..self.start + to];
        let mut values = vec![E::zeroed(); bytes.len() / size_of::<E>()];
        bytemuck::cast_slice_mut(&mut values).copy_from_slice(bytes);
        Ok(values)
    }

    /// The metadata text under `key`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// Checks every byte against the checksum that the file holds of itself.
    pub(crate) fn check_seal(&self) -> Result<(), StoreError> {
        let damaged = |reason: String| StoreError::damaged(&self.path, reason);
        let none = || damaged("it holds no checksum of itself".to_owned());
        let expected = self.metadata(SEAL).ok_or_else(none)?;
        let place = seal_place(&self.bytes[..self.start], expected).ok_or_else(none)?;
        let hasher = Sha256::new()
            .chain_update(&self.bytes[..place])
            .chain_update(UNSEALED)
            .chain_update(&self.bytes[place + expected.len()..]);
        let found = hex(hasher);
        if found != expected {
            return Err(damaged(format!("its SHA-256 is {found}, it says {expected}")));
        }
        Ok(())
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
