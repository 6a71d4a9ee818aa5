//! Every command that a help text, an error or a document tells a person to give is one that the program takes.
//!
//! The program holds its own sources (for bundles), so nothing can be forgotten: each place where a text begins a command
//! is found there.

use clap::{CommandFactory, Parser};

use super::Cli;
use crate::bundle::sources::SOURCES;

/// What can stand before a command: a backquote, or the beginning of a line or of a literal.
fn begins(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let margin = line.trim_start_matches(['/', '!', '#', ' ', '$', '>', '\\', 'n']);
    line.ends_with('`') || line.ends_with('"') || margin.is_empty()
}

/// The commands in a text, each up to where it ends: at a backquote, a quote, a line's end or a column of explanations.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["inkling ", "cargo run --release -- "] {
        for (at, _) in text.match_indices(start) {
            if !begins(&text[..at]) {
                continue;
            }
            let rest = &text[at + start.len()..];
            // Within backquotes or a literal that goes on in the next line, a command may, too.
            let rest = rest.split(['`', '"']).next().unwrap_or_default().replace("\\\n", " ");
            let line = rest.lines().next().unwrap_or_default();
            let line = line.split("  ").next().unwrap_or_default().split(" #").next().unwrap_or_default();
            found.push(line.trim_end_matches("\\n").trim().to_owned());
        }
    }
    found
}

/// A command's words, as the program gets them: what a shell keeps for itself is gone, and what stands for something else is
/// something.
fn words(command: &str) -> Vec<String> {
    let command = command.split([';', '>']).next().unwrap_or_default();
    let command = command.split(" | head").next().unwrap_or_default();
    let command = command.replace("'2 conv'", "name");
    let mut words = vec!["inkling".to_owned()];
    for word in command.split_whitespace() {
        match word {
            "N" => words.push("7".into()),
            "…" | "|" => break,
            // A value that the program puts in.
            _ if word.starts_with('{') => words.push("7".into()),
            _ => words.push(word.into()),
        }
    }
    words
}

/// Whether words only name a command, as "`inkling look` works with any model" does.
fn is_name(words: &[String]) -> bool {
    let mut command = Some(Cli::command());
    for word in &words[1..] {
        command = command.and_then(|command| command.find_subcommand(word).cloned());
    }
    command.is_some()
}

/// The lines that `inkling bench` prints begin with the program's name and are no commands.
fn is_searched(path: &str) -> bool {
    let tests =
        path.contains("/tests/") || path.ends_with("args/commands.rs") || path.ends_with("fault/private.rs");
    let text = [".rs", ".md", ".typ", ".toml", ".py", ".html"].iter().any(|ending| path.ends_with(ending));
    text && !tests && !path.starts_with("crates/cli/src/bench") && path != "CHANGELOG.md"
}

/// A source file without its comments and its tests.
fn for_people(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_command_that_a_text_tells_to_give_is_taken() {
    let mut found = Vec::new();
    for (path, bytes) in SOURCES.iter().filter(|(path, _)| is_searched(path)) {
        let text = str::from_utf8(bytes).expect("sources are text");
        // Comments are for those who read the code; those of arguments come with the help below.
        let text = if path.ends_with(".rs") { for_people(text) } else { text.to_owned() };
        let text = text.as_str();
        found.extend(commands(text).into_iter().map(|command| (path.to_string(), command)));
    }
    let mut program = Cli::command();
    program.build();
    let mut helps = vec![program];
    while let Some(mut command) = helps.pop() {
        let name = format!("{} --help", command.get_name());
        let text = command.render_long_help().to_string();
        found.extend(commands(&text).into_iter().map(|command| (name.clone(), command)));
        helps.extend(command.get_subcommands().cloned());
    }
    let mut wrong = String::new();
    for (place, command) in &found {
        let words = words(command);
        if let Err(error) = Cli::try_parse_from(&words)
            && error.use_stderr()
            && !is_name(&words)
        {
            wrong.push_str(&format!("{place}: inkling {command}\n{error}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for known in [
        "report {}",
        "study --out {}",
        "data fetch {name}",
        "look dream out --class 2",
        "study brief --out real",
    ] {
        assert!(
            found.iter().any(|(_, command)| command == known),
            "the search finds `inkling {known}`: {found:#?}"
        );
    }
}

#[test]
fn commands_in_help_are_not_broken_across_lines() {
    let mut program = Cli::command().term_width(80);
    program.build();
    let mut helps = vec![program];
    while let Some(mut command) = helps.pop() {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let shown = command.render_help().to_string();
        for line in after.lines().filter(|line| line.trim_start().starts_with("inkling ")) {
            let whole = line.trim().split("   ").next().unwrap_or_default();
            assert!(shown.lines().any(|shown| shown.contains(whole)), "{whole} is broken in {shown}");
        }
        helps.extend(command.get_subcommands().cloned());
    }
}

#[test]
fn the_help_names_every_exit_code() {
    let help = Cli::command().term_width(0).render_help().to_string();
    let (_, codes) = help.split_once("Exit codes: ").expect("the codes are there");
    let named: Vec<u8> =
        codes.trim().split(" · ").map(|code| code.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(named, crate::failure::CODES.map(|(code, _)| code));
}
