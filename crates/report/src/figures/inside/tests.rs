//! Figures of made-up looks into networks of every shape: sound, and nothing written over anything else.

use std::sync::Arc;

use inkling_schema::outcome::DataSetFacts;
use inkling_schema::{DreamPurpose, ImageChoice, Objective, Start};

use resvg::tiny_skia::Rect;
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Group, Node, Options, Tree};

use super::super::tests::{apart, sound};
use super::{FIGURES, Spec, look};
use crate::document::printable::Printable;
use crate::fixtures::dreams::dream_run;
use crate::fixtures::inside::{Looked, activations, inside};
use crate::results::Look;
use crate::{Figure, InsideResults};

/// The figures of a study.
fn draw(study: &InsideResults) -> Vec<Figure> {
    let draws = FIGURES.iter().copied().flatten().filter_map(Spec::inside);
    draws.flat_map(|draw| draw.of_study(study)).collect()
}

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

const CHINESE: [&str; 10] = [
    "T恤衫或者上衣",
    "长裤",
    "套头毛衣和开襟毛衣以及其他针织衫",
    "连衣裙",
    "外套",
    "凉鞋",
    "衬衫",
    "运动鞋",
    "手提包",
    "短靴与高筒靴以及雨靴一类的鞋",
];
const ARABIC: [&str; 10] = [
    "قميص",
    "بنطال",
    "كنزة صوفية طويلة الأكمام للشتاء",
    "فستان",
    "معطف",
    "صندل",
    "قميص رسمي",
    "حذاء رياضي",
    "حقيبة",
    "حذاء طويل الرقبة للمطر",
];
const KOREAN: [&str; 10] = [
    "티셔츠",
    "바지",
    "두꺼운 겨울용 풀오버 스웨터",
    "드레스",
    "코트",
    "샌들",
    "셔츠",
    "운동화",
    "가방",
    "발목까지 오는 가죽 부츠",
];
const EMOJI: [&str; 10] = [
    "👕",
    "👖👖",
    "🧶 pullover 🧶🧶🧶🧶🧶🧶🧶🧶🧶🧶🧶",
    "👗",
    "🧥",
    "👡",
    "👔",
    "👟",
    "👜",
    "🥾🥾🥾🥾🥾🥾🥾🥾🥾🥾🥾🥾",
];

fn data(names: &[&str], [height, width, _]: [usize; 3]) -> DataSetFacts {
    let classes = names.iter().map(|&name| name.to_owned()).collect();
    DataSetFacts {
        title: "Toy".into(),
        height,
        width,
        channels: 1,
        classes,
        checksum: "c".into(),
        images: None,
    }
}

fn found(names: &[&str], looked: &Looked) -> InsideResults {
    let mut found = inside(&data(names, looked.size), looked);
    for layer in found.filters.iter_mut().flat_map(|filters| &mut filters.layers) {
        let (slices, kinds) = (layer.slices() as f64, &mut layer.found.kinds);
        // The made-up share of edges falls from layer to layer.
        kinds.edges = kinds.edges.max(0.0);
        kinds.others = slices - kinds.near_zero - kinds.blobs - kinds.edges;
    }
    found
}

/// Thirty names that are alike at their beginnings, too long for any label.
fn thirty() -> Vec<String> {
    (0..30).map(|i| format!("a garment with a long name, number {i}")).collect()
}

