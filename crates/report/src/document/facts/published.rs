//! Published results, each with its source, and what was found here beside them.

use serde::Serialize;

use super::ends;
use crate::{Goal, NetworksResults, PcaResults, Results};

/// A published number with its own: shares of one, but for numbers of components.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Published {
    task: u8,
    what: &'static str,
    /// Its key among the references.
    source: &'static str,
    published: f64,
    /// The lowest and the highest found here.
    here: (f64, f64),
    /// Training images behind what was found here; published results are from all of a set, but where they say otherwise.
    images: usize,
    /// What was found here, where there is more to say of it.
    whose: Option<String>,
}

/// Errors of perceptrons, MLPs and CNNs on the test images of MNIST, by the task they belong to.
const MNIST: [(u8, &str, &str, f64); 8] = [
    (2, "linear classifier, ten classes", "lecun1998", 0.12),
    (2, "pairwise linear, deskewed, ten classes", "lecun1998", 0.076),
    (3, "300 hidden units, squared error", "lecun1998", 0.047),
    (3, "1000 hidden units, squared error", "lecun1998", 0.045),
    (3, "500 and 150 hidden units, squared error", "lecun1998", 0.0295),
    (3, "800 hidden units, cross-entropy", "simard2003", 0.016),
    (4, "LeNet-1", "lecun1998", 0.017),
    (4, "LeNet-5", "lecun1998", 0.0095),
];

/// Errors on the ten classes of Fashion-MNIST's test images, as its page lists them.
const FASHION: [(&str, f64); 4] = [
    ("people without expertise", 0.165),
    ("two convolutions with pooling", 0.124),
    ("three convolutions and two dense layers", 0.093),
    ("two convolutions, below 100,000 parameters", 0.075),
];

/// The published results of what this study did, in the order of the tasks.
pub(super) fn published(results: &Results) -> Vec<Published> {
    let mut rows: Vec<Published> = results.pca.iter().flat_map(components).collect();
    let perceptrons = results.perceptrons.as_ref().and_then(|task| {
        let of_mnist = task.pairs.first()?.spec.data.set == "mnist";
        let error = inkling_statistics::mean(task.pairs.iter().map(|pair| 1.0 - pair.test_accuracy()))?;
        let images = task.pairs.first()?.spec.data.train_images;
        of_mnist.then(|| ((error, error), images, "mean of pairs, two classes each".to_owned()))
    });
    let mlps = results.mlps.as_ref().and_then(|task| errors(task, "MLP"));
    let cnns = results.cnns.as_ref().and_then(|task| errors(task, "CNN"));
    for (task, what, source, published) in MNIST {
        let here = [&perceptrons, &mlps, &cnns][usize::from(task) - 2];
        if let Some((here, images, whose)) = here.clone() {
            rows.push(Published { task, what, source, published, here, images, whose: Some(whose) });
        }
    }
    let item = results.multitask.as_ref().and_then(|task| {
        let network = task.single(Goal::Item).filter(|network| network.spec.data.set == "fashion-mnist")?;
        Some((1.0 - network.test(Goal::Item)?.accuracy(), network.spec.data.train_images))
    });
    let fashion = |&(what, published): &(&'static str, f64)| {
        let (error, images) = item?;
        let (here, whose) = ((error, error), Some("item network".to_owned()));
        Some(Published { task: 6, what, source: "fashion-benchmark", published, here, images, whose })
    };
    rows.extend(FASHION.iter().filter_map(fashion));
    rows
}

/// Shares of variance, and the components that hold most of it.
fn components(pca: &PcaResults) -> Vec<Published> {
    if pca.spec.data.set != "mnist" {
        return Vec::new();
    }
    let row = |what, source, published, here: f64| Published {
        task: 1,
        what,
        source,
        published,
        here: (here, here),
        images: pca.outcome.samples,
        whose: None,
    };
    let ratio = &pca.outcome.explained_variance_ratio;
    let mut rows = vec![
        row("first component's share, 70,000 images", "derksen2016", 0.0975, ratio[0]),
        row("second component's share, 70,000 images", "derksen2016", 0.0716, ratio[1]),
    ];
    rows.extend(pca.components_with(0.95).map(|components| {
        row("components that hold 95\u{202f}%, 52,500 images", "geron2019", 154.0, components as f64)
    }));
    rows
}

/// The lowest and the highest error of networks on the test images of MNIST.
fn errors(task: &NetworksResults, kind: &str) -> Option<((f64, f64), usize, String)> {
    if task.networks.first()?.spec.data.set != "mnist" {
        return None;
    }
    let errors: Vec<f64> = task.finished().map(|(_, _, last)| 1.0 - last.test.accuracy()).collect();
    let ends = ends(errors.iter().copied())?;
    let plural = if errors.len() == 1 { "" } else { "s" };
    let images = task.networks.first()?.spec.data.train_images;
    Some((ends, images, format!("{} {kind}{plural}", errors.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_among_the_references() {
        let references = include_str!("../references.yml");
        let sources = MNIST.iter().map(|row| row.2).chain(["derksen2016", "geron2019", "fashion-benchmark"]);
        for source in sources {
            assert!(references.lines().any(|line| line == format!("{source}:")), "{source}");
        }
    }
}
