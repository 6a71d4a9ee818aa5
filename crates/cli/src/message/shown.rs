//! Errors as a terminal shows them: text from files cannot steer the terminal, and lines are broken at spaces of prose
//! alone, never inside a path or a command.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display};

use console::measure_text_width;
use inkling_schema::printable;
use miette::{Diagnostic, LabeledSpan, MietteHandlerOpts, NamedSource, ReportHandler, Severity, SourceCode};

/// The widest that prose is set.
const WIDEST: usize = 100;
/// The narrowest: below, the terminal breaks lines as it can.
const NARROWEST: usize = 40;
/// Characters that are shown of a line of a file, and within which what is marked must begin.
const EXCERPT: usize = 160;
/// What stands in the place of the rest of a line.
const ENDING: &str = "…\n";
/// Columns that the margin takes.
const MARGIN: usize = 10;

/// The whole text of an error for a terminal of so many columns; without one, nothing is broken.
pub(super) fn rendered(error: &dyn Diagnostic, columns: Option<usize>) -> String {
    let width = columns.map(|columns| columns.clamp(NARROWEST, WIDEST) - MARGIN);
    let shown = Shown::new(error, width);
    let mut handler = MietteHandlerOpts::new().wrap_lines(false);
    // Whoever wants no colours has none, whatever else asks for some (https://no-color.org).
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        handler = handler.color(false);
    }
    let handler = handler.build();
    struct Rendered<'a, H>(&'a H, &'a Shown);
    impl<H: ReportHandler> Display for Rendered<'_, H> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.debug(self.1, f)
        }
    }
    Rendered(&handler, &shown).to_string()
}

