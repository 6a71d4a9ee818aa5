//! Whether a report is that of the study beside it: checksums in `summary.json`, which is written last.
//!
//! Times do not tell: they do not survive copying, and a changed line of the study need not take a second. So the summary
//! holds the SHA-256 of what the report was made from and of the report's own files, and whoever hands the report in
//! compares them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use inkling_schema::RunId;
use inkling_schema::outcome::PEERS_FILE;
use inkling_store::{Reader, StoreError, read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) const PDF: &str = "report.pdf";
pub(crate) const PAGE: &str = "report.html";
/// The names of an earlier report and page that no later ones could be made in place of.
pub(crate) const OLD_PDF: &str = "report-outdated.pdf";
pub(crate) const OLD_PAGE: &str = "report-outdated.html";
pub(crate) const SUMMARY: &str = "summary.json";
const STUDY: &str = "study.json";
const CHECKS: &str = "checks.json";
/// Stands for the results of all runs together.
const RESULTS: &str = "results";

/// Of a study's record, what its results are found by; whatever else is in it counts by its bytes, even where a newer
/// program wrote it.
#[derive(Deserialize)]
struct Runs {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: RunId,
}

/// SHA-256 checksums in hexadecimal digits, by name.
type Checksums = BTreeMap<String, String>;

/// What a report was made from: the study's record, its checks, what other libraries counted, and the results of its runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin(Checksums);

impl Origin {
    /// As they are on the disk now.
    ///
    /// # Errors
    /// The store's errors.
    pub(crate) fn read(store: &Reader) -> Result<Origin, StoreError> {
        let mut checksums = Checksums::new();
        for name in [STUDY, CHECKS, PEERS_FILE] {
            if let Some(bytes) = read(&store.path().join(name))? {
                checksums.insert(name.to_owned(), checksum(&bytes));
            }
        }
        let mut results = Sha256::new();
        if let Some(record) = store.json::<Runs>(STUDY)? {
            for run in &record.runs {
                let result = read(&store.run(run.id.as_ref()).path().join("result.json"))?;
                let found = result.map_or_else(|| "none".to_owned(), |bytes| checksum(&bytes));
                results.update(format!("{} {found}\n", run.id));
            }
        }
        checksums.insert(RESULTS.to_owned(), hexadecimal(results));
        Ok(Origin(checksums))
    }
}

/// What `summary.json` says of the files beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Freshness {
    /// What the report was made from.
    made_from: Origin,
    /// The report and the page, as far as they could be made.
    files: Checksums,
}

impl Freshness {
    pub(crate) fn new(made_from: Origin) -> Freshness {
        Freshness { made_from, files: Checksums::new() }
    }

    /// Notes a file that was written.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) {
        self.files.insert(name.to_owned(), checksum(bytes));
    }
}

/// A report that is that of the study beside it.
#[derive(Debug, Clone)]
pub struct Current {
    /// The bytes of `report.pdf`.
    pub pdf: Vec<u8>,
    /// The bytes of `summary.json`.
    pub summary: Vec<u8>,
    /// Words of the main part.
    pub words: Option<usize>,
}

/// What keeps a report from being that of the study beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    /// A file is missing.
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// `summary.json` has no checksums: an older program wrote it, or it is no summary.
    Unknown {
        /// The summary.
        path: PathBuf,
    },
    /// The study, or a result of its runs, has changed since.
    Old {
        /// The report.
        path: PathBuf,
    },
    /// A file is not the one that was written together with `summary.json`.
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

/// The report of the study in a folder, or why it is not the study's. Whoever opens the folder while a report is being
/// written finds no summary, or one that does not fit.
///
/// # Errors
/// The store's errors.
pub fn current(store: &Reader) -> Result<Result<Current, Stale>, StoreError> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(flatten)]
        freshness: Freshness,
        words: Option<usize>,
    }
    let place = |name: &str| store.path().join(name);
    let missing = |name: &str| Ok(Err(Stale::Missing { path: place(name) }));
    // Without a report there is no use in asking what the summary says of it.
    let Some(pdf) = read(&place(PDF))? else { return missing(PDF) };
    let Some(summary) = read(&place(SUMMARY))? else { return missing(SUMMARY) };
    // Read through the store as well, which knows whether the file is whole.
    let said: Option<Value> = store.json(SUMMARY)?;
    let Some(said) = said.and_then(|said| serde_json::from_value::<Said>(said).ok()) else {
        return Ok(Err(Stale::Unknown { path: place(SUMMARY) }));
    };
    if said.freshness.made_from != Origin::read(store)? {
        return Ok(Err(Stale::Old { path: place(PDF) }));
    }
    let Some(page) = read(&place(PAGE))? else { return missing(PAGE) };
    for (name, bytes) in [(PDF, &pdf), (PAGE, &page)] {
        if said.freshness.files.get(name) != Some(&checksum(bytes)) {
            return Ok(Err(Stale::Foreign { path: place(name) }));
        }
    }
    Ok(Ok(Current { pdf, summary, words: said.words }))
}

fn checksum(bytes: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    hexadecimal(hasher)
}

fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
