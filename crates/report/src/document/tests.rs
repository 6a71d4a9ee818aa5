//! Tests of the typeset report, on results made up for the purpose.

mod crowded;
mod diverged;
mod handed_in;
mod inside;
mod judged;
mod multitask;
mod own;
mod page;
pub(crate) mod random;
mod reference;
mod text;

use std::collections::BTreeMap;

use inkling_schema::outcome::{
    DataSetFacts, Machine, PairSeparability, PcaOutcome, PerceptronOutcome, PlannedRun, SeparabilityOutcome,
    StudyRecord,
};
use inkling_schema::{
    DataSlice, NetworkTask, Optimizer, PcaRun, PerceptronRule, PerceptronRun, RunSpec, Schedule, Study, Task,
    TrainingPrecision, TrainingSpec, ValidationSpec, preset,
};

use super::*;
use crate::fixtures::{self, Shape};
use crate::{Network, NetworksResults, PairResults, PcaResults, PerceptronResults};

/// Names that Typst would take for markup, were they not strings.
const SPECIAL: [&str; 3] =
    ["#set *page*", "_under_ @ref <label> $x$", r#"T-shirt/top "quoted" \ [x] ~ // é"#];
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const DATA: DataSlice = DataSlice { set: String::new(), train_images: 3000, test_images: 1000 };

/// A number from 0 to 1 that looks random.
fn noise(i: usize) -> f64 {
    (i as f64 * 12.9898).sin().abs().fract()
}

fn pairs(classes: usize) -> impl Iterator<Item = (u8, u8)> {
    let classes = classes as u8;
    (0..classes).flat_map(move |a| (a + 1..classes).map(move |b| (a, b)))
}

/// A study of both tasks with these classes. Every third pair has no certificate and did not stop at the tolerance, so
/// that every part of the text appears.
fn results(classes: &[&str], rule: PerceptronRule) -> Results {
    let data = DataSetFacts {
        title: "Made-up #data".into(),
        height: 4,
        width: 4,
        channels: 1,
        classes: classes.iter().map(|&name| name.to_owned()).collect(),
        checksum: "0123456789abcdef".repeat(4),
        images: None,
    };
    let pca_spec = PcaRun { data: DATA, components: 4, reconstructions: vec![2, 4], pictures: 30 };
    let spectrum: Vec<f64> = (0..16).map(|i| 0.7_f64.powi(i)).collect();
    let total_variance = spectrum.iter().sum();
    let labels: Vec<u8> = (0..3000).map(|i| (i % classes.len()) as u8).collect();
    let embedding = labels.iter().enumerate();
    let embedding = embedding.map(|(i, l)| [f64::from(*l) + noise(i), noise(i + 7) - 0.5]).collect();
    let separability = pairs(classes.len()).enumerate().map(|(i, (a, b))| PairSeparability {
        a,
        b,
        images: 2 * 3000 / classes.len(),
        separable_in_plane: i % 5 == 4,
        plane_accuracy: if i % 5 == 4 { 1.0 } else { 0.5 + noise(i) / 2.1 },
        separable_in_full_space: i % 3 > 0,
        full_space_errors: if i % 3 > 0 { 0 } else { 17 + i },
        full_space_passes: 9,
    });
    let perceptrons = pairs(classes.len()).enumerate().map(|(i, (a, b))| PairResults {
        replicates: Vec::new(),
        spec: PerceptronRun {
            data: DATA,
            a,
            b,
            rule,
            learning_rate: 0.1,
            max_iterations: 1000,
            tolerance: 1e-3,
            seed: 1,
        },
        outcome: PerceptronOutcome {
            iterations: if i % 3 > 0 { 3 + i } else { 1000 },
            converged: i % 3 > 0,
            diverged: None,
            train_images: 3000,
            train_correct: if i % 3 > 0 { 2998 } else { 2900 },
            test_images: 200,
            test_correct: 200_usize.saturating_sub(i),
        },
        errors: vec![0.2, 0.01, 0.0333],
        weights: (0..16).map(|j| noise(i + j) as f32).collect(),
        bias: 0.0,
        seconds: 1.0,
    });
    let pca = PcaResults {
        outcome: PcaOutcome {
            samples: 3000,
            features: 16,
            total_variance,
            explained_variance_ratio: spectrum[..4].iter().map(|v| v / total_variance).collect(),
            fit_seconds: 0.1,
        },
        compared: (0..data.classes.len() as u8).collect(),
        compared_data: data.clone(),
        separability: SeparabilityOutcome { pairs: separability.collect() },
        embedding,
        labels,
        pictures: (0..30 * 16).map(|i| (255.0 * noise(i)) as u8).collect(),
        spectrum,
        mean: vec![-1.0; 16],
        components: vec![0.25; 64],
        originals: vec![0; 16 * classes.len()],
        rebuilt: vec![0.0; 2 * 16 * classes.len()],
        data: data.clone(),
        spec: pca_spec.clone(),
    };
    let spec = RunSpec::Pca(pca_spec);
    Results {
        record: StudyRecord {
            preset: "my #study.toml".into(),
            version: "0.0.0".into(),
            machine: Machine {
                cpu: "A CPU with 100 % *cores*".into(),
                threads: 1,
                instructions: "avx2".into(),
            },
            seconds: 200.0,
            study: preset("smoke").unwrap(),
            data: BTreeMap::from([("mnist".into(), data.clone())]),
            runs: vec![PlannedRun::new(spec.id("0"), Task::Pca, "principal components", spec)],
        },
        origins: fixtures::origins(),
        missing: Vec::new(),
        unable: Vec::new(),
        peers: None,
        finished: None,
        study_is_here: false,
        pca: Some(pca),
        perceptrons: Some(PerceptronResults {
            classes: data.classes.len(),
            compared: (0..data.classes.len() as u8).collect(),
            data,
            pairs: perceptrons.collect(),
        }),
        mlps: None,
        cnns: None,
        network: None,
        inside: None,
        multitask: None,
        sweep: None,
        page: None,
    }
}

/// A study of Tasks 3 and 4 alone.
fn networks(classes: &[&str], shape: Shape) -> Results {
    let results = results(classes, PerceptronRule::Online);
    let data = results.record.data["mnist"].clone();
    let (mlps, cnns) = (fixtures::mlps(&data, shape), fixtures::cnns(&data, shape));
    Results { pca: None, perceptrons: None, mlps: Some(mlps), cnns: Some(cnns), ..results }
}

fn tasks(results: &mut Results) -> impl Iterator<Item = &mut NetworksResults> {
    results.mlps.iter_mut().chain(&mut results.cnns)
}

/// Changes every network of both tasks.
fn change(results: &mut Results, change: impl Fn(usize, &mut Network)) {
    for task in tasks(results) {
        task.networks.iter_mut().enumerate().for_each(|(i, network)| change(i, network));
    }
}

fn figures() -> Vec<Figure> {
    let svg =
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="453" height="100"><text y="50">Text</text></svg>"#;
    let figure = |name: String| Figure::new(&name, svg, format!("The figure {name}."));
    Task::ALL.into_iter().flat_map(figures::names).map(figure).collect()
}

fn paper(results: &Results, figures: &[Figure]) -> ReportWorld {
    let texts = Texts::new(results, &Rows::new(results), figures, &[]);
    texts.world(Medium::Paper, &Printable::own(texts.all()))
}

/// Typesets for paper and for the screen, insists on the absence of warnings and on as many words in both main texts, and
/// returns the PDF and that number.
fn typeset_and_count(results: &Results, figures: &[Figure]) -> (Vec<u8>, usize) {
    let world = paper(results, figures);
    let (document, warnings) = compile::<PagedDocument>(&world).unwrap();
    let warnings: Vec<String> = warnings.iter().map(|found| describe(&world, found)).collect();
    assert_eq!(warnings, [""; 0]);
    let words = told(&document, "words").unwrap().cast().unwrap();
    assert_eq!(page::compiled(results, figures).1, words);
    (export(&world, &document, results).unwrap(), words)
}

fn holds(pdf: &[u8], text: &str) -> bool {
    pdf.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_report_is_a_tagged_document_with_title_and_language() {
    let (pdf, _) = typeset_and_count(&results(&SPECIAL, PerceptronRule::Online), &figures());
    for part in [
        "%PDF-1.7",
        "/Type/Page/",
        "/StructTreeRoot",
        "/Marked true",
        "/Lang(en-GB)",
        "/DisplayDocTitle true",
        "<pdfuaid:part>1</pdfuaid:part>",
        "Principal components and perceptrons on Made-up #data",
    ] {
        assert!(holds(&pdf, part), "{part}");
    }
    assert!(!holds(&pdf, "CreationDate"));
}

#[test]
fn the_date_of_the_report_is_that_of_its_last_run() {
    let finished = Moment { year: 2026, month: 2, day: 3, hour: 4, minute: 5, second: 6 };
    let results = Results { finished: Some(finished), ..results(&SPECIAL, PerceptronRule::Online) };
    let (pdf, _) = typeset_and_count(&results, &figures());
    assert!(holds(&pdf, "/CreationDate(D:20260203040506Z)"));
    assert!(holds(&pdf, "<xmp:CreateDate>2026-02-03T04:05:06"));
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let results = results(&SPECIAL, PerceptronRule::Online);
    let (first, second) = (
        typeset(&results, &Rows::new(&results), &figures()).unwrap(),
        typeset(&results, &Rows::new(&results), &figures()).unwrap(),
    );
    assert!(first.pdf == second.pdf && first.places == second.places);
}

#[test]
fn the_list_of_files_numbers_figures_and_tables_as_the_report_does() {
    let results = results(&SPECIAL, PerceptronRule::Online);
    let figures = crate::draw(&results);
    let report = typeset(&results, &Rows::new(&results), &figures).unwrap();
    let mut files: Vec<(&str, String)> =
        figures.iter().map(|figure| (figure.name.as_str(), figure.file())).collect();
    let list = String::from_utf8(places::index(&report.places, "figure", &files)).unwrap();
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines[0], "figure,page,file,caption");
    // Everything that was drawn stands in the report, numbered from one on, on pages that never go back.
    assert_eq!(lines.len(), 1 + figures.len());
    let mut last = 1;
    for (number, line) in lines.iter().enumerate().skip(1) {
        let cells: Vec<&str> = line.splitn(4, ',').collect();
        let page: usize = cells[1].parse().unwrap();
        assert!(cells[0] == number.to_string() && page >= last, "{line}");
        assert!(figures.iter().any(|figure| figure.file() == cells[2]), "{line}");
        last = page;
    }
    assert!(last > 3, "{list}");
    assert!(
        lines[1].contains("task1_pca_scatter,\"The 3,000 training images of Made-up #data projected onto"),
        "{list}"
    );
    assert!(list.contains("for the pairs of Table 1"), "{list}");

    // What the report has no place for is listed all the same, so that its files are known.
    files.push(("elsewhere", "task1_elsewhere".into()));
    let longer = String::from_utf8(places::index(&report.places, "figure", &files)).unwrap();
    assert_eq!(longer, format!("{list},,task1_elsewhere,\n"));

    let tables = ["perceptrons_five", "separability"].map(|name| (name, name.to_owned()));
    let list = String::from_utf8(places::index(&report.places, "table", &tables)).unwrap();
    let second = list.lines().nth(1).unwrap();
    assert!(second.contains(",perceptrons_five,") && !second.contains("word word"), "{list}");
}

#[test]
fn a_task_that_was_not_run_and_a_figure_that_was_not_drawn_leave_no_trace() {
    let both = results(&SPECIAL, PerceptronRule::Online);
    let without_pca = Results { pca: None, ..both.clone() };
    let without_perceptrons = Results { perceptrons: None, ..both.clone() };
    let with_networks = networks(&SPECIAL, Shape::SMALL);
    let with_networks =
        Results { pca: both.pca.clone(), perceptrons: both.perceptrons.clone(), ..with_networks };
    for results in [both, without_pca, without_perceptrons, with_networks] {
        typeset_and_count(&results, &figures());
        typeset_and_count(&results, &[]);
    }
}

#[test]
fn two_classes_and_every_rule_have_their_words() {
    for rule in
        [PerceptronRule::Online, PerceptronRule::Batch, PerceptronRule::Averaged, PerceptronRule::Pocket]
    {
        typeset_and_count(&results(&SPECIAL[..2], rule), &figures());
    }
}

#[test]
fn the_main_text_has_at_most_a_thousand_words() {
    let (_, words) = typeset_and_count(&results(&DIGITS, PerceptronRule::Online), &figures());
    assert!((600..=1000).contains(&words), "{words} words");
}

#[test]
fn networks_take_at_most_a_thousand_words() {
    let all = Shape { train_images: 60_000, test_images: 10_000, ..Shape::SMALL };
    let alone = networks(&DIGITS, all);
    let (_, words) = typeset_and_count(&alone, &figures());
    assert!((800..=1000).contains(&words), "{words} words");
    let with_the_first = results(&DIGITS, PerceptronRule::Online);
    let with_the_first = Results { mlps: alone.mlps, cnns: alone.cnns, ..with_the_first };
    let (_, words) = typeset_and_count(&with_the_first, &figures());
    assert!(words <= 2000, "{words} words");
}

#[test]
fn one_task_without_the_other_and_any_number_of_networks() {
    for count in [1, 2] {
        let both = networks(&SPECIAL, Shape { networks: count, epochs: 1, ..Shape::SMALL });
        let mlps = Results { cnns: None, ..both.clone() };
        let cnns = Results { mlps: None, ..both.clone() };
        let mut other_images = both.clone();
        for network in other_images.mlps.iter_mut().flat_map(|task| &mut task.networks) {
            network.spec.data.set = "fashion-mnist".into();
        }
        for results in [both, mlps, cnns, other_images] {
            typeset_and_count(&results, &[]);
            typeset_and_count(&results, &crate::draw(&results));
        }
    }
}

#[test]
fn networks_that_diverged_have_no_number_and_their_names_are_no_markup() {
    for all in [false, true] {
        let mut results = networks(&SPECIAL, Shape::SMALL);
        change(&mut results, |i, network| {
            network.name = format!("{} {i}", SPECIAL[i % 3]);
            network.why = SPECIAL[(i + 1) % 3].into();
            if all || i % 2 == 0 {
                fixtures::diverge(network, 1 + i % 3);
            }
        });
        let facts = serde_json::to_value(Facts::new(&results, &Rows::new(&results), &[], &[])).unwrap();
        assert_eq!(facts["mlps"]["diverged"].as_array().unwrap().len(), if all { 5 } else { 3 });
        assert!(facts["mlps"]["rows"][0]["test_accuracy"].is_null());
        assert_eq!(facts["cnns"]["found"].is_null(), all);
        assert_eq!(facts["compared"].is_null(), all);
        typeset_and_count(&results, &crate::draw(&results));
        results.cnns = None;
        typeset_and_count(&results, &crate::draw(&results));
    }
}

#[test]
fn every_way_to_train_has_its_words() {
    let (beta_1, beta_2, epsilon) = (0.9, 0.999, 3e-8);
    let optimizers = [
        Optimizer::Adam { beta_1, beta_2, epsilon },
        Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay: 0.01 },
        Optimizer::Sgd { momentum: 0.9, nesterov: false },
        Optimizer::Sgd { momentum: 0.9, nesterov: true },
        Optimizer::RmsProp { alpha: 0.99, epsilon: 1e-8 },
        Optimizer::Lion { beta_1: 0.9, beta_2: 0.99, weight_decay: 0.1 },
    ];
    let schedules =
        [Schedule::Constant, Schedule::Cosine { last: 0.1 }, Schedule::Step { every: 2, factor: 0.5 }];
    for (optimizer, schedule) in optimizers.into_iter().zip(schedules.into_iter().cycle()) {
        let mut results = networks(&SPECIAL[..2], Shape::SMALL);
        change(&mut results, |i, network| {
            let training = &mut network.spec.training;
            let validation = Some(ValidationSpec { images: 500, own: false, patience: Some(3) });
            let (warmup_steps, clip_norm, precision) = (Some(1), Some(0.5), TrainingPrecision::Bfloat16);
            let given = training.clone();
            *training =
                TrainingSpec { optimizer, schedule, validation, warmup_steps, clip_norm, precision, ..given };
            for epoch in &mut network.outcome.epochs {
                epoch.validation = Some(epoch.test);
            }
            network.outcome.stopped_early = i == 1;
        });
        typeset_and_count(&results, &crate::draw(&results));
        // The two tasks trained differently.
        for network in results.mlps.iter_mut().flat_map(|task| &mut task.networks) {
            network.spec.training.optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };
        }
        typeset_and_count(&results, &figures());
    }
}

