//! What was found, in a line or two for each task.

use inkling_schema::format::{counted, percent, percent_range};
use inkling_schema::{Task, apart};
use inkling_statistics::{ALPHA, mean};

use crate::results::Spread;
use crate::rows::{
    HeadedRow, InsideRows, MultitaskRows, NetworksRows, PcaRows, PerceptronRows, Rows, SeedRow, SeedsRows,
    SingleRow, SweepRows, WeightingRow,
};

/// What a line begins with that goes on about the task of the line before.
const INDENT: &str = "        ";

/// The lines on one task; none where nothing is known of it.
pub(super) fn of_task(rows: &Rows, task: Task) -> Vec<String> {
    let lines = match task {
        Task::Pca => rows.pca.as_ref().map(pca),
        Task::Perceptron => rows.perceptron.as_ref().map(perceptrons),
        Task::Mlp => rows.mlp.as_ref().map(|task| networks(task, "Task 3", "MLP")),
        Task::Cnn => rows.cnn.as_ref().map(|task| networks(task, "Task 4", "CNN")),
        Task::Network => rows.network.as_ref().map(network),
        Task::Inside if rows.network.is_some() => rows.inside.as_ref().map(|task| inside(task, "Inside")),
        Task::Inside => rows.inside.as_ref().map(|task| inside(task, "Task 5")),
        Task::Multitask => rows.multitask.as_ref().map(multitask),
        Task::Sweep => rows.sweep.as_ref().map(sweep),
    };
    lines.unwrap_or_default()
}

fn pca(task: &PcaRows) -> Vec<String> {
    let share: f64 = task.explained_variance_ratio.iter().take(2).sum();
    let in_plane = task.pairs.iter().filter(|pair| pair.separable_in_plane).count();
    let in_full = task.pairs.iter().filter(|pair| pair.separable_in_full_space).count();
    vec![
        format!("Task 1: two components explain {} of the variance;", percent(share, 1)),
        format!(
            "{INDENT}a line separates {in_plane} of {} of classes in their plane, a hyperplane in all pixels {in_full}",
            counted(task.pairs.len(), "pair"),
        ),
    ]
}

/// The accuracies from the lowest to the highest.
fn range(accuracies: &[f64]) -> String {
    let low = accuracies.iter().copied().fold(1.0, f64::min);
    percent_range(low, accuracies.iter().copied().fold(0.0, f64::max), 2)
}

fn perceptrons(task: &PerceptronRows) -> Vec<String> {
    let accuracies: Vec<f64> = task.pairs.iter().map(|pair| pair.test_accuracy).collect();
    let average = mean(accuracies.iter().copied()).unwrap_or(0.0);
    let mut lines = vec![format!(
        "Task 2: {}, test accuracy {}, on average {}",
        counted(task.pairs.len(), "perceptron"),
        range(&accuracies),
        percent(average, 2),
    )];
    let diverged = task.pairs.iter().filter(|pair| pair.diverged.is_some()).count();
    if diverged > 0 {
        lines.push(format!("{INDENT}{diverged} of them diverged: a smaller learning rate may help"));
    }
    lines
}

/// `number` and `kind` name the task, "Task 3" and "MLP".
fn networks(task: &NetworksRows, number: &str, kind: &str) -> Vec<String> {
    let mut accuracies: Vec<f64> = task.networks.iter().filter_map(|network| network.test_accuracy).collect();
    let mut line = format!("{number}: {}", counted(task.networks.len(), kind));
    if let Some(seeds) = &task.seeds {
        accuracies = seeds.networks.iter().filter_map(|row| row.mean).collect();
        line += &format!(" from {}", counted(seeds.alone.len(), "seed"));
    }
    if !accuracies.is_empty() {
        let mean = if task.seeds.is_some() { "mean " } else { "" };
        line += &format!(", {mean}test accuracy {}", range(&accuracies));
    }
    let diverged = task.networks.iter().filter(|network| network.diverged.is_some());
    let diverged: Vec<&str> = diverged.map(|network| network.name.as_str()).collect();
    if !diverged.is_empty() {
        line += &format!("; diverged: {}", diverged.join(", "));
    }
    let mut lines = vec![line];
    if let Some(seeds) = &task.seeds {
        lines.extend(over_seeds(seeds, "pair", "of networks differ"));
    } else if !task.mcnemar.is_empty() {
        let differ = task.mcnemar.iter().filter(|pair| pair.p_holm < ALPHA).count();
        let pairs = counted(task.mcnemar.len(), "pair");
        lines.push(format!("{INDENT}{differ} of {pairs} of networks differ significantly"));
    }
    lines
}

