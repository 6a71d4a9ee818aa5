//! Which of the test images the page has: those that are worth a look, and some of every class.

use std::collections::BTreeSet;

use crate::PageNetwork;

/// The numbers of the test images that the page has, in rising order, at most so many: up to a quarter of them those that
/// the networks get wrong with the most confidence, up to a half with those on which their first heads disagree, and then
/// the first ones of every class in turn. `labels` are the classes of those images that there are.
pub(super) fn shown(networks: &[&PageNetwork], labels: &[u8], count: usize) -> Vec<usize> {
    let mut chosen = BTreeSet::new();
    let wrong = networks.iter().map(|network| &network.network.wrong);
    let longest = wrong.clone().map(Vec::len).max().unwrap_or(0);
    let by_confidence = (0..longest).flat_map(|rank| wrong.clone().filter_map(move |wrong| wrong.get(rank)));
    let is_there = |number: &usize| *number < labels.len();
    take(&mut chosen, by_confidence.map(|image| image.index).filter(is_there), count / 4);
    let disagreed = (0..labels.len()).filter(|&number| {
        let mut answers = networks.iter().filter_map(|network| network.network.predictions().get(number));
        let first = answers.next();
        answers.any(|answer| Some(answer) != first)
    });
    take(&mut chosen, disagreed, count / 2);
    let mut of_class: Vec<Vec<usize>> = vec![Vec::new(); 1 + usize::from(u8::MAX)];
    labels.iter().enumerate().for_each(|(number, &label)| of_class[usize::from(label)].push(number));
    let most = of_class.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn =
        (0..most).flat_map(|rank| of_class.iter().filter_map(move |numbers| numbers.get(rank).copied()));
    take(&mut chosen, in_turn, count);
    chosen.into_iter().collect()
}

/// Adds numbers until there are so many.
fn take(chosen: &mut BTreeSet<usize>, numbers: impl Iterator<Item = usize>, count: usize) {
    for number in numbers {
        if chosen.len() >= count {
            break;
        }
        chosen.insert(number);
    }
}
