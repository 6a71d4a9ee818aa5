//! Where a set was looked for.

use std::fmt::{Display, Formatter};
use std::path::PathBuf;

/// A folder in which a set was looked for, as far as that is worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The folder.
    pub folder: PathBuf,
    /// Why nothing could be found there: "there is no such folder".
    pub obstacle: Option<String>,
    /// Whether it keeps to itself what it holds.
    pub closed: bool,
    /// What lies there in the place of the set's files, each by its name and what it is.
    pub instead: Vec<String>,
}

impl Display for Looked {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.folder.display())?;
        if let Some(obstacle) = &self.obstacle {
            write!(f, " ({obstacle})")?;
        }
        self.instead.iter().try_for_each(|found| write!(f, "\n    found {found}"))
    }
}
