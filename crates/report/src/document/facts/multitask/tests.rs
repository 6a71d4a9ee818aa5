//! The rules by which the text of Task 6 chooses its words.

use serde_json::Value;

use super::*;
use crate::fixtures;
use crate::fixtures::multitask::{Asked, GARMENTS, diverge};

fn results(asked: &Asked) -> MultitaskResults {
    asked.results(&fixtures::facts(&GARMENTS))
}

fn facts(task: &MultitaskResults) -> Value {
    serde_json::to_value(MultitaskFacts::new(task, &MultitaskRows::new(task)).unwrap()).unwrap()
}

/// Lets a network be wrong about every n-th test image.
fn spoil(network: &mut Network, goal: Goal, (classes, every): (usize, usize)) {
    let answers = network.answers_mut(goal).unwrap();
    for answer in answers.predictions.iter_mut().step_by(every) {
        *answer = (*answer + 1) % classes as u8;
    }
}

#[test]
fn an_untrained_head_is_told_apart_and_a_network_that_answers_like_a_single_one_too() {
    let mut task = results(&Asked::brief(300, 200));
    let found = facts(&task);
    let sided = found["one_sided"].as_array().unwrap();
    assert_eq!((sided.len(), task.joint().count()), (2, 3));
    assert_eq!((&sided[0]["untrained"], &sided[1]["untrained"]), (&"item".into(), &"group".into()));
    assert_eq!(found["group"]["majority"], 0.4);
    assert_eq!(sided[0]["identical"], false);
    let single = task.single[1].as_ref().unwrap().heads[0].clone();
    *task.lambdas[0].1.answers_mut(Goal::Group).unwrap() = single;
    assert_eq!(facts(&task)["one_sided"][0]["identical"], true);
    // No comparison is of an untrained head, and a head that was trained alone has no company to speak of.
    assert_eq!(
        (&found["item"]["heads"], &found["group"]["heads"], &found["tests"]),
        (&3.into(), &3.into(), &7.into())
    );
}

#[test]
fn comparing_words_follow_mcnemars_tests() {
    let asked = Asked::brief(300, 2000);
    let mut task = results(&asked);
    let found = facts(&task);
    assert_eq!((&found["item"]["differ"], &found["changes"]["differ"]), (&0.into(), &0.into()));
    assert_eq!(found["free"]["verdict"], "alike");
    spoil(&mut task.lambdas[2].1, Goal::Item, (10, 5));
    spoil(task.single[1].as_mut().unwrap(), Goal::Group, (3, 4));
    let found = facts(&task);
    assert_eq!((&found["item"]["differ"], &found["item"]["better"]), (&1.into(), &0.into()));
    assert_eq!(found["item"]["worst"]["lambda"], "0.5");
    assert_eq!((&found["group"]["differ"], &found["group"]["better"]), (&3.into(), &3.into()));
    assert_eq!(found["free"]["verdict"], "better");
    assert!(found["constant"].as_array().unwrap().is_empty());
    let mut dead = task.clone();
    dead.lambdas[2].1.answers_mut(Goal::Group).unwrap().predictions.fill(0);
    assert_eq!(facts(&dead)["constant"], serde_json::json!([{ "goal": "group", "lambda": "0.5" }]));
    assert!(found["changes"]["gain"]["difference"].as_f64().unwrap() > 0.1);
    assert!(found["contradictions"]["most"].as_f64() > found["contradictions"]["fewest"].as_f64());
}

#[test]
fn what_is_missing_has_no_words() {
    let mut task = results(&Asked { gradients: false, idle: false, ..Asked::brief(300, 200) });
    task.single = [None, None];
    task.lambdas.iter_mut().for_each(|(_, network)| diverge(network, 1));
    let found = facts(&task);
    for key in ["free", "contradictions", "gradients", "changes", "cost", "idle"] {
        assert!(found[key].is_null(), "{key}");
    }
    assert_eq!((task.joint().count(), &found["tests"]), (0, &0.into()));
    task.lambdas.clear();
    assert!(MultitaskFacts::new(&task, &MultitaskRows::new(&task)).is_none());
}
