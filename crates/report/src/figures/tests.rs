//! Figures of made-up studies: the same bytes every time, well-formed, nothing outside the page.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use inkling_schema::outcome::{
    DataSetFacts, Machine, PairSeparability, PcaOutcome, PerceptronOutcome, SeparabilityOutcome, StudyRecord,
};
use inkling_schema::{DataSlice, PcaRun, PerceptronRule, PerceptronRun, Task, preset};

use super::canvas::{TEXT_WIDTH, text_width};
use super::draw;
use crate::fixtures::inside::Looked;
use crate::fixtures::{self, Shape};
use crate::rasterise::rasterise;
use crate::{Figure, MultitaskResults, PairResults, PcaResults, PerceptronResults, Results};

const HEIGHT: usize = 5;
const WIDTH: usize = 4;

const LONG_NAMES: [&str; 3] = ["Ankle boot & sock", "T-shirt <top>", "Évening gown"];

/// A number from 0 to 1 that looks drawn by chance.
fn chance(index: usize) -> f64 {
    ((index as f64 * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0)
}

/// The pixels of a picture of waves that differ from one to the other, from 0 to 1.
fn waves(picture: usize, [height, width]: [usize; 2]) -> impl Iterator<Item = f64> {
    let rate = move |part: usize| 0.6 * (chance(3 * picture + part) - 0.5);
    let wave = move |(x, y): (f64, f64)| (x * rate(0) + y * rate(1) + 6.0 * rate(2)).sin();
    (0..height * width).map(move |i| 0.5 + 0.5 * wave(((i % width) as f64, (i / width) as f64)))
}

fn data(names: &[&str]) -> DataSetFacts {
    sized(names, [HEIGHT, WIDTH])
}

/// A data set of images of this height and width.
fn sized(names: &[&str], [height, width]: [usize; 2]) -> DataSetFacts {
    let classes = names.iter().map(|&name| name.to_owned()).collect();
    DataSetFacts {
        title: "Toy garments".into(),
        height,
        width,
        channels: 1,
        classes,
        checksum: "c".into(),
        images: None,
    }
}

fn slice() -> DataSlice {
    DataSlice { set: "toy".into(), train_images: 300, test_images: 30 }
}

fn pairs(classes: usize) -> impl Iterator<Item = (u8, u8)> {
    let classes = u8::try_from(classes).expect("few classes");
    (0..classes).flat_map(move |a| (a + 1..classes).map(move |b| (a, b)))
}

fn pca(data: &DataSetFacts, samples: usize) -> PcaResults {
    let classes = data.classes.len();
    let (size, pixels) = ([data.height, data.width], data.height * data.width);
    let spectrum: Vec<f64> = (0..pixels).map(|i| 0.7_f64.powi(i as i32)).collect();
    let total: f64 = spectrum.iter().sum();
    let around = |class: usize, index: usize| {
        let centre = [4.0 * chance(class), 3.0 * chance(class + 50)];
        [centre[0] + chance(2 * index), centre[1] + chance(2 * index + 1)]
    };
    PcaResults {
        data: data.clone(),
        spec: PcaRun { data: slice(), components: 6, reconstructions: vec![1, 3, 6], pictures: 0 },
        outcome: PcaOutcome {
            samples,
            features: pixels,
            total_variance: total,
            explained_variance_ratio: spectrum.iter().take(6).map(|variance| variance / total).collect(),
            fit_seconds: 0.1,
        },
        compared: (0..classes as u8).collect(),
        compared_data: data.clone(),
        separability: SeparabilityOutcome {
            pairs: pairs(classes)
                .map(|(a, b)| PairSeparability {
                    a,
                    b,
                    images: 200,
                    separable_in_plane: a == 0,
                    plane_accuracy: if a == 0 { 1.0 } else { 0.6 + 0.4 * chance(usize::from(b)) },
                    separable_in_full_space: b == 1,
                    full_space_errors: if b == 1 { 0 } else { 1234 * usize::from(b) },
                    full_space_passes: 3,
                })
                .collect(),
        },
        embedding: (0..samples).map(|index| around(index % classes, index)).collect(),
        pictures: Vec::new(),
        labels: (0..samples).map(|index| (index % classes) as u8).collect(),
        spectrum,
        mean: waves(0, size).map(|value| 2.0 * value - 1.0).collect(),
        components: (0..6).flat_map(|i| waves(i, size)).map(|value| value - 0.5).collect(),
        originals: (0..classes).flat_map(|i| waves(i, size)).map(|value| (255.0 * value) as u8).collect(),
        rebuilt: (0..3 * classes)
            .flat_map(|i| waves(i % classes, size))
            .map(|value| (2.2 * value - 1.1) as f32)
            .collect(),
    }
}

fn perceptron(a: u8, b: u8, size: [usize; 2]) -> PairResults {
    // One error curve in three ends at zero, one has a single pass, one never comes down.
    let kind = usize::from(a + b) % 3;
    let passes = [7, 1, 40][kind];
    let mut errors: Vec<f64> = (0..passes).map(|pass| 0.4 * chance(pass) + 0.002).collect();
    if kind == 0 {
        errors.push(0.0);
    }
    PairResults {
        replicates: Vec::new(),
        spec: PerceptronRun {
            data: slice(),
            a,
            b,
            rule: PerceptronRule::Online,
            learning_rate: 0.1,
            max_iterations: 40,
            tolerance: 1e-3,
            seed: 1,
        },
        outcome: PerceptronOutcome {
            iterations: errors.len(),
            converged: kind == 0,
            train_images: 200,
            train_correct: 190,
            test_images: 20,
            test_correct: 12 + kind,
            diverged: None,
        },
        errors,
        weights: waves(usize::from(a) + 7 * usize::from(b), size).map(|value| (value - 0.5) as f32).collect(),
        bias: 0.0,
        seconds: 0.1,
    }
}

fn results(names: &[&str]) -> Results {
    found(&data(names), 300)
}

/// Components and perceptrons of a data set with so many training images.
fn found(data: &DataSetFacts, samples: usize) -> Results {
    let classes = data.classes.len();
    Results {
        record: StudyRecord {
            preset: "smoke".into(),
            version: "0".into(),
            machine: Machine { cpu: "any".into(), threads: 1, instructions: "avx2".into() },
            seconds: 1.0,
            study: preset("smoke").expect("a preset"),
            data: BTreeMap::from([("toy".to_owned(), data.clone())]),
            runs: Vec::new(),
        },
        origins: fixtures::origins(),
        missing: Vec::new(),
        unable: Vec::new(),
        peers: None,
        finished: None,
        study_is_here: false,
        pca: Some(pca(data, samples)),
        perceptrons: Some(PerceptronResults {
            classes,
            compared: (0..classes as u8).collect(),
            data: data.clone(),
            pairs: pairs(classes).map(|(a, b)| perceptron(a, b, [data.height, data.width])).collect(),
        }),
        mlps: None,
        cnns: None,
        network: None,
        inside: None,
        multitask: None,
        sweep: None,
        page: None,
    }
}

/// The same study with networks of Tasks 3 and 4.
fn with_networks(names: &[&str], shape: Shape) -> Results {
    let (mlps, cnns) = (fixtures::mlps(&data(names), shape), fixtures::cnns(&data(names), shape));
    Results { mlps: Some(mlps), cnns: Some(cnns), ..results(names) }
}

/// Studies whose figures differ in layout: few classes with long names, two, a dozen, no trace of a perceptron;
/// networks that were trained well, some that diverged, one, and one that is right about every image.
fn studies() -> Vec<Results> {
    let dozen: Vec<&str> = LONG_NAMES.iter().copied().cycle().take(12).collect();
    let mut studies =
        vec![results(&LONG_NAMES), results(&["0", "1"]), results(&dozen), results(&["a", "b", "c"])];
    studies[3].perceptrons = None;
    studies.push(with_networks(&dozen, Shape::SMALL));
    let mut some_diverged = with_networks(&LONG_NAMES, Shape { epochs: 2, ..Shape::SMALL });
    let mut all_diverged = with_networks(&["a", "b"], Shape { networks: 2, ..Shape::SMALL });
    for network in some_diverged.mlps.iter_mut().flat_map(|task| &mut task.networks).skip(1) {
        fixtures::diverge(network, 2);
        network.name = "A network with a name that is far too long for a panel".into();
    }
    for task in [&mut all_diverged.mlps, &mut all_diverged.cnns] {
        task.iter_mut().flat_map(|task| &mut task.networks).for_each(|network| fixtures::diverge(network, 1));
    }
    let mut one = with_networks(&["0", "1"], Shape { networks: 1, epochs: 1, ..Shape::SMALL });
    for network in one.mlps.iter_mut().chain(&mut one.cnns).flat_map(|task| &mut task.networks) {
        let head = &mut network.heads[0];
        head.predictions.clone_from(&head.labels);
        network.wrong.clear();
        network.curve.clear();
    }
    studies.extend([some_diverged, all_diverged, one]);
    studies
}

fn number(node: &roxmltree::Node, attribute: &str) -> f64 {
    let value = node.attribute(attribute).unwrap_or_else(|| panic!("{node:?} has no {attribute}"));
    value.parse().unwrap_or_else(|_| panic!("{attribute} of {node:?} is no number"))
}

/// The corners of a text's box, by its estimated width.
fn corners(text: &roxmltree::Node) -> [(f64, f64); 4] {
    let (x, y, size) = (number(text, "x"), number(text, "y"), number(text, "font-size"));
    let width = text_width(text.text().unwrap_or_default(), size);
    let left = match text.attribute("text-anchor") {
        Some("start") => 0.0,
        Some("end") => -width,
        _ => -width / 2.0,
    };
    let degrees = text.attribute("transform").map_or(0.0, |turn| {
        let first = turn.trim_start_matches("rotate(").split(',').next().expect("an angle");
        first.parse::<f64>().expect("an angle in degrees")
    });
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (top, bottom) = (-0.72 * size, 0.1 * size);
    [(left, top), (left + width, top), (left, bottom), (left + width, bottom)]
        .map(|(u, v)| (x + u * cos - v * sin, y + u * sin + v * cos))
}

/// Insists that a figure is XML as wide as the text with everything inside, and no text too small to read.
pub(crate) fn sound(figure: &Figure, context: &str) {
    let document = roxmltree::Document::parse(&figure.svg).unwrap_or_else(|e| panic!("{context}: {e}"));
    let root = document.root_element();
    let view: Vec<f64> = root
        .attribute("viewBox")
        .expect("a viewBox")
        .split(' ')
        .map(|v| v.parse().expect("a number"))
        .collect();
    let (width, height) = (view[2], view[3]);
    assert!(view[..2] == [0.0, 0.0] && width == TEXT_WIDTH && height < 700.0, "{context}: {view:?}");
    assert_eq!(root.attribute("width"), Some(format!("{width}pt").as_str()), "{context}");
    let inside = |(x, y): (f64, f64)| (-0.5..=width + 0.5).contains(&x) && (-0.5..=height + 0.5).contains(&y);
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let drawn = node.attributes().filter(|attribute| attribute.name() != "href");
        assert!(
            drawn.clone().all(|a| !a.value().contains("NaN") && !a.value().contains("kuva")),
            "{context}"
        );
        match node.tag_name().name() {
            "text" => {
                let size = number(&node, "font-size");
                assert!(size >= 6.0, "{context}: {:?} is {size} points high", node.text());
                let corners = corners(&node);
                assert!(corners.into_iter().all(inside), "{context}: {:?} at {corners:?}", node.text());
            }
            "image" => {
                let corner = (number(&node, "x"), number(&node, "y"));
                let size = (number(&node, "width"), number(&node, "height"));
                assert!(size.0 > 0.0 && size.1 > 0.0, "{context}: an image of {size:?}");
                assert!(
                    inside(corner) && inside((corner.0 + size.0, corner.1 + size.1)),
                    "{context}: {corner:?}"
                );
            }
            _ => {}
        }
    }
    assert!(figure.alt.len() > 60 && !figure.alt.contains("NaN"), "{context}: {}", figure.alt);
}

