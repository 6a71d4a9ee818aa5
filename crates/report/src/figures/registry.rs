//! What a figure of the report is: what it is called, the task that it belongs to, and what draws it.

use inkling_schema::Task;

use super::canvas::Drawing;
use super::inside;
use super::networks::Kind;
use crate::rows::Rows;
use crate::{
    Figure, MultitaskResults, NetworksResults, PcaResults, PerceptronResults, Results, SweepResults,
};

/// A figure of the report, or figures that are drawn together, as the file that draws it declares it.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    /// What the report calls it. Where there is too much for one figure, the others are called `{name}_2`, `{name}_3`, …; a
    /// name that ends in `_` is that of figures which are numbered from one.
    name: &'static str,
    draw: Draw,
}

/// What draws a figure, by what it is drawn from. Nothing where there is nothing to draw.
#[derive(Clone, Copy)]
pub(super) enum Draw {
    Pca(fn(&PcaResults) -> Drawing),
    Perceptrons(fn(&PerceptronResults) -> Drawing),
    /// A figure for each of these kinds of networks. The name of the kind's task and a `_` come before its name.
    Networks(&'static [Kind], fn(Kind, &NetworksResults) -> Vec<Drawing>),
    Inside(inside::Draw),
    Multitask(fn(&MultitaskResults) -> Option<Drawing>),
    Sweep(fn(&SweepResults) -> Option<Drawing>),
    /// Of a task, from whatever was found, and from the comparisons among its rows.
    Found(Task, fn(&Results, &Rows) -> Option<Drawing>),
}

impl Spec {
    pub(super) const fn new(name: &'static str, draw: Draw) -> Spec {
        Spec { name, draw }
    }

    /// What draws it, if it is a figure of Task 5.
    pub(super) fn inside(&self) -> Option<inside::Draw> {
        match self.draw {
            Draw::Inside(draw) => Some(draw),
            _ => None,
        }
    }

    /// Its tasks, and what it is called in each.
    fn names(&self) -> Vec<(Task, String)> {
        let task = match self.draw {
            Draw::Pca(_) => Task::Pca,
            Draw::Perceptrons(_) => Task::Perceptron,
            Draw::Networks(kinds, _) => {
                let name = |task: Task| (task, format!("{}_{}", task.name(), self.name));
                return kinds.iter().map(|kind| name(kind.task())).collect();
            }
            Draw::Inside(_) => Task::Inside,
            Draw::Multitask(_) => Task::Multitask,
            Draw::Sweep(_) => Task::Sweep,
            Draw::Found(task, _) => task,
        };
        vec![(task, self.name.to_owned())]
    }

    /// The figures of a study.
    pub(super) fn figures(&self, found: &Results, rows: &Rows) -> Vec<Figure> {
        let drawings: Vec<Vec<Drawing>> = match self.draw {
            Draw::Inside(draw) => {
                let figures = found.inside.iter().flat_map(|inside| draw.of_study(inside));
                return figures.map(|figure| figure.of(Task::Inside)).collect();
            }
            Draw::Networks(kinds, draw) => {
                let of = |kind: &Kind| kind.of(found).map_or_else(Vec::new, |task| draw(*kind, task));
                kinds.iter().map(of).collect()
            }
            Draw::Pca(draw) => vec![found.pca.iter().map(draw).collect()],
            Draw::Perceptrons(draw) => vec![found.perceptrons.iter().map(draw).collect()],
            Draw::Multitask(draw) => vec![found.multitask.iter().filter_map(draw).collect()],
            Draw::Sweep(draw) => vec![found.sweep.iter().filter_map(draw).collect()],
            Draw::Found(_, draw) => vec![draw(found, rows).into_iter().collect()],
        };
        let parts = |((task, name), drawings): ((Task, String), Vec<Drawing>)| {
            drawings.into_iter().enumerate().map(move |(part, Drawing { svg, alt })| {
                let name = if part == 0 { name.clone() } else { format!("{name}_{}", part + 1) };
                Figure::new(name, svg, alt).of(task)
            })
        };
        self.names().into_iter().zip(drawings).flat_map(parts).collect()
    }
}

/// The names of the figures of a task, of two layers each where they are numbered.
#[cfg(test)]
pub(crate) fn names(task: Task) -> Vec<String> {
    let names = super::specs().flat_map(Spec::names).filter(|(of, _)| *of == task);
    let numbered = |(_, name): (Task, String)| match name.strip_suffix('_') {
        Some(_) => vec![format!("{name}1"), format!("{name}2")],
        None => vec![name],
    };
    names.flat_map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::super::specs;
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
        let registered: BTreeSet<String> = specs().flat_map(Spec::names).map(|(_, name)| name).collect();
        let shown = named_by(&["drawn"]);
        assert_eq!(shown, registered, "what the texts in `document` show, and what is drawn");
        let told_of = named_by(&["see", "figures-of"]);
        let missing: Vec<&String> = told_of.difference(&registered).collect();
        assert!(missing.is_empty(), "the texts refer to figures that nobody draws: {missing:?}");
    }

    #[test]
    fn no_two_figures_have_one_name() {
        let names: Vec<String> = specs().flat_map(Spec::names).map(|(_, name)| name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
