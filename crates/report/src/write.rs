//! Writes all that a reader gets from a study, in an order that never leaves an old report looking like the present one.
//!
//! Everything is drawn and typeset before a file changes. Then `summary.json` goes first and comes back last, with the
//! checksums of what it was written with (see [`fresh`]); a process killed in between leaves files without a summary,
//! which nobody takes for a finished report.

use inkling_store::Store;

use crate::document::places::{Place, index};
use crate::document::{self, Typeset};
use crate::figures::draw_with;
use crate::fresh::{Freshness, OLD_PAGE, OLD_PDF, Origin, PAGE, PDF, SUMMARY};
use crate::tables::{self, Table};
use crate::{Figure, ReportError, Results, Summary, leftover, publish};

/// What [`write()`] left in the folder of a study, and what it could not make.
#[derive(Debug)]
pub struct Written {
    /// The study in numbers.
    pub summary: Summary,
    /// Words of the main part, where the report was typeset.
    pub words: Option<usize>,
    /// Whether `report.html` was written.
    pub page: bool,
    /// Whether it has a laboratory.
    pub laboratory: bool,
    /// Why `peers.json` is there and not in the report.
    pub disbelieved: Option<String>,
    /// Why something is missing, where it is: [`ReportError::Incomplete`].
    pub failed: Option<ReportError>,
}

/// All that is written, made in memory; what could not be made is there as its reason.
pub(crate) struct Made {
    pub(crate) summary: Summary,
    pub(crate) figures: Vec<Figure>,
    pub(crate) tables: Vec<Table>,
    pub(crate) typeset: Result<Typeset, ReportError>,
    pub(crate) page: Result<String, ReportError>,
}

impl Made {
    fn new(results: &Results) -> Made {
        // Within the pool whose threads draw the figures: memory that one of them has freed is of use to no other thread, and
        // typesetting takes 35 MB more where it runs beside them.
        rayon::scope(|_| {
            let summary = Summary::new(results);
            let rows = &summary.tasks;
            let figures = draw_with(results, rows);
            let tables = tables::draw_up(rows);
            let typeset = document::typeset(results, rows, &figures);
            let page = document::page(results, rows, &figures, &tables);
            Made { summary, figures, tables, typeset, page }
        })
    }
}

/// Writes everything a reader gets from a finished study beside its runs: figures, tables, `report.pdf`, `report.html` and
/// `summary.json`, which is also given back. What cannot be made keeps nothing else from being written. Of a study that is
/// not finished there are figures, tables and a report that names what is missing, but no summary, and the error.
///
/// # Errors
/// [`ReportError`]: the study is not finished, or the folder cannot be read or written.
pub fn write(store: &Store) -> Result<Written, ReportError> {
    // First, so that what changes while the results are read shows as a difference.
    let origin = Origin::read(store.reader())?;
    let results = Results::read(store.reader())?;
    let made = Made::new(&results);
    write_made(store, &results, origin, made)
}

/// As [`write()`] of a study that is still going on, whose summary is given back though nobody can rely on it yet.
///
/// # Errors
/// [`ReportError`]: the folder cannot be read or written.
pub fn write_so_far(store: &Store) -> Result<Summary, ReportError> {
    let origin = Origin::read(store.reader())?;
    let results = Results::read(store.reader())?;
    let made = Made::new(&results);
    match write_made(store, &results, origin, made) {
        Ok(Written { failed: Some(failed), .. }) => Err(failed),
        Ok(_) | Err(ReportError::Unfinished { .. }) => Ok(Summary::new(&results)),
        Err(error) => Err(error),
    }
}

pub(crate) fn write_made(
    store: &Store,
    results: &Results,
    origin: Origin,
    made: Made,
) -> Result<Written, ReportError> {
    let Made { summary, figures, tables, typeset, page } = made;
    store.remove(SUMMARY)?;
    // The lists of files are written before the files, so that any file that was ever written is in a list, and goes when
    // a later study has it no more.
    let places: &[Place] = typeset.as_ref().map_or(&[], |report| &report.places);
    let named = figures.iter().map(|figure| (figure.name.as_str(), figure.file())).collect::<Vec<_>>();
    leftover::remove(store, "figures", &["svg", "png"], &named)?;
    store.publish("figures/index.csv", &index(places, "figure", &named))?;
    let named = tables.iter().map(|table| (table.name, table.file())).collect::<Vec<_>>();
    leftover::remove(store, "tables", &["csv"], &named)?;
    store.publish("tables/index.csv", &index(places, "table", &named))?;

    let mut failures = Vec::new();
    failures.extend(publish(store, &figures)?);
    for table in &tables {
        store.publish(format!("tables/{}.csv", table.file()), &table.csv)?;
    }
    let mut freshness = Freshness::new(origin);
    let (pdf, words) = match typeset {
        Ok(report) => (Ok(report.pdf), Some(report.words)),
        Err(error) => (Err(error), None),
    };
    let parts = [(PDF, OLD_PDF, pdf), (PAGE, OLD_PAGE, page.map(String::into_bytes))];
    let mut missing = Vec::new();
    for (name, old, bytes) in parts {
        match bytes {
            Ok(bytes) => {
                store.publish(name, &bytes)?;
                store.remove(old)?;
                freshness.add(name, &bytes);
            }
            Err(error) => {
                // Under its own name, an earlier report would be taken for the one of these figures.
                store.rename(name, old)?;
                missing.push(name);
                failures.push((name.to_owned(), error));
            }
        }
    }
    let whole = results.check_whole();
    if whole.is_ok() {
        store.publish_json(SUMMARY, &summary.beside(&freshness, words))?;
    }
    let failed = incomplete(store, failures, &missing, whole.is_ok());
    match (whole, failed) {
        (Err(unfinished), None) => Err(unfinished),
        (Err(_), Some(failed)) => Err(failed),
        (Ok(()), failed) => {
            let disbelieved = results.peers.as_ref().and_then(|peers| peers.as_ref().err().cloned());
            let page = !missing.contains(&PAGE);
            let laboratory = page && results.page.is_some();
            Ok(Written { summary, words, page, laboratory, disbelieved, failed })
        }
    }
}

/// The error that names what could not be made and what is there all the same; none where nothing failed.
fn incomplete(
    store: &Store,
    failures: Vec<(String, ReportError)>,
    missing: &[&str],
    summarised: bool,
) -> Option<ReportError> {
    if failures.is_empty() {
        return None;
    }
    let problems: Vec<String> = failures.iter().map(|(name, error)| format!("`{name}`: {error}")).collect();
    let summary = summarised.then_some(SUMMARY);
    let there: Vec<&str> =
        [PDF, PAGE].into_iter().filter(|name| !missing.contains(name)).chain(summary).collect();
    let there = [&["the figures", "the tables"], &there[..]].concat();
    let (last, first) = there.split_last().expect("figures and tables are always written");
    let old: Vec<&str> =
        [OLD_PDF, OLD_PAGE].into_iter().filter(|name| store.reader().path().join(name).is_file()).collect();
    Some(ReportError::Incomplete {
        problems: problems.join("; "),
        there: format!("{} and {last}", first.join(", ")),
        old: if old.is_empty() {
            String::new()
        } else {
            format!(", and of an earlier report {}", old.join(" and "))
        },
        folder: store.reader().path().to_owned(),
    })
}

#[cfg(test)]
mod tests;