/// How far two boxes, turned or not, reach into each other.
fn overlap(a: &[(f64, f64); 4], b: &[(f64, f64); 4]) -> f64 {
    let side = |of: &[(f64, f64); 4], to: usize| {
        let (x, y) = (of[to].0 - of[0].0, of[to].1 - of[0].1);
        let length = x.hypot(y).max(1e-9);
        (x / length, y / length)
    };
    let directions = [a, b].into_iter().flat_map(|of| [side(of, 1), side(of, 2)]);
    let along = |of: &[(f64, f64); 4], (x, y): (f64, f64)| {
        let places = of.map(|(u, v)| u * x + v * y);
        places.into_iter().fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)))
    };
    directions
        .map(|direction| {
            let ((a, b), (c, d)) = (along(a, direction), along(b, direction));
            b.min(d) - a.max(c)
        })
        .fold(f64::MAX, f64::min)
}

/// Insists that no text meets another text, and none a picture that it has no halo for.
pub(crate) fn apart(figure: &Figure, context: &str) {
    let document = roxmltree::Document::parse(&figure.svg).unwrap();
    let named =
        |name: &'static str| document.descendants().filter(move |node| node.tag_name().name() == name);
    let in_halo = |text: &roxmltree::Node| {
        text.parent().is_some_and(|group| group.attribute("stroke-linejoin").is_some())
    };
    let (halos, texts): (Vec<_>, Vec<_>) = named("text").partition(in_halo);
    let halos: Vec<_> = halos.iter().map(corners).collect();
    let boxes: Vec<(&str, [(f64, f64); 4])> =
        texts.iter().map(|text| (text.text().unwrap_or_default(), corners(text))).collect();
    let images: Vec<[(f64, f64); 4]> = named("image")
        .map(|image| {
            let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(&image, name));
            [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
        })
        .collect();
    for (i, (text, a)) in boxes.iter().enumerate() {
        for (other, b) in &boxes[i + 1..] {
            assert!(overlap(a, b) < 0.6, "{context}: `{text}` lies on `{other}`: {a:?} and {b:?}");
        }
        for b in images.iter().filter(|_| !halos.contains(a)) {
            assert!(overlap(a, b) < 0.6, "{context}: `{text}` lies on a picture: {a:?} and {b:?}");
        }
    }
    for (i, a) in images.iter().enumerate() {
        for b in &images[i + 1..] {
            assert!(overlap(a, b) < 0.1, "{context}: two pictures meet: {a:?} and {b:?}");
        }
    }
}

