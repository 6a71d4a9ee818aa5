//! Names that a person gives: what one may hold, and when two are too much alike to be told apart.

use unicode_normalization::UnicodeNormalization;

/// Characters of a name: it has to fit a legend and a table's first column.
const NAME: usize = 60;
/// Characters of a sentence, such as what a network is there to show.
const SENTENCE: usize = 300;

/// What is wrong with a name, and what to do.
pub(crate) type Complaint = (String, String);

/// Refuses what is no name: nothing at all, characters that cannot be seen or that turn the text around, and more than 60
/// characters. `what` says whose name it is, such as "a network".
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Complaint> {
    if key(name).is_empty() {
        return Err((format!("{what} has no name"), "give it one that can be seen".into()));
    }
    check(name, NAME)
}

/// Refuses a sentence with characters that cannot be seen or that turn the text around, or with more than 300 characters.
pub(crate) fn check_sentence(text: &str) -> Result<(), Complaint> {
    check(text, SENTENCE)
}

fn check(text: &str, most: usize) -> Result<(), Complaint> {
    if let Some(character) = text.chars().find(|&character| is_hidden(character)) {
        let message = match character {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => "it holds a line break".to_owned(),
            '\t' => "it holds a tab".into(),
            _ => format!("it holds the character U+{:04X}, which cannot be seen", u32::from(character)),
        };
        return Err((message, "expected letters, digits, spaces and punctuation in one line".into()));
    }
    let length = text.chars().count();
    if length > most {
        return Err((
            format!("it has {length} characters, which is too long"),
            format!("expected at most {most} characters"),
        ));
    }
    Ok(())
}

/// Control characters, line breaks, marks that change the direction of the text, and what is no character.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFC}' | '\u{E0000}'..='\u{E0FFF}')
        || u32::from(character) & 0xFFFE == 0xFFFE
        || matches!(character, '\u{FDD0}'..='\u{FDEF}')
}

/// Whether two names look alike: they differ in nothing but spaces, case, and ways to write the same letter.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

/// The name as it is compared.
fn key(name: &str) -> String {
    // Joiners shape letters and are none themselves.
    let visible = name.chars().filter(|character| !matches!(character, '\u{200C}' | '\u{200D}'));
    let folded: String = visible.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first name that is none, or that looks like one before it: its number, what is wrong, and what to do. `what` says whose
/// names they are, in the singular and with its article.
pub(crate) fn check_names<'a>(
    what: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), (usize, String, String)> {
    let mut seen: Vec<&str> = Vec::new();
    for (number, name) in names.enumerate() {
        check_name(what, name).map_err(|(message, help)| (number, message, help))?;
        let noun = what.split_once(' ').map_or(what, |(_, noun)| noun);
        if let Some(other) = seen.iter().find(|other| alike(other, name)) {
            let message = match *other == name {
                true => format!("two {noun}s are called `{name}`"),
                false => format!("two {noun}s are called nearly alike, `{other}` and `{name}`"),
            };
            return Err((number, message, format!("tables and figures identify {noun}s by their names")));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_script_are_names() {
        for name in [
            "2 hidden",
            "Zoë Ångström",
            "王小明",
            "محمد",
            "नेहा",
            "नेहा\u{200D}",
            "λ = 0.5",
            "$1 & <b>",
            "👩\u{200D}🔬",
        ] {
            assert_eq!(check_name("a network", name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_name() {
        for (name, words) in [
            ("", "a network has no name"),
            (" \u{a0}\u{200D}", "a network has no name"),
            ("a\nb", "a line break"),
            ("a\tb", "a tab"),
            ("a\u{7}", "U+0007"),
            ("a\u{85}", "U+0085"),
            ("\u{202E}ab", "U+202E"),
            ("a\u{200B}", "U+200B"),
            ("a\u{FFFF}", "U+FFFF"),
            (&"a".repeat(61), "61 characters"),
        ] {
            let (message, help) = check_name("a network", name).unwrap_err();
            assert!(message.contains(words) && !help.is_empty(), "{name:?}: {message}");
        }
        assert!(check_sentence("").is_ok() && check_sentence("a\u{2028}b").is_err());
        assert!(check_sentence(&"a".repeat(300)).is_ok() && check_sentence(&"a".repeat(301)).is_err());
    }

    #[test]
    fn names_that_look_alike_are_alike() {
        for (one, other) in [
            ("2 conv", "2 conv "),
            ("2 conv", "2  CONV"),
            ("Zoë", "Zoe\u{308}"),
            ("２ conv", "2\u{a0}conv"),
            ("ﬁrst", "first"),
        ] {
            assert!(alike(one, other), "{one} and {other}");
        }
        assert!(!alike("2 conv", "2conv") && !alike("Zoë", "Zoe"));
        let (number, message, _) = check_names("a group", ["a", "b", "A "].into_iter()).unwrap_err();
        assert_eq!((number, message.as_str()), (2, "two groups are called nearly alike, `a` and `A `"));
    }
}
