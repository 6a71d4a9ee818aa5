//! Tests of sentences that judge: CNNs beside MLPs, and what dreams convince whom.

use typst::layout::{Frame, FrameItem};

use super::handed_in::one;
use super::*;
use crate::InsideResults;
use crate::fixtures::inside::Looked;

/// All that the report says, without spaces and hyphens, which depend on where lines break.
fn said(results: &Results) -> String {
    fn texts(frame: &Frame, found: &mut String) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Text(text) => found.push_str(&text.text),
                FrameItem::Group(group) => texts(&group.frame, found),
                _ => {}
            }
        }
    }
    let (document, _) = compile::<PagedDocument>(&paper(results, &[])).unwrap();
    let mut found = String::new();
    document.pages().iter().for_each(|page| texts(&page.frame, &mut found));
    squeezed(&found)
}

fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|sign| !sign.is_whitespace() && !matches!(sign, '-' | '\u{ad}' | '\u{2010}'))
        .collect()
}

/// Whether the report says the first of these and not the second.
#[track_caller]
fn says(results: &Results, words: &[&str], not: &[&str]) {
    let said = said(results);
    for word in words {
        assert!(said.contains(&squeezed(word)), "no {word:?} in {said}");
    }
    for word in not {
        assert!(!said.contains(&squeezed(word)), "{word:?} in {said}");
    }
}

/// Networks of both kinds, each wrong about every n-th image, or about none where n is 0.
fn wrong_about(mlps: &[usize], cnns: &[usize]) -> Results {
    let shape = Shape { networks: mlps.len().max(cnns.len()), test_images: 1000, ..Shape::SMALL };
    let mut results = networks(&DIGITS, shape);
    for (task, wrong) in [(&mut results.mlps, mlps), (&mut results.cnns, cnns)] {
        let networks = &mut task.as_mut().unwrap().networks;
        networks.truncate(wrong.len());
        for (network, &every) in networks.iter_mut().zip(wrong) {
            let head = &mut network.heads[0];
            head.predictions.clone_from(&head.labels);
            if every > 0 {
                let answers = network.heads[0].predictions.iter_mut().step_by(every);
                answers.for_each(|answer| *answer = (*answer + 1) % 10);
            }
        }
    }
    results
}

const WHY: &str = "Why convolutions may do better.";
const WHY_NOT: &str = "no such advantage was found";

#[test]
fn cnns_that_always_win_are_said_to_and_why() {
    let all = wrong_about(&[5, 4], &[0, 50]);
    let words = [
        "Of the four pairs of a CNN and an MLP, all differ significantly; the CNN is better in all of these.",
        "The smallest CNN that is better than every MLP",
        "A likely reason, which no experiment here tests",
        WHY,
    ];
    says(&all, &words, &[WHY_NOT]);
}

#[test]
fn where_nothing_differs_nothing_is_explained() {
    let none = wrong_about(&[20, 20], &[20, 20]);
    let words = ["No difference was found between CNNs and MLPs.", WHY_NOT];
    says(&none, &words, &[WHY, "The smallest CNN that is better", "significantly"]);
}

#[test]
fn cnns_that_lose_are_said_to() {
    let lost = wrong_about(&[0, 0], &[5, 0]);
    let words =
        ["Of the four pairs of a CNN and an MLP, two differ significantly", "the CNN is better in none."];
    says(&lost, &words, &[WHY, WHY_NOT, "The smallest CNN that is better"]);
}

#[test]
fn the_better_kind_is_the_one_that_wins_most() {
    // One CNN beats both MLPs, the other loses to the better of them.
    let most = wrong_about(&[8, 5], &[0, 7]);
    says(&most, &["the CNN is better in", WHY], &[WHY_NOT, "No difference was found between CNNs"]);
    // One wins once, two lose to both.
    let least = wrong_about(&[0, 4], &[30, 3, 3]);
    says(&least, &["the CNN is better in one of these"], &[WHY, WHY_NOT, "The smallest CNN that is better"]);
}

