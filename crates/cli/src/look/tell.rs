//! What a look found, in lines for a person at a terminal of 80 columns.

use inkling_schema::format::percent;
use inkling_schema::outcome::{ActivationsOutcome, DreamFound, DreamOutcome, FiltersOutcome, LookedAt, Seen};
use inkling_schema::{DreamRun, Objective, Start};

use crate::output;

/// Images that the table of layers has columns for.
const COLUMNS: usize = 3;
/// Channels that are named as differing most.
const DIFFERING: usize = 5;

/// A class by its number and, where it says more, its name.
pub(crate) fn class(class: usize, names: &[impl AsRef<str>]) -> String {
    match names.get(class).map(AsRef::as_ref) {
        Some(name) if name != class.to_string() => format!("{class} {name}"),
        _ => class.to_string(),
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(String::from).into()
}

pub(crate) fn filters(found: &FiltersOutcome) {
    let mut rows = vec![row(["layer", "filters", "slices", "edges", "blobs", "near zero", "others"])];
    for layer in &found.layers {
        let [height, width] = layer.kernel;
        let (filters, channels, kinds, chance) =
            (layer.filters, layer.channels, layer.kinds, layer.by_chance);
        let numbers = [kinds.edges, kinds.blobs, kinds.near_zero, kinds.others].map(|n| format!("{n:.0}"));
        let mut cells = vec![layer.name.clone(), format!("{filters} of {height}×{width}×{channels}")];
        cells.push((filters * channels).to_string());
        cells.extend(numbers);
        rows.push(cells);
        let by_chance =
            [chance.edges, chance.blobs, chance.near_zero, chance.others].map(|n| format!("{n:.0}"));
        rows.push([row(["", "by chance", ""]), by_chance.into()].concat());
    }
    output::table(&rows, 2);
    output::line("\nA slice is the part of a filter that acts on one channel. By chance: how many");
    output::line("of each kind there would be if the weights were random.");
}

pub(crate) fn activations(found: &ActivationsOutcome, names: &[String]) {
    let mut rows = vec![row(["image", "what", "class", "predicted as", "probability"])];
    for (number, image) in found.images.iter().enumerate() {
        let LookedAt { name, predicted, probability, .. } = image;
        rows.push(vec![
            (number + 1).to_string(),
            name.clone(),
            image.class.map_or("unknown".into(), |own| class(own, names)),
            class(*predicted, names),
            percent(*probability, 2),
        ]);
    }
    output::table(&rows, 4);
    output::line("Probability: of its class, or of the predicted class if its own is unknown.");
    notes(&found.notes);
    if found.overflow {
        output::line(
            "Some numbers were too large for 32-bit arithmetic and are replaced by the largest that it holds.",
        );
    }
    output::line("");

    let (images, over_tests) = (found.images.len(), found.test_images > 0);
    let mut header = row(["layer", "output"]);
    header.extend(over_tests.then(|| row(["dead", "zeros"])).into_iter().flatten());
    if images <= COLUMNS {
        header.extend((1..=images).map(|number| format!("in image {number}")));
    }
    let differ = images == 2;
    header.extend(differ.then(|| "differ most".to_owned()));
    let mut rows = vec![header];
    for layer in &found.layers {
        let [height, width, channels] = layer.shape;
        let mut cells = vec![layer.name.clone(), format!("{height}×{width}×{channels}")];
        if let (Some(dead), Some(zeros)) = (layer.dead, layer.zeros) {
            cells.extend([format!("{dead} of {channels}"), percent(zeros, 1)]);
        }
        if images <= COLUMNS {
            cells.extend(layer.zeros_of.iter().map(|&share| percent(share, 1)));
        }
        if differ {
            let most: Vec<String> = layer.differing.iter().take(DIFFERING).map(ToString::to_string).collect();
            cells.push(most.join(" "));
        }
        rows.push(cells);
    }
    output::table(&rows, 2);
    if over_tests {
        let tests = found.test_images;
        output::line(&format!("Dead: channels that are zero everywhere in each of the {tests} test images."));
        output::line("Zeros: share of the output that is zero, in these and in each image above.");
    }
    if differ {
        output::line("Differ most: the channels whose outputs for the two images are farthest apart.");
    }
}

pub(crate) fn dream(run: &DreamRun, found: &DreamOutcome, names: &[String]) {
    let start = match &run.pictures[0].start {
        Start::Grey { .. } => "grey".to_owned(),
        Start::Noise { .. } => "noise".to_owned(),
        Start::Image { image } => match image {
            inkling_schema::ImageChoice::File { name, inverted: true, .. } => format!("`{name}`, inverted"),
            inkling_schema::ImageChoice::File { name, .. } => format!("`{name}`"),
            inkling_schema::ImageChoice::Index { index } => format!("test image {index}"),
            inkling_schema::ImageChoice::Typical { class } => format!("the typical {class}"),
        },
    };
    let (what, of_class) = match &run.pictures[0].objective {
        Objective::ClassLogit { head, class: asked } => {
            (format!("the logit of class {} (head `{head}`)", class(*asked, names)), true)
        }
        Objective::ClassProbability { head, class: asked } => {
            (format!("the probability of class {} (head `{head}`)", class(*asked, names)), true)
        }
        Objective::Neuron { layer, position } => (format!("`{layer}` at {position:?}"), false),
        Objective::Channel { layer, channel } => {
            (format!("the mean of channel {channel} of `{layer}`"), false)
        }
        Objective::LayerMeanSquare { layer } => (format!("the mean square of `{layer}`"), false),
    };
    output::line(&format!("{} steps from {start}, raising {what}:\n", run.ascent.steps));
    // Of a start that the network answers with no finite number, none can be told.
    let never = |picture: &DreamFound| picture.diverged == Some(0);
    let way = |before: f64, after: f64| {
        let digits = digits_apart(before, after);
        format!("{before:.digits$} → {after:.digits$}")
    };
    let mut rows = vec![row(["picture", if of_class { "logit" } else { "objective" }])];
    rows[0].extend(of_class.then(|| "probability".to_owned()));
    rows[0].push("predicted as".into());
    for (number, picture) in found.pictures.iter().enumerate() {
        let (before, after) = (picture.before, picture.after);
        let raised = |seen: Seen| seen.logit.unwrap_or(seen.objective);
        let unknown = || "not finite".to_owned();
        let told = if never(picture) { unknown() } else { way(raised(before), raised(after)) };
        let mut cells = vec![(number + 1).to_string(), told];
        if let (Some(before), Some(after)) = (before.probability, after.probability) {
            let told = format!("{} → {}", percent(before, 2), percent(after, 2));
            cells.push(if never(picture) { unknown() } else { told });
        }
        cells.push(match picture.diverged {
            Some(0) => unknown(),
            Some(step) => format!("{}, diverged at step {step}", class(after.predicted, names)),
            None => class(after.predicted, names),
        });
        rows.push(cells);
    }
    output::table(&rows, 0);
    if found.pictures.iter().any(never) {
        output::line("Not finite: the output for the start is too large for 32-bit arithmetic.");
    }
    notes(&found.notes);
}

/// What is to be known of the pictures that were looked at.
fn notes(notes: &[String]) {
    notes.iter().for_each(|note| output::line(&format!("Note: {note}.")));
}

/// Digits after the point that tell two numbers apart: two, or more where both would read alike.
fn digits_apart(before: f64, after: f64) -> usize {
    const MOST: usize = 9;
    let alike = |&digits: &usize| format!("{before:.digits$}") == format!("{after:.digits$}");
    if before == after { 2 } else { (2..MOST).find(|digits| !alike(digits)).unwrap_or(MOST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_differ_never_read_alike() {
        assert_eq!(digits_apart(0.5, 12.25), 2);
        assert_eq!(digits_apart(0.0, 0.0), 2);
        assert_eq!(digits_apart(0.0001, 0.0004), 4);
        assert_eq!(digits_apart(0.0, 1e-300), 9);
        assert_eq!(digits_apart(f64::NAN, 1.0), 2);
    }
}
