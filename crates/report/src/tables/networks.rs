//! Tables of Tasks 3 and 4: the networks, McNemar's tests, which class was predicted as which.

use super::{Table, table, text};
use crate::results::{ClassRow, NetworkPair, NetworkResults, NetworksResults, class_rows};
use inkling_statistics::wilson_interval;

/// A kind of network with the names of its tables.
pub(super) struct Kind {
    name: &'static str,
    networks: &'static str,
    mcnemar: &'static str,
    classes: &'static str,
    confusion: &'static str,
}

pub(super) const MLP: Kind = Kind {
    name: "MLP",
    networks: "mlp_networks",
    mcnemar: "mlp_mcnemar",
    classes: "mlp_classes",
    confusion: "confusion_mlp",
};
pub(super) const CNN: Kind = Kind {
    name: "CNN",
    networks: "cnn_networks",
    mcnemar: "cnn_mcnemar",
    classes: "cnn_classes",
    confusion: "confusion_cnn",
};

/// The tables of a task. What a network that diverged does not have is left empty.
pub(super) fn of_task(kind: &Kind, task: &NetworksResults) -> Vec<Table> {
    let mut tables = vec![
        networks(kind.networks, task),
        mcnemar(kind.mcnemar, task, task, &crate::within(task)),
        classes(kind.classes, task),
    ];
    if let Some((network, _)) = task.chosen() {
        tables.push(confusion(kind.confusion, &task.data.classes, network));
    }
    tables
}

/// Every network of both kinds, and every CNN against every MLP. Accuracy is set against seconds where these compare.
pub(super) fn of_both(mlps: &NetworksResults, cnns: &NetworksResults, times_compare: bool) -> Vec<Table> {
    let columns = [
        "kind",
        "name",
        "parameters",
        "test_accuracy",
        "train_seconds",
        "test_seconds",
        "accuracy_per_million_parameters",
        "accuracy_per_training_second",
        "accuracy_per_test_second",
    ];
    let row = |kind: &Kind, network: &NetworkResults| {
        let found = &network.outcome;
        let accuracy = network.last().map(|last| last.test.accuracy());
        let per = |amount: f64| text(accuracy.filter(|_| amount > 0.0).map(|accuracy| accuracy / amount));
        [
            kind.name.to_owned(),
            network.name.clone(),
            found.parameters.to_string(),
            text(accuracy),
            found.train_seconds.to_string(),
            found.test_seconds.to_string(),
            per(found.parameters as f64 / 1e6),
            if times_compare { per(found.train_seconds) } else { String::new() },
            if times_compare { per(found.test_seconds) } else { String::new() },
        ]
    };
    let mlp_rows = mlps.networks.iter().map(|network| row(&MLP, network));
    let rows = mlp_rows.chain(cnns.networks.iter().map(|network| row(&CNN, network)));
    let pairs = crate::between(cnns, mlps);
    vec![table("networks_compared", columns, rows), mcnemar("cnn_mlp_mcnemar", cnns, mlps, &pairs)]
}

fn networks(name: &'static str, task: &NetworksResults) -> Table {
    let columns = [
        "name",
        "hidden_layers",
        "widths",
        "kernels",
        "strides",
        "parameters",
        "epochs",
        "train_accuracy",
        "train_loss",
        "test_accuracy",
        "test_low",
        "test_high",
        "test_loss",
        "train_seconds",
        "test_seconds",
        "diverged_epoch",
        "diverged_step",
        "why",
    ];
    let rows = task.networks.iter().map(|network| {
        let found = &network.outcome;
        let last = network.last();
        let interval = last.map(|last| wilson_interval(last.test.correct, last.test.images));
        let convolutions = network.convolutions.as_ref();
        [
            network.name.clone(),
            network.depth().to_string(),
            joined(&network.widths),
            convolutions.map_or_else(String::new, |found| joined(&found.kernels)),
            convolutions.map_or_else(String::new, |found| joined(&found.strides)),
            found.parameters.to_string(),
            found.epochs.len().to_string(),
            text(last.map(|last| last.train.accuracy())),
            text(last.map(|last| last.train.loss)),
            text(last.map(|last| last.test.accuracy())),
            text(interval.map(|(low, _)| low)),
            text(interval.map(|(_, high)| high)),
            text(last.map(|last| last.test.loss)),
            found.train_seconds.to_string(),
            found.test_seconds.to_string(),
            text(found.diverged.map(|at| at.epoch)),
            text(found.diverged.map(|at| at.step)),
            network.why.clone(),
        ]
    });
    table(name, columns, rows)
}

fn mcnemar(
    name: &'static str,
    first: &NetworksResults,
    second: &NetworksResults,
    pairs: &[NetworkPair],
) -> Table {
    let columns = ["a", "b", "test_images", "only_a_right", "only_b_right", "p", "p_holm"];
    let rows = pairs.iter().map(|pair| {
        [
            first.networks[pair.a].name.clone(),
            second.networks[pair.b].name.clone(),
            pair.images.to_string(),
            pair.only_a.to_string(),
            pair.only_b.to_string(),
            pair.p.to_string(),
            pair.adjusted.to_string(),
        ]
    });
    table(name, columns, rows)
}