/// How many of some comparisons found a difference over seeds, and how many the first seed alone would have found.
fn over_seeds(rows: &SeedsRows, one: &str, differ: &str) -> Option<String> {
    let found = rows.tests.iter().filter(|test| test.p_holm < ALPHA).count();
    let of = counted(rows.tests.len(), one);
    let alone = rows.alone.first().map(|row| {
        format!(
            "; with seed {} alone, {} of {} would have been called different",
            row.seed, row.differ, row.pairs
        )
    });
    let line = format!("{INDENT}{found} of {of} {differ} significantly over seeds and test images");
    (!rows.tests.is_empty()).then(|| line + &alone.unwrap_or_default())
}

/// "97.02 ± 0.11 %" over seeds; the mean alone of a single one.
fn mean_and_deviation(mean: f64, deviation: Option<f64>) -> String {
    match deviation {
        Some(deviation) => format!("{:.2} ± {}", 100.0 * mean, percent(deviation, 2)),
        None => percent(mean, 2),
    }
}

fn network(task: &NetworksRows) -> Vec<String> {
    if let Some(seeds) = &task.seeds {
        let told = |row: &SeedRow| {
            let found =
                row.mean.map(|mean| format!("test accuracy {}", mean_and_deviation(mean, row.deviation)));
            let found = found.unwrap_or_else(|| "its trainings diverged".into());
            format!("{}, {}: {found}", row.network, counted(seeds.alone.len(), "seed"))
        };
        return seeds.networks.iter().map(told).collect();
    }
    task.networks
        .iter()
        .map(|network| match (network.test_accuracy, network.interval) {
            (Some(accuracy), Some((low, high))) => format!(
                "{}: test accuracy {} (95 % interval {})",
                network.name,
                percent(accuracy, 2),
                percent_range(low, high, 2)
            ),
            _ if network.diverged.is_some() => format!("{}: its training diverged", network.name),
            _ => format!("{}: no epoch ended", network.name),
        })
        .collect()
}

/// `number` names the task, "Task 5".
fn inside(task: &InsideRows, number: &str) -> Vec<String> {
    const SURE: f64 = 0.99;
    let network = &task.network;
    if let Some(step) = task.diverged {
        return vec![format!(
            "{number}: the training of {network} diverged at step {step}: what it shows says nothing about a trained network"
        )];
    }
    let all = task.dreams.len();
    if all == 0 {
        return vec![format!("{number}: a look inside {network}")];
    }
    let sure = task.dreams.iter().filter(|dream| dream.probability.is_some_and(|p| p >= SURE)).count();
    let mut line = format!("{number}: {sure} of {all} dreams reach 99 % on {network}");
    let diverged = task.dreams.iter().filter(|dream| dream.diverged.is_some()).count();
    if diverged > 0 {
        line += &format!(" ({diverged} diverged)");
    }
    let judged = task.dreams.iter().filter_map(|dream| Some(Some(dream.judge_predicted?) == dream.class));
    let judged: Vec<bool> = judged.collect();
    // What a network sees whose training diverged proves nothing.
    let blind = task.judge.as_ref().is_some_and(|judge| judge.test_accuracy.is_none());
    if !judged.is_empty() && !blind {
        let agreed = judged.iter().filter(|&&agreed| agreed).count();
        line += &format!(", an independent network recognises {agreed} of {}", judged.len());
    }
    vec![line]
}