/// Studies whose figures differ in layout, by what is special about each.
fn studies() -> Vec<(&'static str, InsideResults)> {
    let brief = Looked::brief();
    let small = Looked { size: [9, 6, 1], layers: vec![(4, 3, 1), (6, 3, 2)], seeds: 3, judge: true };
    let photographs = Looked { size: [24, 32, 3], layers: vec![(8, 5, 1), (12, 3, 2)], ..small.clone() };
    let dozen: Vec<&str> = GARMENTS.iter().copied().cycle().take(12).collect();
    let (thirty, many) = (thirty(), (0..200).map(|i| i.to_string()).collect::<Vec<_>>());
    let thirty: Vec<&str> = thirty.iter().map(String::as_str).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let one_layer = Looked { seeds: 1, size: [6, 8, 3], layers: vec![(2, 1, 1)], ..small.clone() };
    let wide = Looked { size: [8, 40, 1], ..small.clone() };
    let layers = vec![(8, 5, 1), (64, 3, 2), (8, 1, 1), (4, 2, 1)];
    let twelve = Looked { size: [16, 16, 1], layers: vec![(12, 3, 1); 12], ..small.clone() };
    let mut studies = vec![
        ("brief", found(&DIGITS, &brief)),
        ("garments", found(&GARMENTS, &brief)),
        ("dozen, no judge", found(&dozen, &Looked { judge: false, ..small.clone() })),
        ("two classes, one layer", found(&["a", "b"], &one_layer)),
        ("tall", found(&DIGITS, &Looked { seeds: 14, size: [40, 8, 4], ..small.clone() })),
        ("wide", found(&GARMENTS, &wide)),
        ("colour", found(&DIGITS, &Looked { size: [8, 8, 3], layers, ..small.clone() })),
        ("thirty", found(&thirty, &brief)),
        ("thirty photographs", found(&thirty, &photographs)),
        ("many classes", found(&many, &small)),
        ("twelve layers", found(&GARMENTS, &twelve)),
        ("chinese", found(&CHINESE, &brief)),
        ("arabic", found(&ARABIC, &photographs)),
        ("korean", found(&KOREAN, &brief)),
        ("emoji", found(&EMOJI, &photographs)),
    ];
    let mut some = found(&GARMENTS, &brief);
    for run in &mut some.dreams {
        run.outcome.pictures[0].diverged = Some(17);
    }
    studies.push(("some diverged", some));
    let mut all = found(&DIGITS, &small);
    for run in &mut all.dreams {
        run.outcome.pictures.iter_mut().for_each(|found| found.diverged = Some(0));
    }
    studies.push(("all diverged", all));
    let whole = found(&DIGITS, &small);
    for place in 0..whole.dreams.len() {
        let mut without = whole.clone();
        without.dreams.remove(place);
        studies.push(("a run is missing", without));
    }
    studies.push(("dreams alone", InsideResults { filters: None, activations: None, judge: None, ..whole }));
    studies
}

/// Insists that letters are large enough to be read in print, and that texts, as wide as the fonts of this machine make them,
/// stay on the figure and apart.
fn readable(figures: &[(String, Figure)]) {
    // What is drawn in pixels has a test of its own, and takes time to read.
    let drawn: Vec<String> = figures.iter().map(|(_, figure)| without_pixels(&figure.svg)).collect();
    let printable = Printable::new(drawn.iter().map(String::as_str));
    let mut fonts = Database::new();
    for font in &printable.fonts {
        fonts.load_font_source(Source::Binary(Arc::new(font.data().clone())));
    }
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    for ((context, _), svg) in figures.iter().zip(&drawn) {
        let clean = printable.clean(svg);
        for text in roxmltree::Document::parse(&clean).unwrap().descendants() {
            let size = text.attribute("font-size").map(|size| size.parse::<f64>().unwrap());
            assert!(
                size.is_none_or(|size| size >= 6.0),
                "{context}: {:?} is of {size:?} points",
                text.text()
            );
        }
        let tree = Tree::from_str(&clean, &options).unwrap();
        let mut boxes = Vec::new();
        texts(tree.root(), &mut boxes);
        for (i, (text, a)) in boxes.iter().enumerate() {
            // Letters of some scripts reach a little over the box that their line is set in.
            let inside = a.left() >= -1.0
                && a.top() >= -1.0
                && a.right() <= tree.size().width() + 1.0
                && a.bottom() <= tree.size().height() + 1.0;
            assert!(inside, "{context}: `{text}` leaves the figure: {a:?}");
            for (other, b) in &boxes[i + 1..] {
                let over = (a.right().min(b.right()) - a.left().max(b.left()))
                    .min(a.bottom().min(b.bottom()) - a.top().max(b.top()));
                assert!(over < 1.2, "{context}: `{text}` lies on `{other}`: {a:?} and {b:?}");
            }
        }
    }
}

fn without_pixels(svg: &str) -> String {
    let mut parts = svg.split("href=\"data:image/png;base64,");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| kept.push_str(part.split_once('"').expect("an address ends").1));
    kept
}

/// The texts of a group with what each covers.
fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, found),
            Node::Text(text) => {
                let letters = text.chunks().iter().map(|chunk| chunk.text().to_owned()).collect();
                let covered = text.flattened().bounding_box().transform(text.abs_transform());
                found.push((letters, covered.expect("a text covers something")));
            }
            _ => {}
        }
    }
}

