//! All that Typst sees while it typesets the report: the template, the facts, the figures, the tables and the fonts, in
//! memory. No packages, no network, no clock, no other files.

use std::collections::HashMap;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Value};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Feature, Features, Library, LibraryExt, World};

use super::native;

/// What the report is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    Paper,
    Screen,
}

/// The template's sources; the first is the main one on paper, the second on the screen.
const SOURCES: [(&str, &str); 17] = [
    ("report.typ", include_str!("report.typ")),
    ("page.typ", include_str!("page.typ")),
    ("content.typ", include_str!("content.typ")),
    ("style.typ", include_str!("style.typ")),
    ("title.typ", include_str!("title.typ")),
    ("findings.typ", include_str!("findings.typ")),
    ("published.typ", include_str!("published.typ")),
    ("task1.typ", include_str!("task1.typ")),
    ("task2.typ", include_str!("task2.typ")),
    ("networks.typ", include_str!("networks.typ")),
    ("network.typ", include_str!("network.typ")),
    ("task3.typ", include_str!("task3.typ")),
    ("task4.typ", include_str!("task4.typ")),
    ("task5.typ", include_str!("task5.typ")),
    ("task6.typ", include_str!("task6.typ")),
    ("sweep.typ", include_str!("sweep.typ")),
    ("laboratory.typ", include_str!("laboratory.typ")),
];

/// Files that the template reads as they are.
const FILES: [(&str, &str); 3] = [
    ("references.yml", include_str!("references.yml")),
    ("page.css", include_str!("page/page.css")),
    ("page.js", include_str!("page/page.js")),
];

pub(super) struct ReportWorld {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    main: FileId,
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
}

/// A document of one text, as text and in a figure, to see whether it becomes a PDF.
const PROBE: &str = "#set document(title: \"Probe\")\n#set text(font: sys.inputs.sans, lang: \"en\")\n#let it = read(\"probe.txt\")\n#it #strong(it) #emph(it)\n#image(\"probe.svg\", alt: \"Probe\")\n";

impl ReportWorld {
    /// A document of this text alone.
    pub(super) fn probe(text: &str, fonts: Vec<Font>) -> Self {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let figure = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"453\" height=\"40\" font-family=\"Arial, 'Liberation Sans'\">\
             <text y=\"12\">{escaped}</text><text y=\"32\" font-weight=\"bold\">{escaped}</text></svg>"
        );
        let files = [("probe.txt".to_owned(), text.to_owned()), ("probe.svg".to_owned(), figure)];
        let files = files.map(|(name, text)| (name, Bytes::from_string(text)));
        let mut world = ReportWorld::new(Medium::Paper, fonts, files);
        world.main = id("probe.typ");
        world.sources.insert(world.main, Source::new(world.main, PROBE.into()));
        world
    }

    /// The template with these fonts, and with these files beside it, as (name, contents).
    pub(super) fn new(
        medium: Medium,
        fonts: Vec<Font>,
        files: impl IntoIterator<Item = (String, Bytes)>,
    ) -> Self {
        let source = |(name, text): (&str, &str)| (id(name), Source::new(id(name), text.into()));
        // Typst warns of a family that is not there, so the template is told which one is.
        let book = FontBook::from_fonts(&fonts);
        let sans = if book.contains_family("arial") { "Arial" } else { "Liberation Sans" };
        let (main, medium) = match medium {
            Medium::Paper => (SOURCES[0].0, "paper"),
            Medium::Screen => (SOURCES[1].0, "screen"),
        };
        let inputs = [("sans", sans), ("medium", medium)];
        let inputs = Dict::from_iter(inputs.map(|(key, value)| (key.into(), Value::Str(value.into()))));
        let features = Features::from_iter([Feature::Html]);
        let mut library = Library::builder().with_inputs(inputs).with_features(features).build();
        native::define(library.global.scope_mut());
        let own = FILES.map(|(name, text)| (name.to_owned(), Bytes::from_string(text)));
        ReportWorld {
            library: LazyHash::new(library),
            book: LazyHash::new(book),
            fonts,
            main: id(main),
            sources: SOURCES.into_iter().map(source).collect(),
            files: files.into_iter().chain(own).map(|(name, data)| (id(&name), data)).collect(),
        }
    }
}

fn id(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("names of the report's files are plain");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for ReportWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.get(&id).cloned().ok_or_else(|| absent(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| absent(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn absent(id: FileId) -> FileError {
    FileError::NotFound(id.vpath().get_without_slash().into())
}
