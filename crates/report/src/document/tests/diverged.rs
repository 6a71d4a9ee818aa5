//! Tests that any members of a study may have diverged: its report is typeset all the same, and says so.

use super::text::text_of;
use super::*;
use crate::fixtures::inside::Looked;

/// A study of Tasks 2 and 5 in which every `each`-th perceptron and dream, from the number `first` on, has diverged.
fn diverged(first: usize, each: usize) -> Results {
    let mut results = Results { pca: None, ..results(&SPECIAL, PerceptronRule::Online) };
    let data = results.record.data["mnist"].clone();
    let mut inside = fixtures::inside::inside(&data, &Looked::small(&data));
    let pairs = results.perceptrons.iter_mut().flat_map(|task| &mut task.pairs);
    for (number, pair) in pairs.enumerate().skip(first).step_by(each) {
        // Some in the very first pass.
        pair.errors.truncate(number % 3);
        let passes = pair.errors.len();
        (pair.outcome.iterations, pair.outcome.converged) = (passes, false);
        pair.outcome.diverged = Some(passes + 1);
        pair.weights.iter_mut().for_each(|weight| *weight *= 1e38);
    }
    let dreams = inside.dreams.iter_mut().flat_map(|run| &mut run.outcome.pictures);
    for (number, dream) in dreams.enumerate().skip(first).step_by(each) {
        dream.diverged = Some(number % 3);
        if number % 3 == 0 {
            dream.judge = None;
            (dream.after.objective, dream.before.objective) = (0.0, 0.0);
            dream.after.probability = dream.after.probability.map(|_| 0.0);
        }
    }
    results.inside = Some(inside);
    results
}

#[test]
fn whatever_diverges_is_said_and_the_report_is_typeset() {
    for (first, each) in [(0, 1), (0, 2), (1, 3), (2, 7)] {
        let results = diverged(first, each);
        typeset_and_count(&results, &crate::draw(&results));
        let tables = crate::tables::draw_up(&Rows::new(&results));
        let page = page(&results, &Rows::new(&results), &crate::draw(&results), &tables).unwrap();
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["diverged: the learning rate made weights too large", "diverged and"] {
            assert!(page.contains(words), "{first}, {each}: no {words:?}");
        }
        let summary = serde_json::to_string(&crate::Summary::new(&results)).unwrap();
        assert!(summary.contains("\"diverged\":"), "{summary}");
        for table in tables {
            let text = String::from_utf8(table.csv).unwrap().to_lowercase();
            assert!(text.split([',', '\n']).all(|cell| !["nan", "inf", "-inf"].contains(&cell)), "{text}");
        }
    }
}

#[test]
fn perceptrons_that_diverged_are_marked_in_the_table_and_told_in_the_findings() {
    let whole = results(&DIGITS, PerceptronRule::Online);
    let text = |diverged: usize| {
        let mut results = Results { pca: None, ..whole.clone() };
        let pairs = &mut results.perceptrons.as_mut().unwrap().pairs;
        pairs.iter_mut().take(diverged).for_each(|pair| pair.outcome.diverged = Some(3));
        text_of(&results)
    };
    assert!(!text(0).contains("diverged"));
    let some = text(7);
    assert!(some.contains("For seven pairs, training diverged, and the numbers are those"), "{some}");
    assert!(some.contains("(diverged)"), "{some}");
    let all = text(45);
    assert!(
        all.contains(
            "Training diverged for all of them, and the numbers are those of the last finite weights"
        ),
        "{all}"
    );
}
