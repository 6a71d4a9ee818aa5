//! Tables as CSV files: a line of column names, then the rows.

mod inside;
mod multitask;
mod networks;

use inkling_spec::found::DataSetFacts;

use crate::results::{PairResults, Results};
use crate::statistics::wilson;

/// A table: its file name without ending, and its text.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) csv: Vec<u8>,
}

/// Every table of a study.
pub(crate) fn draw_up(results: &Results) -> Vec<Table> {
    let mut tables = Vec::new();
    if let Some(pca) = &results.pca {
        let class = |label: u8| name(&pca.data, label);
        let mut cumulative = 0.0;
        let rows = pca.outcome.explained_variance_ratio.iter().enumerate().map(|(i, ratio)| {
            cumulative += ratio;
            [(i + 1).to_string(), ratio.to_string(), cumulative.to_string()]
        });
        tables.push(table("components", ["component", "explained_variance_ratio", "cumulative"], rows));
        let columns = [
            "a",
            "b",
            "train_images",
            "separable_in_plane",
            "plane_accuracy",
            "separable_in_full_space",
            "full_space_errors",
            "full_space_passes",
        ];
        let rows = pca.separability.pairs.iter().map(|pair| {
            [
                class(pair.a),
                class(pair.b),
                pair.images.to_string(),
                pair.separable_in_plane.to_string(),
                pair.plane_accuracy.to_string(),
                pair.separable_in_full_space.to_string(),
                pair.full_space_errors.to_string(),
                pair.full_space_passes.to_string(),
            ]
        });
        tables.push(table("separability", columns, rows));
    }
    if let Some(perceptrons) = &results.perceptrons {
        let columns = [
            "a",
            "b",
            "iterations",
            "converged",
            "train_images",
            "train_correct",
            "test_images",
            "test_correct",
            "test_accuracy",
            "test_low",
            "test_high",
            "seconds",
        ];
        let row = |pair: &PairResults| {
            let found = &pair.outcome;
            let (low, high) = wilson(found.test_correct, found.test_images);
            [
                name(&perceptrons.data, pair.spec.a),
                name(&perceptrons.data, pair.spec.b),
                found.iterations.to_string(),
                found.converged.to_string(),
                found.train_images.to_string(),
                found.train_correct.to_string(),
                found.test_images.to_string(),
                found.test_correct.to_string(),
                pair.test_accuracy().to_string(),
                low.to_string(),
                high.to_string(),
                pair.seconds.to_string(),
            ]
        };
        tables.push(table("perceptrons", columns, perceptrons.pairs.iter().map(row)));
        let five = perceptrons.easy_to_hard();
        tables.push(table("perceptrons_five", columns, five.into_iter().map(row)));
    }
    if let Some(mlps) = &results.mlps {
        tables.extend(networks::of_task(&networks::MLP, mlps));
    }
    if let Some(cnns) = &results.cnns {
        tables.extend(networks::of_task(&networks::CNN, cnns));
    }
    if let (Some(mlps), Some(cnns)) = (&results.mlps, &results.cnns) {
        tables.extend(networks::of_both(mlps, cnns));
    }
    if let Some(inside) = &results.inside {
        tables.extend(inside::of_task(inside));
    }
    if let Some(multitask) = &results.multitask {
        tables.extend(multitask::of_task(multitask));
    }
    tables
}

fn name(data: &DataSetFacts, label: u8) -> String {
    data.classes[usize::from(label)].clone()
}

/// A number, or nothing.
fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn table<const N: usize>(
    name: &'static str,
    columns: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Table {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).expect("memory can be written");
    for row in rows {
        writer.write_record(row).expect("memory can be written");
    }
    Table { name, csv: writer.into_inner().expect("memory can be written") }
}
