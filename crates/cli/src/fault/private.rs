//! Leaving out of a fault's file what is the person's own.

use std::ffi::OsString;

use clap::Command;

/// What stands for what was left out.
const LEFT_OUT: &str = "…";

/// The command as it was given, without values: subcommands and the names of options that there are.
pub(super) fn shape(words: &[OsString], program: &Command) -> String {
    let mut shape = vec![program.get_name().to_owned()];
    let mut command = program;
    for word in words {
        let text = word.to_str().unwrap_or_default();
        let name = text.strip_prefix("--").map(|name| name.split('=').next().unwrap_or_default());
        let known = |name: &&str| command.get_arguments().any(|option| option.get_long() == Some(name));
        if let Some(name) = name.filter(known) {
            shape.push(format!("--{name}"));
        } else if let Some(inner) = command.find_subcommand(text) {
            command = inner;
            shape.push(text.to_owned());
        } else if shape.last().is_some_and(|last| last != LEFT_OUT) {
            shape.push(LEFT_OUT.into());
        }
    }
    shape.join(" ")
}

/// A message without what stands in quotes and without paths. What Rust itself says in backquotes stays.
pub(super) fn without_values(message: &str) -> String {
    let mut kept = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(['"', '`', '\'']) {
        let (before, from) = rest.split_at(at);
        let quote = &from[..1];
        // An apostrophe within a word is none that opens.
        let opens = quote != "'" || !before.ends_with(char::is_alphanumeric);
        let Some(end) = closing(&from[1..], quote).filter(|_| opens) else {
            kept.push_str(before);
            kept.push_str(quote);
            rest = &from[1..];
            continue;
        };
        let inside = &from[1..=end];
        kept.push_str(before);
        kept.push_str(quote);
        kept.push_str(if quote == "`" && of_rust(inside) { inside } else { LEFT_OUT });
        kept.push_str(quote);
        rest = &from[end + 2..];
    }
    kept.push_str(rest);
    kept.split(' ').map(|word| if is_path(word) { LEFT_OUT } else { word }).collect::<Vec<_>>().join(" ")
}

/// Where a quotation ends that began with `quote`; a backslash keeps the next character within it.
fn closing(text: &str, quote: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && quote.starts_with(c) {
            return Some(at);
        }
        escaped = !escaped && c == '\\' && quote != "`";
    }
    None
}

/// Whether Rust's own messages say this in backquotes: `Option::unwrap()`, `left == right`, `None`.
fn of_rust(text: &str) -> bool {
    ["None", "Err", "Ok", "left == right", "left != right"].contains(&text)
        || ["Option::", "Result::", "RefCell"].iter().any(|start| text.starts_with(start))
}

fn is_path(word: &str) -> bool {
    word.contains(['/', '\\']) && word.chars().any(char::is_alphabetic)
}

/// A source file's path from where it is the same on every machine: in the project, in a crate of the registry, in Rust's
/// own library.
pub(super) fn source(path: &str) -> String {
    let path = path.replace('\\', "/");
    let after = |mark: &str| path.find(mark).map(|at| &path[at + mark.len()..]);
    if let Some(inner) = after("/registry/src/") {
        return inner.split_once('/').map_or(inner, |(_, file)| file).to_owned();
    }
    match (path.find("crates/"), after("/rustc/")) {
        (Some(at), _) => path[at..].to_owned(),
        (None, Some(inner)) => format!("rustc/{inner}"),
        (None, None) => LEFT_OUT.into(),
    }
}

/// A backtrace whose lines name no folder of this machine.
pub(super) fn backtrace(text: &str) -> String {
    let line = |line: &str| match line.split_once("at ") {
        Some((margin, path)) if margin.trim().is_empty() => format!("{margin}at {}", source(path)),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn a_command_keeps_its_shape_and_loses_its_values() {
        let shape_of = |command: &str| {
            let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            shape(&words, &crate::args::Cli::command())
        };
        assert_eq!(
            shape_of("study my/secret.toml --only pca --out=secret --threads 2 --json"),
            "inkling study … --only … --out --threads … --json"
        );
        assert_eq!(shape_of("look dream secret --class secret --secret"), "inkling look dream … --class …");
    }

    #[test]
    fn what_is_the_persons_own_is_left_out_of_a_message() {
        for (message, kept) in [
            (
                "index out of bounds: the len is 3 but the index is 5",
                "index out of bounds: the len is 3 but the index is 5",
            ),
            (
                "called `Result::unwrap()` on an `Err` value: \"a \\\"b\\\" c\"",
                "called `Result::unwrap()` on an `Err` value: \"…\"",
            ),
            (
                "the set's network `my net` isn't in '/home/me' at /home/me/x",
                "the set's network `…` isn't in '…' at …",
            ),
            ("read C:\\Users\\me", "read …"),
            ("assertion `left == right` failed\n  left: 1", "assertion `left == right` failed\n  left: 1"),
        ] {
            assert_eq!(without_values(message), kept);
        }
    }

    #[test]
    fn a_backtrace_names_no_folder_of_the_machine() {
        let text = "   0: core::panicking::panic\n             at /rustc/abc/library/core/src/panicking.rs:80:14\n\
                    1: main\n             at /home/me/inkling/crates/cli/src/main.rs:1:2\n\
                    2: x\n             at /home/me/.cargo/registry/src/index-1/rayon-1.0/src/lib.rs:3:4\n   at /home/me/y.rs:1";
        let shown = backtrace(text);
        assert!(!shown.contains("home") && shown.contains("at crates/cli/src/main.rs:1:2"), "{shown}");
        assert!(
            shown.contains("at rayon-1.0/src/lib.rs:3:4") && shown.contains("rustc/abc/library"),
            "{shown}"
        );
    }
}