/// The same over seeds: the single-task networks, the heads of each λ, and what differs.
fn multitask_over_seeds(seeds: &SeedsRows) -> Vec<String> {
    let told = |row: &SeedRow| match row.mean {
        Some(mean) => format!("{} {}", row.head, mean_and_deviation(mean, row.deviation)),
        None => format!("{} diverged", row.head),
    };
    let single =
        seeds.networks.iter().filter(|row| row.lambda.is_none()).map(told).collect::<Vec<_>>().join(", ");
    let count = counted(seeds.alone.len(), "seed");
    let mut lines = vec![format!("Task 6: single-task networks, test accuracy over {count}: {single}")];
    for heads in
        seeds.networks.chunk_by(|a, b| a.lambda == b.lambda).filter(|heads| heads[0].lambda.is_some())
    {
        let heads_told = heads.iter().map(told).collect::<Vec<_>>().join(", ");
        lines.push(format!("{INDENT}{}: {heads_told}", heads[0].network));
    }
    lines.extend(over_seeds(seeds, "comparison", "with a single-task network differ"));
    lines
}

fn multitask(task: &MultitaskRows) -> Vec<String> {
    if let Some(seeds) = &task.seeds {
        let mut lines = multitask_over_seeds(seeds);
        lines.extend(task.weightings.iter().map(weighting));
        return lines;
    }
    let single = |name: &str, found: &Option<SingleRow>| {
        Some(format!("{name} {}", percent(found.as_ref()?.test_accuracy?, 2)))
    };
    let alone = [single("item", &task.single.item), single("group", &task.single.group)];
    let alone: Vec<String> = alone.into_iter().flatten().collect();
    let alone = if alone.is_empty() { "no result".to_owned() } else { alone.join(", ") };
    let mut lines = vec![format!("Task 6: single-task networks, test accuracy: {alone}")];
    // As many digits as tell each λ from the others, and from those of a single goal.
    let lambdas = task.lambdas.iter().filter_map(|found| found.lambda);
    let names = apart(&lambdas.chain([0.0, 1.0]).collect::<Vec<_>>());
    for (found, name) in task.lambdas.iter().zip(names) {
        lines.push(match found.diverged {
            Some(at) => format!("{INDENT}λ = {name}: diverged at step {}", at.step),
            None => format!(
                "{INDENT}λ = {name}: {}, {}",
                head("item", found.item_test_accuracy, found.item_trained),
                head("group", found.group_test_accuracy, found.group_trained)
            ),
        });
    }
    if let Some(free) = task.free_group_accuracy {
        let free = percent(free, 2);
        lines.push(format!("{INDENT}the item network’s probabilities, summed into groups: {free}"));
    }
    let joint = |found: &&HeadedRow| found.item_trained == Some(true) && found.group_trained == Some(true);
    let joint: Vec<Option<f64>> = task.lambdas.iter().filter(joint).map(|found| found.lambda).collect();
    let tests: Vec<f64> = task
        .mcnemar
        .iter()
        .filter(|pair| pair.lambda.is_some() && joint.contains(&pair.lambda))
        .map(|pair| pair.p_holm)
        .collect();
    if !tests.is_empty() {
        let (all, differ) = (tests.len(), tests.iter().filter(|&&p| p < ALPHA).count());
        lines.push(format!(
            "{INDENT}{differ} of {all} jointly trained heads differ significantly from a single-task network"
        ));
    }
    lines.extend(task.weightings.iter().map(weighting));
    lines
}

fn weighting(found: &WeightingRow) -> String {
    let (item, group) = (spread(found.item), spread(found.group));
    format!("{INDENT}{}: item {item}, group {group}", found.name)
}

fn head(name: &str, accuracy: Option<f64>, trained: Option<bool>) -> String {
    match accuracy {
        Some(_) if trained != Some(true) => format!("{name} untrained"),
        Some(accuracy) => format!("{name} {}", percent(accuracy, 2)),
        None => format!("{name} –"),
    }
}

