//! Tasks 3 and 4 in `summary.json` and in a line or two.

use inkling_schema::outcome::Divergence;
use serde::Serialize;

use crate::results::{ClassRow, NetworkPair, NetworkResults, NetworksResults, class_rows};
use inkling_statistics::wilson_interval;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct NetworksSummary {
    data: String,
    networks: Vec<NetworkSummary>,
    /// McNemar's exact test between every two networks that did not diverge.
    mcnemar: Vec<McNemarSummary>,
}

/// One network. What a network that diverged does not have is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct NetworkSummary {
    name: String,
    hidden_layers: usize,
    widths: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernels: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strides: Option<Vec<usize>>,
    parameters: usize,
    train_accuracy: Option<f64>,
    train_interval: Option<(f64, f64)>,
    train_loss: Option<f64>,
    test_accuracy: Option<f64>,
    /// 95 % Wilson interval of the test accuracy.
    interval: Option<(f64, f64)>,
    test_loss: Option<f64>,
    train_seconds: f64,
    test_seconds: f64,
    /// Epochs that ended.
    epochs: usize,
    diverged: Option<Divergence>,
    /// Precision, recall and F1 of each class of the test images; null where one is undefined.
    classes: Option<Vec<ClassRow>>,
}

/// A pair of networks, by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct McNemarSummary {
    a: String,
    b: String,
    only_a: usize,
    only_b: usize,
    p: f64,
    p_holm: f64,
}

impl NetworksSummary {
    pub(super) fn new(task: &NetworksResults) -> Self {
        let pair = |pair: NetworkPair| McNemarSummary {
            a: task.networks[pair.a].name.clone(),
            b: task.networks[pair.b].name.clone(),
            only_a: pair.only_a,
            only_b: pair.only_b,
            p: pair.p,
            p_holm: pair.adjusted,
        };
        NetworksSummary {
            data: task.networks.first().map_or_else(String::new, |network| network.spec.data.set.clone()),
            networks: task
                .networks
                .iter()
                .map(|network| NetworkSummary::new(network, &task.data.classes))
                .collect(),
            mcnemar: crate::within(task).into_iter().map(pair).collect(),
        }
    }

    /// The task in a line or two; `number` and `kind` name it, "Task 3" and "MLP".
    pub(super) fn in_words(&self, number: &str, kind: &str) -> Vec<String> {
        let accuracies: Vec<f64> = self.networks.iter().filter_map(|network| network.test_accuracy).collect();
        let plural = if self.networks.len() == 1 { "" } else { "s" };
        let mut line = format!("{number}: {} {kind}{plural}", self.networks.len());
        let range = |accuracies: &[f64]| {
            let (low, high) = accuracies.iter().fold((1.0, 0.0), |(low, high), &a| (a.min(low), a.max(high)));
            super::range(low, high)
        };
        match accuracies.as_slice() {
            [] => {}
            [only] => line += &format!(", test accuracy {:.2} %", 100.0 * only),
            several => line += &format!(", test accuracy {}", range(several)),
        }
        let diverged: Vec<&str> = self
            .networks
            .iter()
            .filter(|network| network.diverged.is_some())
            .map(|network| network.name.as_str())
            .collect();
        if !diverged.is_empty() {
            line += &format!("; diverged: {}", diverged.join(", "));
        }
        let mut lines = vec![line];
        if !self.mcnemar.is_empty() {
            let differ = self.mcnemar.iter().filter(|pair| pair.p_holm < inkling_statistics::ALPHA).count();
            let pairs = self.mcnemar.len();
            let plural = if pairs == 1 { "" } else { "s" };
            lines.push(format!("        {differ} of {pairs} pair{plural} of networks differ significantly"));
        }
        lines
    }
}

impl NetworkSummary {
    fn new(network: &NetworkResults, classes: &[String]) -> Self {
        let found = &network.outcome;
        let last = network.last();
        let convolutions = network.convolutions.as_ref();
        NetworkSummary {
            name: network.name.clone(),
            hidden_layers: network.depth(),
            widths: network.widths.clone(),
            kernels: convolutions.map(|found| found.kernels.clone()),
            strides: convolutions.map(|found| found.strides.clone()),
            parameters: found.parameters,
            train_accuracy: last.map(|last| last.train.accuracy()),
            train_interval: last.map(|last| wilson_interval(last.train.correct, last.train.images)),
            train_loss: last.map(|last| last.train.loss),
            test_accuracy: last.map(|last| last.test.accuracy()),
            interval: last.map(|last| wilson_interval(last.test.correct, last.test.images)),
            test_loss: last.map(|last| last.test.loss),
            train_seconds: found.train_seconds,
            test_seconds: found.test_seconds,
            epochs: found.epochs.len(),
            diverged: found.diverged,
            classes: last.map(|_| class_rows(classes, &network.confusion(classes.len()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::DataSetFacts;

    use super::*;
    use crate::fixtures::{self, Shape};

    fn data() -> DataSetFacts {
        let classes = ["a", "b", "c"].map(str::to_owned).into();
        DataSetFacts { title: "Toy".into(), height: 8, width: 8, classes, checksum: "c".into(), images: None }
    }

    #[test]
    fn a_summary_holds_what_the_contract_names_and_nulls_where_training_diverged() {
        let mut cnns = fixtures::cnns(&data(), Shape::SMALL);
        fixtures::diverge(&mut cnns.networks[4], 1);
        let summary = NetworksSummary::new(&cnns);
        let json = serde_json::to_value(&summary).unwrap();
        let (first, last) = (&json["networks"][0], &json["networks"][4]);
        assert_eq!(
            (&first["name"], &first["hidden_layers"], &first["epochs"]),
            (&"1 conv".into(), &1.into(), &10.into())
        );
        assert_eq!(first["kernels"], serde_json::json!([4]));
        assert_eq!(first["diverged"], serde_json::Value::Null);
        let (low, high) = (first["interval"][0].as_f64().unwrap(), first["interval"][1].as_f64().unwrap());
        let accuracy = first["test_accuracy"].as_f64().unwrap();
        assert!(low < accuracy && accuracy < high);
        assert_eq!(last["diverged"], serde_json::json!({ "epoch": 1, "step": 21 }));
        for key in
            ["train_accuracy", "test_accuracy", "interval", "test_loss", "train_loss", "train_interval"]
        {
            assert!(last[key].is_null() && last.get(key).is_some(), "{key}");
        }
        assert_eq!(json["mcnemar"].as_array().unwrap().len(), 6);
        let classes = first["classes"].as_array().unwrap();
        assert_eq!((classes.len(), &classes[0]["class"]), (3, &"a".into()));
        assert!(classes[0]["recall"].as_f64().unwrap() > 0.9 && last["classes"].is_null());
    }

    #[test]
    fn a_task_in_words() {
        let mut mlps = fixtures::mlps(&data(), Shape::SMALL);
        let words = |task: &NetworksResults| NetworksSummary::new(task).in_words("Task 3", "MLP");
        assert_eq!(
            words(&mlps),
            [
                "Task 3: 5 MLPs, test accuracy 97.60 % to 98.10 %",
                "        0 of 10 pairs of networks differ significantly"
            ]
        );
        mlps.networks.truncate(1);
        assert_eq!(words(&mlps), ["Task 3: 1 MLP, test accuracy 98.00 %"]);
        fixtures::diverge(&mut mlps.networks[0], 2);
        assert_eq!(words(&mlps), ["Task 3: 1 MLP; diverged: 2 hidden"]);
    }
}
