//! Tests of the page for the screen: nothing is left out, it needs nothing beside it, and its figures are numbered as on
//! paper. What it does in a browser is tested there (`.ci/page`).

use typst::foundations::{NativeElement, Selector};
use typst::model::FigureElem;

use super::*;
use crate::fixtures::inside::Looked;
use crate::fixtures::multitask::Asked;
use crate::tables;

/// Compiles the page, insists on the absence of warnings but that Typst's HTML is new, and returns the document and the
/// number of words in the main text.
pub(super) fn compiled(results: &Results, figures: &[Figure]) -> (HtmlDocument, usize) {
    let texts = Texts::new(results, &Rows::new(results), figures, &tables::draw_up(&Rows::new(results)));
    let world = texts.world(Medium::Screen, &Printable::own([]));
    let (document, warnings) = compile::<HtmlDocument>(&world).unwrap();
    let warnings: Vec<String> = warnings.iter().map(|found| describe(&world, found)).collect();
    assert_eq!(warnings, ["html export is under active development and incomplete"]);
    let words = told(&document, "words").unwrap().cast().unwrap();
    (document, words)
}

/// Every task, made up, with names that would be markup in Typst and in HTML.
fn whole() -> Results {
    let names = ["#set *page*", "_under_ @ref <label> $x$", "</script><b>&amp;"];
    let first = results(&names, PerceptronRule::Online);
    let networks = networks(&names, Shape::SMALL);
    let data = networks.record.data["mnist"].clone();
    Results {
        inside: Some(fixtures::inside::inside(&data, &Looked::small(&data))),
        multitask: Some(Asked::of(3, 2).results(&data)),
        mlps: networks.mlps,
        cnns: networks.cnns,
        ..first
    }
}

fn html(results: &Results, figures: &[Figure]) -> String {
    page(results, &Rows::new(results), figures, &tables::draw_up(&Rows::new(results))).unwrap()
}

#[test]
fn figures_and_tables_have_the_numbers_that_they_have_on_paper() {
    fn numbered(document: &impl Output) -> Vec<String> {
        let found = document.introspector().query(&Selector::Elem(FigureElem::ELEM, None));
        found.iter().map(|figure| figure.label().unwrap().resolve().to_string()).collect()
    }
    let (results, figures) = (whole(), figures());
    let (screen, _) = compiled(&results, &figures);
    let (paper, _) = compile::<PagedDocument>(&paper(&results, &figures)).unwrap();
    let (mut paper, mut screen) = (numbered(&paper), numbered(&screen));
    // Figures and tables are numbered apart, so only the order within each kind matters.
    for kind in [&mut paper, &mut screen] {
        kind.sort_by_key(|label| label.starts_with("table-"));
    }
    assert!(paper.len() > 30, "{paper:?}");
    assert_eq!(paper, screen);
}

#[test]
fn a_page_needs_nothing_beside_it() {
    let page = html(&whole(), &figures());
    let loaded =
        ["src=\"", "url(", "poster=\"", "srcset=\"", "data=\"", "@import", "<link", "<iframe", "import("];
    for what in loaded {
        for (place, _) in page.match_indices(what) {
            let rest = &page[place + what.len()..];
            let own = matches!(what, "src=\"" | "url(") && rest.starts_with("data:");
            assert!(own, "{}", &page[place..(place + 120).min(page.len())]);
        }
    }
    for (place, _) in page.match_indices("href=\"") {
        let target = page[place + 6..].split('"').next().unwrap();
        let beside = target == "report.pdf";
        assert!(beside || target.starts_with('#') || target.starts_with("https://"), "{target}");
    }
    assert!(!page.contains("fetch(") && !page.contains("XMLHttpRequest"));
}

