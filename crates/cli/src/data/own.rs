//! Images of a person's own: described, or prepared and kept.

use std::fs;
use std::path::Path;

use inkling_data::import::{Description, Duplicates, Imported, describe, write_npz};
use inkling_report::{ClassImages, Figure, contact_sheet, rasterise};
use inkling_schema::format::{fixed, percent, thousands};
use inkling_store::atomic;

use crate::args::SourceArgs;
use crate::failure::{Failure, UsageError};
use crate::{message, output, own, replace};

/// `inkling data describe`.
pub(super) fn tell(args: &SourceArgs, out: Option<&Path>, as_json: bool) -> Result<(), Failure> {
    let set = read(args)?;
    let found = describe(&set);
    if let Some(out) = out {
        show(&set, &found, out)?;
    }
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
    if let Some(out) = out {
        output::line(&format!("\nContact sheet and page in {}", out.display()));
    }
    Ok(())
}

/// Writes a contact sheet, and a page that shows it with the numbers.
fn show(set: &Imported, found: &Description, out: &Path) -> Result<(), Failure> {
    /// Images of a class.
    const SHOWN: usize = 10;
    let of_class = |(class, name): (usize, &String)| {
        let samples = &set.train;
        let places =
            (0..samples.len()).filter(|&place| usize::from(samples.labels[place]) == class).take(SHOWN);
        let images = places.map(|place| samples.images.image(place).to_vec()).collect();
        let told = format!("{name}: {} training images", thousands(found.train[class]));
        ClassImages { name: name.clone(), told, images }
    };
    let classes: Vec<ClassImages> = set.classes.iter().enumerate().map(of_class).collect();
    let figures = contact_sheet(&set.name, &classes, found.shape);
    fs::create_dir_all(out).map_err(|source| UsageError::OutFolder { path: out.to_owned(), source })?;
    let write = |name: String, bytes: &[u8]| atomic::write(&out.join(name), bytes);
    for (figure, png) in figures.iter().zip(rasterise(&figures)) {
        write(format!("{}.svg", figure.file()), figure.svg.as_bytes())?;
        write(format!("{}.png", figure.file()), &png?)?;
    }
    write("data.html".into(), page(set, found, &figures).as_bytes())?;
    Ok(())
}

/// A page of its own, without a script: numbers, and the contact sheet as it is drawn.
fn page(set: &Imported, found: &Description, figures: &[Figure]) -> String {
    let text = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let row = |cells: &Vec<String>, kind: &str| {
        let cells: String = cells.iter().map(|cell| format!("<{kind}>{}</{kind}>", text(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows = counts(found);
    let (head, body) = rows.split_first().expect("a line of names");
    let body: String = body.iter().map(|cells| row(cells, "td")).collect();
    let said: String = sentences(found).iter().map(|line| format!("<p>{}</p>\n", text(line))).collect();
    let shown: String = figures
        .iter()
        .map(|figure| {
            format!("<figure role=\"img\" aria-label=\"{}\">{}</figure>\n", text(&figure.alt), figure.svg)
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n\
         body {{ font-family: Arial, 'Liberation Sans', Helvetica, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }}\n\
         table {{ border-collapse: collapse; }} th, td {{ padding: 0.2rem 0.8rem; text-align: right; }}\n\
         th:first-child, td:first-child {{ text-align: left; }} svg {{ max-width: 100%; height: auto; }} figure {{ margin: 1rem 0; }}\n\
         </style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{headline}</p>\n<table>\n{head}{body}</table>\n{said}{shown}</body>\n</html>\n",
        title = text(&set.name),
        headline = text(&headline(set)),
        head = row(head, "th"),
    )
}

/// `inkling data import`.
pub(super) fn keep(args: &SourceArgs, out: &Path) -> Result<(), Failure> {
    replace::check(out, "an archive", |start| start.starts_with(b"PK\x03\x04"))?;
    let set = read(args)?;
    let headline = headline(&set);
    atomic::write(out, &write_npz(&set.into()))?;
    output::line(&headline);
    output::line(&format!("Kept in {}", out.display()));
    Ok(())
}

/// Reads a source, and says what a person should know.
fn read(args: &SourceArgs) -> Result<Imported, Failure> {
    let set = own::import(&args.source, &args.request())?;
    for note in &set.notes {
        message::say(&format!("note: {note}"));
    }
    Ok(set)
}

fn headline(set: &Imported) -> String {
    let images = &set.train.images;
    format!(
        "{}: {} classes, {} training and {} test images of {} × {}, {}{}",
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
