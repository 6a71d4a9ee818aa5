//! Figures of studies that ask for much or for little: many networks, many classes, names that resemble each other or hold
//! signs of SVG and of formulas, hundreds of epochs, and one epoch of a few batches.

use std::collections::BTreeSet;

use super::*;
use crate::NetworksResults;

/// The same task with so many networks, named by `name`.
fn many(task: &mut NetworksResults, count: usize, name: impl Fn(usize) -> String) {
    let made = task.networks.clone();
    task.networks = made.iter().cloned().cycle().take(count).collect();
    for (i, network) in task.networks.iter_mut().enumerate() {
        network.name = name(i);
        // No two networks have one size, or all would be joined by lines.
        network.outcome.parameters += 5000 * i;
    }
}

fn texts(figure: &Figure) -> Vec<String> {
    let document = roxmltree::Document::parse(&figure.svg).unwrap();
    let texts = document.descendants().filter(|node| node.tag_name().name() == "text");
    texts.map(|text| text.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn many_networks_take_several_figures_and_no_two_texts_meet() {
    for count in [1, 2, 3, 9, 10, 11, 16, 17, 30, 64, 120] {
        let mut study = with_networks(&["0", "1", "2"], Shape::SMALL);
        (study.pca, study.perceptrons) = (None, None);
        for task in study.mlps.iter_mut().chain(&mut study.cnns) {
            many(task, count, |i| format!("net {i:03}"));
        }
        let figures = draw(&study);
        let curves = figures.iter().filter(|figure| figure.name.starts_with("mlp_curves")).count();
        assert_eq!(curves, count.div_ceil(10), "{count} networks");
        for figure in &figures {
            let context = format!("{} of {count} networks", figure.name);
            sound(figure, &context);
            // Marks of more networks than there is room for cannot all be apart.
            if count <= 16 || !["parameters", "times"].iter().any(|of| figure.name.contains(of)) {
                apart(figure, &context);
            }
        }
        let different: BTreeSet<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(different.len(), figures.len(), "each figure has a name of its own");
    }
}

#[test]
fn names_that_begin_alike_stay_apart_in_every_figure() {
    let mut study = with_networks(&["0", "1", "2"], Shape::SMALL);
    let task = study.mlps.as_mut().unwrap();
    many(task, 4, |i| format!("2 hidden layers, {} units each", 16 << i));
    for figure in draw(&study).iter().filter(|figure| figure.name.starts_with("mlp_mcnemar")) {
        for units in ["16", "32", "64", "128"] {
            assert!(texts(figure).iter().any(|text| text.contains(units)), "{} lacks {units}", figure.name);
        }
    }
}

#[test]
fn many_classes_with_long_names_fit_their_figures() {
    for count in [2, 12, 26] {
        let names: Vec<String> =
            (0..count).map(|i| format!("a garment with a long name, number {i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for figure in draw(&with_networks(&names, Shape { networks: 2, ..Shape::SMALL })) {
            let context = format!("{} of {count} classes", figure.name);
            sound(&figure, &context);
            apart(&figure, &context);
        }
    }
}

#[test]
fn signs_in_names_are_drawn_as_they_are_and_control_characters_are_not() {
    let name = r#"$1 & <x> "q" \$ $y^2$ ]]>"#;
    let mut study =
        with_networks(&[name, "$5", "c\u{0}\u{1b}[1m\u{7}"], Shape { networks: 2, ..Shape::SMALL });
    for network in &mut study.mlps.as_mut().unwrap().networks {
        network.name = format!("{name} of a network, {}", network.name);
    }
    let figures = draw(&study);
    for figure in &figures {
        sound(figure, &figure.name);
    }
    let drawn = |name: &str| {
        let figure = figures.iter().find(|figure| figure.name == name).unwrap();
        texts(figure).join("|")
    };
    let weights = drawn("perceptron_weights");
    assert!(weights.contains("$5") && weights.contains("c\u{fffd}"), "{weights}");
    assert!(drawn("mlp_confusion").contains(r#"$1 & <x> "q" \$ $y^2$"#), "{}", drawn("mlp_confusion"));
}

#[test]
fn curves_of_hundreds_of_epochs_are_lines_and_those_of_one_are_points() {
    let shapes = |epochs: usize, train_images: usize| {
        let mut study =
            with_networks(&["0", "1"], Shape { networks: 2, epochs, train_images, test_images: 300 });
        (study.pca, study.perceptrons, study.cnns) = (None, None, None);
        for network in &mut study.mlps.as_mut().unwrap().networks {
            network.curve.retain(|line| line.step % 10 == 0);
        }
        let figures = draw(&study);
        let curves = figures.into_iter().find(|figure| figure.name == "mlp_curves").unwrap();
        sound(&curves, "curves");
        // Marks are filled polygons, and the legend has two of them.
        curves.svg.matches("Z\"").count()
    };
    assert!(shapes(20, 1000) > 60, "few epochs have marks");
    assert!(shapes(200, 1000) < 20, "marks of hundreds of epochs would hide the line");
    assert!(shapes(1, 1000) > 8, "a single epoch has marks, and a single point of a curve has one too");
}