#[test]
fn what_is_said_of_depth_and_size_follows_mcnemars_tests() {
    let mut results = networks(&DIGITS, Shape { test_images: 2000, ..Shape::SMALL });
    // The numbers of parameters on images of 28 by 28 pixels: two budgets.
    let parameters = [1_796_010, 335_114, 1_786_210, 339_258, 338_590];
    change(&mut results, |i, network| network.outcome.parameters = parameters[i]);
    let facts = serde_json::to_value(Facts::new(&results, &Rows::new(&results), &[], &[])).unwrap();
    let groups = facts["mlps"]["budgets"].as_array().unwrap();
    let found: Vec<_> =
        groups.iter().map(|group| (group["pairs"].clone(), group["differ"].clone())).collect();
    assert_eq!(found, [(1.into(), 0.into()), (3.into(), 0.into())]);
    typeset_and_count(&results, &figures());
    // Now the deepest network is wrong about every fifth image, and every pair with it differs.
    let deepest = results.mlps.iter_mut().filter_map(|task| task.networks.last_mut());
    for network in deepest {
        let answers = network.heads[0].predictions.iter_mut().step_by(5);
        answers.for_each(|answer| *answer = (*answer + 1) % 10);
    }
    let facts = serde_json::to_value(Facts::new(&results, &Rows::new(&results), &[], &[])).unwrap();
    assert_eq!(facts["mlps"]["pairs"]["differ"], 4);
    let group = &facts["mlps"]["budgets"][1];
    assert_eq!((&group["differ"], &group["deeper_better"]), (&2.into(), &0.into()), "{group}");
    typeset_and_count(&results, &figures());
}

