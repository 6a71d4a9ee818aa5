//! Tests of what makes the report one to hand in: title page, findings, published results, contributions, and what it says
//! of itself.

use inkling_schema::{Author, ReportSpec};
use typst::foundations::Selector;
use typst::introspection::Introspector;

use super::text::text_of;
use super::*;
use crate::fixtures::inside::Looked;
use crate::fixtures::multitask::{Asked, GARMENTS};
use crate::{Unable, Why};

/// What stands under a label, in the order of the document.
fn all_told(results: &Results, label: &str) -> Vec<String> {
    let (document, _) = compile::<PagedDocument>(&paper(results, &[])).unwrap();
    let label = Label::new(PicoStr::intern(label)).unwrap();
    let found = document.introspector().query(&Selector::Label(label));
    let text = |content: &typst::foundations::Content| {
        content.to_packed::<MetadataElem>().unwrap().value.clone().cast::<String>().unwrap()
    };
    found.iter().map(text).collect()
}

/// The findings without the names of figures and tables, which are not theirs to test.
fn findings(results: &Results) -> Vec<String> {
    let (document, _) = compile::<PagedDocument>(&paper(results, &[])).unwrap();
    told(&document, "findings").unwrap().cast::<Vec<String>>().unwrap()
}

pub(super) fn one(results: &Results) -> String {
    let found = findings(results);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn who_hands_it_in_stands_on_the_title_page_or_cannot_be_overlooked() {
    let mut results = results(&SPECIAL, PerceptronRule::Online);
    let missing = ["GROUP NUMBER MISSING", "AUTHORS MISSING", "AUTHORS MISSING", "CONTRIBUTION MISSING"];
    assert_eq!(all_told(&results, "placeholder"), missing);
    let author = |name: &str, contribution: Option<&str>| Author {
        name: name.into(),
        contribution: contribution.map(str::to_owned),
    };
    let authors = vec![author("#set *Ada*", Some("@nobody $x$")), author("Bo", None)];
    results.record.study.report = Some(ReportSpec { group: Some(7), authors });
    assert_eq!(all_told(&results, "placeholder"), ["CONTRIBUTION MISSING"]);
    let (pdf, _) = typeset_and_count(&results, &figures());
    assert!(holds(&pdf, "#set *Ada*"), "authors are metadata of the file");
}

#[test]
fn what_is_not_finished_is_named_where_it_is_missing() {
    let whole = networks(&SPECIAL, Shape::SMALL);
    let missing =
        |task: Task, title: &str| PlannedRun { task, title: title.into(), ..whole.record.runs[0].clone() };
    let mut results = whole.clone();
    results.missing = (0..9).map(|i| missing(Task::Mlp, &format!("#net _{i}_"))).collect();
    results.missing.push(missing(Task::Pca, "components"));
    let said = all_told(&results, "placeholder");
    let said: Vec<&str> = said.iter().map(String::as_str).filter(|text| text.contains("FINISHED")).collect();
    assert_eq!(said, ["10 OF 11 RUNS ARE NOT FINISHED", "NOT FINISHED", "NOT FINISHED"]);
    results.mlps = None;
    typeset_and_count(&results, &figures());
}

#[test]
fn runs_that_cannot_be_done_are_named_with_the_reason() {
    let mut results = networks(&SPECIAL, Shape::SMALL);
    let one = results.record.runs[0].clone();
    let unable = |title: String, why: Why| Unable { id: one.id.clone(), task: Task::Mlp, title, why };
    let failed = |i: usize| unable(format!("#net _{i}_"), Why::Failed("no room: #x $y$.".into()));
    let needs = |i: usize| unable(format!("look {i}"), Why::Needs(vec!["mlp #net _0_".into()]));
    results.missing =
        (0..9).map(|i| PlannedRun { task: Task::Mlp, title: format!("m{i}"), ..one.clone() }).collect();
    for (failures, looks, told, untold) in [
        (0, 0, &[][..], &[" failed: ", "cannot be done"][..]),
        (1, 0, &["The run “#net _0_” failed: no room: #x $y$."], &["cannot be done", "more run"]),
        (
            1,
            1,
            &["The run “look 0” needs “mlp #net _0_”, so it cannot be done."],
            &["The runs “", "they cannot be done"],
        ),
        (
            7,
            2,
            &[
                "“#net _4_” failed: no room: #x $y$. And two more runs failed.",
                "The runs “look 0” and “look 1” need “mlp #net _0_”, so they cannot be done.",
            ],
            &["“#net _5_”"],
        ),
        (2, 9, &["“look 4” and 4 more need"], &["more runs failed"]),
    ] {
        results.unable = (0..failures).map(failed).chain((0..looks).map(needs)).collect();
        let said = text_of(&results);
        for words in told {
            assert!(said.contains(words), "no {words:?} in {said}");
        }
        for words in untold {
            assert!(!said.contains(words), "{words:?} in {said}");
        }
    }
}

#[test]
fn findings_of_perceptrons_and_components_follow_the_results() {
    let both = results(&DIGITS, PerceptronRule::Online);
    assert_eq!(findings(&both).len(), 2);
    let mut pca = Results { perceptrons: None, ..both.clone() };
    assert!(one(&pca).contains("nine of the 45 pairs can be separated by a line"), "{}", one(&pca));
    for pair in &mut pca.pca.as_mut().unwrap().separability.pairs {
        (pair.separable_in_plane, pair.separable_in_full_space) = (false, true);
    }
    assert!(one(&pca).contains("none of the 45 pairs can be separated by a line"), "{}", one(&pca));
    assert!(one(&pca).ends_with("a separating hyperplane was found for all."), "{}", one(&pca));
    let perceptrons = Results { pca: None, ..both };
    assert!(one(&perceptrons).contains("(8–9) to 100"), "{}", one(&perceptrons));
}

#[test]
fn findings_of_networks_follow_mcnemars_tests() {
    let mut results = networks(&DIGITS, Shape { test_images: 2000, ..Shape::SMALL });
    let parameters = [1_796_010, 335_114, 1_786_210, 339_258, 338_590];
    change(&mut results, |i, network| network.outcome.parameters = parameters[i]);
    results.cnns = None;
    let said = one(&results);
    assert!(said.starts_with("MLPs with two to seven hidden layers reach "), "{said}");
    assert!(said.ends_with("Among networks of about one size, no effect of depth was found."), "{said}");
    let deepest = results.mlps.as_mut().unwrap().networks.last_mut().unwrap();
    let answers = deepest.heads[0].predictions.iter_mut().step_by(5);
    answers.for_each(|answer| *answer = (*answer + 1) % 10);
    let said = one(&results);
    assert!(said.ends_with("that differ significantly, the shallower is better."), "{said}");
    change(&mut results, |_, network| fixtures::diverge(network, 1));
    assert_eq!(one(&results), "No MLP reached a result.");
}

#[test]
fn findings_of_task_6_follow_mcnemars_tests() {
    let garments = |names: &[&str]| DataSetFacts {
        title: "Fashion-MNIST".into(),
        height: 28,
        width: 28,
        channels: 1,
        classes: names.iter().map(|&name| name.to_owned()).collect(),
        checksum: "f".into(),
        images: None,
    };
    let mut task = Asked::brief(3000, 1000).results(&garments(&GARMENTS));
    // Every two-headed network answers as the single-task ones do.
    for (_, network) in &mut task.lambdas {
        network.heads = task.single.iter().flatten().map(|single| single.heads[0].clone()).collect();
    }
    let nothing = results(&SPECIAL, PerceptronRule::Online);
    let nothing = Results { pca: None, perceptrons: None, ..nothing };
    let said = one(&Results { multitask: Some(task.clone()), ..nothing.clone() });
    assert!(
        said.contains(
            "Of three item heads and three group heads trained together, none differs significantly"
        ),
        "{said}"
    );
    // One single-task network is wrong more often.
    let answers = task.single[1].as_mut().and_then(|single| single.heads.first_mut()).unwrap();
    for (answer, right) in answers.predictions.iter_mut().zip(&task.group_labels).step_by(4) {
        *answer = u8::from(*right == 0);
    }
    let said = one(&Results { multitask: Some(task.clone()), ..nothing.clone() });
    assert!(said.contains("of three group heads, all are significantly better"), "{said}");
    task.single = [None, None];
    let said = one(&Results { multitask: Some(task), ..nothing });
    assert_eq!(said, "No network trained for both tasks can be compared with single-task ones.");
}

#[test]
fn published_results_stand_beside_ours_on_the_same_images_only() {
    let all = Shape { train_images: 60_000, test_images: 10_000, ..Shape::SMALL };
    let mut results = Results {
        inside: Some(fixtures::inside::inside(
            &results(&DIGITS, PerceptronRule::Online).record.data["mnist"],
            &Looked::brief(),
        )),
        ..networks(&DIGITS, all)
    };
    let rows = |results: &Results| {
        let facts = serde_json::to_value(Facts::new(results, &Rows::new(results), &[], &[])).unwrap();
        facts["published"].as_array().unwrap().clone()
    };
    let mnist = rows(&results);
    let lenet = mnist.iter().find(|row| row["what"] == "LeNet-5").unwrap();
    assert_eq!(
        (&lenet["task"], &lenet["published"], &lenet["whose"]),
        (&4.into(), &0.0095.into(), &"5 CNNs".into())
    );
    assert_eq!(lenet["images"], 60_000);
    let errors: Vec<f64> =
        results.cnns.as_ref().unwrap().test().map(|(_, found)| 1.0 - found.accuracy()).collect();
    assert_eq!(lenet["here"][0], errors.iter().copied().fold(1.0, f64::min));
    assert_eq!(lenet["here"][1], errors.iter().copied().fold(0.0, f64::max));
    typeset_and_count(&results, &figures());
    change(&mut results, |_, network| network.spec.data.set = "fashion-mnist".into());
    assert_eq!(rows(&results).len(), 0);
}

#[test]
fn more_words_than_the_brief_allows_are_typeset_and_counted() {
    let long = "word ".repeat(300);
    let results = results(&[&long, "b", "c"], PerceptronRule::Online);
    let report = typeset(&results, &Rows::new(&results), &figures()).unwrap();
    assert!(report.words > WORDS && report.pdf.starts_with(b"%PDF"), "{} words", report.words);
    let page = page(&results, &Rows::new(&results), &figures(), &[]).unwrap();
    assert!(page.contains(" of at most 3,000, ") && page.contains(" too many in the main part"));
}
