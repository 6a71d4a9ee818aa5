//! Where the report's figures and tables stand, so that whoever reads of Figure 7 finds its file.

use serde::Deserialize;
use typst_layout::PagedDocument;

/// A figure or a table as the report numbers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Place {
    /// "figure-" or "table-", and what the report calls it.
    label: String,
    number: usize,
    page: usize,
    caption: String,
}

/// Every figure and table of a typeset report, in its order.
pub(super) fn places(document: &PagedDocument) -> Vec<Place> {
    let told = super::told(document, "places").and_then(|told| serde_json::to_value(told).ok());
    told.and_then(|told| serde_json::from_value(told).ok()).expect("the template says where things stand")
}

/// The list of the files of one kind, "figure" or "table", as CSV: number, page, name of the file without its ending, and
/// the first sentence of the caption, in the report's order. What has a file and no place in the report comes last, with
/// its name alone. `files` are (name, file).
pub(crate) fn index<N: AsRef<str>>(places: &[Place], kind: &str, files: &[(N, String)]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([kind, "page", "file", "caption"]).expect("memory can be written");
    let mut placed = Vec::new();
    for place in places {
        let name = place.label.strip_prefix(kind).and_then(|label| label.strip_prefix('-'));
        let file = name.and_then(|name| files.iter().find(|(known, _)| known.as_ref() == name));
        if let Some((_, file)) = file {
            placed.push(file);
            let (number, page) = (place.number.to_string(), place.page.to_string());
            let sentence = place.caption.split_once(". ").map_or(place.caption.as_str(), |(first, _)| first);
            let sentence = sentence.trim_end_matches('.').trim_end();
            writer.write_record([&number, &page, file, sentence]).expect("memory can be written");
        }
    }
    for (_, file) in files.iter().filter(|(_, file)| !placed.contains(&file)) {
        writer.write_record(["", "", file, ""]).expect("memory can be written");
    }
    writer.into_inner().expect("memory can be written")
}