#[test]
fn the_command_makes_the_study_again() {
    let mut results = results(&SPECIAL, PerceptronRule::Online);
    let command = |results: &Results| {
        let facts = serde_json::to_value(Facts::new(results, &Rows::new(results), &[], &[])).unwrap();
        facts["study"]["command"].as_str().unwrap().to_owned()
    };
    assert_eq!(command(&results), "inkling study 'my #study.toml' --seed 1");
    results.study_is_here = true;
    let facts = serde_json::to_value(Facts::new(&results, &Rows::new(&results), &[], &[])).unwrap();
    assert_eq!(facts["study"]["file"], "my #study.toml");
    typeset_and_count(&results, &figures());
    results.study_is_here = false;
    results.record.preset = "brief".into();
    results.record.study = Study { seed: Some(7), ..results.record.study };
    results.record.study.keep_only(&[Task::Pca]);
    assert_eq!(command(&results), "inkling study brief --seed 7 --only pca");
}

#[test]
fn names_from_right_to_left_leave_the_numbers_beside_them_as_they_are() {
    let mut results = networks(&["חולצה", "شبكة", "shoes"], Shape::SMALL);
    change(&mut results, |i, network| {
        network.name = if i == 0 { "רשת 3 (שלוש)".into() } else { format!("net {i}") };
    });
    typeset_and_count(&results, &figures());
    let page = page(&results, &Rows::new(&results), &figures(), &[]).unwrap();
    let mut names = 0;
    for (place, _) in page.match_indices("רשת 3 (שלוש)") {
        assert!(page[..place].ends_with('\u{2068}'), "{}", &page[..place]);
        names += 1;
    }
    assert!(names > 2 && !page.contains("\u{2068}net 1"), "{names}");
}

#[test]
fn a_broken_figure_is_an_error_that_says_where() {
    let broken = Figure::new("pca_scatter", "<svg", "Nothing.");
    let error = typeset(
        &results(&SPECIAL, PerceptronRule::Online),
        &Rows::new(&results(&SPECIAL, PerceptronRule::Online)),
        &[broken],
    )
    .unwrap_err()
    .to_string();
    assert!(error.contains("pca_scatter.svg: failed to parse SVG"), "{error}");
}
