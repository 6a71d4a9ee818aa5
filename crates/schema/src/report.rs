//! Who hands the report in: what its title page and its contribution table say.

use serde::{Deserialize, Serialize};

use crate::names::{check_names, check_sentence};

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

/// What is wrong with an author: (number, key, message, help).
type Wrong = (usize, &'static str, String, String);

impl ReportSpec {
    /// What single keys cannot know of each other.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let names = self.authors.iter().map(|author| author.name.as_str());
        check_names("an author", names).map_err(|(number, message, help)| (number, "name", message, help))?;
        for (number, author) in self.authors.iter().enumerate() {
            let contribution = author.contribution.as_deref().unwrap_or_default();
            check_sentence(contribution)
                .map_err(|(message, help)| (number, "contribution", message, help))?;
        }
        Ok(())
    }
}
