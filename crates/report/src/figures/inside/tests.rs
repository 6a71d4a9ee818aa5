//! Figures of made-up looks into networks of every shape: sound, and nothing written over anything else.

use inkling_schema::outcome::DataSetFacts;
use inkling_schema::{DreamPurpose, ImageChoice, Objective, Start};

use super::super::tests::{apart, sound};
use super::{draw, look};
use crate::InsideResults;
use crate::fixtures::dreams::dream_run;
use crate::fixtures::inside::{Looked, activations, filters, inside};
use crate::results::Look;

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const GARMENTS: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot that is far too long for a label",
];

fn data(names: &[&str], [height, width, _]: [usize; 3]) -> DataSetFacts {
    let classes = names.iter().map(|&name| name.to_owned()).collect();
    DataSetFacts { title: "Toy".into(), height, width, classes, checksum: "c".into(), images: None }
}

fn found(names: &[&str], looked: &Looked) -> InsideResults {
    inside(&data(names, looked.size), looked)
}

/// Studies whose figures differ in layout.
fn studies() -> Vec<InsideResults> {
    let brief = Looked::brief();
    let small = Looked { size: [9, 6, 1], layers: vec![(4, 3, 1), (6, 3, 2)], seeds: 3, judge: true };
    let dozen: Vec<&str> = GARMENTS.iter().copied().cycle().take(12).collect();
    let mut studies = vec![
        found(&DIGITS, &brief),
        found(&GARMENTS, &brief),
        found(&dozen, &Looked { judge: false, ..small.clone() }),
        found(&["a", "b"], &Looked { seeds: 1, size: [6, 8, 3], layers: vec![(2, 1, 1)], ..small.clone() }),
        found(&DIGITS, &Looked { seeds: 14, size: [40, 8, 4], ..small.clone() }),
        found(
            &DIGITS,
            &Looked {
                size: [8, 8, 3],
                layers: vec![(8, 5, 1), (64, 3, 2), (8, 1, 1), (4, 2, 1)],
                ..small.clone()
            },
        ),
    ];
    let whole = found(&DIGITS, &small);
    for place in 0..whole.dreams.len() {
        let mut without = whole.clone();
        without.dreams.remove(place);
        studies.push(without);
    }
    studies.push(InsideResults { filters: None, activations: None, judge: None, ..whole });
    studies
}

#[test]
fn nothing_lies_on_anything_else_in_any_study() {
    for (number, study) in studies().iter().enumerate() {
        for figure in draw(study) {
            let context = format!("{} of study {number}", figure.name);
            sound(&figure, &context);
            apart(&figure, &context);
        }
    }
}

/// Looks at networks of many shapes.
fn looks() -> Vec<Look> {
    let brief = Looked::brief();
    let colour = Looked { size: [32, 24, 3], layers: vec![(16, 3, 1), (200, 3, 4)], seeds: 1, judge: true };
    let tiny = Looked { size: [1, 1, 1], layers: vec![(1, 1, 1)], seeds: 1, judge: false };
    // A network without convolutions: its layers give vectors.
    let mut vectors = activations(&tiny, &[1], 10);
    vectors.outcome.layers[0].shape = [1, 1, 1000];
    vectors.layers[0].size = [1, 1, 1000];
    vectors.layers[0].values = (0..1000).map(|unit| unit as f32 / 400.0 - 1.0).collect();
    let mut looks = vec![Look::Activations(Box::new(vectors))];
    for looked in [brief, colour, tiny] {
        looks.push(Look::Filters(filters(&looked)));
        for images in [1, 2, 7] {
            let classes: Vec<usize> = (0..images).collect();
            let mut found = activations(&looked, &classes, 10);
            for image in &mut found.outcome.images {
                image.name = format!("a file with quite a long name {}.png", image.predicted);
                (image.index, image.class) = (None, None);
            }
            for layer in &mut found.outcome.layers {
                (layer.dead, layer.zeros) = (None, None);
            }
            looks.push(Look::Activations(Box::new(found)));
        }
        let file = ImageChoice::File {
            name: "a file with quite a long name.png".into(),
            checksum: "0".into(),
            inverted: false,
        };
        let layer = || "trunk.3".to_owned();
        for (count, objective) in [
            (1, Objective::ClassProbability { head: "garment".into(), class: 3 }),
            (2, Objective::Neuron { layer: layer(), position: vec![12, 13, 114] }),
            (5, Objective::Channel { layer: layer(), channel: 114 }),
            (23, Objective::LayerMeanSquare { layer: layer() }),
        ] {
            let dreams: Vec<(usize, u32)> = (0..count).map(|i| (i as usize % 10, i)).collect();
            let start = Start::Image { image: file.clone() };
            let mut run = dream_run(&looked, DreamPurpose::Asked, &dreams, start, 0.2);
            run.spec.pictures.iter_mut().for_each(|picture| picture.objective = objective.clone());
            if !matches!(objective, Objective::ClassProbability { .. }) {
                run.path_class = None;
                for picture in &mut run.outcome.pictures {
                    let judge = picture.judge.iter_mut();
                    for seen in [&mut picture.before, &mut picture.after].into_iter().chain(judge) {
                        (seen.logit, seen.probability) = (None, None);
                    }
                }
            }
            looks.push(Look::Dream(Box::new(run)));
        }
    }
    looks
}

#[test]
fn a_single_look_at_any_network_has_figures_with_names_of_their_own() {
    let data = data(&GARMENTS, [28, 28, 1]);
    for (number, found) in looks().iter().enumerate() {
        let figures = look(found, (number % 2 == 0).then_some(&data));
        let mut names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), figures.len(), "{names:?}");
        assert!(!figures.is_empty());
        for figure in &figures {
            let context = format!("{} of look {number}", figure.name);
            assert!(!figure.name.contains("inside"), "{context}");
            sound(figure, &context);
            apart(figure, &context);
        }
    }
}
