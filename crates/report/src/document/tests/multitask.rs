//! Tests of what the report says of Task 6.

use super::*;
use crate::MultitaskResults;
use crate::fixtures::inside::Looked;
use crate::fixtures::multitask::{Asked, GARMENTS, diverge};

fn data(classes: &[&str]) -> DataSetFacts {
    DataSetFacts {
        title: "Fashion-MNIST".into(),
        height: 28,
        width: 28,
        channels: 1,
        classes: classes.iter().map(|&name| name.to_owned()).collect(),
        checksum: "f".into(),
        images: None,
    }
}

fn alone(multitask: MultitaskResults) -> Results {
    let nothing = results(&SPECIAL, PerceptronRule::Online);
    Results { pca: None, perceptrons: None, multitask: Some(multitask), ..nothing }
}

#[test]
fn multi_task_learning_takes_some_six_hundred_words_and_the_whole_at_most_three_thousand() {
    let asked = Asked::brief(60_000, 10_000);
    let (_, words) = typeset_and_count(&alone(asked.results(&data(&GARMENTS))), &figures());
    assert!((470..=640).contains(&words), "{words} words");
    let more = asked.clone().with_weightings(3).results(&data(&GARMENTS));
    let (_, with_weightings) = typeset_and_count(&alone(more), &figures());
    assert!((words + 30..=words + 120).contains(&with_weightings), "{with_weightings} words");
    let all = Shape { train_images: 60_000, test_images: 10_000, ..Shape::SMALL };
    let networks = networks(&DIGITS, all);
    let before = results(&DIGITS, PerceptronRule::Online);
    let digits = DataSetFacts { height: 28, width: 28, ..before.record.data["mnist"].clone() };
    let whole = Results {
        mlps: networks.mlps,
        cnns: networks.cnns,
        inside: Some(fixtures::inside::inside(&digits, &Looked::brief())),
        multitask: Some(asked.results(&data(&GARMENTS))),
        ..before
    };
    let (_, words) = typeset_and_count(&whole, &crate::draw(&whole));
    assert!(words <= WORDS, "{words} words");
}

#[test]
fn any_part_of_multi_task_learning_may_be_missing() {
    let brief = || Asked::brief(3000, 1000);
    let garments = data(&GARMENTS);
    let of = |asked: Asked| asked.results(&garments);
    let mut some = vec![
        of(brief()),
        of(brief().with_weightings(3)),
        of(brief().with_weightings(1)),
        of(Asked { single: [false, false], ..brief() }),
        of(Asked { single: [true, false], ..brief() }),
        of(Asked { single: [false, true], gradients: false, ..brief() }),
        of(Asked { gradients: false, idle: false, epochs: 1, ..brief() }),
        Asked::of(3, 2).results(&data(&SPECIAL)),
        Asked::of(3, 3).with_weightings(2).results(&data(&SPECIAL)),
    ];
    for lambdas in [vec![], vec![0.0], vec![1.0], vec![0.5], vec![0.0, 1.0], vec![0.125, 0.3333]] {
        let mut asked = brief();
        asked.task.lambdas = lambdas;
        some.push(of(asked));
    }
    let mut diverged = of(brief().with_weightings(2));
    for network in diverged.single.iter_mut().flatten().chain(&mut diverged.others) {
        diverge(network, 2);
    }
    some.push(diverged.clone());
    diverged.lambdas.iter_mut().for_each(|(_, network)| diverge(network, 1));
    some.push(diverged);
    // A network that answers as the single-task one does, heads that never contradict each other, gradients that do.
    let mut same = of(brief());
    for (_, network) in &mut same.lambdas {
        network.heads = same.single.iter().flatten().map(|single| single.heads[0].clone()).collect();
        network.gradients.iter_mut().for_each(|line| line.cosine = line.cosine.map(|cosine| -cosine.abs()));
    }
    some.push(same);
    // Single-task networks that are wrong more often, for the words of what differs.
    let mut behind = of(brief());
    for (goal, network) in behind.single.iter_mut().enumerate() {
        let answers = network.as_mut().and_then(|network| network.heads.first_mut()).unwrap();
        let wrong = |(answer, right): (&mut u8, &u8)| *answer = u8::from(*right == 0);
        answers
            .predictions
            .iter_mut()
            .zip(if goal == 0 { &behind.labels } else { &behind.group_labels })
            .step_by(4)
            .for_each(wrong);
    }
    some.push(behind);
    for multitask in some {
        let results = alone(multitask);
        typeset_and_count(&results, &crate::draw(&results));
        typeset_and_count(&results, &figures());
        typeset_and_count(&results, &[]);
    }
}
