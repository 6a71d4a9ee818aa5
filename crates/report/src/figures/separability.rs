//! Which classes can be separated linearly: in the plane of two components, and in all pixels.

use inkling_schema::outcome::PairSeparability;

use super::canvas::{Canvas, Drawing, Style, TEXT_WIDTH};
use super::colour::{self, Rgb};
use super::forms::{Cell, Key, Matrix, Room, Sign};
use super::registry::{Draw, Spec};
use super::{percent, share, thousands};
use crate::PcaResults;

pub(super) const FIGURES: &[Spec] = &[Spec::new("separability", Draw::Pca(heat_maps))];

/// Pairs for which a separating hyperplane was found.
const SEPARATED: Rgb = [0xd6, 0xec, 0xe6];
const CHECK: Rgb = [0x00, 0x6b, 0x54];

/// What an image is made of: pixels in grey, and in colour three values for each.
fn unit(pca: &PcaResults) -> &'static str {
    if pca.data.channels == 1 { "pixels" } else { "values" }
}

/// Accuracy of the best line in the plane beside the fewest errors of a hyperplane in all pixels.
fn heat_maps(pca: &PcaResults) -> Drawing {
    const GAP: f64 = 15.0;
    let width = (TEXT_WIDTH - GAP) / 2.0;
    let mut canvas = Canvas::page();
    let all_pixels = format!("All {} {}: best hyperplane", pca.outcome.features, unit(pca));
    let parts = [in_the_plane(&pca.separability.pairs), in_all_pixels(&pca.separability.pairs)];
    let titles = ["Two components: best line", &all_pixels];
    for ((x, title), (key, cells)) in [0.5, width + GAP].into_iter().zip(titles).zip(parts) {
        canvas.text((x, 6.0), title, Style::new(9).bold().start());
        let room = Room { corner: (x, GAP), width, widest: 60.0, ..Room::page() };
        let matrix = Matrix::pairs(&pca.compared_data.classes, &room);
        let place = |pair: &PairSeparability| (usize::from(pair.a), usize::from(pair.b));
        matrix.draw(&mut canvas, pca.separability.pairs.iter().map(place).zip(cells));
        matrix.key(&mut canvas, &key);
    }
    canvas.described(alt(pca))
}

fn in_the_plane(pairs: &[PairSeparability]) -> (Key, Vec<Cell>) {
    let worst = pairs.iter().map(|pair| pair.plane_accuracy).fold(1.0, f64::min);
    // From the ten per cent below the worst pair, so that the colours differ where the pairs do.
    let low = ((worst * 10.0).floor() / 10.0).min(0.9);
    let mut key = Key::column(112.0);
    key.note("training images classified correctly, in per cent");
    key.bar(colour::viridis, [0.0, 0.5, 1.0].map(|t| (t, format!("{:.0}", (low + (1.0 - low) * t) * 100.0))));
    if pairs.iter().any(|pair| pair.separable_in_plane) {
        key.add(Sign::Edge, "separable: the convex hulls are disjoint");
    } else {
        key.note("no pair is separable: all convex hulls meet");
    }
    let cell = |pair: &PairSeparability| {
        let shade = colour::viridis((pair.plane_accuracy - low) / (1.0 - low));
        let number = if pair.separable_in_plane { "100".into() } else { share(pair.plane_accuracy, 1) };
        Cell::new(shade).line(number).edged(pair.separable_in_plane)
    };
    (key, pairs.iter().map(cell).collect())
}

fn in_all_pixels(pairs: &[PairSeparability]) -> (Key, Vec<Cell>) {
    let errors = pairs.iter().filter(|pair| !pair.separable_in_full_space).map(|pair| pair.full_space_errors);
    let most = errors.max().unwrap_or(0);
    let mut key = Key::column(112.0);
    key.add(Sign::Check(SEPARATED, CHECK), "separated: a hyperplane without an error was found");
    if most > 0 {
        key.note("else the fewest training errors");
        key.bar(colour::amber, [(0.0, "0".to_owned()), (1.0, thousands(most))]);
    }
    let cell = |pair: &PairSeparability| {
        if pair.separable_in_full_space {
            return Cell::new(SEPARATED).checked(CHECK);
        }
        let shade = colour::amber(pair.full_space_errors as f64 / most.max(1) as f64);
        Cell::new(shade).line(pair.full_space_errors.to_string())
    };
    (key, pairs.iter().map(cell).collect())
}

fn alt(pca: &PcaResults) -> String {
    let names = &pca.compared_data.classes;
    let pairs = &pca.separability.pairs;
    let name = |pair: &PairSeparability| {
        format!("{} and {}", names[usize::from(pair.a)], names[usize::from(pair.b)])
    };
    let by_accuracy =
        |a: &&PairSeparability, b: &&PairSeparability| a.plane_accuracy.total_cmp(&b.plane_accuracy);
    let in_plane = pairs.iter().filter(|pair| pair.separable_in_plane).count();
    let extremes = match (pairs.iter().min_by(by_accuracy), pairs.iter().max_by(by_accuracy)) {
        (Some(worst), Some(best)) => format!(
            "between {} ({}) and {} ({})",
            percent(worst.plane_accuracy, 1),
            name(worst),
            percent(best.plane_accuracy, 1),
            name(best)
        ),
        _ => String::new(),
    };
    let inseparable: Vec<&PairSeparability> =
        pairs.iter().filter(|pair| !pair.separable_in_full_space).collect();
    let rest: Vec<String> =
        inseparable.iter().map(|pair| format!("{} ({})", name(pair), pair.full_space_errors)).collect();
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!(" Fewest training errors of the others: {}.", rest.join("; "))
    };
    format!(
        "Two heat maps over the {} pairs of classes of {}. Left, in the plane of two components: the best line puts \
         {extremes} of the training images on the right side; {in_plane} pairs are exactly separable. Right, in all {} \
         {}: a hyperplane without a training error was found for {} pairs.{rest}",
        pairs.len(),
        pca.data.title,
        pca.outcome.features,
        unit(pca),
        pairs.len() - inseparable.len(),
    )
}
