//! Reads the store and nothing else: statistics, figures, tables, `summary.json` and the typeset report.

mod animation;
mod document;
mod error;
mod figure;
mod figures;
#[cfg(test)]
mod made_up;
mod results;
pub mod statistics;
mod summary;
mod tables;

use inkling_spec::found::{DataSetFacts, PlannedRun};
use inkling_store::Store;

pub use animation::{AnimationFormat, animate};
pub use document::typeset;
pub use error::ReportError;
pub use figure::Figure;
pub use figures::draw;
pub use results::{
    ChosenBy, Convolutions, NetworkPair, NetworkResults, NetworksResults, PairResults, PcaResults,
    PerceptronResults, Results, WrongImage, between, within,
};
pub use summary::Summary;

/// Writes everything a reader gets from a finished study beside its runs: figures, tables, `report.pdf` and, last,
/// `summary.json`, which is also given back.
///
/// # Errors
/// [`ReportError`]: the study is not finished, or the folder cannot be read or written.
pub fn write(store: &Store) -> Result<Summary, ReportError> {
    let results = Results::read(store.reader())?;
    let figures = draw(&results);
    for figure in &figures {
        store.publish(format!("figures/{}.svg", figure.name), figure.svg.as_bytes())?;
    }
    for table in tables::draw_up(&results) {
        store.publish(format!("tables/{}.csv", table.name), &table.csv)?;
    }
    store.publish("report.pdf", &typeset(&results, &figures)?)?;
    let summary = Summary::new(&results);
    store.publish_json("summary.json", &summary)?;
    Ok(summary)
}

/// Draws the figures of one finished look, publishes them as `figures/NAME.svg` in the store and gives them back. `data`
/// is the set that the classes' names come from, where it is known.
///
/// A stand-in that draws nothing yet.
///
/// # Errors
/// The store's, where the look cannot be read or a figure not written.
pub fn look(
    _store: &Store,
    _run: &PlannedRun,
    _data: Option<&DataSetFacts>,
) -> Result<Vec<Figure>, ReportError> {
    Ok(Vec::new())
}
