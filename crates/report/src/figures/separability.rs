//! Which classes can be separated linearly: in the plane of two components, and in all pixels.

use inkling_schema::outcome::PairSeparability;

use super::canvas::{Canvas, Frame, Style, TEXT_WIDTH};
use super::colour::{self, INK, Rgb};
use super::grid::{Triangle, check_mark, note, number_cell};
use super::{percent, share_number, thousands};
use crate::{Figure, PcaResults};

/// Pairs for which a separating hyperplane was found.
const SEPARATED: Rgb = [0xd6, 0xec, 0xe6];
const CHECK: Rgb = [0x00, 0x6b, 0x54];

/// Width and height of a legend.
const LEGEND: (f64, f64) = (112.0, 70.0);

/// Width and height of a colour bar.
const BAR: (f64, f64) = (74.0, 7.0);

/// Accuracy of the best line in the plane beside the fewest errors of a hyperplane in all pixels.
pub(super) fn heat_maps(pca: &PcaResults) -> Figure {
    let names = &pca.data.classes;
    let pairs = &pca.separability.pairs;
    let (title, gap) = (15.0, 15.0);
    let width = (TEXT_WIDTH - gap) / 2.0;
    let left = Triangle::new(0.5, title, width, 1.0, names);
    let right = Triangle::new(width + gap, title, width, 1.0, names);
    let legend = left.legend(LEGEND.0, LEGEND.1);
    let mut canvas = Canvas::new(TEXT_WIDTH, left.frame.bottom().max(legend.bottom()) + 1.0);
    canvas.text((0.5, 6.0), "Two components: best line", Style::new(9).bold().start());
    let heading = format!("All {} pixels: best hyperplane", pca.outcome.features);
    canvas.text((right.frame.x, 6.0), &heading, Style::new(9).bold().start());
    in_the_plane(&mut canvas, &left, pairs);
    in_all_pixels(&mut canvas, &right, pairs);
    Figure::new("separability", canvas.finish(), alt(pca))
}

fn in_the_plane(canvas: &mut Canvas, grid: &Triangle, pairs: &[PairSeparability]) {
    let worst = pairs.iter().map(|pair| pair.plane_accuracy).fold(1.0, f64::min);
    // From the ten per cent below the worst pair, so that the colours differ where the pairs do.
    let low = ((worst * 10.0).floor() / 10.0).min(0.9);
    let shade = |accuracy: f64| colour::viridis((accuracy - low) / (1.0 - low));
    grid.labels(canvas);
    for pair in pairs {
        let cell = grid.cell(usize::from(pair.a), usize::from(pair.b));
        number_cell(canvas, cell, shade(pair.plane_accuracy), &share_number(pair.plane_accuracy));
    }
    let separable: Vec<&PairSeparability> = pairs.iter().filter(|pair| pair.separable_in_plane).collect();
    for pair in &separable {
        canvas.outline(grid.cell(usize::from(pair.a), usize::from(pair.b)).inset(0.9), INK, 1.6);
    }
    let legend = grid.legend(LEGEND.0, LEGEND.1);
    let (x, y) = (legend.x, legend.y + 4.0);
    note(canvas, (x, y), &["training images on the right", "side of the line, in per cent"]);
    let bar = Frame { x: x + 4.0, y: y + 17.0, width: BAR.0, height: BAR.1 };
    let labels = [0.0, 0.5, 1.0].map(|t| (t, format!("{:.0}", (low + (1.0 - low) * t) * 100.0)));
    canvas.colour_bar(bar, colour::viridis, &labels);
    let below = (x, bar.bottom() + 22.0);
    if separable.is_empty() {
        note(canvas, below, &["no pair is separable:", "all convex hulls meet"]);
    } else {
        note(canvas, below, &["outlined: separable,", "the convex hulls are disjoint"]);
    }
}

fn in_all_pixels(canvas: &mut Canvas, grid: &Triangle, pairs: &[PairSeparability]) {
    let errors = pairs.iter().filter(|pair| !pair.separable_in_full_space).map(|pair| pair.full_space_errors);
    let most = errors.max().unwrap_or(0);
    let shade = |errors: usize| colour::amber(errors as f64 / most.max(1) as f64);
    grid.labels(canvas);
    for pair in pairs {
        let cell = grid.cell(usize::from(pair.a), usize::from(pair.b));
        if pair.separable_in_full_space {
            canvas.fill(cell.inset(0.4), SEPARATED);
            check_mark(canvas, cell.centre(), CHECK);
        } else {
            number_cell(canvas, cell, shade(pair.full_space_errors), &pair.full_space_errors.to_string());
        }
    }
    let legend = grid.legend(LEGEND.0, LEGEND.1);
    let (x, y) = (legend.x, legend.y + 6.0);
    canvas.fill(Frame { x, y: y - 5.0, width: 10.0, height: 10.0 }, SEPARATED);
    check_mark(canvas, (x + 5.0, y), CHECK);
    note(canvas, (x + 14.0, y), &["separated: a hyperplane", "without an error was found"]);
    if most > 0 {
        note(canvas, (x, y + 23.0), &["else the fewest training errors"]);
        let bar = Frame { x: x + 4.0, y: y + 30.0, width: BAR.0, height: BAR.1 };
        let labels = [(0.0, "0".to_owned()), (1.0, thousands(most))];
        canvas.colour_bar(bar, colour::amber, &labels);
    }
}

fn alt(pca: &PcaResults) -> String {
    let names = &pca.data.classes;
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
         pixels: a hyperplane without a training error was found for {} pairs.{rest}",
        pairs.len(),
        pca.data.title,
        pca.outcome.features,
        pairs.len() - inseparable.len(),
    )
}
