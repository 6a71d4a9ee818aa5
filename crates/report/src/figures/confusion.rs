//! What a network took for what: its confusion matrix, and the images it was most confidently wrong about.

use super::canvas::{Canvas, Drawing, Style, text_width};
use super::colour::{self, GREY, Rgb};
use super::forms::{Cell, Key, Matrix, Room, Sign, Tiles, picture, shortened};
use super::names::all_fitted;
use super::networks::Kind;
use super::registry::{Draw, Spec};
use super::{list, probability, thousands};
use crate::{NetworksResults, WrongImage};

pub(super) const FIGURES: &[Spec] = &[
    Spec::new("confusion", Draw::Networks(Kind::ALL, |_, task| matrix(task).into_iter().collect())),
    Spec::new("wrong", Draw::Networks(Kind::ALL, |_, task| wrong_images(task).into_iter().collect())),
];

/// Cells of the diagonal stand back behind the errors.
const RIGHT: Rgb = [0xee; 3];
const NOTHING: Rgb = [0xf8; 3];
/// Confusions that are listed.
const LISTED: usize = 8;

/// The confusion matrix of the network that is looked at more closely; `None` where all diverged.
fn matrix(task: &NetworksResults) -> Option<Drawing> {
    const KEY: f64 = 116.0;
    let (network, _) = task.chosen()?;
    let names = &task.data.classes;
    let counts = network.confusion(names.len());
    let listed = confusions(&counts);
    let most = listed.first().map_or(1, |&(count, _, _)| count);
    let height = |width: f64| (width * 0.6).clamp(11.0, 24.0);
    let room = Room { beside: KEY + 12.0, widest: 44.0, height: &height, ..Room::page() };
    let matrix = Matrix::table(names, names, &room);
    let mut canvas = Canvas::page();
    let cell = |(class, answer): (usize, usize)| match counts[class][answer] {
        count if class == answer => Cell::new(RIGHT).line(count.to_string()).ink(GREY),
        0 => Cell::new(NOTHING),
        count => Cell::new(colour::amber(count as f64 / most as f64)).line(count.to_string()),
    };
    let places = (0..names.len()).flat_map(|class| (0..names.len()).map(move |answer| (class, answer)));
    matrix.draw(&mut canvas, places.map(|place| (place, cell(place))));
    let mut key = Key::column(KEY);
    key.heading(&network.name);
    key.note("row: the image’s class");
    key.note("column: predicted class");
    if !listed.is_empty() {
        key.heading("most frequent errors");
    }
    let short = shortened(names);
    for &(count, class, answer) in listed.iter().take(LISTED) {
        key.add(Sign::Count(thousands(count)), format!("{} predicted as {}", short[class], short[answer]));
    }
    matrix.key(&mut canvas, &key);
    let errors: usize = listed.iter().map(|(count, _, _)| count).sum();
    let common: Vec<String> = listed
        .iter()
        .take(3)
        .map(|&(count, class, answer)| format!("{} predicted as {} ({count})", names[class], names[answer]))
        .collect();
    let common =
        if common.is_empty() { String::new() } else { format!(" Most frequent: {}.", list(&common)) };
    Some(canvas.described(format!(
        "Confusion matrix of the network {} on the {} test images of {}: {} errors.{common}",
        network.name,
        thousands(network.labels().len()),
        task.data.title,
        thousands(errors),
    )))
}

/// (count, class, answer) of every confusion there is, the commonest first.
fn confusions(counts: &[Vec<usize>]) -> Vec<(usize, usize, usize)> {
    let of_class = |(class, answers): (usize, &Vec<usize>)| -> Vec<(usize, usize, usize)> {
        let wrong = answers.iter().enumerate().filter(|&(answer, &count)| answer != class && count > 0);
        wrong.map(|(answer, &count)| (count, class, answer)).collect()
    };
    let mut all: Vec<_> = counts.iter().enumerate().flat_map(of_class).collect();
    all.sort_by_key(|&(count, class, answer)| (std::cmp::Reverse(count), class, answer));
    all
}

/// The test images that the network was most confidently wrong about; `None` where there are none.
fn wrong_images(task: &NetworksResults) -> Option<Drawing> {
    const COLUMNS: usize = 8;
    const SHOWN: usize = 24;
    let (network, _) = task.chosen()?;
    let wrong = &network.wrong[..network.wrong.len().min(SHOWN)];
    if wrong.is_empty() {
        return None;
    }
    let names = &task.data.classes;
    let name = |class: u8| &names[usize::from(class)];
    let [height, width, channels] = network.spec.model.input;
    let (gap, aspect) = (8.0, height as f64 / width as f64);
    let tiles = |below| Tiles { columns: COLUMNS, gap, above: 0.5, below, sides: (0.0, 0.0), aspect };
    // Short names fit a line together.
    let half = (tiles(0.0).frame(0).width - 16.0) / 2.0;
    let short = names.iter().all(|name| text_width(name, 8.0) < half);
    let tiles = tiles(if short { 24.5 } else { 33.5 });
    let cut = all_fitted(names, 7.4, tiles.frame(0).width + gap - 2.0 - text_width("→ ", 7.4));
    let lines = |image: &WrongImage| {
        let [class, taken] = [image.class, image.predicted].map(|class| &cut[usize::from(class)]);
        if short { vec![format!("{class} → {taken}")] } else { vec![class.clone(), format!("→ {taken}")] }
    };
    let mut canvas = Canvas::page();
    for (i, image) in wrong.iter().enumerate() {
        let frame = tiles.frame(i);
        picture(&mut canvas, frame, width, colour::pixels_of_bytes(&image.pixels, channels));
        let (x, mut y) = (frame.centre().0, frame.bottom() + 7.0);
        for line in lines(image) {
            canvas.text((x, y), &line, Style::new(if short { 8 } else { 7 }).bold());
            y += 8.5;
        }
        canvas.text((x, y + 0.5), &probability(image.probability), Style::new(7));
    }
    let first: Vec<String> = wrong
        .iter()
        .take(3)
        .map(|image| {
            let (class, taken) = (name(image.class), name(image.predicted));
            format!("{class} predicted as {taken} ({})", probability(image.probability))
        })
        .collect();
    Some(canvas.described(format!(
        "The {} test images of {} that the network {} was most confidently wrong about, each with its class, the \
         network’s answer and the probability it gave: first {}.",
        wrong.len(),
        task.data.title,
        network.name,
        list(&first),
    )))
}
