//! Task 5 in `summary.json` and in a line.

use inkling_schema::outcome::{DreamFound, FilterKinds};
use inkling_schema::{DreamPurpose, Objective};
use serde::Serialize;

use crate::results::{ActivationsResults, DreamResults, FiltersResults, InsideResults, Judge};
use inkling_statistics::wilson_interval;

/// A part that the study did not ask for is empty or null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct InsideSummary {
    network: String,
    /// Test accuracy of that network.
    test_accuracy: Option<f64>,
    /// The step at which that network's training diverged.
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged: Option<usize>,
    filters: Vec<FiltersSummary>,
    layers: Vec<LayerSummary>,
    images: Vec<ImageSummary>,
    /// The two classes' dreams from several seeds, then every class.
    dreams: Vec<DreamSummary>,
    judge: Option<JudgeSummary>,
}

/// The filters of a convolution, their slices counted by kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct FiltersSummary {
    name: String,
    kernel: [usize; 2],
    channels: usize,
    filters: usize,
    kinds: FilterKinds,
    by_chance: FilterKinds,
}

/// How silent a layer is.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct LayerSummary {
    name: String,
    channels: usize,
    dead: Option<usize>,
    zeros: Option<f64>,
    zeros_of: Vec<f64>,
}

/// An image that was looked at; class and target are numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct ImageSummary {
    name: String,
    index: Option<usize>,
    class: Option<usize>,
    target: usize,
    predicted: usize,
    logit: f64,
    probability: f64,
    black_logit: f64,
    integrated_sum: f64,
}

/// A dream of a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct DreamSummary {
    /// What the run is there to show: "seeds" or "classes".
    purpose: &'static str,
    class: usize,
    number: u32,
    logit: Option<f64>,
    probability: Option<f64>,
    predicted: usize,
    judge_probability: Option<f64>,
    judge_predicted: Option<usize>,
    /// The step at which the dream stopped being finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct JudgeSummary {
    seed: u64,
    epochs: usize,
    test_accuracy: Option<f64>,
    /// 95 % Wilson interval of the test accuracy.
    interval: Option<(f64, f64)>,
}

impl InsideSummary {
    pub(super) fn new(inside: &InsideResults) -> Self {
        let dreams = inside.dreams.iter().filter_map(|run| match run.spec.purpose {
            DreamPurpose::Seeds { .. } => Some(("seeds", run)),
            DreamPurpose::Classes => Some(("classes", run)),
            _ => None,
        });
        InsideSummary {
            network: inside.network.clone(),
            test_accuracy: inside.test.map(|test| test.accuracy()),
            diverged: inside.diverged,
            filters: inside.filters.as_ref().map_or_else(Vec::new, filters),
            layers: inside.activations.as_ref().map_or_else(Vec::new, layers),
            images: inside.activations.as_ref().map_or_else(Vec::new, images),
            dreams: dreams.flat_map(|(purpose, run)| of_run(purpose, run)).collect(),
            judge: inside.judge.as_ref().map(judge),
        }
    }

    /// The task in a line.
    pub(super) fn in_words(&self) -> Vec<String> {
        const SURE: f64 = 0.99;
        if let Some(step) = self.diverged {
            let network = &self.network;
            return vec![format!(
                "Task 5: the training of {network} diverged at step {step}: what is found in it says nothing"
            )];
        }
        let all = self.dreams.len();
        if all == 0 {
            return vec![format!("Task 5: a look inside {}", self.network)];
        }
        let sure = self.dreams.iter().filter(|dream| dream.probability.is_some_and(|p| p >= SURE)).count();
        let mut line = format!("Task 5: {sure} of {all} dreams reach 99 % on {}", self.network);
        let diverged = self.dreams.iter().filter(|dream| dream.diverged.is_some()).count();
        if diverged > 0 {
            line += &format!(" ({diverged} diverged)");
        }
        let judged = self.dreams.iter().filter_map(|dream| Some(dream.judge_predicted? == dream.class));
        let judged: Vec<bool> = judged.collect();
        // What a network sees whose training diverged proves nothing.
        let blind = self.judge.as_ref().is_some_and(|judge| judge.test_accuracy.is_none());
        if !judged.is_empty() && !blind {
            let agreed = judged.iter().filter(|&&agreed| agreed).count();
            line += &format!(", an independent network sees {agreed} of {} the same way", judged.len());
        }
        vec![line]
    }
}