/// A row for each network and class; what is undefined is left empty.
fn classes(name: &'static str, task: &NetworksResults) -> Table {
    let names = &task.data.classes;
    let rows = task.finished().flat_map(|(_, network, _)| {
        let found = class_rows(names, &network.confusion(names.len()));
        found.into_iter().map(|row| {
            let [class, support, precision, recall, f1] = class_cells(row);
            [network.name.clone(), class, support, precision, recall, f1]
        })
    });
    table(name, ["network", "class", "test_images", "precision", "recall", "f1"], rows)
}

/// The cells of a class.
pub(super) fn class_cells(row: ClassRow) -> [String; 5] {
    [row.class, row.support.to_string(), text(row.precision), text(row.recall), text(row.f1)]
}

/// A row for each pair of a class and an answer; the network is the one that the report looks at more closely.
fn confusion(name: &'static str, classes: &[String], network: &NetworkResults) -> Table {
    let counts = network.confusion(classes.len());
    let rows = counts.iter().enumerate().flat_map(|(class, answers)| {
        answers.iter().enumerate().map(move |(answer, count)| {
            [network.name.clone(), classes[class].clone(), classes[answer].clone(), count.to_string()]
        })
    });
    table(name, ["network", "class", "predicted", "test_images"], rows)
}

fn joined(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::DataSetFacts;

    use super::*;
    use crate::fixtures::{self, Shape};

    fn data() -> DataSetFacts {
        DataSetFacts {
            title: "Toy".into(),
            height: 8,
            width: 8,
            classes: ["0", "1", "a, \"b\""].map(str::to_owned).into(),
            checksum: "c".into(),
            images: None,
        }
    }

    fn rows(table: &Table) -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_reader(table.csv.as_slice());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_network_that_diverged_has_no_accuracy_and_is_in_no_pair() {
        let mut mlps = fixtures::mlps(&data(), Shape::SMALL);
        fixtures::diverge(&mut mlps.networks[1], 3);
        let tables = of_task(&MLP, &mlps);
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        assert_eq!(names, ["mlp_networks", "mlp_mcnemar", "mlp_classes", "confusion_mlp"]);
        // Four networks of three classes, whose supports are all test images.
        let classes = rows(&tables[2]);
        let support: usize = classes.iter().map(|row| row[2].parse::<usize>().unwrap()).sum();
        assert_eq!((classes.len(), support), (12, 4 * 1000));
        let recall: f64 = classes[0][4].parse().unwrap();
        assert!(recall > 0.9 && recall < 1.0, "{:?}", classes[0]);
        let networks = rows(&tables[0]);
        assert_eq!(networks.len(), 5);
        assert_eq!(networks[1][0..2], ["3 hidden", "3"]);
        assert!(networks[1][7..13].iter().all(String::is_empty), "{:?}", networks[1]);
        assert_eq!(networks[1][15..17], ["3", "141"]);
        assert!(networks[0][15..17].iter().all(String::is_empty));
        // Four networks are left, so six pairs.
        assert_eq!(rows(&tables[1]).len(), 6);
        let counted: usize = rows(&tables[3]).iter().map(|row| row[3].parse::<usize>().unwrap()).sum();
        assert_eq!((rows(&tables[3]).len(), counted), (9, 1000));
    }

    #[test]
    fn accuracy_per_parameter_and_per_second_are_quotients_of_the_other_columns() {
        let (mlps, cnns) = (fixtures::mlps(&data(), Shape::SMALL), fixtures::cnns(&data(), Shape::SMALL));
        let tables = of_both(&mlps, &cnns, true);
        let compared = rows(&tables[0]);
        assert_eq!(compared.len(), 10);
        for row in compared {
            let number = |column: usize| row[column].parse::<f64>().unwrap();
            assert!((number(6) * number(2) / 1e6 - number(3)).abs() < 1e-12, "{row:?}");
            assert!((number(7) * number(4) - number(3)).abs() < 1e-12, "{row:?}");
            assert!((number(8) * number(5) - number(3)).abs() < 1e-12, "{row:?}");
        }
        assert_eq!((tables[1].name, rows(&tables[1]).len()), ("cnn_mlp_mcnemar", 25));
    }

    #[test]
    fn where_all_diverged_the_tables_say_so() {
        let mut mlps = fixtures::mlps(&data(), Shape { networks: 1, ..Shape::SMALL });
        fixtures::diverge(&mut mlps.networks[0], 1);
        let tables = of_task(&MLP, &mlps);
        assert_eq!((tables.len(), rows(&tables[0]).len(), rows(&tables[1]).len()), (3, 1, 0));
        assert!(rows(&tables[2]).is_empty());
    }
}
