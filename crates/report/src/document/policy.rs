//! The page's content security policy: a browser runs and applies what the page came with, and loads nothing from elsewhere.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What the policy follows: the encoding of the page must be known before it.
const ENCODING: &str = r#"<meta charset="utf-8">"#;

/// Where the laboratory's program is.
const PROGRAM: &str = r#"<script id="laboratory-program">"#;

/// The page with a policy in its head. Scripts and styles are allowed by their SHA-256 (Content Security Policy Level 3),
/// so that nothing runs that finds its way into the page later, or in the name of a class.
///
/// # Panics
/// If the page does not state its encoding.
pub(super) fn with_policy(page: &str) -> String {
    assert!(page.contains(ENCODING), "the page states its encoding");
    let Inline { scripts, styles } = Inline::of(page);
    let listed = |texts: BTreeSet<&str>| texts.into_iter().map(hash).collect::<Vec<_>>().join(" ");
    // The laboratory computes in a Worker made from its own program.
    let worker = if page.contains(PROGRAM) { "worker-src blob:; " } else { "" };
    let policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; font-src data:; \
         {worker}script-src {}; style-src 'unsafe-hashes' {}",
        listed(scripts),
        listed(styles)
    );
    let meta = format!("{ENCODING}<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    page.replacen(ENCODING, &meta, 1)
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// What of a page is run or applied as a style: the contents of elements, and style attributes.
#[derive(Debug, Default, PartialEq)]
struct Inline<'a> {
    scripts: BTreeSet<&'a str>,
    styles: BTreeSet<&'a str>,
}

impl<'a> Inline<'a> {
    /// Reads well-formed HTML whose attributes stand in double quotes, as Typst writes it.
    fn of(page: &'a str) -> Self {
        let mut found = Inline::default();
        let mut rest = page;
        while let Some((_, from)) = rest.split_once('<') {
            let tag = &from[..end_of_tag(from)];
            rest = &from[tag.len()..];
            // Outside and inside of quotes by turns.
            let parts: Vec<&str> = tag.split('"').collect();
            let attribute =
                |name: &str| parts.chunks_exact(2).find(|pair| pair[0].ends_with(name)).map(|pair| pair[1]);
            found.styles.extend(attribute(" style="));
            // Only the end of these elements ends their text, whatever stands in it.
            let element =
                ["script", "style"].into_iter().find(|name| parts[0].split(' ').next() == Some(name));
            let Some(element) = element else { continue };
            let text = rest.strip_prefix('>').and_then(|text| text.split_once(&format!("</{element}")));
            let Some((text, after)) = text else { continue };
            rest = after;
            if element == "style" {
                found.styles.insert(text);
            } else if attribute(" type=").is_none() {
                // What has another type is data, which a browser does not run.
                found.scripts.insert(text);
            }
        }
        found
    }
}

/// Where a tag ends: at the first `>` outside quotes.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    tag.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })
    .unwrap_or(tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_and_what_styles_is_found_and_what_only_looks_like_it_is_not() {
        let page = "<!DOCTYPE html><html><head><style>a > b { c: \"<i>\" }</style></head><body>\
                    <img alt=\"<script>no()</script> style=\" src=\"x\"><p title=\"a > b\" style=\"d: e\">\
                    <script type=\"application/json\" id=\"j\">{\"<style>\": 1}</script><b>&lt;script></b>\
                    <script>yes(\"<style>no</style>\")</script>";
        let found = Inline::of(page);
        assert_eq!(found.scripts, BTreeSet::from(["yes(\"<style>no</style>\")"]));
        assert_eq!(found.styles, BTreeSet::from(["a > b { c: \"<i>\" }", "d: e"]));
        assert_eq!(Inline::of("no <tag without an end"), Inline::default());
    }

    #[test]
    fn a_hash_is_as_the_standard_gives_it() {
        // The example of Content Security Policy Level 2, section 7.17.1.
        let expected = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        assert_eq!(hash("alert('Hello, world.');"), expected);
    }
}
