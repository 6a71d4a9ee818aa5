//! The report as a PDF: Typst, embedded, with the program's own template, facts and fonts.

mod facts;
pub(crate) mod fonts;
pub(crate) mod places;
mod world;

use typst::diag::SourceDiagnostic;
use typst::foundations::{Bytes, Label, Smart, Value};
use typst::introspection::{Introspector, MetadataElem};
use typst::utils::PicoStr;
use typst::{World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use self::facts::Facts;
use self::places::Place;
use self::world::ReportWorld;
use crate::{Figure, Moment, ReportError, Results};

/// Words that the main part may have.
const WORDS: usize = 3000;

/// A report that was typeset.
#[derive(Debug, Clone)]
pub struct Typeset {
    /// The PDF file.
    pub pdf: Vec<u8>,
    /// Where its figures and tables stand.
    pub(crate) places: Vec<Place>,
}

/// Typesets the report of a finished study with these figures; the result is a PDF/UA-1 document on A4 paper.
///
/// Figures are known to the template by their names and appear at the size that their SVG states; the text is 453 points
/// wide. The same results and figures give the same bytes, where the same fonts are installed: the date is that of the last
/// run.
///
/// # Errors
/// [`ReportError::TooLong`], and [`ReportError::Typeset`], which only a mistake in the template or a broken figure can
/// cause.
pub fn typeset(results: &Results, figures: &[Figure]) -> Result<Typeset, ReportError> {
    let world = world(results, figures);
    let (document, _warnings) = compile(&world)?;
    let words = told(&document, "words").and_then(|words| words.cast().ok()).unwrap_or(0);
    if words > WORDS {
        return Err(ReportError::TooLong { words, limit: WORDS });
    }
    Ok(Typeset { pdf: export(&world, &document, results)?, places: places::places(&document) })
}

/// What the template says of itself under a label.
fn told(document: &PagedDocument, label: &str) -> Option<Value> {
    let label = Label::new(PicoStr::intern(label))?;
    let found = document.introspector().query_label(label).ok()?.clone();
    Some(found.to_packed::<MetadataElem>()?.value.clone())
}

fn world(results: &Results, figures: &[Figure]) -> ReportWorld {
    let facts = serde_json::to_vec(&Facts::new(results, figures)).expect("facts are plain data");
    let svg = |figure: &Figure| (format!("{}.svg", figure.name), Bytes::from_string(figure.svg.clone()));
    ReportWorld::new(
        [("facts.json".to_owned(), Bytes::new(facts))].into_iter().chain(figures.iter().map(svg)),
    )
}

/// The laid-out document and Typst's warnings.
fn compile(world: &ReportWorld) -> Result<(PagedDocument, Vec<SourceDiagnostic>), ReportError> {
    let compiled = typst::compile::<PagedDocument>(world);
    let document = compiled.output.map_err(|errors| failure(world, &errors))?;
    Ok((document, compiled.warnings.into_iter().collect()))
}

fn export(world: &ReportWorld, document: &PagedDocument, results: &Results) -> Result<Vec<u8>, ReportError> {
    let standards = PdfStandards::new(&[PdfStandard::Ua_1]).expect("one standard agrees with itself");
    // Runs are named by what was asked and of which data, which is what makes a report the same document.
    let runs: Vec<&str> = results.record.runs.iter().map(|run| run.id.as_ref()).collect();
    let options = PdfOptions {
        ident: Smart::Custom(runs.join(" ")),
        creator: Smart::Custom(Some(format!("Inkling {}", results.record.version))),
        standards,
        // The clock is not asked: the same store gives the same bytes.
        timestamp: results.finished.and_then(Moment::date).map(Timestamp::new_utc),
        ..PdfOptions::default()
    };
    typst_pdf::pdf(document, &options).map_err(|errors| failure(world, &errors))
}

/// Typst's diagnostics as one message, each with its place in the template.
fn failure(world: &ReportWorld, diagnostics: &[SourceDiagnostic]) -> ReportError {
    ReportError::Typeset(
        diagnostics.iter().map(|found| describe(world, found)).collect::<Vec<_>>().join("; "),
    )
}

/// The file and, in the template, the line; then the message.
fn describe(world: &ReportWorld, found: &SourceDiagnostic) -> String {
    let Some(id) = found.span.id() else { return found.message.to_string() };
    let line = world.source(id).ok().zip(world.range(found.span)).and_then(|(source, range)| {
        let line = source.lines().byte_to_line(range.start)? + 1;
        Some(format!("{line}:"))
    });
    format!("{}:{} {}", id.vpath().get_without_slash(), line.unwrap_or_default(), found.message)
}

#[cfg(test)]
mod tests;
