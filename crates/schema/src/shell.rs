//! Words as a shell takes them, and text as a terminal may show it.
//!
//! Every command that the program prints for a person to give, and every text that may come from a file, goes through
//! here, so that a command works when it is copied and a name cannot move the cursor or turn the reading direction.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

/// A word as a shell takes it: as it is where that is safe, else in quotes; with control characters, invisible
/// characters that turn the reading direction, or bytes that are not UTF-8, in the form `$'…'`, which bash, zsh and ksh
/// know. It is always one line.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let bytes = word.as_ref().as_encoded_bytes();
    match str::from_utf8(bytes) {
        Ok(text) if text.chars().any(hidden) => escaped(bytes),
        Ok(text) if is_plain(text) => text.to_owned(),
        Ok(text) => format!("'{}'", text.replace('\'', r"'\''")),
        Err(_) => escaped(bytes),
    }
}

/// A path as a shell takes it, where no program mistakes it for an option: `-x` as `./-x`.
pub fn quoted_path(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    if path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        quoted(Path::new(".").join(path))
    } else {
        quoted(path)
    }
}

/// A text with every control character but the line feed, and every invisible character that turns the reading direction,
/// written out (`\u{1b}`).
pub fn printable(text: &str) -> Cow<'_, str> {
    let unsafe_to_print = |c: char| c != '\n' && hidden(c);
    if !text.contains(unsafe_to_print) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if unsafe_to_print(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Control characters, separators of lines, and what turns the reading direction.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether no shell sees anything special in a word. A leading `=` is special to zsh, and `~` to all.
fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    !word.is_empty() && !word.starts_with('=') && word.chars().all(plain)
}

/// A word as `$'…'`.
fn escaped(bytes: &[u8]) -> String {
    let mut word = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => word.push_str("\\n"),
                '\r' => word.push_str("\\r"),
                '\t' => word.push_str("\\t"),
                '\\' | '\'' => word.extend(['\\', c]),
                c if hidden(c) => push_bytes(&mut word, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => word.push(c),
            }
        }
        push_bytes(&mut word, chunk.invalid());
    }
    word.push('\'');
    word
}

fn push_bytes(word: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(word, "\\x{byte:02x}").expect("a string takes every write");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        for (word, shown) in [
            ("out", "out"),
            ("été/墨-2_b.toml", "été/墨-2_b.toml"),
            ("--out=x", "--out=x"),
            ("", "''"),
            ("a study", "'a study'"),
            ("it's", r"'it'\''s'"),
            ("~", "'~'"),
            ("=ls", "'=ls'"),
            ("$HOME;*", "'$HOME;*'"),
            ("a\nb'\\", r"$'a\nb\'\\'"),
            ("\u{1b}[31m", r"$'\x1b[31m'"),
            ("a\u{202e}b", r"$'a\xe2\x80\xaeb'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
        assert_eq!(quoted_path("-x y"), "'./-x y'");
        assert_eq!(quoted_path("/-x"), "/-x");
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_gives_back_the_very_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let mut words: Vec<Vec<u8>> = (1..=255).map(|byte| vec![b'a', byte, b'9']).collect();
        words.push((1..=255).collect());
        words.extend(["a b", "'", "\u{2028}\u{200f}é'", "x\n", "", "$(id)`id`!1"].map(Vec::from));
        let command = words.iter().map(|word| quoted(OsStr::from_bytes(word))).collect::<Vec<_>>().join(" ");
        assert!(!command.contains('\n'));
        let script = format!("printf '%s\\0' {command}");
        let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        let given: Vec<&[u8]> = output.stdout.split(|&byte| byte == 0).collect();
        assert_eq!(given[..given.len() - 1], words);
    }

    #[test]
    fn a_text_cannot_move_the_cursor_or_turn_the_reading_direction() {
        assert_eq!(printable("two\nlines, λ × 墨"), "two\nlines, λ × 墨");
        assert_eq!(printable("\u{1b}[2Ja\rb\u{9b}\u{202e}"), r"\u{1b}[2Ja\u{d}b\u{9b}\u{202e}");
    }
}