#[test]
fn nothing_lies_on_anything_else_in_any_study() {
    let mut figures = Vec::new();
    for (number, (name, study)) in studies().iter().enumerate() {
        for figure in draw(study) {
            let context = format!("{} of study {number}, {name}", figure.name);
            sound(&figure, &context);
            apart(&figure, &context);
            figures.push((context, figure));
        }
    }
    readable(&figures);
}

#[test]
fn nothing_is_left_out_where_there_is_much() {
    let studies = studies();
    let texts = |study: &str, figure: &str| -> Vec<String> {
        let (_, study) = studies.iter().find(|(name, _)| *name == study).unwrap();
        let parts = draw(study).into_iter().filter(|part| part.name.starts_with(figure));
        parts.map(|part| part.svg).collect()
    };
    let classes = texts("thirty", "inside_classes");
    assert_eq!(classes.len(), 1);
    for class in 0..30 {
        // What tells the names apart is at their ends.
        assert!(classes[0].contains(&format!("number {class}</text>")), "class {class}");
    }
    let parts = texts("many classes", "inside_classes");
    for (class, part) in (0..200).map(|class| (class, class * parts.len() / 200)) {
        assert!(parts[part].contains(&format!(">{class}</text>")), "class {class} in part {part}");
    }
    for figure in ["inside_differing", "inside_amplified", "inside_kinds"] {
        let found = texts("twelve layers", figure).concat();
        assert!((1..=12).all(|layer| found.contains(&format!(">convolution {layer}</text>"))), "{figure}");
    }
    for figure in ["inside_dreams", "inside_ablation", "inside_classes", "inside_starts", "inside_amplified"]
    {
        assert!(texts("some diverged", figure).concat().contains(">step 17</text>"), "{figure}");
        assert!(texts("all diverged", figure).concat().contains(">step 0</text>"), "{figure}");
    }
    let certain = texts("all diverged", "inside_classes").concat();
    assert!(!certain.contains("%</text>"), "dreams that diverged at once have no probability");
}

/// Looks at networks of many shapes.
fn looks() -> Vec<Look> {
    let brief = Looked::brief();
    let wide = Looked { size: [12, 60, 1], layers: vec![(6, 3, 1), (9, 3, 2)], seeds: 1, judge: true };
    let tall = Looked { size: [60, 12, 1], layers: vec![(6, 3, 1), (9, 3, 2)], seeds: 1, judge: false };
    let deep = Looked { size: [16, 16, 1], layers: vec![(12, 3, 1); 12], seeds: 1, judge: true };
    let colour = Looked { size: [32, 24, 3], layers: vec![(16, 3, 1), (200, 3, 4)], seeds: 1, judge: true };
    let tiny = Looked { size: [1, 1, 1], layers: vec![(1, 1, 1)], seeds: 1, judge: false };
    // A network without convolutions: its layers give vectors.
    let mut vectors = activations(&tiny, &[1], 10);
    vectors.outcome.layers[0].shape = [1, 1, 1000];
    vectors.layers[0].size = [1, 1, 1000];
    vectors.layers[0].values = (0..1000).map(|unit| unit as f32 / 400.0 - 1.0).collect();
    let mut looks = vec![Look::Activations(Box::new(vectors))];
    for looked in [brief, colour, tiny, wide, tall, deep] {
        looks.extend(found(&DIGITS, &looked).filters.map(Look::Filters));
        for images in [1, 2, 3, 7, 11] {
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
            if count == 5 {
                run.outcome.pictures[2].diverged = Some(3);
            }
            looks.push(Look::Dream(Box::new(run)));
        }
    }
    looks
}

#[test]
fn a_single_look_at_any_network_has_figures_with_names_of_their_own() {
    let data = data(&GARMENTS, [28, 28, 1]);
    let mut all = Vec::new();
    for (number, found) in looks().iter().enumerate() {
        let figures = look(found, (number % 2 == 0).then_some(&data));
        let mut names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), figures.len(), "{names:?}");
        assert!(!figures.is_empty());
        for figure in figures {
            let context = format!("{} of look {number}", figure.name);
            assert!(!figure.name.contains("inside"), "{context}");
            sound(&figure, &context);
            apart(&figure, &context);
            all.push((context, figure));
        }
    }
    readable(&all);
}
