//! Reads the store and nothing else: statistics, figures, tables, `summary.json`, and the report, typeset and as a page.

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
    ActivationsResults, Answers, Baselines, ChosenBy, ClassChange, Contradictions, Convolutions, Cost, Costs,
    DreamResults, FilterLayerResults, FiltersResults, Goal, GoalPair, GradientsFound, HeadedNetwork,
    InsideResults, Judge, MultitaskResults, NetworkPair, NetworkResults, NetworksResults, PairResults,
    Pairing, PcaResults, PerceptronResults, Pictures, Results, Spread, WeightingResults, WrongImage, between,
    within,
};
pub use summary::Summary;

/// Writes everything a reader gets from a finished study beside its runs: figures, tables, `summary.json`, which is also
/// given back, `report.pdf` and `report.html`. Of a study that is not finished there are figures, tables and a report that names what is
/// missing, and the error.
///
/// # Errors
/// [`ReportError`]: the study is not finished, its report is too long, or the folder cannot be read or written.
pub fn write(store: &Store) -> Result<Summary, ReportError> {
    let results = Results::read(store.reader())?;
    let figures = draw(&results);
    for figure in &figures {
        store.publish(format!("figures/{}.svg", figure.name), figure.svg.as_bytes())?;
    }
    let tables = tables::draw_up(&results);
    for table in &tables {
        store.publish(format!("tables/{}.csv", table.name), &table.csv)?;
    }
    let summary = Summary::new(&results);
    let whole = results.check_whole();
    if whole.is_ok() {
        store.publish_json("summary.json", &summary)?;
    }
    store.publish("report.pdf", &typeset(&results, &figures)?)?;
    store.publish("report.html", document::page(&results, &figures, &tables)?.as_bytes())?;
    whole.map(|()| summary)
}

/// Draws the figures of one finished run that looks into a network, writes them beside it as `figures/NAME.svg`, and
/// gives them back. `data` names the classes of the network's first head, where they have names. A run of another kind
/// has none.
///
/// # Errors
/// [`ReportError::Unfinished`] where the run is not finished, and the store's errors.
pub fn look(
    store: &Store,
    run: &PlannedRun,
    data: Option<&DataSetFacts>,
) -> Result<Vec<Figure>, ReportError> {
    let Some(found) = results::look(store.reader(), run)? else { return Ok(Vec::new()) };
    let figures = figures::draw_look(&found, data);
    for figure in &figures {
        store.publish(format!("figures/{}.svg", figure.name), figure.svg.as_bytes())?;
    }
    Ok(figures)
}
