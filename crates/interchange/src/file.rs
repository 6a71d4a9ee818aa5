//! A file to be written.

/// A file by its name and contents. Slashes in the name separate folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it belongs, such as `model.py` or `mlp/pytorch/model.py`.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl File {
    pub(crate) fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> File {
        File { name: name.into(), bytes: bytes.into() }
    }
}
