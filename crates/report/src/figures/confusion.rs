//! What a network took for what: its confusion matrix, and the images it was most confidently wrong about.

use super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::colour::{self, GREY, INK, Rgb};
use super::grid::{Square, labels_overhang, note, number_cell, number_size};
use super::networks::fitted;
use super::raster::Raster;
use super::{list, thousands};
use crate::{Figure, NetworksResults};

/// Cells of the diagonal stand back behind the errors.
const RIGHT: Rgb = [0xee; 3];
const NOTHING: Rgb = [0xf8; 3];
/// Confusions that are listed.
const LISTED: usize = 8;
/// No matrix is higher: there must be room for the caption on its page.
const HIGHEST: f64 = 540.0;

/// The confusion matrix of the network that is looked at more closely; `None` where all diverged.
pub(super) fn matrix(name: &'static str, task: &NetworksResults) -> Option<Figure> {
    let (network, _) = task.chosen()?;
    let names = &task.data.classes;
    let counts = network.confusion(names.len());
    let margin = Square::margin(names);
    let side = 128.0;
    let cell = ((TEXT_WIDTH - margin - side) / names.len() as f64).min(44.0);
    // Many classes take less height, so that the figure fits a page.
    let height = (cell * 0.6).clamp(11.0, 24.0).min(HIGHEST / names.len() as f64);
    let grid = Square::new((cell, height), names);
    let overhang = labels_overhang(&super::grid::shortened(names), cell);
    let listed = confusions(&counts);
    let notes = 58.0 + 10.0 * listed.len().min(LISTED) as f64;
    let mut canvas = Canvas::new(TEXT_WIDTH, grid.frame.bottom().max(grid.frame.y + notes) + 2.0);
    grid.labels(&mut canvas);
    let most = listed.first().map_or(1, |&(count, _, _)| count);
    for (class, answers) in counts.iter().enumerate() {
        for (answer, &count) in answers.iter().enumerate() {
            let cell = grid.cell(class, answer);
            if class == answer {
                canvas.fill(cell.inset(0.4), RIGHT);
                let number = count.to_string();
                if let Some(size) = number_size(&number, cell, &[7, 6, 5]) {
                    canvas.text(cell.centre(), &number, Style::new(size).colour(GREY));
                }
            } else if count == 0 {
                canvas.fill(cell.inset(0.4), NOTHING);
            } else {
                number_cell(&mut canvas, cell, colour::amber(count as f64 / most as f64), &count.to_string());
            }
        }
    }
    let x = (grid.frame.right() + 14.0).max(grid.frame.right() + overhang.min(8.0) + 8.0);
    let y = grid.frame.y + 5.0;
    canvas.text((x, y), &fitted(&network.name, 8.5, TEXT_WIDTH - x), Style::new(8).bold().start());
    note(&mut canvas, (x, y + 13.0), &["row: the image’s class", "column: the network’s answer"]);
    if !listed.is_empty() {
        canvas.text((x, y + 38.0), "commonest errors", Style::new(7).bold().start());
        for (row, &(count, class, answer)) in listed.iter().take(LISTED).enumerate() {
            let y = y + 48.0 + 10.0 * row as f64;
            let line = format!("{} predicted as {}", names[class], names[answer]);
            canvas.text((x + 20.0, y), &fitted(&line, 7.0, TEXT_WIDTH - x - 20.0), Style::new(7).start());
            canvas.text((x + 15.0, y), &thousands(count), Style::new(7).end());
        }
    }
    let errors: usize = listed.iter().map(|(count, _, _)| count).sum();
    let common: Vec<String> = listed
        .iter()
        .take(3)
        .map(|&(count, class, answer)| format!("{} predicted as {} ({count})", names[class], names[answer]))
        .collect();
    let common = if common.is_empty() { String::new() } else { format!(" Commonest: {}.", list(&common)) };
    let alt = format!(
        "Confusion matrix of the network {} on the {} test images of {}: {} errors.{common}",
        network.name,
        thousands(network.labels.len()),
        task.data.title,
        thousands(errors),
    );
    Some(Figure::new(name, canvas.finish(), alt))
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
pub(super) fn wrong_images(name: &'static str, task: &NetworksResults) -> Option<Figure> {
    const COLUMNS: usize = 8;
    const SHOWN: usize = 24;
    let (network, _) = task.chosen()?;
    let wrong = &network.wrong[..network.wrong.len().min(SHOWN)];
    if wrong.is_empty() {
        return None;
    }
    let (gap, lines, names) = (8.0, 27.0, &task.data.classes);
    let tile = (TEXT_WIDTH - 1.0) / COLUMNS as f64 - gap;
    let [height, width, channels] = network.spec.model.input;
    let tile_height = tile * height as f64 / width as f64;
    // Short names fit a line together.
    let short = names.iter().all(|name| text_width(name, 8.0) < (tile - 16.0) / 2.0);
    let lines = if short { lines - 2.0 } else { lines + 7.0 };
    let rows = wrong.len().div_ceil(COLUMNS);
    let mut canvas = Canvas::new(TEXT_WIDTH, (tile_height + lines) * rows as f64);
    for (i, image) in wrong.iter().enumerate() {
        let (row, column) = (i / COLUMNS, i % COLUMNS);
        let frame = Frame {
            x: 0.5 + (tile + gap) * column as f64 + gap / 2.0,
            y: 0.5 + (tile_height + lines) * row as f64,
            width: tile,
            height: tile_height,
        };
        let pixels = image.pixels.chunks_exact(channels.max(1)).map(pixel);
        canvas.image(frame, &Raster::blocks(width, pixels, frame.width));
        canvas.outline(frame, INK, 0.4);
        let (class, taken) = (&names[usize::from(image.class)], &names[usize::from(image.predicted)]);
        let x = frame.centre().0;
        let mut y = frame.bottom() + 7.0;
        if short {
            canvas.text((x, y), &format!("{class} → {taken}"), Style::new(8).bold());
        } else {
            let room = tile + gap - 2.0;
            canvas.text((x, y), &fitted(class, 7.4, room), Style::new(7).bold());
            y += 8.5;
            canvas.text((x, y), &fitted(&format!("→ {taken}"), 7.4, room), Style::new(7).bold());
        }
        canvas.text((x, y + 9.0), &probability(image.probability), Style::new(7).colour(INK));
    }
    let first: Vec<String> = wrong
        .iter()
        .take(3)
        .map(|image| {
            let (class, taken) = (&names[usize::from(image.class)], &names[usize::from(image.predicted)]);
            format!("{class} predicted as {taken} ({})", probability(image.probability))
        })
        .collect();
    let alt = format!(
        "The {} test images of {} that the network {} was most confidently wrong about, each with its class, the \
         network’s answer and the probability it gave: first {}.",
        wrong.len(),
        task.data.title,
        network.name,
        list(&first),
    );
    Some(Figure::new(name, canvas.finish(), alt))
}

/// The colour of a pixel of one channel, or of three or more.
fn pixel(channels: &[u8]) -> Rgb {
    match channels {
        &[red, green, blue, ..] => [red, green, blue],
        [grey, ..] => [*grey; 3],
        [] => INK,
    }
}

/// A probability in per cent; what is not certain never reads 100 %.
fn probability(p: f64) -> String {
    if p >= 0.9995 { ">\u{a0}99.9\u{a0}%".into() } else { super::percent(p, 1) }
}