fn filters(found: &FiltersResults) -> Vec<FiltersSummary> {
    let layers = found.layers.iter().map(|layer| FiltersSummary {
        name: layer.found.name.clone(),
        kernel: layer.found.kernel,
        channels: layer.found.channels,
        filters: layer.found.filters,
        kinds: layer.found.kinds,
        by_chance: layer.found.by_chance,
    });
    layers.collect()
}

fn layers(found: &ActivationsResults) -> Vec<LayerSummary> {
    let layers = found.outcome.layers.iter().map(|layer| LayerSummary {
        name: layer.name.clone(),
        channels: layer.shape[2],
        dead: layer.dead,
        zeros: layer.zeros,
        zeros_of: layer.zeros_of.clone(),
    });
    layers.collect()
}

fn images(found: &ActivationsResults) -> Vec<ImageSummary> {
    let images = found.outcome.images.iter().map(|image| ImageSummary {
        name: image.name.clone(),
        index: image.index,
        class: image.class,
        target: image.target,
        predicted: image.predicted,
        logit: image.logit,
        probability: image.probability,
        black_logit: image.black_logit,
        integrated_sum: image.integrated_sum,
    });
    images.collect()
}

fn of_run(purpose: &'static str, run: &DreamResults) -> Vec<DreamSummary> {
    let dream = |(asked, found): (&inkling_schema::DreamPicture, &DreamFound)| {
        let (Objective::ClassLogit { class, .. } | Objective::ClassProbability { class, .. }) =
            asked.objective
        else {
            return None;
        };
        Some(DreamSummary {
            purpose,
            class,
            number: asked.number,
            logit: found.after.logit,
            probability: found.after.probability,
            predicted: found.after.predicted,
            judge_probability: found.judge.and_then(|seen| seen.probability),
            judge_predicted: found.judge.map(|seen| seen.predicted),
            diverged: found.diverged,
        })
    };
    run.spec.pictures.iter().zip(&run.outcome.pictures).filter_map(dream).collect()
}

fn judge(judge: &Judge) -> JudgeSummary {
    JudgeSummary {
        seed: judge.seed,
        epochs: judge.epochs,
        test_accuracy: judge.test.map(|test| test.accuracy()),
        interval: judge.test.map(|test| wilson_interval(test.correct, test.images)),
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::DataSetFacts;

    use super::*;
    use crate::fixtures::inside::{self, Looked};

    fn found(judge: bool) -> InsideResults {
        let classes = ["a", "b", "c", "d"].map(str::to_owned).into();
        let data = DataSetFacts {
            title: "Toy".into(),
            height: 8,
            width: 8,
            classes,
            checksum: "c".into(),
            images: None,
        };
        inside::inside(&data, &Looked { judge, ..Looked::small(&data) })
    }

    #[test]
    fn a_summary_holds_what_the_contract_names() {
        let summary = InsideSummary::new(&found(true));
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["network"], "3 conv");
        assert_eq!(json["filters"][1]["kernel"], serde_json::json!([3, 3]));
        assert_eq!(json["filters"][0]["kinds"]["edges"], 2.0);
        assert_eq!((&json["layers"][1]["channels"], &json["layers"][1]["dead"]), (&6.into(), &0.into()));
        assert_eq!(json["images"][0]["class"], 2);
        // Three seeds of two classes, then four classes.
        let dreams = json["dreams"].as_array().unwrap();
        assert_eq!(dreams.len(), 10);
        assert_eq!((&dreams[3]["purpose"], &dreams[3]["class"]), (&"seeds".into(), &3.into()));
        assert_eq!((&dreams[9]["purpose"], &dreams[9]["class"]), (&"classes".into(), &3.into()));
        for key in ["probability", "logit", "judge_probability"] {
            assert!(dreams[0][key].is_f64(), "{key}");
        }
        assert_eq!((&json["judge"]["seed"], &json["judge"]["epochs"]), (&2.into(), &1.into()));
        assert!(json["judge"]["interval"][0].as_f64() < json["judge"]["test_accuracy"].as_f64());
    }

    #[test]
    fn the_task_in_words() {
        let words = |inside: &InsideResults| InsideSummary::new(inside).in_words().join("\n");
        let both =
            "Task 5: 10 of 10 dreams reach 99 % on 3 conv, an independent network sees 10 of 10 the same way";
        assert_eq!(words(&found(true)), both);
        let mut alone = found(false);
        assert_eq!(words(&alone), "Task 5: 10 of 10 dreams reach 99 % on 3 conv");
        alone.dreams.clear();
        assert_eq!(words(&alone), "Task 5: a look inside 3 conv");
    }
}