#[test]
fn a_single_pair_has_its_own_words() {
    let words = ["The CNN is significantly better than the MLP.", WHY];
    says(&wrong_about(&[5], &[0]), &words, &[WHY_NOT]);
}

#[test]
fn kinds_tested_on_different_images_are_not_judged() {
    let mut results = wrong_about(&[5, 4], &[0, 50]);
    for network in results.mlps.iter_mut().flat_map(|task| &mut task.networks) {
        network.heads[0].labels.reverse();
    }
    let words = ["were not trained and tested on the same images, so they are not compared."];
    says(&results, &words, &[WHY, WHY_NOT, "of a CNN and an MLP", "median CNN"]);
    assert!(crate::draw(&results).iter().all(|figure| !figure.name.starts_with("networks_")));
}

#[test]
fn kinds_that_were_trained_in_two_ways_are_said_to_be() {
    let mut results = wrong_about(&[5, 4], &[0, 50]);
    let unlike = "a difference may come from their training";
    says(&results, &["training are those of Task 3"], &[unlike]);
    // One network among several is enough.
    results.mlps.as_mut().unwrap().networks[1].spec.training.learning_rate = 0.5;
    says(&results, &[unlike], &["training are those of Task 3"]);
}

#[test]
fn a_network_that_always_says_the_same_is_said_to_have_learned_nothing() {
    let mut results = wrong_about(&[5, 4], &[0, 50]);
    says(&results, &[], &["learned nothing", "nothing was learned"]);
    results.cnns.as_mut().unwrap().networks[0].heads[0].predictions.fill(3);
    says(
        &results,
        &["gives every test image the same class: nothing was learned", "1 conv learned nothing."],
        &[],
    );
}

/// Dreams of two classes: the probability that the network gives each, and what the judge sees.
fn dreams(probability: impl Fn(usize) -> f64, seen: impl Fn(usize, usize) -> usize, judge: bool) -> Results {
    let nothing = results(&DIGITS, PerceptronRule::Online);
    let data = DataSetFacts { height: 28, width: 28, ..nothing.record.data["mnist"].clone() };
    let looked = Looked { seeds: 3, judge, ..Looked::brief() };
    let mut inside: InsideResults = fixtures::inside::inside(&data, &looked);
    let mut number = 0;
    for run in &mut inside.dreams {
        for (asked, found) in run.spec.pictures.iter().zip(&mut run.outcome.pictures) {
            let inkling_schema::Objective::ClassLogit { class, .. } = asked.objective else { continue };
            found.after.probability = Some(probability(number));
            if let Some(judge) = &mut found.judge {
                judge.predicted = seen(number, class);
            }
            number += 1;
        }
    }
    Results { pca: None, perceptrons: None, inside: Some(inside), ..nothing }
}

#[test]
fn findings_of_dreams_follow_the_network_and_the_judge() {
    let all = one(&dreams(|_| 0.999, |_, class| class, true));
    assert!(
        all.contains(
            "gives all six dreams of 2 and 9, synthesised by gradient ascent, a probability of at least 99 % for the target class"
        ),
        "{all}"
    );
    let none = one(&dreams(|_| 0.5, |_, class| (class + 1) % 10, true));
    assert!(
        none.contains("gives none of the six dreams of 2 and 9, synthesised by gradient ascent, a"),
        "{none}"
    );
    // What convinces is a probability of at least 99 %.
    let some = one(&dreams(|number| if number == 0 { 0.99 } else { 0.9899 }, |_, class| class, true));
    assert!(some.contains("one of the six dreams") && some.contains("recognises all of them"), "{some}");
    let alone = one(&dreams(|_| 0.999, |_, class| class, false));
    assert!(alone.contains("all six dreams") && !alone.contains("recognises"), "{alone}");
    let mut nothing = dreams(|_| 0.999, |_, class| class, true);
    nothing.inside.as_mut().unwrap().dreams.clear();
    assert_eq!(one(&nothing), "No dream was made.");
}