fn names(figures: &[Figure]) -> Vec<&str> {
    figures.iter().map(|figure| figure.name.as_str()).collect()
}

#[test]
fn a_study_has_the_figures_of_its_tasks() {
    // Those of augmentation only where images are changed, those of seeds only where there are several.
    let of = |tasks: &[Task]| {
        let names = tasks.iter().flat_map(|&task| super::names(task));
        let always = |name: &String| !["_augmentation", "_seeds"].iter().any(|end| name.ends_with(end));
        names.filter(always).collect::<Vec<_>>()
    };
    let mut study = with_networks(&LONG_NAMES, Shape::SMALL);
    let data = data(&LONG_NAMES);
    study.inside = Some(fixtures::inside::inside(&data, &Looked::small(&data)));
    let tasks = [Task::Pca, Task::Perceptron, Task::Mlp, Task::Cnn, Task::Inside];
    assert_eq!(names(&draw(&study)), of(&tasks));
    study.network = study.mlps.take();
    study.cnns = None;
    study.pca = None;
    study.perceptrons = None;
    assert_eq!(names(&draw(&study)), of(&[Task::Network, Task::Inside]));
    let mut study = with_networks(&LONG_NAMES, Shape::SMALL);
    study.inside = None;
    study.pca = None;
    assert_eq!(names(&draw(&study)), of(&[Task::Perceptron, Task::Mlp, Task::Cnn]));
    study.mlps = None;
    study.perceptrons = None;
    let alone = of(&[Task::Cnn]).into_iter().filter(|name| name.starts_with("cnn")).collect::<Vec<_>>();
    assert_eq!(names(&draw(&study)), alone);
}

