//! The report, as a PDF and as a page for the screen: Typst, embedded, with the program's own template, facts and fonts.

pub(crate) mod facts;
pub(crate) mod fonts;
mod native;
pub(crate) mod places;
mod policy;
pub(crate) mod printable;
mod world;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Bytes, Label, Output, Smart, Value as Told};
use typst::introspection::MetadataElem;
use typst::text::Font;
use typst::utils::PicoStr;
use typst::{World, WorldExt};
use typst_html::{HtmlDocument, HtmlOptions};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use self::facts::Facts;
use self::places::Place;
use self::printable::Printable;
use self::world::{Medium, ReportWorld};
use crate::laboratory::{self, Laboratory};
use crate::rows::Rows;
use crate::tables::Table;
use crate::{Figure, Moment, ReportError, Results, figures};

/// Words that the main part may have. More are no error of the report, but of handing it in.
pub const WORDS: usize = 3000;

/// A report that was typeset.
#[derive(Debug, Clone)]
pub struct Typeset {
    /// The PDF file.
    pub pdf: Vec<u8>,
    /// Words of its main part.
    pub words: usize,
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
/// [`ReportError::Typeset`], which only a mistake in the template or a broken figure can cause.
pub(crate) fn typeset(results: &Results, rows: &Rows, figures: &[Figure]) -> Result<Typeset, ReportError> {
    let texts = Texts::new(results, rows, figures, &[]);
    let printable = Printable::new(texts.all());
    let typeset = typeset_with(&printable, results, &texts);
    // A font of the system may be unfit for a PDF, and so are some stacks of accents: better a sign in place of a letter
    // than no report.
    let typeset = match typeset {
        Err(_) if printable.borrows() => typeset_with(&Printable::own(texts.all()), results, &texts),
        typeset => typeset,
    };
    let typeset = match typeset {
        Err(error) => typeset_with(&Printable::plain(texts.all()), results, &texts).map_err(|_| error),
        typeset => typeset,
    };
    // What was remembered of this document is of no use to the page, and takes some 25 MB.
    typst::comemo::evict(0);
    typeset
}

/// Whether a text with these fonts becomes a PDF.
fn can_be_typeset(text: &str, fonts: Vec<Font>) -> bool {
    let world = ReportWorld::probe(text, fonts);
    let standards = PdfStandards::new(&[PdfStandard::Ua_1]).expect("one standard agrees with itself");
    let options = PdfOptions { standards, ..PdfOptions::default() };
    compile::<PagedDocument>(&world).is_ok_and(|(document, _)| typst_pdf::pdf(&document, &options).is_ok())
}

fn typeset_with(printable: &Printable, results: &Results, texts: &Texts) -> Result<Typeset, ReportError> {
    let world = texts.world(Medium::Paper, printable);
    let (document, _warnings) = compile::<PagedDocument>(&world)?;
    let words =
        told(&document, "words").and_then(|words| words.cast().ok()).expect("the template counts its words");
    Ok(Typeset { pdf: export(&world, &document, results)?, words, places: places::places(&document) })
}

/// The report of a study with these figures and tables as one HTML page that needs nothing beside it: figures, pictures,
/// style and program are in the file. Its text is that of [`typeset`].
///
/// # Errors
/// [`ReportError::Typeset`], which only a mistake in the template or a broken figure can cause.
pub(crate) fn page(
    results: &Results,
    rows: &Rows,
    figures: &[Figure],
    tables: &[Table],
) -> Result<String, ReportError> {
    let texts = Texts::new(results, rows, figures, tables);
    // The reader's browser brings its own fonts along.
    let world = texts.world(Medium::Screen, &Printable::own([]));
    let (document, _warnings) = compile::<HtmlDocument>(&world)?;
    let html = typst_html::html(&document, &HtmlOptions::default());
    let html = html.map_err(|errors| failure(&world, &errors))?;
    let html = Laboratory::new(results).map_or_else(|| html.clone(), |laboratory| laboratory.put_into(&html));
    Ok(policy::with_policy(&html))
}

/// What the template says of itself under a label.
fn told(document: &impl Output, label: &str) -> Option<Told> {
    let label = Label::new(PicoStr::intern(label))?;
    let found = document.introspector().query_label(label).ok()?.clone();
    Some(found.to_packed::<MetadataElem>()?.value.clone())
}

/// All texts that the template reads.
struct Texts {
    facts: Value,
    /// The plane of the first two components, as JSON.
    plane: Option<String>,
    /// Figures and tables by the names of their files.
    files: Vec<(String, String)>,
}

impl Texts {
    fn new(results: &Results, rows: &Rows, figures: &[Figure], tables: &[Table]) -> Texts {
        let names: Vec<String> = tables.iter().map(|table| format!("{}.csv", table.file())).collect();
        let facts =
            serde_json::to_value(Facts::new(results, rows, figures, &names)).expect("facts are plain data");
        // The page holds it in a script element, which ends at the first `</script`, be it in the name of a class.
        let plane = results.pca.as_ref().map(figures::plane);
        let plane = plane.map(|plane| {
            serde_json::to_string(&plane).expect("a plane is plain data").replace('<', r"\u003c")
        });
        let csv = |(table, name): (&Table, String)| (name, String::from_utf8_lossy(&table.csv).into_owned());
        let svg = |figure: &Figure| (format!("{}.svg", figure.name), figure.svg.clone());
        let files = figures.iter().map(svg).chain(tables.iter().zip(names).map(csv)).collect();
        Texts { facts, plane, files }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::String(text) => found.push(text),
                Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
                Value::Object(members) => members.values().for_each(|value| texts(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        texts(&self.facts, &mut found);
        found.into_iter().chain(self.files.iter().map(|(_, text)| text.as_str()))
    }

    /// What Typst sees: all texts, without what cannot be printed, and the fonts.
    fn world(&self, medium: Medium, printable: &Printable) -> ReportWorld {
        let mut facts = self.facts.clone();
        printable.clean_value(&mut facts);
        let mut files = vec![("facts.json".to_owned(), Bytes::from_string(facts.to_string()))];
        files.extend(
            self.plane.iter().map(|plane| ("plane.json".to_owned(), Bytes::from_string(plane.clone()))),
        );
        if medium == Medium::Screen {
            files.push(("mathematics.css".to_owned(), mathematics()));
            files.push(("laboratory.css".to_owned(), Bytes::from_string(laboratory::style())));
        }
        let clean = |(name, text): &(String, String)| {
            (name.clone(), Bytes::from_string(printable.clean(text).into_owned()))
        };
        files.extend(self.files.iter().map(clean));
        ReportWorld::new(medium, printable.fonts.clone(), files)
    }
}

/// A style sheet that holds the font of mathematics, so that formulas look alike wherever the page is read.
fn mathematics() -> Bytes {
    let font = STANDARD.encode(fonts::mathematics());
    Bytes::from_string(format!(
        "@font-face {{ font-family: \"New Computer Modern Math\"; src: url(data:font/otf;base64,{font}) }}"
    ))
}

/// The laid-out document and Typst's warnings.
fn compile<D: Output>(world: &ReportWorld) -> Result<(D, Vec<SourceDiagnostic>), ReportError> {
    let compiled = typst::compile::<D>(world);
    let document = compiled.output.map_err(|errors| failure(world, &errors))?;
    Ok((document, compiled.warnings.into_iter().collect()))
}

fn export(world: &ReportWorld, document: &PagedDocument, results: &Results) -> Result<Vec<u8>, ReportError> {
    let standards = PdfStandards::new(&[PdfStandard::Ua_1]).expect("one standard agrees with itself");
    // Runs are named by what was asked and of which data, which is what makes a report the same document.
    let runs: Vec<&str> = results.record.runs.iter().map(|run| run.id.as_ref()).collect();
    let options = PdfOptions {
        ident: Smart::Custom(runs.join(" ")),
        creator: Smart::Custom(Some(format!("Inkling {}", results.version()))),
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
pub(crate) mod tests;
