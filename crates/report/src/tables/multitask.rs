//! Tables of Task 6: networks, McNemar's tests, classes, other weightings, gradients.

use super::networks::class_cells;
use super::{Table, table, text};
use crate::results::{ClassRow, Goal, HeadedNetwork, MultitaskResults, Pairing, class_rows};
use inkling_statistics::wilson_interval;

/// The tables of the task. What a network that diverged does not have is left empty.
pub(super) fn of_task(task: &MultitaskResults) -> Vec<Table> {
    let mut tables = vec![networks(task), mcnemar(task), classes(task), measures(task)];
    if task.networks().any(|network| !network.gradients.is_empty()) {
        tables.push(gradients(task));
    }
    if !task.others.is_empty() {
        tables.push(weightings(task));
    }
    tables
}

fn networks(task: &MultitaskResults) -> Table {
    let columns = [
        "name",
        "lambda",
        "seed",
        "item_trained",
        "item_test_accuracy",
        "item_low",
        "item_high",
        "group_trained",
        "group_test_accuracy",
        "group_low",
        "group_high",
        "free_group_accuracy",
        "contradictions",
        "parameters",
        "train_seconds",
        "test_seconds",
        "epochs",
        "diverged_step",
    ];
    let singles = task.single.iter().flatten().map(|network| (None, network));
    let lambdas = task.lambdas.iter().map(|(lambda, network)| (Some(*lambda), network));
    let others = task.others.iter().map(|network| (None, network));
    let rows = singles.chain(lambdas).chain(others).map(|(lambda, network)| {
        let accuracy = |goal: Goal| text(network.test(goal).map(|test| test.accuracy()));
        let end = |goal: Goal, of: fn((f64, f64)) -> f64| {
            text(network.test(goal).map(|test| of(wilson_interval(test.correct, test.images))))
        };
        let trained = |goal: Goal| text(network.head(goal).map(|_| network.trained(goal)));
        let found = &network.outcome;
        [
            network.name.clone(),
            text(lambda),
            network.spec.seed.to_string(),
            trained(Goal::Item),
            accuracy(Goal::Item),
            end(Goal::Item, |interval| interval.0),
            end(Goal::Item, |interval| interval.1),
            trained(Goal::Group),
            accuracy(Goal::Group),
            end(Goal::Group, |interval| interval.0),
            end(Goal::Group, |interval| interval.1),
            text(task.free(network).map(|found| found.accuracy())),
            text(task.contradictions(network).map(|found| found.count)),
            found.parameters.to_string(),
            found.train_seconds.to_string(),
            found.test_seconds.to_string(),
            found.epochs.len().to_string(),
            text(found.diverged.map(|at| at.step)),
        ]
    });
    table("multitask_networks", columns, rows)
}

fn mcnemar(task: &MultitaskResults) -> Table {
    let columns =
        ["goal", "first", "single", "test_images", "only_first_right", "only_single_right", "p", "p_holm"];
    let rows = task.pairs().into_iter().map(|pair| {
        let first = match pair.pairing {
            Pairing::Lambda(i) => task.lambdas[i].1.name.clone(),
            Pairing::Free => "item, summed".to_owned(),
        };
        [
            pair.goal.name().to_owned(),
            first,
            task.single(pair.goal).map_or_else(String::new, |network| network.name.clone()),
            pair.images.to_string(),
            pair.only_first.to_string(),
            pair.only_single.to_string(),
            pair.p.to_string(),
            pair.adjusted.to_string(),
        ]
    });
    table("multitask_mcnemar", columns, rows)
}

fn classes(task: &MultitaskResults) -> Table {
    let columns =
        ["goal", "class", "lambda", "test_images", "recall", "single_recall", "difference", "p_holm"];
    let rows = Goal::BOTH.into_iter().flat_map(|goal| {
        task.class_changes(goal).into_iter().map(move |change| {
            [
                goal.name().to_owned(),
                task.classes(goal)[change.class].clone(),
                task.lambdas[change.lambda].0.to_string(),
                change.images.to_string(),
                change.recall.to_string(),
                change.single.to_string(),
                change.difference().to_string(),
                change.adjusted.to_string(),
            ]
        })
    });
    table("multitask_classes", columns, rows)
}

