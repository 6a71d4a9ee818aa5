//! Images of a person's own: described, or prepared and kept.

use indicatif::{ProgressBar, ProgressStyle};
use inkling_data::import::{Description, Duplicates, Imported, describe, import, write_npz};
use inkling_schema::format::{fixed, percent, thousands};
use inkling_store::atomic;

use crate::args::SourceArgs;
use crate::failure::Failure;
use crate::{message, output, replace};

/// `inkling data describe`.
pub(super) fn tell(args: &SourceArgs, as_json: bool) -> Result<(), Failure> {
    let set = read(args)?;
    let found = describe(&set);
    if as_json {
        output::line(&serde_json::to_string_pretty(&found).expect("plain data"));
        return Ok(());
    }
    output::line(&headline(&set));
    output::line("");
    output::table(&counts(&found), 1);
    output::line("");
    for line in sentences(&found) {
        output::line(&line);
    }
    Ok(())
}

/// `inkling data import`.
pub(super) fn keep(args: &SourceArgs, out: &std::path::Path) -> Result<(), Failure> {
    replace::check(out, "an archive", |start| start.starts_with(b"PK\x03\x04"))?;
    let set = read(args)?;
    atomic::write(out, &write_npz(&set))?;
    output::line(&headline(&set));
    output::line(&format!("Kept in {}", out.display()));
    Ok(())
}

/// Reads a source, with a bar where it takes a while, and says what a person should know.
fn read(args: &SourceArgs) -> Result<Imported, Failure> {
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("reading {bar:30} {pos}/{len} images  {eta} left");
    bar.set_style(style.expect("the template is fixed"));
    let set = import(&args.source, &args.request(), &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let set = set?;
    for note in &set.notes {
        message::say(&format!("note: {note}"));
    }
    Ok(set)
}

fn headline(set: &Imported) -> String {
    let images = &set.train.images;
    let validation = set.validation.as_ref().map_or_else(String::new, |validation| {
        format!(" ({} for validation are left aside)", thousands(validation.len()))
    });
    format!(
        "{}: {} classes, {} training and {} test images of {} × {}, {}{}{validation}",
        set.name,
        set.classes.len(),
        thousands(set.train.len()),
        thousands(set.test.len()),
        images.height,
        images.width,
        if images.channels == 1 { "grey" } else { "in colour" },
        if set.drawn { ", the test images drawn from the others" } else { "" },
    )
}

/// A line for each class.
fn counts(found: &Description) -> Vec<Vec<String>> {
    let mut columns = vec![("training", &found.train)];
    columns.extend(found.validation.as_ref().map(|validation| ("validation", validation)));
    columns.push(("test", &found.test));
    let header =
        std::iter::once("class".to_owned()).chain(columns.iter().map(|(name, _)| (*name).to_owned()));
    let mut rows = vec![header.collect::<Vec<String>>()];
    for (class, name) in found.classes.iter().enumerate() {
        let cells = columns.iter().map(|(_, counts)| thousands(counts[class]));
        rows.push(std::iter::once(name.clone()).chain(cells).collect());
    }
    rows
}

fn sentences(found: &Description) -> Vec<String> {
    let channels =
        |values: &[f64]| values.iter().map(|&value| fixed(value, 3)).collect::<Vec<_>>().join(", ");
    let mut lines = vec![
        format!(
            "Always naming the commonest class would be correct for {} of the test images.",
            percent(found.majority, 1)
        ),
        format!(
            "Pixels, from 0 to 1: mean {}, standard deviation {}{}.",
            channels(&found.mean),
            channels(&found.deviation),
            if found.mean.len() > 1 { " (red, green, blue)" } else { "" }
        ),
    ];
    lines.extend(twice(&found.duplicates));
    lines
}

/// What is there more than once.
fn twice(found: &Duplicates) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |count: usize, one: &str, many: &str| match count {
        0 => {}
        1 => lines.push(format!("One {one}.")),
        count => lines.push(format!("{} {many}.", thousands(count))),
    };
    say(found.within_train, "training image equals an earlier one", "training images equal an earlier one");
    say(found.within_test, "test image equals another test image", "test images equal another test image");
    say(
        found.across,
        "test image equals a training image: learned by heart, it counts as understood",
        "test images equal a training image: learned by heart, they count as understood",
    );
    say(found.contradictory, "image equals one of another class", "images equal one of another class");
    say(
        found.near_within_train,
        "training image is all but equal to another",
        "training images are all but equal to another",
    );
    say(
        found.near_across,
        "test image is all but equal to a training image",
        "test images are all but equal to a training image",
    );
    if lines.is_empty() {
        lines.push("No two images were found to be equal, or all but equal.".into());
    }
    let examples =
        found.examples.iter().map(|[test, train]| format!("  {} and {}", test.display(), train.display()));
    lines.extend(examples);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_one_and_many_are_told_in_whole_sentences() {
        let told = |duplicates: Duplicates| twice(&duplicates).join(" ");
        assert_eq!(told(Duplicates::default()), "No two images were found to be equal, or all but equal.");
        let one = Duplicates { across: 1, near_within_train: 2, ..Duplicates::default() };
        assert_eq!(
            told(one),
            "One test image equals a training image: learned by heart, it counts as understood. 2 training images are all \
             but equal to another."
        );
    }
}
