//! Tables of Task 5: kinds of filters, silence of layers, dreams.

use inkling_schema::outcome::DreamFound;
use inkling_schema::{DreamPicture, DreamPurpose, ImageChoice, Objective, Start};

use super::{Table, table, text};
use crate::results::{ActivationsResults, DreamResults, FiltersResults, InsideResults};

/// The tables of what was found.
pub(super) fn of_task(inside: &InsideResults) -> Vec<Table> {
    let mut tables = Vec::new();
    tables.extend(inside.filters.as_ref().map(filters));
    tables.extend(inside.activations.as_ref().map(layers));
    if !inside.dreams.is_empty() {
        tables.push(dreams(inside));
    }
    tables
}

fn filters(found: &FiltersResults) -> Table {
    let columns = [
        "layer",
        "kernel",
        "channels",
        "filters",
        "edges",
        "blobs",
        "near_zero",
        "others",
        "edges_by_chance",
        "blobs_by_chance",
        "near_zero_by_chance",
        "others_by_chance",
    ];
    let rows = found.layers.iter().map(|layer| {
        let (found, chance) = (&layer.found, &layer.found.by_chance);
        [
            found.name.clone(),
            found.kernel.map(|side| side.to_string()).join("×"),
            found.channels.to_string(),
            found.filters.to_string(),
            found.kinds.edges.to_string(),
            found.kinds.blobs.to_string(),
            found.kinds.near_zero.to_string(),
            found.kinds.others.to_string(),
            chance.edges.to_string(),
            chance.blobs.to_string(),
            chance.near_zero.to_string(),
            chance.others.to_string(),
        ]
    });
    table("inside_filters", columns, rows)
}

/// A row for each layer and each image looked at.
fn layers(found: &ActivationsResults) -> Table {
    let columns = [
        "layer",
        "height",
        "width",
        "channels",
        "dead_channels",
        "zeros",
        "image",
        "zeros_of_image",
        "most_different",
    ];
    let rows = found.outcome.layers.iter().flat_map(|layer| {
        found.outcome.images.iter().zip(&layer.zeros_of).map(move |(image, zeros_of)| {
            let [height, width, channels] = layer.shape;
            [
                layer.name.clone(),
                height.to_string(),
                width.to_string(),
                channels.to_string(),
                text(layer.dead),
                text(layer.zeros),
                image.name.clone(),
                zeros_of.to_string(),
                text(layer.differing.first()),
            ]
        })
    });
    table("inside_layers", columns, rows)
}

/// A row for each dream of every run.
fn dreams(inside: &InsideResults) -> Table {
    let columns = [
        "purpose",
        "objective",
        "start",
        "number",
        "objective_before",
        "objective_after",
        "logit_before",
        "logit_after",
        "probability_before",
        "probability_after",
        "predicted_after",
        "judge_logit",
        "judge_probability",
        "judge_predicted",
        "diverged",
    ];
    let class =
        |number: usize| inside.data.classes.get(number).cloned().unwrap_or_else(|| number.to_string());
    let row = |run: &DreamResults, asked: &DreamPicture, found: &DreamFound| {
        let judge = found.judge.as_ref();
        [
            purpose(&run.spec.purpose, &class),
            objective(&asked.objective, &class),
            start(&asked.start, &class),
            asked.number.to_string(),
            found.before.objective.to_string(),
            found.after.objective.to_string(),
            text(found.before.logit),
            text(found.after.logit),
            text(found.before.probability),
            text(found.after.probability),
            class(found.after.predicted),
            text(judge.and_then(|seen| seen.logit)),
            text(judge.and_then(|seen| seen.probability)),
            text(judge.map(|seen| class(seen.predicted))),
            text(found.diverged),
        ]
    };
    let rows = inside.dreams.iter().flat_map(|run| {
        run.spec.pictures.iter().zip(&run.outcome.pictures).map(move |(asked, found)| row(run, asked, found))
    });
    table("inside_dreams", columns, rows)
}

fn purpose(purpose: &DreamPurpose, class: &impl Fn(usize) -> String) -> String {
    match purpose {
        DreamPurpose::Seeds { class: of } => format!("seeds of {}", class((*of).into())),
        DreamPurpose::Classes => "every class".into(),
        DreamPurpose::Ablation { with } => format!("with {with}"),
        DreamPurpose::Start => "start".into(),
        DreamPurpose::Amplify { layer } => format!("amplify {layer}"),
        DreamPurpose::Asked => "asked".into(),
    }
}

fn objective(objective: &Objective, name: &impl Fn(usize) -> String) -> String {
    match objective {
        Objective::ClassLogit { class, .. } => format!("logit of {}", name(*class)),
        Objective::ClassProbability { class, .. } => format!("probability of {}", name(*class)),
        Objective::Neuron { layer, position } => {
            let position: Vec<String> = position.iter().map(ToString::to_string).collect();
            format!("{layer} at {}", position.join(" "))
        }
        Objective::Channel { layer, channel } => format!("{layer} channel {channel}"),
        Objective::LayerMeanSquare { layer } => format!("{layer} mean square"),
    }
}

fn start(start: &Start, name: &impl Fn(usize) -> String) -> String {
    match start {
        Start::Grey { .. } => "grey".into(),
        Start::Noise { .. } => "noise".into(),
        Start::Image { image: ImageChoice::Typical { class } } => {
            format!("typical {}", name((*class).into()))
        }
        Start::Image { image: ImageChoice::Index { index } } => format!("test image {index}"),
        Start::Image { image: ImageChoice::File { name, .. } } => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::DataSetFacts;

    use super::*;
    use crate::fixtures::inside::{self, Looked};

    fn rows(table: &Table) -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_reader(table.csv.as_slice());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn tables_have_a_row_for_each_layer_image_and_dream() {
        let classes = ["0", "1", "2", "a, \"b\""].map(str::to_owned).into();
        let data = DataSetFacts {
            title: "Toy".into(),
            height: 8,
            width: 8,
            classes,
            checksum: "c".into(),
            images: None,
        };
        let mut found = inside::inside(&data, &Looked::small(&data));
        let tables = of_task(&found);
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        assert_eq!(names, ["inside_filters", "inside_layers", "inside_dreams"]);
        let filters = rows(&tables[0]);
        assert_eq!((filters.len(), filters[1][..4].join(" ")), (2, "trunk.3 3×3 4 6".to_owned()));
        let kinds: f64 = filters[1][4..8].iter().map(|count| count.parse::<f64>().unwrap()).sum();
        assert_eq!(kinds, 24.0);
        assert_eq!(rows(&tables[1]).len(), 4);
        let dreams = rows(&tables[2]);
        assert_eq!(dreams.len(), 2 * 3 + 4 + 8 * 2 + 3 * 2 + 2 * 2);
        assert_eq!(dreams[3][..4].join("|"), "seeds of a, \"b\"|logit of a, \"b\"|noise|0");
        let amplified = dreams.last().unwrap();
        assert_eq!(amplified[..3].join("|"), "amplify trunk.3|trunk.3 mean square|typical a, \"b\"");
        assert!(amplified[6].is_empty() && amplified[12].is_empty());
        (found.filters, found.activations) = (None, None);
        found.dreams.clear();
        assert!(of_task(&found).is_empty());
    }
}