/// Precision, recall and F1 of every class, by every trained head; what is undefined is left empty.
fn measures(task: &MultitaskResults) -> Table {
    let columns = ["network", "seed", "goal", "class", "test_images", "precision", "recall", "f1"];
    let of = |network: &HeadedNetwork, goal: Goal| -> Vec<[String; 8]> {
        let found = task.confusion(network, goal).map(|counts| class_rows(task.classes(goal), &counts));
        let row = |row: ClassRow| {
            let [class, support, precision, recall, f1] = class_cells(row);
            let (name, seed, goal) =
                (network.name.clone(), network.spec.seed.to_string(), goal.name().to_owned());
            [name, seed, goal, class, support, precision, recall, f1]
        };
        found.into_iter().flatten().map(row).collect()
    };
    let rows =
        task.networks().flat_map(|network| Goal::BOTH.into_iter().flat_map(move |goal| of(network, goal)));
    table("multitask_measures", columns, rows)
}

/// Every measurement.
fn gradients(task: &MultitaskResults) -> Table {
    let rows = task.networks().flat_map(|network| {
        let norm = |line: &inkling_schema::outcome::GradientsLine, goal: Goal| {
            text(network.head(goal).and_then(|head| line.norms.get(head)))
        };
        network.gradients.iter().map(move |line| {
            [
                network.name.clone(),
                line.step.to_string(),
                norm(line, Goal::Item),
                norm(line, Goal::Group),
                text(line.cosine),
            ]
        })
    });
    table("multitask_gradients", ["network", "step", "item_norm", "group_norm", "cosine"], rows)
}

fn weightings(task: &MultitaskResults) -> Table {
    let columns = [
        "weighting",
        "seeds",
        "diverged",
        "item_mean",
        "item_deviation",
        "group_mean",
        "group_deviation",
        "train_seconds_mean",
    ];
    let rows = task.weightings().into_iter().map(|found| {
        let mean = |goal: Goal| text(found.accuracy[goal.index()].map(|spread| spread.mean));
        let deviation = |goal: Goal| text(found.accuracy[goal.index()].and_then(|spread| spread.deviation));
        let seconds = |network: &&HeadedNetwork| network.outcome.train_seconds;
        let seeds: Vec<String> = found.networks.iter().map(|network| network.spec.seed.to_string()).collect();
        let train = found.networks.iter().map(seconds).sum::<f64>() / found.networks.len() as f64;
        [
            found.name.clone(),
            seeds.join(" "),
            found.diverged().to_string(),
            mean(Goal::Item),
            deviation(Goal::Item),
            mean(Goal::Group),
            deviation(Goal::Group),
            train.to_string(),
        ]
    });
    table("multitask_weightings", columns, rows)
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::DataSetFacts;

    use super::*;
    use crate::fixtures::multitask::{Asked, GARMENTS, diverge};

    fn rows(table: &Table) -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_reader(table.csv.as_slice());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn tables_have_a_row_for_each_network_comparison_and_class() {
        let classes = GARMENTS.map(str::to_owned).into();
        let data = DataSetFacts {
            title: "Toy".into(),
            height: 8,
            width: 8,
            classes,
            checksum: "c".into(),
            images: None,
        };
        let mut task = Asked::brief(300, 200).with_weightings(2).results(&data);
        diverge(&mut task.lambdas[1].1, 1);
        let tables = of_task(&task);
        let sizes: Vec<(&str, usize)> = tables.iter().map(|table| (table.name, rows(table).len())).collect();
        assert_eq!(
            sizes[..3],
            [
                ("multitask_networks", 2 + 5 + 8),
                ("multitask_mcnemar", 2 + 2 + 1),
                ("multitask_classes", 2 * 10 + 2 * 3)
            ]
        );
        assert_eq!(sizes[5], ("multitask_weightings", 4));
        // The single-task networks, three of the sweep with both heads or one, eight of other weightings.
        assert_eq!(sizes[3], ("multitask_measures", 13 + 10 + 13 + 13 + 3 + 8 * 13));
        let networks = rows(&tables[0]);
        // The item network has no group head, λ = 0 has an untrained item head, and λ = 0.25 diverged.
        assert!(networks[0][7..11].iter().all(String::is_empty), "{:?}", networks[0]);
        assert_eq!(networks[2][1..4], ["0", "1", "false"]);
        assert!(networks[3][4].is_empty() && networks[3][17] == "11", "{:?}", networks[3]);
        let bare = Asked { gradients: false, ..Asked::brief(300, 200) }.results(&data);
        assert_eq!(of_task(&bare).len(), 4);
    }
}