#[test]
fn a_browser_may_run_and_apply_what_the_page_came_with_and_nothing_else() {
    let page = html(&whole(), &figures());
    let (_, policy) = page.split_once(r#"<meta http-equiv="Content-Security-Policy" content=""#).unwrap();
    let policy = policy.split('"').next().unwrap();
    let directives: BTreeMap<&str, Vec<&str>> = policy
        .split("; ")
        .map(|directive| directive.split(' ').collect::<Vec<_>>())
        .map(|words| (words[0], words[1..].to_vec()))
        .collect();
    assert_eq!(directives["default-src"], ["'none'"]);
    assert_eq!(directives["img-src"], ["data:"]);
    let hash =
        |text: &[u8]| format!("'sha256-{}'", STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(text)));
    assert_eq!(directives["script-src"], [hash(include_bytes!("../page/page.js"))]);
    for style in [include_bytes!("../page/page.css").as_slice(), &mathematics()] {
        assert!(directives["style-src"].contains(&hash(style).as_str()), "{policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("http"), "{policy}");
    // A browser looks for the encoding in the first 1,024 bytes, and the policy holds for what follows it.
    assert!(page.find("charset").unwrap() < 100 && page.find("Content-Security").unwrap() < 200);
}

/// Every task, and a laboratory of some of its networks.
fn with_laboratory() -> Results {
    let results = whole();
    let page = fixtures::page::page(&results, &mut fixtures::random::Chance::new(3));
    assert!(page.is_some());
    Results { page, ..results }
}

#[test]
fn a_page_with_a_laboratory_runs_its_program_in_a_worker_and_needs_nothing_either() {
    let page = html(&with_laboratory(), &figures());
    for what in [
        "@import",
        "<link",
        "<iframe",
        "import(",
        "fetch(",
        "XMLHttpRequest",
        "eval(",
        "new Function",
        "http://",
    ] {
        let found = page.match_indices(what).map(|(place, _)| &page[place..(place + 60).min(page.len())]);
        let found: Vec<&str> = found.filter(|text| !text.starts_with("http://www.w3.org/")).collect();
        assert!(found.is_empty(), "{found:?}");
    }
    assert!(page.contains("; worker-src blob:; "));
    assert!(page.contains("id=\"lab\"") && !page.contains("<b>"));
    // Without networks there is none.
    let page = html(&whole(), &figures());
    assert!(!page.contains("id=\"lab\"") && !page.contains("laboratory") && !page.contains("worker-src"));
}

#[test]
fn what_the_page_says_of_its_laboratory_is_whole_whatever_is_in_it() {
    for seed in 0..40 {
        let results = random::random_results(seed);
        let Some(found) = &results.page else { continue };
        let page = html(&results, &[]);
        let (_, section) = page.split_once("<section id=\"lab\"").unwrap();
        let section = section.split("</section>").next().unwrap();
        for network in &found.networks {
            assert!(
                section.contains(&laboratory::title(network.task, &network.network.name, None)),
                "{section}"
            );
        }
        for wrong in [
            "(none",
            "NaN",
            "networks is ",
            "network are",
            " 1 networks",
            "one networks",
            "one test images change",
            "  ,",
            "are not here, because their weights would make this page too large: .",
        ] {
            assert!(!section.contains(wrong), "{wrong}: {section}");
        }
    }
}

#[test]
fn the_page_says_where_the_report_on_paper_is() {
    let page = html(&whole(), &figures());
    assert!(page.contains(r#"<dt>On paper</dt><dd><a href="report.pdf">report.pdf</a>, in the folder"#));
}

#[test]
fn names_are_text_and_never_markup() {
    let page = html(&whole(), &figures());
    assert!(!page.contains("<b>"), "a name became markup");
    assert_eq!(page.matches("</script").count(), 2, "a name ended a script");
    assert!(page.contains(r"\u003c/script>\u003cb>&amp;"), "the plane has names as they are");
    assert!(page.contains("&lt;/script&gt;") || page.contains("&lt;/script>"), "so has the text");
}

#[test]
fn every_figure_says_in_words_what_it_shows() {
    let figures = figures();
    let page = html(&whole(), &figures);
    assert_eq!(page.matches("<img").count(), page.matches("alt=\"The figure ").count());
    assert_eq!(page.matches("<figcaption").count(), page.matches("<figure").count());
}

#[test]
fn the_same_results_give_the_same_page() {
    let (results, figures) = (whole(), figures());
    assert!(html(&results, &figures) == html(&results, &figures));
}

#[test]
fn a_study_without_pictures_or_components_has_no_plane_to_explore() {
    let mut results = results(&DIGITS, PerceptronRule::Online);
    let explorers = |results: &Results| {
        let page = html(results, &figures());
        (page.contains(r#"id="explorer""#), page.contains(r#"id="plane""#))
    };
    assert_eq!(explorers(&results), (true, true));
    if let Some(pca) = &mut results.pca {
        pca.spec.pictures = 0;
        pca.pictures.clear();
    }
    assert_eq!(explorers(&results), (false, false));
    results.pca = None;
    assert_eq!(explorers(&results), (false, false));
}

#[test]
fn what_is_missing_cannot_be_overlooked_on_the_screen_either() {
    let mut results = results(&DIGITS, PerceptronRule::Online);
    let run = results.record.runs[0].clone();
    results.missing = vec![PlannedRun { task: Task::Mlp, title: "#net _1_".into(), ..run }];
    let page = html(&results, &figures());
    for part in ["GROUP NUMBER MISSING", "AUTHORS MISSING", "1 OF 2 RUNS ARE NOT FINISHED", "#net _1_"] {
        assert!(page.contains(part), "{part}");
    }
}