#[test]
fn images_that_are_changed_are_shown_beside_what_becomes_of_them() {
    let mut study = with_networks(&["a", "b"], Shape { networks: 1, ..Shape::SMALL });
    let network = &mut study.cnns.as_mut().unwrap().networks[0];
    let size = network.spec.model.input.iter().product::<usize>();
    network.augmented = (0..2 * 9 * size).map(|i| (i % 256) as u8).collect();
    network.augmented_columns = 9;
    let figures = draw(&study);
    let figure = figures.iter().find(|figure| figure.name == "cnn_augmentation").unwrap();
    assert!(
        figure.alt.starts_with("2 training images of") && figure.alt.contains("8 copies"),
        "{}",
        figure.alt
    );
    assert_eq!(figure.svg.matches("<image").count(), 18);
    assert!(!names(&figures).contains(&"mlp_augmentation"));
}

/// The figures of networks of Task 6.
pub(super) fn of_multitask(found: &MultitaskResults) -> Vec<Figure> {
    let multitask = Some(found.clone());
    draw(&Results { pca: None, perceptrons: None, multitask, ..results(&["a", "b"]) })
}

#[test]
fn networks_that_all_diverged_have_their_curves_and_nothing_to_compare() {
    let mut study = with_networks(&["a", "b"], Shape { networks: 2, ..Shape::SMALL });
    (study.pca, study.perceptrons, study.cnns) = (None, None, None);
    study
        .mlps
        .iter_mut()
        .flat_map(|task| &mut task.networks)
        .for_each(|network| fixtures::diverge(network, 1));
    let figures = draw(&study);
    assert_eq!(names(&figures), ["mlp_curves", "mlp_parameters"]);
    assert!(figures[0].svg.contains("diverged") && figures[0].alt.contains("diverged at step 21"));
    assert!(figures[1].svg.contains("diverged, not shown") && !figures[1].svg.contains("100.0"));
}

