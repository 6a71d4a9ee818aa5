//! The figures of the report, drawn from a finished study.

mod accuracy;
mod canvas;
mod colour;
mod confusion;
mod curves;
mod grid;
mod inside;
mod mcnemar;
mod multitask;
mod names;
mod networks;
mod pca;
mod perceptron;
mod plane;
mod raster;
mod scatter;
mod separability;
#[cfg(test)]
mod tests;
mod thin;

use self::networks::Kind;
pub(crate) use self::plane::plane;
use inkling_schema::Task;
use inkling_schema::outcome::DataSetFacts;

use crate::document::facts::compared::same_data;
use crate::results::Look;
use crate::{Figure, NetworksResults, Results};

/// Draws every figure of the tasks that the study did, in the order in which a reader meets them.
pub fn draw(results: &Results) -> Vec<Figure> {
    let of = |task: Task| of_task(task, results).into_iter().map(move |figure| figure.of(task));
    Task::ALL.into_iter().flat_map(of).collect()
}

fn of_task(task: Task, results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    match task {
        Task::Pca => {
            if let Some(pca) = &results.pca {
                figures.push(scatter::all_classes(pca));
                figures.push(scatter::class_by_class(pca));
                figures.push(pca::scree(pca));
                figures.push(pca::components(pca));
                figures.push(pca::reconstructions(pca));
                figures.push(separability::heat_maps(pca));
            }
        }
        Task::Perceptron => {
            if let Some(perceptrons) = &results.perceptrons {
                figures.push(perceptron::weights(perceptrons));
                figures.push(perceptron::errors(perceptrons));
                figures.push(perceptron::errors_from_easy_to_hard(perceptrons));
                figures.push(perceptron::accuracy(perceptrons));
            }
        }
        Task::Mlp => {
            if let Some(mlps) = &results.mlps {
                figures.extend(curves::curves("mlp_curves", Kind::Mlp, mlps));
                figures.push(accuracy::against_parameters("mlp_parameters", &[(Kind::Mlp, mlps)]));
                figures.extend(mcnemar::pairs("mlp_mcnemar", Kind::Mlp, mlps));
                figures.extend(confusion::matrix("mlp_confusion", mlps));
                figures.extend(confusion::wrong_images("mlp_wrong", mlps));
            }
        }
        Task::Cnn => {
            let kinds: Vec<(Kind, &NetworksResults)> =
                [(Kind::Mlp, &results.mlps), (Kind::Cnn, &results.cnns)]
                    .into_iter()
                    .filter_map(|(kind, task)| Some((kind, task.as_ref()?)))
                    .filter(|(kind, _)| *kind == Kind::Cnn || comparable(results))
                    .collect();
            if let Some(cnns) = &results.cnns {
                figures.extend(curves::curves("cnn_curves", Kind::Cnn, cnns));
                figures.push(accuracy::against_parameters("cnn_parameters", &kinds));
                figures.extend(mcnemar::pairs("cnn_mcnemar", Kind::Cnn, cnns));
                figures.extend(confusion::matrix("cnn_confusion", cnns));
                figures.extend(confusion::wrong_images("cnn_wrong", cnns));
            }
            // Kinds of different data are not compared.
            if let (Some(mlps), Some(cnns), 2) = (&results.mlps, &results.cnns, kinds.len()) {
                if results.origins.times_compare() {
                    figures.push(accuracy::against_times("networks_times", &kinds));
                }
                figures.extend(mcnemar::between("networks_mcnemar", cnns, mlps));
            }
        }
        Task::Inside => figures.extend(results.inside.iter().flat_map(inside::draw)),
        Task::Multitask => figures.extend(results.multitask.iter().flat_map(multitask::draw)),
    }
    figures
}

/// Whether MLPs and CNNs were trained and tested on the same images.
fn comparable(results: &Results) -> bool {
    let both = results.mlps.as_ref().zip(results.cnns.as_ref());
    both.is_some_and(|(mlps, cnns)| same_data(mlps, cnns))
}

/// Draws the figures of one look into a network; `data` names the classes.
pub(crate) fn draw_look(look: &Look, data: Option<&DataSetFacts>) -> Vec<Figure> {
    inside::look(look, data)
}

/// A share of one as percent, with this many decimals.
fn percent(share: f64, decimals: usize) -> String {
    format!("{}\u{a0}%", rounded(share * 100.0, decimals))
}

/// A number with this many decimals, halves away from zero as the text of the report rounds them: `format!` alone would make
/// 12.5 a 12 in a figure where the text beside it says 13.
fn rounded(number: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(decimals as i32);
    format!("{:.decimals$}", (number * scale).round() / scale)
}

/// A share of one in per cent with one decimal, or with two where one would make it look like all.
fn share_number(share: f64) -> String {
    let decimals = if (0.9995..1.0).contains(&share) { 2 } else { 1 };
    rounded(share * 100.0, decimals)
}

/// A number with one decimal and a true minus sign, never a negative zero.
fn signed(number: f64) -> String {
    let number = (number * 10.0).round() / 10.0;
    let sign = if number < 0.0 { "−" } else { "" };
    format!("{sign}{:.1}", number.abs())
}

/// A whole number with a comma between thousands.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut groups: Vec<&str> = if first > 0 { vec![&digits[..first]] } else { Vec::new() };
    groups.extend((first..digits.len()).step_by(3).map(|from| &digits[from..from + 3]));
    groups.join(",")
}

/// Words as a list: "a", "a and b", "a, b and c".
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [words @ .., last] => format!("{} and {last}", words.join(", ")),
    }
}
