//! Who hands the report in: what its title page and its contribution table say.

use serde::{Deserialize, Serialize};

/// The table `[report]` of a study. What it leaves out stands in the report as a placeholder that cannot be overlooked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSpec {
    /// Number of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The authors, in the order of the title page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Author>,
}

/// An author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The name, as the title page writes it.
    pub name: String,
    /// What the author did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contribution: Option<String>,
}

impl ReportSpec {
    /// The number of the author without a name, where there is one.
    pub(crate) fn nameless(&self) -> Option<usize> {
        self.authors.iter().position(|author| author.name.trim().is_empty())
    }
}