#[test]
fn the_same_study_gives_the_same_bytes_on_any_thread() {
    let study = with_networks(&LONG_NAMES, Shape::SMALL);
    let first = draw(&study);
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..3).map(|_| scope.spawn(|| draw(&study))).collect();
        for other in others {
            assert!(other.join().expect("drawing does not panic") == first);
        }
    });
}

#[test]
fn figures_are_xml_as_wide_as_the_text_with_everything_inside() {
    for (study, figure) in
        studies().iter().enumerate().flat_map(|(i, s)| draw(s).into_iter().map(move |f| (i, f)))
    {
        let context = format!("{} of study {study}", figure.name);
        sound(&figure, &context);
        apart(&figure, &context);
    }
}

#[test]
fn embedded_rasters_are_png_of_whole_blocks() {
    for figure in draw(&with_networks(&LONG_NAMES, Shape::SMALL)) {
        let document = roxmltree::Document::parse(&figure.svg).expect("XML");
        let images =
            document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "image")));
        let mut seen = 0;
        for image in images {
            let href = image.attribute("href").expect("an address");
            let base64 = href.strip_prefix("data:image/png;base64,").expect("an embedded PNG");
            let file = STANDARD.decode(base64).expect("Base64");
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().expect("a PNG");
            let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
            let info = reader.next_frame(&mut pixels).expect("pixels");
            if !figure.name.starts_with("pca_scatter") {
                assert!(info.width.is_multiple_of(WIDTH as u32) && info.height.is_multiple_of(HEIGHT as u32));
            }
            seen += 1;
        }
        let expected = match figure.name.as_str() {
            "pca_scatter" => 1,
            "pca_scatter_classes" | "perceptron_weights" => 3,
            "pca_components" => 7,
            "pca_reconstructions" => 12,
            "mlp_wrong" => 20,
            "cnn_wrong" => 19,
            _ => 0,
        };
        assert_eq!(seen, expected, "{}", figure.name);
    }
}

#[test]
fn every_figure_becomes_the_same_picture_each_time_and_none_is_blank() {
    let mut study = with_networks(&LONG_NAMES, Shape::SMALL);
    let data = data(&LONG_NAMES);
    study.inside = Some(fixtures::inside::inside(&data, &Looked::small(&data)));
    study.multitask = Some(fixtures::multitask::Asked::of(3, 2).results(&data));
    let figures = draw(&study);
    let pictures = || -> Vec<Vec<u8>> { rasterise(&figures).into_iter().map(Result::unwrap).collect() };
    let (first, second) = (pictures(), pictures());
    assert!(first == second && first.len() == figures.len());
    for (figure, file) in figures.iter().zip(&first) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pixels).expect("pixels");
        let document = roxmltree::Document::parse(&figure.svg).expect("XML");
        let points = |name| document.root_element().attribute(name).unwrap().trim_end_matches("pt").parse();
        let (width, height): (f64, f64) = (points("width").unwrap(), points("height").unwrap());
        let info = reader.info();
        assert!((f64::from(info.width) - width * 300.0 / 72.0).abs() < 1.0, "{}", figure.name);
        assert!((f64::from(info.height) - height * 300.0 / 72.0).abs() < 1.0, "{}", figure.name);
        let ink = pixels.as_chunks::<3>().0.iter().filter(|&&pixel| pixel != [255; 3]).count();
        assert!(ink * 200 > pixels.len() / 3, "{} is all but blank", figure.name);
    }
}

mod crowded;
mod gallery;
mod reference;
