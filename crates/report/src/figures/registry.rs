//! All figures of the report: what each is called, the task that it belongs to, and what draws it.

use inkling_schema::Task;

use super::canvas::Drawing;
use super::networks::{Kind, compared};
use super::{
    accuracy, augmentation, confusion, curves, inside, mcnemar, multitask, pca, perceptron, scatter, seeds,
    separability, sweep,
};
use crate::{Figure, Results};

/// A figure of the report, or figures that are drawn together.
pub(crate) struct Spec {
    /// What the report calls it. Where there is too much for one figure, the others are called `{name}_2`, `{name}_3`, …; a
    /// name that ends in `_` is that of figures which are numbered from one.
    names: &'static [&'static str],
    task: Task,
    draw: Draw,
}

enum Draw {
    /// Nothing where there is nothing to draw.
    One(fn(&Results) -> Vec<Drawing>),
    Several(fn(&Results) -> Vec<Figure>),
}

const fn figure(name: &'static [&'static str; 1], task: Task, draw: fn(&Results) -> Vec<Drawing>) -> Spec {
    Spec { names: name, task, draw: Draw::One(draw) }
}

/// Every figure, in the order in which a reader meets them.
pub(crate) const FIGURES: &[Spec] = &[
    figure(&["pca_scatter"], Task::Pca, |found| found.pca.iter().map(scatter::all_classes).collect()),
    figure(&["pca_scatter_classes"], Task::Pca, |found| {
        found.pca.iter().map(scatter::class_by_class).collect()
    }),
    figure(&["pca_scree"], Task::Pca, |found| found.pca.iter().map(pca::scree).collect()),
    figure(&["pca_components"], Task::Pca, |found| found.pca.iter().map(pca::components).collect()),
    figure(&["pca_reconstructions"], Task::Pca, |found| found.pca.iter().map(pca::reconstructions).collect()),
    figure(&["separability"], Task::Pca, |found| found.pca.iter().map(separability::heat_maps).collect()),
    figure(&["perceptron_weights"], Task::Perceptron, |found| {
        found.perceptrons.iter().map(perceptron::weights).collect()
    }),
    figure(&["perceptron_errors"], Task::Perceptron, |found| {
        found.perceptrons.iter().map(perceptron::errors).collect()
    }),
    figure(&["perceptron_errors_five"], Task::Perceptron, |found| {
        found.perceptrons.iter().map(perceptron::errors_from_easy_to_hard).collect()
    }),
    figure(&["perceptron_accuracy"], Task::Perceptron, |found| {
        found.perceptrons.iter().map(perceptron::accuracy).collect()
    }),
    figure(&["mlp_augmentation"], Task::Mlp, |found| {
        found.mlps.iter().filter_map(augmentation::copies).collect()
    }),
    figure(&["mlp_curves"], Task::Mlp, |found| {
        found.mlps.iter().flat_map(|task| curves::curves(Kind::Mlp, task)).collect()
    }),
    figure(&["mlp_parameters"], Task::Mlp, |found| {
        found.mlps.iter().map(|mlps| accuracy::against_parameters(&[(Kind::Mlp, mlps)])).collect()
    }),
    figure(&["mlp_seeds"], Task::Mlp, |found| {
        found.mlps.iter().flat_map(|task| seeds::accuracies(Kind::Mlp, task)).collect()
    }),
    figure(&["mlp_mcnemar"], Task::Mlp, |found| {
        found.mlps.iter().filter_map(|task| mcnemar::pairs(Kind::Mlp, task)).collect()
    }),
    figure(&["mlp_confusion"], Task::Mlp, |found| found.mlps.iter().filter_map(confusion::matrix).collect()),
    figure(&["mlp_wrong"], Task::Mlp, |found| {
        found.mlps.iter().filter_map(confusion::wrong_images).collect()
    }),
    figure(&["cnn_augmentation"], Task::Cnn, |found| {
        found.cnns.iter().filter_map(augmentation::copies).collect()
    }),
    figure(&["cnn_curves"], Task::Cnn, |found| {
        found.cnns.iter().flat_map(|task| curves::curves(Kind::Cnn, task)).collect()
    }),
    figure(&["cnn_parameters"], Task::Cnn, |found| {
        found.cnns.iter().map(|cnns| accuracy::against_parameters(&compared(found, cnns))).collect()
    }),
    figure(&["cnn_seeds"], Task::Cnn, |found| {
        found.cnns.iter().flat_map(|task| seeds::accuracies(Kind::Cnn, task)).collect()
    }),
    figure(&["cnn_mcnemar"], Task::Cnn, |found| {
        found.cnns.iter().filter_map(|task| mcnemar::pairs(Kind::Cnn, task)).collect()
    }),
    figure(&["cnn_confusion"], Task::Cnn, |found| found.cnns.iter().filter_map(confusion::matrix).collect()),
    figure(&["cnn_wrong"], Task::Cnn, |found| {
        found.cnns.iter().filter_map(confusion::wrong_images).collect()
    }),
    figure(&["networks_times"], Task::Cnn, |found| {
        found.cnns.iter().filter_map(|cnns| accuracy::against_times(found, cnns)).collect()
    }),
    figure(&["networks_mcnemar"], Task::Cnn, |found| {
        found.cnns.iter().filter_map(|cnns| mcnemar::between(found, cnns)).collect()
    }),
    figure(&["network_augmentation"], Task::Network, |found| {
        found.network.iter().filter_map(augmentation::copies).collect()
    }),
    figure(&["network_curves"], Task::Network, |found| {
        found.network.iter().flat_map(|task| curves::curves(Kind::Own, task)).collect()
    }),
    figure(&["network_seeds"], Task::Network, |found| {
        found.network.iter().flat_map(|task| seeds::accuracies(Kind::Own, task)).collect()
    }),
    figure(&["network_confusion"], Task::Network, |found| {
        found.network.iter().filter_map(confusion::matrix).collect()
    }),
    figure(&["network_wrong"], Task::Network, |found| {
        found.network.iter().filter_map(confusion::wrong_images).collect()
    }),
    Spec {
        names: &[
            "inside_filters_",
            "inside_kinds",
            "inside_activations_",
            "inside_differing",
            "inside_saliency",
            "inside_dreams",
            "inside_difference",
            "inside_path",
            "inside_ablation",
            "inside_classes",
            "inside_starts",
            "inside_amplified",
        ],
        task: Task::Inside,
        draw: Draw::Several(|found| found.inside.iter().flat_map(inside::draw).collect()),
    },
    figure(&["multitask_architectures"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::architectures::drawing).collect()
    }),
    figure(&["multitask_accuracy"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::accuracy::against_lambda).collect()
    }),
    figure(&["multitask_seeds"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::seeds::gains).collect()
    }),
    figure(&["multitask_tradeoff"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::tradeoff::plane).collect()
    }),
    figure(&["multitask_curves"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::curves::curves).collect()
    }),
    figure(&["multitask_gradients"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::gradients::over_training).collect()
    }),
    figure(&["multitask_classes"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::classes::heat_map).collect()
    }),
    figure(&["multitask_idle"], Task::Multitask, |found| {
        found.multitask.iter().filter_map(multitask::idle::over_training).collect()
    }),
    figure(&["sweep"], Task::Sweep, |found| found.sweep.iter().filter_map(sweep::points).collect()),
];

