//! Figures of made-up networks of Task 6: sound, and nothing written over anything else.

use inkling_schema::Task;
use inkling_schema::outcome::DataSetFacts;

use super::super::names as all_names;
use super::super::tests::{apart, of_multitask as draw, sound};
use crate::fixtures::multitask::{Asked, GARMENTS, diverge};
use crate::{Figure, Goal, MultitaskResults, Replicate};

fn data(names: &[&str]) -> DataSetFacts {
    let classes = names.iter().map(|&name| name.to_owned()).collect();
    DataSetFacts {
        title: "Toy".into(),
        height: 28,
        width: 28,
        channels: 1,
        classes,
        checksum: "c".into(),
        images: None,
    }
}

fn names(figures: &[Figure]) -> Vec<&str> {
    figures.iter().map(|figure| figure.name.as_str()).collect()
}

/// Studies whose figures differ in layout.
fn studies() -> Vec<(&'static str, MultitaskResults)> {
    let garments = data(&GARMENTS);
    let brief = || Asked::brief(60_000, 10_000);
    let of = |asked: &Asked| asked.results(&garments);
    let mut one = brief();
    one.task.lambdas = vec![0.3333];
    let mut ends = brief();
    ends.task.lambdas = vec![0.0, 1.0];
    let mut none = brief();
    none.task.lambdas.clear();
    let mut alone = brief();
    alone.single = [false, false];
    let mut many = Asked::brief(3000, 500).with_weightings(3);
    many.task.lambdas = (0..=10).map(|i| f64::from(i) / 10.0).collect();
    let mut late = brief();
    late.task.lambdas = vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 0.9995, 0.9999, 1.0];
    late.epochs = 200;
    let mut bare = brief();
    (bare.gradients, bare.idle, bare.epochs) = (false, false, 1);
    let mut deep = brief();
    (deep.task.network.head, deep.task.network.shared) = (vec![20; 12], vec![30; 14]);
    let mut studies = vec![
        ("the brief's", of(&brief())),
        ("one λ", of(&one)),
        ("only untrained heads", of(&ends)),
        ("no two-headed networks", of(&none)),
        ("no single-task networks", of(&alone)),
        ("many λ and weightings", of(&many)),
        ("λ that differ late, and hundreds of epochs", of(&late)),
        ("one epoch and nothing measured", of(&bare)),
        ("deep networks", of(&deep)),
        ("one weighting with one seed", of(&brief().with_weightings(1))),
    ];
    let dozen: Vec<&str> = ["Ankle boot that is far too long for a label", "T-shirt <top>", "Évening gown"]
        .into_iter()
        .cycle()
        .take(12)
        .collect();
    studies.push(("two groups", Asked::of(2, 2).results(&data(&["a", "b"]))));
    studies.push(("six groups of a dozen", Asked::of(12, 6).results(&data(&dozen))));
    let mut some = of(&brief().with_weightings(2));
    diverge(&mut some.lambdas[2].1, 2);
    diverge(some.single[1].as_mut().unwrap(), 1);
    diverge(&mut some.others[0], 1);
    studies.push(("some diverged", some));
    let mut all = of(&brief());
    all.single.iter_mut().flatten().for_each(|network| diverge(network, 1));
    all.lambdas.iter_mut().for_each(|(_, network)| diverge(network, 1));
    studies.push(("all diverged", all));
    let mut right = of(&brief());
    for goal in Goal::BOTH {
        let labels = right.labels(goal).to_vec();
        let lambdas = right.lambdas.iter_mut().map(|(_, network)| network);
        for network in lambdas.chain(right.single.iter_mut().flatten()) {
            if let Some(answers) = network.answers_mut(goal) {
                answers.predictions.clone_from(&labels);
            }
            for epoch in &mut network.outcome.epochs {
                epoch.test.correct = epoch.test.images;
                epoch.further.iter_mut().for_each(|head| head.test.correct = head.test.images);
            }
        }
    }
    studies.push(("never wrong", right));
    studies.push(("three seeds", with_three_seeds(of(&brief()))));
    studies
}

