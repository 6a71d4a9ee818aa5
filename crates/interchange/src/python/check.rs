//! The script `check.py`, which counts the test images that a network classifies rightly in another library.

use inkling_schema::ModelCard;

use super::description::{Framework, TestedHead, tested_heads};
use super::text::literal;
use crate::File;

/// Reads test images and counts.
pub(crate) const READING: &str = include_str!("templates/reading.py");
/// The rest of the script.
const CHECK: &str = include_str!("templates/check.py");

/// The sets whose files the script reads as they are published, by the names of their folders.
const PUBLISHED: [&str; 2] = ["mnist", "fashion-mnist"];

/// Whether the test images of this set are files that anyone can have.
pub(crate) fn is_published(set: &str) -> bool {
    PUBLISHED.contains(&set)
}

/// The script, where the card says how the network does on the test images.
pub(crate) fn check(
    card: Option<&ModelCard>,
    input: [usize; 3],
    framework: &Framework,
    (imports, scores): (&str, &str),
) -> Option<File> {
    let card = card?;
    let heads = tested_heads(card);
    let images = heads.first()?.images;
    let set = &card.data.name;
    let (option, name, help) = match is_published(set) {
        true => {
            ("--data", "DIR", format!("a folder with a folder {set}, which holds the four files of the set"))
        }
        false => (
            "--npz",
            "FILE.npz",
            "a file with x_test and y_test, as `inkling data import SOURCE --out FILE.npz` writes it".into(),
        ),
    };
    let images_of = match is_published(set) {
        true => "read_set(Path(given.data) / SET, \"t10k\")",
        false => "read_npz(given.npz)",
    };
    let groups = heads.iter().filter_map(|TestedHead { head, groups, .. }| {
        let groups: Vec<String> = groups.as_ref()?.iter().map(u8::to_string).collect();
        Some(format!("{}: [{}]", literal(&head.name), groups.join(", ")))
    });
    let correct = heads.iter().map(|head| format!("{}: {}", literal(&head.head.name), head.correct));
    let braces = |members: Vec<String>| format!("{{{}}}", members.join(", "));
    let [height, width, channels] = input;
    let text = CHECK
        .replace("@FRAMEWORK@", framework.name)
        .replace("@FUNCTION@", &format!("scores_in_{}", framework.name.to_lowercase()))
        .replace("@IMPORTS@", imports.trim_end())
        .replace("@READING@", READING.trim_end())
        .replace("@SCORES@", scores.trim_end())
        .replace("@OPTION@", option)
        .replace("@METAVAR@", name)
        .replace("@READ@", images_of)
        .replace("@SHAPE@", &format!("({height}, {width}, {channels})"))
        .replace("@IMAGES@", &images.to_string())
        // Last, so that no name is taken for a place to fill in.
        .replace("@HELP@", &help)
        .replace("@GROUPS@", &braces(groups.collect()))
        .replace("@CORRECT@", &braces(correct.collect()))
        .replace("@SET@", &literal(set));
    Some(File::new("check.py", text))
}
