//! Tests of what the report says of Task 5.

use super::text::text_of;
use super::*;
use crate::InsideResults;
use crate::fixtures::inside::Looked;

/// What is found inside a network, with the brief's network and images of its size.
fn inside(classes: &[&str], looked: &Looked) -> InsideResults {
    let data = results(classes, PerceptronRule::Online).record.data["mnist"].clone();
    fixtures::inside::inside(&DataSetFacts { height: 28, width: 28, ..data }, looked)
}

#[test]
fn looking_inside_takes_some_five_hundred_words() {
    let all = Shape { train_images: 60_000, test_images: 10_000, ..Shape::SMALL };
    let before = networks(&DIGITS, all);
    let before = Results { mlps: before.mlps, cnns: before.cnns, ..results(&DIGITS, PerceptronRule::Online) };
    let after = Results { inside: Some(inside(&DIGITS, &Looked::brief())), ..before.clone() };
    let figures = crate::draw(&after);
    let ((_, before), (_, after)) =
        (typeset_and_count(&before, &figures), typeset_and_count(&after, &figures));
    assert!((400..=540).contains(&(after - before)), "{before} and {after} words");
    assert!(after < 2600, "{after} words leave no room for task 6");
}

#[test]
fn any_part_of_looking_inside_may_be_missing() {
    let looked = Looked { layers: vec![(4, 3, 1), (6, 3, 2)], size: [9, 9, 1], ..Looked::brief() };
    let nothing = results(&SPECIAL, PerceptronRule::Online);
    let nothing = Results { pca: None, perceptrons: None, ..nothing };
    let whole = inside(&SPECIAL, &looked);
    let mut some = vec![
        whole.clone(),
        InsideResults { filters: None, judge: None, test: None, ..whole.clone() },
        InsideResults { activations: None, ..whole.clone() },
        InsideResults { dreams: Vec::new(), ..whole.clone() },
        inside(&SPECIAL[..2], &Looked { judge: false, seeds: 1, ..looked.clone() }),
        inside(&SPECIAL, &Looked { layers: vec![(2, 1, 1)], size: [6, 8, 3], ..looked }),
    ];
    for place in 0..whole.dreams.len() {
        let mut without = whole.clone();
        without.dreams.remove(place);
        some.push(without);
    }
    // A judge that diverged, dreams that failed, a network that is never silent.
    let mut failed = whole;
    failed.judge.iter_mut().for_each(|judge| judge.test = None);
    for picture in failed.dreams.iter_mut().flat_map(|run| &mut run.outcome.pictures) {
        picture.after.probability = picture.after.probability.map(|_| 0.0);
        picture.judge.iter_mut().for_each(|judge| (judge.probability, judge.predicted) = (Some(0.0), 99));
    }
    for layer in failed.activations.iter_mut().flat_map(|found| &mut found.outcome.layers) {
        (layer.dead, layer.zeros, layer.differing) = (Some(0), Some(0.0), Vec::new());
    }
    some.push(failed.clone());
    failed.diverged = Some(1234);
    some.push(failed.clone());
    failed.judge = None;
    some.push(failed);
    for inside in some {
        let results = Results { inside: Some(inside), ..nothing.clone() };
        typeset_and_count(&results, &crate::draw(&results));
        typeset_and_count(&results, &figures());
        typeset_and_count(&results, &[]);
    }
}

#[test]
fn what_is_said_of_filters_follows_what_chance_gives() {
    let mut found = inside(&DIGITS, &Looked::brief());
    let facts = |found: &InsideResults| {
        let results = results(&DIGITS, PerceptronRule::Online);
        let results = Results { inside: Some(found.clone()), ..results };
        serde_json::to_value(Facts::new(&results, &Rows::new(&results), &[], &[])).unwrap()["inside"].clone()
    };
    // 16 of 32 beside 9.6 by chance, 819 of 2048 beside 614, 2457 of 8192 beside 2458.
    let before = facts(&found);
    assert_eq!(before["filters"]["more_edges"], serde_json::json!([1, 2]));
    assert_eq!(before["filters"]["as_many_edges"], serde_json::json!([3]));
    assert_eq!(before["activations"]["sparsest"], 3);
    let alike = &before["difference"]["alike"];
    assert!(alike["within"].as_f64() > alike["between"].as_f64() && alike["clear"] == true, "{alike}");
    let layers = found.filters.iter_mut().flat_map(|filters| &mut filters.layers);
    layers.for_each(|layer| layer.found.by_chance.edges = layer.slices() as f64);
    assert_eq!(facts(&found)["filters"]["fewer_edges"], serde_json::json!([1, 2, 3]));
}

#[test]
fn a_network_or_a_judge_that_diverged_is_told_and_nothing_is_concluded_of_it() {
    let nothing = results(&SPECIAL, PerceptronRule::Online);
    let nothing = Results { pca: None, perceptrons: None, ..nothing };
    let looked = Looked { layers: vec![(4, 3, 1), (6, 3, 2)], size: [9, 9, 1], ..Looked::brief() };
    let whole = inside(&SPECIAL, &looked);
    let text = |inside: &InsideResults| {
        let results = Results { inside: Some(inside.clone()), ..nothing.clone() };
        text_of(&results)
    };
    let said = text(&whole);
    assert!(!said.contains("training diverged") && said.contains("recognises"), "{said}");
    let blind = |mut inside: InsideResults| {
        inside.judge.as_mut().unwrap().test = None;
        inside
    };
    let judge = text(&blind(whole.clone()));
    assert!(
        judge.contains("the second network, the judge, diverged")
            && judge.contains("what it recognises proves nothing"),
        "{judge}"
    );
    assert!(
        judge.contains("a probability of at least 99 % for the target class")
            && !judge.contains("trained network recognises"),
        "{judge}"
    );
    let network = InsideResults { diverged: Some(1234), test: None, ..whole };
    let said = text(&network);
    for words in [
        "Its training diverged at step 1,234",
        "what follows does not describe a trained network",
        "nothing can be said about",
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    assert!(!said.contains("for the target class"), "{said}");
    assert!(text(&blind(network)).contains(", too"));
}