/// The same with two further seeds, which are right more rarely and more often; the training of one ended early.
fn with_three_seeds(mut found: MultitaskResults) -> MultitaskResults {
    let single = found.single.iter_mut().flatten();
    for network in found.lambdas.iter_mut().map(|(_, network)| network).chain(single) {
        for (seed, more) in [(2, -300), (3, 200)] {
            let (mut outcome, heads) = (network.outcome.clone(), network.heads.clone());
            for epoch in &mut outcome.epochs {
                let further = epoch.further.iter_mut().map(|head| &mut head.test);
                for test in std::iter::once(&mut epoch.test).chain(further) {
                    test.correct = test.correct.saturating_add_signed(more).min(test.images);
                }
            }
            outcome.epochs.truncate(if seed == 3 { 3 } else { 5 });
            network.replicates.push(Replicate { seed, outcome, heads });
        }
    }
    found
}

#[test]
fn learning_curves_of_several_seeds_have_bands_and_those_of_one_have_none() {
    let curves = |seeds: &str| {
        let (_, found) = studies().into_iter().find(|(study, _)| *study == seeds).unwrap();
        draw(&found).into_iter().find(|figure| figure.name == "multitask_curves").unwrap()
    };
    let (one, three) = (curves("the brief's"), curves("three seeds"));
    assert!(!one.svg.contains("fill-opacity") && !one.svg.contains("seed"));
    assert!(three.svg.contains("lines: seed 1; bands: from the lowest to the highest of 3 seeds"));
    // Of every trained head: of both with three weightings, of one with two, and of the single-task networks.
    assert_eq!(three.svg.matches("fill-opacity").count(), 2 * 3 + 2 + 2);
    // The lowest and the highest after each of the epochs that all seeds completed.
    let of_band = three.svg.lines().find(|line| line.contains("fill-opacity")).unwrap();
    let band = of_band.split("<path ").find(|path| path.contains("fill-opacity")).unwrap();
    assert_eq!(band.split('"').nth(1).unwrap().matches(['M', 'L']).count(), 6);
}

#[test]
fn nothing_lies_on_anything_else_in_any_study() {
    for (study, found) in studies() {
        for figure in draw(&found) {
            let context = format!("{} of {study}", figure.name);
            sound(&figure, &context);
            apart(&figure, &context);
        }
    }
}

#[test]
fn a_study_has_the_figures_that_there_is_something_to_draw_for() {
    let drawn = |name: &str| {
        let (_, found) = studies().into_iter().find(|(study, _)| *study == name).unwrap();
        draw(&found)
    };
    // A study of one seed has nothing to say of several.
    let all: Vec<String> =
        all_names(Task::Multitask).into_iter().filter(|name| !name.ends_with("_seeds")).collect();
    assert_eq!(names(&drawn("the brief's")), all);
    let without = drawn("one epoch and nothing measured");
    assert_eq!(names(&without), [&all[..4], &all[5..6]].concat());
    assert_eq!(names(&drawn("all diverged")), [&all[..2], &all[3..5], &all[6..]].concat());
    assert_eq!(names(&drawn("no two-headed networks")), [&all[..1], &all[3..4], &all[6..]].concat());
    let brief = drawn("the brief's");
    assert!(brief[0].svg.contains("23,080,598") && brief[0].svg.contains("26,395,689"));
    assert!(brief[1].alt.contains("untrained head"));
    assert_eq!(drawn("the brief's"), brief, "the same study gives the same bytes");
}

#[test]
fn weights_that_differ_in_the_fourth_decimal_read_differently() {
    let mut late = Asked::brief(3000, 1000);
    late.task.lambdas = vec![0.5, 0.9995, 0.9999, 1.0];
    for figure in draw(&late.results(&data(&GARMENTS))) {
        let shown = |lambda: &str| figure.svg.contains(lambda) || figure.name == "multitask_architectures";
        // The axis of λ has ticks of its own.
        assert!(
            figure.name == "multitask_accuracy" || (shown("0.9995") && shown("0.9999")),
            "{}",
            figure.name
        );
    }
}
