//! What a study writes into its report: whether it can be printed, and whether it is too long, both better asked before hours
//! of training.

use inkling_report::WORDS;
use inkling_schema::Study;

use crate::failure::UsageError;
use crate::message;

/// # Errors
/// [`UsageError::Unprintable`] naming the first text with characters that no font has.
pub(crate) fn check_printable(study: &Study) -> Result<(), UsageError> {
    for (what, text) in texts(study) {
        if let Some(characters) = inkling_report::unprintable(text) {
            let characters = characters.into_iter().map(described).collect::<Vec<_>>().join(", ");
            let text = text.chars().flat_map(shown).collect();
            return Err(UsageError::Unprintable { what, text, characters });
        }
    }
    Ok(())
}

/// Says so where the study itself brings more words into the main part of its report than may be handed in. What the report
/// says of them comes on top, and is counted when it is written.
pub(crate) fn warn_of_length(study: &Study) {
    let words = own_words(study);
    if words > WORDS {
        message::warning(&format!(
            "the names and purposes of networks and groups in this study have {words} words, and the main part of a report \
             may have at most {WORDS} to be handed in: `inkling bundle` will refuse it"
        ));
    }
}

/// Words that the study writes into the main part of the report: names and purposes, but not who did what.
fn own_words(study: &Study) -> usize {
    let is_counted = |what: &str| !["the author", "the contribution"].contains(&what);
    let texts = texts(study).into_iter().filter(|(what, _)| is_counted(what));
    texts.map(|(_, text)| text.split_whitespace().count()).sum()
}

/// Every text of a study that the report prints, with what it is.
fn texts(study: &Study) -> Vec<(&'static str, &str)> {
    let mut texts = Vec::new();
    for author in study.report.iter().flat_map(|report| &report.authors) {
        texts.push(("the author", author.name.as_str()));
        texts.extend(
            author.contribution.iter().map(|contribution| ("the contribution", contribution.as_str())),
        );
    }
    let mlps = study.mlp.iter().flat_map(|task| &task.networks).map(|network| (&network.name, &network.why));
    let cnns = study.cnn.iter().flat_map(|task| &task.networks).map(|network| (&network.name, &network.why));
    for (name, why) in mlps.chain(cnns) {
        texts.extend([("the network", name.as_str()), ("the purpose of a network,", why.as_str())]);
    }
    let groups = study.multitask.iter().flat_map(|task| &task.groups);
    texts.extend(groups.map(|group| ("the group", group.name.as_str())));
    texts
}

/// A character with its number, by which it can be looked for where it cannot be seen.
fn described(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    if c.is_control() { number } else { format!("{c} ({number})") }
}

/// A character as a terminal takes it.
fn shown(c: char) -> Vec<char> {
    if c.is_control() { c.escape_unicode().collect() } else { vec![c] }
}

#[cfg(test)]
mod tests {
    use inkling_schema::{Author, ReportSpec, preset};

    use super::*;

    fn message(change: impl Fn(&mut Study)) -> String {
        let mut study = preset("smoke").unwrap();
        change(&mut study);
        check_printable(&study).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn each_name_is_looked_at_and_characters_without_a_font_are_named() {
        // A code point for private use, which no font of letters has.
        let strange = "X\u{f1234}";
        let author = |name: &str, contribution: &str| {
            let contribution = (!contribution.is_empty()).then(|| contribution.to_owned());
            ReportSpec { group: Some(7), authors: vec![Author { name: name.into(), contribution }] }
        };
        assert_eq!(message(|study| study.report = Some(author("Zoë Łukasz", "✓ all of it"))), "fine");
        let found = [
            message(|study| study.report = Some(author(strange, ""))),
            message(|study| study.report = Some(author("Ada", strange))),
            message(|study| study.mlp.as_mut().unwrap().networks[1].name = strange.into()),
            message(|study| study.cnn.as_mut().unwrap().networks[0].why = strange.into()),
            message(|study| study.multitask.as_mut().unwrap().groups[0].name = strange.into()),
        ];
        for (found, what) in found.iter().zip(["author", "contribution", "network", "purpose", "group"]) {
            assert!(found.contains(what) && found.contains("U+F1234"), "{found}");
        }
        let bell = message(|study| study.report = Some(author("A\u{7}", "")));
        assert!(bell.contains("`A\\u{7}`") && bell.contains("U+0007") && !bell.contains('\u{7}'), "{bell}");
    }

    #[test]
    fn the_words_that_a_study_brings_are_counted_before_training() {
        let mut study = preset("smoke").unwrap();
        let before = own_words(&study);
        assert!((1..WORDS).contains(&before), "{before}");
        let networks = &mut study.mlp.as_mut().unwrap().networks;
        networks[0].why = "three more words".into();
        networks[1].name = "two words".into();
        let author = Author { name: "Ada".into(), contribution: Some("a great deal of it".into()) };
        study.report = Some(ReportSpec { group: None, authors: vec![author] });
        let after = own_words(&study);
        let old = preset("smoke").unwrap().mlp.unwrap().networks;
        let count = |text: &str| text.split(' ').count();
        assert_eq!(after + count(&old[0].why) + count(&old[1].name), before + 3 + 2);
    }
}
