//! Reads the store and nothing else: figures, tables, `summary.json`, and the report, typeset and as a page.

mod animation;
mod document;
mod error;
mod figure;
mod figures;
#[cfg(test)]
mod fixtures;
mod fresh;
mod laboratory;
mod leftover;
mod rasterise;
mod results;
mod rows;
mod summary;
mod tables;
mod write;

use inkling_schema::outcome::{DataSetFacts, PlannedRun};
use inkling_store::Store;

pub use animation::{AnimationFormat, animate, is_animation};
pub use document::printable::unprintable;
pub use document::{Typeset, WORDS};
pub use error::ReportError;
pub use figure::Figure;
pub use figures::{ClassImages, contact_sheet, draw, sheet};
pub use fresh::{Current, Stale, current};
pub use rasterise::rasterise;
pub use results::{
    ActivationsResults, Alone, Answers, Baselines, ChosenBy, ClassChange, Comparisons, Contradictions,
    Convolutions, Costs, DreamResults, FilterLayerResults, FiltersResults, Goal, GoalPair, GradientsFound,
    InsideResults, Judge, LeftOut, Maps, McNemar, Moment, MultitaskResults, Network, NetworkPair,
    NetworksResults, Noise, Origins, PageImages, PageNetwork, PageResults, PairResults, Pairing, PcaResults,
    PeerFound, PeerResults, PerceptronResults, Pictures, PointResults, Program, Replicate, Results,
    SeedSpread, SeedTest, Share, Spread, SweepResults, Trained, Unable, Verdict, WeightingResults, Why,
    WhyLeftOut, WrongImage, metrics, training_lines,
};
pub use summary::Summary;
pub use write::{Written, write, write_so_far};

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
    let failures = publish(store, &figures)?;
    failures.into_iter().next().map_or(Ok(figures), |(_, error)| Err(error))
}

/// Writes figures as SVG and PNG into the folder `figures`; gives back which could not be made into a PNG, and why.
fn publish(store: &Store, figures: &[Figure]) -> Result<Vec<(String, ReportError)>, ReportError> {
    let mut failures = Vec::new();
    for (figure, png) in figures.iter().zip(rasterise(figures)) {
        store.publish(format!("figures/{}.svg", figure.file()), figure.svg.as_bytes())?;
        let name = format!("figures/{}.png", figure.file());
        match png {
            Ok(png) => store.publish(name, &png)?,
            Err(error) => {
                store.remove(&name)?;
                failures.push((name, error));
            }
        }
    }
    Ok(failures)
}
