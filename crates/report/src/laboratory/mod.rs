//! The laboratory in the page: the study's networks and images, and the program that works with them in the reader's browser.

mod index;
mod pictures;
mod program;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) use self::index::title;
use self::index::{Blobs, Index};
use crate::Results;

/// The place in a page that the laboratory takes.
const PLACE: &str = r#"<script type="application/json" id="laboratory"></script>"#;

/// What a page needs for its laboratory.
pub(crate) struct Laboratory {
    /// Names and numbers, as JSON.
    index: String,
    /// Weights and images, by the keys that the index has for them.
    blobs: Vec<(String, Vec<u8>)>,
}

impl Laboratory {
    /// The laboratory of a study; none where it has no network for it.
    pub(crate) fn new(results: &Results) -> Option<Laboratory> {
        let (index, Blobs(blobs)) = Index::new(results)?;
        // It is in a script element, which ends at the first `</script`, be it in the name of a class.
        let index = serde_json::to_string(&index).expect("an index is plain data").replace('<', r"\u003c");
        Some(Laboratory { index, blobs })
    }

    /// The page with the laboratory in the place that the template keeps for it.
    ///
    /// # Panics
    /// If there is no such place.
    pub(crate) fn put_into(&self, page: &str) -> String {
        let (before, after) = page.split_once(PLACE).expect("the template keeps a place for the laboratory");
        let length: usize = self.blobs.iter().map(|(_, bytes)| bytes.len().div_ceil(3) * 4 + 100).sum();
        let mut whole = String::with_capacity(page.len() + self.index.len() + length);
        whole.push_str(before);
        let write = "a string takes all that is written";
        write!(whole, r#"<script type="application/json" id="laboratory">{}</script>"#, self.index)
            .expect(write);
        for (key, bytes) in &self.blobs {
            write!(whole, r#"<script type="application/octet-stream" id="laboratory-{key}">"#).expect(write);
            STANDARD.encode_string(bytes, &mut whole);
            whole.push_str("</script>");
        }
        write!(whole, r#"<script id="laboratory-program">{}</script>"#, program::bundle()).expect(write);
        whole.push_str(after);
        whole
    }
}

/// The laboratory's style sheet.
pub(crate) fn style() -> String {
    program::style()
}

#[cfg(test)]
mod tests;