/// An error whose every text can be printed.
#[derive(Debug)]
struct Shown {
    message: String,
    cause: Option<Box<Cause>>,
    help: Option<String>,
    severity: Option<Severity>,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

/// What an error comes from.
#[derive(Debug)]
struct Cause {
    message: String,
    cause: Option<Box<Cause>>,
}

impl Shown {
    fn new(error: &dyn Diagnostic, width: Option<usize>) -> Self {
        let labels: Vec<LabeledSpan> = error.labels().into_iter().flatten().collect();
        let excerpt = error.source_code().and_then(|source| excerpt(source, &labels));
        let (source, cut, end) =
            excerpt.map_or((None, 0, 0), |Excerpt { source, cut, end }| (Some(source), cut, end));
        let labels = labels.iter().map(|label| {
            let text = label.label().map(|text| printable(text).into_owned());
            let offset = label.offset() - cut;
            LabeledSpan::new_with_span(text, (offset, label.len().min(end.saturating_sub(offset))))
        });
        Shown {
            message: broken(&error.to_string(), width),
            cause: Cause::of(error.source(), &error.to_string(), width),
            help: error.help().map(|help| broken(&help.to_string(), width)),
            severity: error.severity(),
            labels: if source.is_some() { labels.collect() } else { Vec::new() },
            source,
        }
    }
}

impl Cause {
    /// The first cause that says what was not said `before`, and those that it comes from.
    fn of(cause: Option<&dyn Error>, before: &str, width: Option<usize>) -> Option<Box<Self>> {
        let cause = cause?;
        let said = cause.to_string();
        if before.contains(said.trim_end_matches('.')) {
            return Cause::of(cause.source(), before, width);
        }
        let further = Cause::of(cause.source(), &said, width);
        Some(Box::new(Cause { message: broken(&said, width), cause: further }))
    }
}

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Shown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl Diagnostic for Shown {
    fn severity(&self) -> Option<Severity> {
        self.severity
    }

    fn help(&self) -> Option<Box<dyn Display + '_>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// The lines around what an error marks.
struct Excerpt {
    source: NamedSource<String>,
    /// Bytes that are cut before what is marked.
    cut: usize,
    /// Where marks end at the latest: with what is shown of a line that is cut.
    end: usize,
}

/// The lines around the labels, each at its place in the file; of a long line its beginning, and nothing at all where what is
/// marked stands further on. What a terminal must not be sent is replaced by characters of as many bytes, so that the labels
/// still point at the right ones.
fn excerpt(source: &dyn SourceCode, labels: &[LabeledSpan]) -> Option<Excerpt> {
    let start = labels.iter().map(LabeledSpan::offset).min()?;
    let end = labels.iter().map(|label| label.offset() + label.len()).max()?;
    let found = source.read_span(&(start, end - start).into(), 1, 1).ok()?;
    let (offset, lines) = (found.span().offset(), found.line());
    let (mut text, mut place, mut cut, mut last) = (String::new(), offset, 0, None);
    for line in str::from_utf8(found.data()).ok()?.split_inclusive('\n') {
        // Not for the sake of less than the sign that something is cut takes itself.
        let (shown, rest) = match line.char_indices().nth(EXCERPT) {
            Some((end, _)) if line.len() > end + ENDING.len() => line.split_at(end),
            _ => (line, ""),
        };
        let (marked, whole) = (place..place + line.len(), place..place + shown.len() + 1);
        if marked.contains(&start) && !whole.contains(&start) {
            return None;
        }
        text.extend(shown.chars().map(shown_as));
        if !rest.is_empty() {
            let ending = if rest.ends_with('\n') { ENDING } else { ENDING.trim_end() };
            text.push_str(ending);
            if marked.end <= start {
                cut += rest.len() - ending.len();
            } else if marked.contains(&start) {
                last = Some(place + shown.len() - cut);
            }
        }
        place += line.len();
    }
    // Nothing above is shown, but its lines are counted.
    let text = " ".repeat(offset.checked_sub(lines)?) + &"\n".repeat(lines) + &text;
    let end = last.unwrap_or(text.len());
    Some(Excerpt { source: NamedSource::new(printable(found.name().unwrap_or_default()), text), cut, end })
}

/// The character, or where a terminal obeys it another one of as many bytes.
fn shown_as(c: char) -> char {
    let steers = printable(c.encode_utf8(&mut [0; 4])).len() != c.len_utf8();
    match c.len_utf8() {
        _ if !steers || matches!(c, '\t' | '\r' | '\n') => c,
        1 => '?',
        2 => '¿',
        _ => '\u{fffd}',
    }
}

/// A text that can be printed, with its prose broken into lines of at most `width` columns. What stands in backquotes is
/// never broken, and neither is a line that begins with four spaces: that is how a command stands on its own.
fn broken(text: &str, width: Option<usize>) -> String {
    let text = &*printable(text);
    let text = text.split_inclusive(char::is_whitespace).map(shortened).collect::<String>();
    let Some(width) = width else { return text };
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if line.starts_with("    ") {
            lines.push(line.to_owned());
            continue;
        }
        let mut current = String::new();
        for word in words(line) {
            let fits = measure_text_width(&current) + 1 + measure_text_width(word) <= width;
            if !current.is_empty() && !fits {
                lines.push(std::mem::take(&mut current));
            } else if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// A word that is longer than any path and any name: its beginning and its end.
fn shortened(word: &str) -> Cow<'_, str> {
    /// Longer than the paths that systems have.
    const LONGEST: usize = 5000;
    const ENDS: usize = 100;
    if word.len() <= LONGEST {
        return word.into();
    }
    let [first, last] = [ENDS, word.len() - ENDS].map(|place| word.ceil_char_boundary(place));
    format!("{}…{}", &word[..first], &word[last..]).into()
}

/// A line's words; what stands in backquotes is part of one.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |c| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use miette::SourceSpan;
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error, Diagnostic)]
    #[error("cannot read `{path}`")]
    #[diagnostic(help(
        "look at it, or give this command, which makes another one in a folder of its own:\n    inkling study --out '{path}'\nand `inkling report '{path}'` after that"
    ))]
    struct Unreadable {
        path: String,
        source: std::io::Error,
    }

    #[test]
    fn a_word_longer_than_any_path_is_shortened() {
        #[derive(Debug, Error, Diagnostic)]
        #[error("there is no `{0}` here")]
        struct Long(String);
        for columns in [None, Some(80)] {
            let text = rendered(&Long(format!("a{}z", "é".repeat(100_000))), columns);
            assert!(text.len() < 1000 && text.contains("…") && text.contains("z`"), "{text}");
            let path = "p/".repeat(2_000);
            assert!(rendered(&Long(path.clone()), columns).contains(&path));
        }
    }

    #[test]
    fn a_cause_that_says_what_was_said_is_left_out_and_its_own_cause_is_not() {
        #[derive(Debug, Error, Diagnostic)]
        #[error("{0}")]
        struct Said(&'static str, #[source] Option<Box<Said>>);
        let said = |first, second, third| {
            let cause = |text, cause| Some(Box::new(Said(text, cause)));
            rendered(&Said(first, cause(second, cause(third, None))), None)
        };
        let text = said("it cannot be done: it is too large", "it is too large", "of 9 bytes");
        assert_eq!((text.matches("too large").count(), text.matches("of 9 bytes").count()), (1, 1), "{text}");
        let text = said("it cannot be done", "it is too large", "it is too large.");
        assert_eq!(text.matches("too large").count(), 1, "{text}");
        let text = said("a", "b", "c");
        assert!(["a", "b", "c"].iter().all(|part| text.contains(part)), "{text}");
    }

    #[test]
    fn a_path_or_a_command_is_never_broken_across_lines() {
        let path = "a long path/with spaces/in every/part of/it and more/and still more/until it is wide/out";
        let error = Unreadable { path: path.into(), source: std::io::ErrorKind::NotFound.into() };
        for columns in [0, 20, 40, 72, 300] {
            let text = rendered(&error, Some(columns));
            for whole in [
                format!("`{path}`"),
                format!("inkling study --out '{path}'\n"),
                format!("`inkling report '{path}'`"),
            ] {
                assert!(text.contains(&whole), "{columns}: {text}");
            }
        }
        let narrow = rendered(&error, Some(40));
        assert!(narrow.contains("help: look at it, or give this\n"), "{narrow}");
    }

    #[test]
    fn text_from_a_file_cannot_steer_the_terminal() {
        let source = std::io::Error::other("\u{9b}2J");
        let text = rendered(&Unreadable { path: "a\u{1b}[31m\u{202e}\rb".into(), source }, Some(80));
        assert!(text.contains(r"`a\u{1b}[31m\u{202e}\u{d}b`") && text.contains(r"\u{9b}2J"), "{text}");
    }

    #[derive(Debug, Error, Diagnostic)]
    #[error("wrong")]
    struct Wrong {
        #[source_code]
        file: NamedSource<String>,
        #[label("here\u{7}")]
        span: SourceSpan,
    }

    #[test]
    fn lines_of_a_file_are_shown_at_their_place_without_what_steers_the_terminal() {
        let text = "one = 1\ntwo = 2\nx = \"\u{1b}é\u{85}\u{202e}\" # bad\nlast = 4\nnot shown";
        let span = (text.find("bad").unwrap(), 3).into();
        let shown = rendered(&Wrong { file: NamedSource::new("a\u{1b}.toml", text.to_owned()), span }, None);
        assert!(shown.contains(r"a\u{1b}.toml:3:"), "{shown}");
        assert!(shown.contains("3 │ x = \"?é¿\u{fffd}\" # bad") && shown.contains("2 │ two = 2"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{85}', '\u{202e}']) && !shown.contains("not shown"));
    }

    #[test]
    fn long_lines_of_a_file_are_cut_and_the_mark_keeps_its_place() {
        let long = "y".repeat(5_000);
        let shown = |text: &str| {
            let span = (text.find("bad").unwrap(), 3).into();
            rendered(&Wrong { file: NamedSource::new("a.toml", text.to_owned()), span }, None)
        };
        for text in
            [format!("{long}\nx = bad\n{long}"), format!("a\nx = bad{long}\nb"), format!("{long}é\nx = bad")]
        {
            let shown = shown(&text);
            assert!(shown.len() < 1_500 && shown.contains("a.toml:2:5]"), "{shown}");
            assert!(shown.contains("2 │ x = bad") && shown.contains("·     ─┬─"), "{shown}");
        }
        let far = shown(&format!("a\n{long}bad\nb"));
        assert!(far.len() < 100 && far.contains("wrong"), "{far}");
        // Of what is marked as much is marked as is shown.
        let text = format!("a\nx = bad{long}");
        let span = (text.find("bad").unwrap(), 5_003).into();
        let shown = rendered(&Wrong { file: NamedSource::new("a.toml", text), span }, None);
        assert!(shown.len() < 1_500 && shown.contains("2 │ x = bad"), "{shown}");
        for length in [100, 158, 159, 160, 161, 300, 5_000] {
            let text = format!("a\nx = bad{}\nb", "y".repeat(length));
            let span = (text.find("bad").unwrap(), 3 + length).into();
            let shown = rendered(&Wrong { file: NamedSource::new("a.toml", text), span }, None);
            assert!(shown.contains("2 │ x = bad") && shown.contains("·     ─"), "{length}: {shown}");
            assert!(!shown.contains("├─▶"), "{length}: {shown}");
        }
    }
}
