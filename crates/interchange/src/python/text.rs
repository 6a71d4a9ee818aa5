//! Python's words for names and numbers.

/// A string in quotes.
pub(crate) fn literal(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            hidden if hidden.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(hidden))),
            shown => quoted.push(shown),
        }
    }
    quoted + "\""
}

/// Text within a docstring, which it cannot end.
pub(crate) fn in_docstring(text: &str) -> String {
    let visible: String =
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    visible.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A number that Python reads as the same one.
pub(crate) fn number(value: f64) -> String {
    format!("{value:?}")
}

/// Height and width: one number where they are the same.
pub(crate) fn sides([height, width]: [usize; 2]) -> String {
    if height == width { height.to_string() } else { format!("({height}, {width})") }
}

/// A call with its arguments; those that are empty are left out.
pub(crate) fn call<const N: usize>(function: &str, arguments: [String; N]) -> String {
    let given: Vec<String> = arguments.into_iter().filter(|argument| !argument.is_empty()).collect();
    format!("{function}({})", given.join(", "))
}

/// An argument by its name; nothing where it has the value that the function takes by itself.
pub(crate) fn argument<T: PartialEq>(
    name: &str,
    value: T,
    usual: T,
    shown: impl FnOnce(T) -> String,
) -> String {
    if value == usual { String::new() } else { format!("{name}={}", shown(value)) }
}

/// Heads by names that can be part of an identifier: their own where these are words of plain letters, else their numbers.
pub(crate) fn head_words<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Option<String>> {
    let lower: Vec<String> = names.map(str::to_ascii_lowercase).collect();
    let is_word = |name: &String| {
        let is_plain = !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_lowercase());
        is_plain && name != "trunk" && lower.iter().filter(|other| *other == name).count() == 1
    };
    lower.iter().map(|name| is_word(name).then(|| name.clone())).collect()
}

/// Words in lines of up to `width` characters, of which all but the first are indented.
pub(crate) fn wrapped(words: &str, width: usize, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let line = lines.last_mut().expect("one line at least");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("{indent}{word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_the_text_that_they_stand_in() {
        assert_eq!(literal("a \"b\" \\ c\nd"), r#""a \"b\" \\ c\u000ad""#);
        assert_eq!(in_docstring("\"\"\"\nimport os\\"), r#"\"\"\" import os\\"#);
    }

    #[test]
    fn numbers_are_those_of_python() {
        assert_eq!([1e-5, 0.1, 1.0, 1e20].map(number), ["1e-5", "0.1", "1.0", "1e20"]);
        assert_eq!((sides([3, 3]), sides([3, 5])), ("3".into(), "(3, 5)".into()));
    }

    #[test]
    fn heads_keep_names_that_are_words() {
        let words = |names: &[&str]| head_words(names.iter().copied());
        assert_eq!(words(&["item", "Group"]), [Some("item".into()), Some("group".into())]);
        assert_eq!(words(&["a b", "Trunk", "x", "X", "größe"]), [None, None, None, None, None]);
    }

    #[test]
    fn long_lists_are_wrapped() {
        assert_eq!(wrapped("one two three four", 9, "  "), "one two\n  three\n  four");
    }
}
