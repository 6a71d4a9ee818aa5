//! Reads the store and nothing else: statistics, figures, tables, `summary.json`, and the report, typeset and as a page.

mod animation;
mod document;
mod error;
mod figure;
mod figures;
#[cfg(test)]
mod made_up;
mod rasterise;
mod results;
pub mod statistics;
mod summary;
mod tables;

use document::places::index;
use inkling_spec::found::{DataSetFacts, PlannedRun};
use inkling_store::Store;

pub use animation::{AnimationFormat, animate};
pub use document::{Typeset, typeset};
pub use error::ReportError;
pub use figure::Figure;
pub use figures::draw;
pub use results::{
    ActivationsResults, Answers, Baselines, ChosenBy, ClassChange, Contradictions, Convolutions, Cost, Costs,
    DreamResults, FilterLayerResults, FiltersResults, Goal, GoalPair, GradientsFound, HeadedNetwork,
    InsideResults, Judge, Moment, MultitaskResults, NetworkPair, NetworkResults, NetworksResults,
    PairResults, Pairing, PcaResults, PerceptronResults, Pictures, Results, Spread, WeightingResults,
    WrongImage, between, within,
};
pub use summary::Summary;

/// Writes everything a reader gets from a finished study beside its runs: figures, tables, `summary.json`, which is also
/// given back, `report.pdf` and `report.html`. Of a study that is not finished there are figures, tables and a report that
/// names what is missing, and the error.
///
/// # Errors
/// [`ReportError`]: the study is not finished, its report is too long, or the folder cannot be read or written.
pub fn write(store: &Store) -> Result<Summary, ReportError> {
    let results = Results::read(store.reader())?;
    let figures = draw(&results);
    publish(store, &figures)?;
    let tables = tables::draw_up(&results);
    for table in &tables {
        store.publish(format!("tables/{}.csv", table.file()), &table.csv)?;
    }
    let summary = Summary::new(&results);
    let whole = results.check_whole();
    if whole.is_ok() {
        store.publish_json("summary.json", &summary)?;
    }
    let report = typeset(&results, &figures)?;
    store.publish("report.pdf", &report.pdf)?;
    let figure = |name: &str| figures.iter().find(|figure| figure.name == name).map(Figure::file);
    store.publish("figures/index.csv", &index(&report.places, "figure", figure))?;
    let table = |name: &str| tables.iter().find(|table| table.name == name).map(tables::Table::file);
    store.publish("tables/index.csv", &index(&report.places, "table", table))?;
    store.publish("report.html", document::page(&results, &figures, &tables)?.as_bytes())?;
    whole.map(|()| summary)
}

/// Draws the figures of one finished run that looks into a network, writes them beside it in the folder `figures`, as SVG
/// and PNG, and gives them back. `data` names the classes of the network's first head, where they have names. A run of
/// another kind has none.
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
    publish(store, &figures)?;
    Ok(figures)
}

/// Writes figures as SVG and PNG into the folder `figures`.
fn publish(store: &Store, figures: &[Figure]) -> Result<(), ReportError> {
    for (figure, png) in figures.iter().zip(rasterise::rasterise(figures)?) {
        store.publish(format!("figures/{}.svg", figure.file()), figure.svg.as_bytes())?;
        store.publish(format!("figures/{}.png", figure.file()), &png)?;
    }
    Ok(())
}
