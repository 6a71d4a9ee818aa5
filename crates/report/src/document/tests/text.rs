//! The text of a report, as a reader of the page reads it.

use super::*;

/// Elements that end a sentence that runs on before them: everything but what stands within a line.
const IN_LINES: [&str; 13] =
    ["a", "em", "strong", "span", "small", "b", "i", "code", "sub", "sup", "cite", "img", "wbr"];

/// The blocks of text of a page, with a formula as `◇`; without style, program and pictures. Spaces are left as they are, but for
/// breaks of lines.
pub(super) fn blocks(results: &Results, figures: &[Figure]) -> Vec<String> {
    let texts = Texts::new(results, &Rows::new(results), figures, &[]);
    let world = texts.world(Medium::Screen, &Printable::own([]));
    let (document, _) = compile::<HtmlDocument>(&world).unwrap();
    let html = typst_html::html(&document, &HtmlOptions::default()).unwrap();
    let body = &html[html.find("<body").unwrap()..];
    let mut found = vec![String::new()];
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        found.last_mut().unwrap().push_str(&decoded(&rest[..start]));
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        rest = &rest[end + 1..];
        if ["script", "style", "svg", "math"].contains(&name.as_str()) && !tag.starts_with('/') {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
            if name == "math" {
                found.last_mut().unwrap().push('◇');
            }
        } else if !IN_LINES.contains(&name.as_str()) {
            found.push(String::new());
        }
    }
    found.into_iter().map(|text| text.trim().replace('\n', " ")).filter(|text| !text.is_empty()).collect()
}

fn decoded(text: &str) -> String {
    ["&lt;<", "&gt;>", "&quot;\"", "&#39;'", "&amp;&"]
        .iter()
        .fold(text.to_owned(), |text, code| text.replace(&code[..code.len() - 1], &code[code.len() - 1..]))
}

/// All of it, with single spaces.
pub(super) fn text_of(results: &Results) -> String {
    let all = blocks(results, &figures()).join(" ");
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}