/// "90.20 ± 0.15 %", or the mean alone of a single seed.
fn spread(found: Option<Spread>) -> String {
    match found {
        None => "diverged".to_owned(),
        Some(Spread { mean, deviation, .. }) => mean_and_deviation(mean, deviation),
    }
}

fn sweep(task: &SweepRows) -> Vec<String> {
    let points = counted(task.points.len(), "point");
    let mut lines = vec![format!("Sweep: {points} of {}", task.network)];
    let diverged = task.points.iter().filter(|point| point.diverged > 0).count();
    if diverged > 0 {
        lines[0] += &format!("; a training of {} diverged", counted(diverged, "point"));
    }
    let chosen = task.points.iter().find(|point| point.chosen);
    if let Some((chosen, accuracy)) = chosen.and_then(|chosen| Some((chosen, chosen.validation_accuracy?))) {
        let tests = mean(task.tests.iter().map(|test| test.test_accuracy)).unwrap_or(0.0);
        lines.push(format!(
            "{INDENT}chosen by the validation images: {} ({}), test accuracy {}",
            chosen.settings,
            percent(accuracy, 2),
            percent(tests, 2)
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::inside::Looked;
    use crate::fixtures::multitask::{Asked, GARMENTS, diverge};
    use crate::fixtures::{self, Shape, facts};
    use crate::results::{InsideResults, NetworksResults};

    #[test]
    fn networks_in_words() {
        let words = |task: &NetworksResults| networks(&NetworksRows::new(task), "Task 3", "MLP");
        let mut mlps = fixtures::mlps(&facts(&["a", "b", "c"]), Shape::SMALL);
        let lines = words(&mlps);
        assert!(lines[0].starts_with("Task 3: 5 MLPs, test accuracy 9"), "{}", lines[0]);
        assert!(lines[1].ends_with("of 10 pairs of networks differ significantly"), "{}", lines[1]);
        fixtures::diverge(&mut mlps.networks[1], 2);
        assert!(words(&mlps)[0].ends_with("; diverged: 3 hidden"), "{:?}", words(&mlps));
        mlps.networks.truncate(1);
        assert_eq!(words(&mlps).len(), 1);
        assert!(words(&mlps)[0].starts_with("Task 3: 1 MLP, test accuracy 9"), "{:?}", words(&mlps));
        fixtures::diverge(&mut mlps.networks[0], 1);
        assert_eq!(words(&mlps), ["Task 3: 1 MLP; diverged: 2 hidden"]);
    }

    #[test]
    fn a_look_inside_in_words() {
        let data = facts(&["a", "b", "c", "d"]);
        let found = |judge| fixtures::inside::inside(&data, &Looked { judge, ..Looked::small(&data) });
        let words = |task: &InsideResults| inside(&InsideRows::new(task), "Task 5").join("\n");
        let both = "Task 5: 10 of 10 dreams reach 99 % on 3 conv, an independent network recognises 10 of 10";
        assert_eq!(words(&found(true)), both);
        let mut alone = found(false);
        assert_eq!(words(&alone), "Task 5: 10 of 10 dreams reach 99 % on 3 conv");
        alone.dreams.clear();
        assert_eq!(words(&alone), "Task 5: a look inside 3 conv");
    }

    #[test]
    fn two_heads_in_words_say_which_was_not_trained() {
        let mut task = Asked::brief(300, 200).with_weightings(1).results(&facts(&GARMENTS));
        diverge(&mut task.lambdas[2].1, 1);
        let lines = multitask(&MultitaskRows::new(&task));
        assert!(lines[0].starts_with("Task 6: single-task networks, test accuracy: item 9"), "{lines:?}");
        assert!(lines[1].starts_with("        λ = 0: item untrained, group 9"), "{lines:?}");
        assert_eq!(lines[3], "        λ = 0.5: diverged at step 11");
        assert!(lines[7].contains("of 4 jointly trained heads differ"), "{lines:?}");
        assert_eq!(lines.len(), 8 + 4);
    }
}