impl Spec {
    fn figures(&self, found: &Results) -> Vec<Figure> {
        let named = |(part, Drawing { svg, alt }): (usize, Drawing)| {
            let name = self.names[0];
            Figure::new(if part == 0 { name.to_owned() } else { format!("{name}_{}", part + 1) }, svg, alt)
        };
        let figures: Vec<Figure> = match self.draw {
            Draw::One(draw) => draw(found).into_iter().enumerate().map(named).collect(),
            Draw::Several(draw) => draw(found),
        };
        figures.into_iter().map(|figure| figure.of(self.task)).collect()
    }
}

/// Draws every figure of the tasks that the study did, in the order in which a reader meets them.
pub fn draw(results: &Results) -> Vec<Figure> {
    // All that is known of a network of a person's own belongs to no task of the brief.
    let own = |figure: Figure| if results.network.is_some() { figure.of(Task::Network) } else { figure };
    FIGURES.iter().flat_map(|spec| spec.figures(results)).map(own).collect()
}

/// The names of the figures of a task, of two layers each where they are numbered.
#[cfg(test)]
pub(crate) fn names(task: Task) -> Vec<String> {
    let names = FIGURES.iter().filter(|spec| spec.task == task).flat_map(|spec| spec.names);
    let numbered = |name: &&str| match name.strip_suffix('_') {
        Some(_) => vec![format!("{name}1"), format!("{name}2")],
        None => vec![(*name).to_owned()],
    };
    names.flat_map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The names that the report's texts give to one of their functions: of `kind + "_curves"` both.
    fn named_by(functions: &[&str]) -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/document");
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_none_or(|extension| extension != "typ") {
                continue;
            }
            let text = fs::read_to_string(entry.path()).unwrap();
            let calls = functions.iter().flat_map(|function| {
                let ends = text.match_indices(function).map(|(at, function)| &text[at + function.len()..]);
                ends.filter_map(|rest| rest.strip_prefix('('))
            });
            for argument in calls.map(str::trim_start) {
                let (kinds, argument) = match argument.strip_prefix("kind + ") {
                    Some(argument) => (kinds_of(argument), argument),
                    None => (&[""][..], argument),
                };
                // Definitions of these functions, and calls with names of others, have no text here.
                let Some(name) = argument.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                    continue;
                };
                // One of several that are numbered stands for all.
                let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
                names.extend(kinds.iter().map(|kind| format!("{kind}{name}")));
            }
        }
        names
    }

    /// The kinds of networks that have a figure of this ending: one network alone is compared with none.
    fn kinds_of(argument: &str) -> &'static [&'static str] {
        let compared = ["\"_parameters", "\"_mcnemar"].iter().any(|name| argument.starts_with(name));
        if compared { &["mlp", "cnn"] } else { &["mlp", "cnn", "network"] }
    }

    #[test]
    fn every_figure_is_shown_in_the_report_and_no_other_is() {
        let registered: BTreeSet<String> =
            FIGURES.iter().flat_map(|spec| spec.names).map(|&name| name.to_owned()).collect();
        let shown = named_by(&["drawn"]);
        assert_eq!(shown, registered, "what the texts in `document` show, and what is registered here");
        let told_of = named_by(&["see", "figures-of"]);
        let missing: Vec<&String> = told_of.difference(&registered).collect();
        assert!(missing.is_empty(), "the texts refer to figures that nobody draws: {missing:?}");
    }

    #[test]
    fn no_two_figures_have_one_name() {
        let names: Vec<&&str> = FIGURES.iter().flat_map(|spec| spec.names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
