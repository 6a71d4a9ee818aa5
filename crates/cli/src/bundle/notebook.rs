//! Whether a notebook was executed: nbformat 4 as far as that needs.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Notebook {
    cells: Vec<Cell>,
}

#[derive(Debug, Deserialize)]
struct Cell {
    cell_type: String,
    source: Text,
    #[serde(default)]
    execution_count: Option<u64>,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Debug, Deserialize)]
struct Output {
    output_type: String,
    #[serde(default)]
    ename: String,
    #[serde(default)]
    evalue: String,
}

/// A text, whole or in lines that keep their line feeds.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Lines(Vec<String>),
}

/// What keeps a notebook from being handed in. Cells are counted from 1, those of text too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is no notebook.
    Unreadable(String),
    /// It holds no code.
    NoCode,
    /// A cell was not executed; with its first line.
    NotExecuted(usize, String),
    /// A cell ended in an error.
    Failed(usize, String),
    /// It names itself or the code's folder as another group does.
    OtherGroup(String),
}

/// How many cells of code a group's notebook has, each of them executed without an error. `stem` is what the names of all
/// that is handed in begin with, but for the group's number.
pub(super) fn executed_cells(bytes: &[u8], stem: &str, group: u32) -> Result<usize, Flaw> {
    let notebook: Notebook =
        serde_json::from_slice(bytes).map_err(|error| Flaw::Unreadable(error.to_string()))?;
    let mut executed = 0;
    for (cell, number) in notebook.cells.iter().zip(1..) {
        let source = match &cell.source {
            Text::Whole(text) => text.clone(),
            Text::Lines(lines) => lines.concat(),
        };
        for (at, _) in source.match_indices(stem) {
            let digits = source[at + stem.len()..].chars().take_while(char::is_ascii_digit);
            let named: String = digits.collect();
            if !named.is_empty() && named != group.to_string() {
                return Err(Flaw::OtherGroup(named));
            }
        }
        // Nothing to execute is never executed.
        if cell.cell_type != "code" || source.trim().is_empty() {
            continue;
        }
        if let Some(error) = cell.outputs.iter().find(|output| output.output_type == "error") {
            let said = [error.ename.as_str(), error.evalue.as_str()].map(first_line);
            let said = said.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>();
            return Err(Flaw::Failed(number, said.join(": ")));
        }
        if cell.execution_count.is_none() {
            return Err(Flaw::NotExecuted(number, first_line(&source)));
        }
        executed += 1;
    }
    if executed == 0 { Err(Flaw::NoCode) } else { Ok(executed) }
}

/// The first line that says something, without the escape sequences that colour a terminal, and not endless.
fn first_line(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => drop(characters.find(char::is_ascii_alphabetic)),
            _ => plain.push(character),
        }
    }
    let line = plain.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judged(cells: Value) -> Result<usize, Flaw> {
        let notebook = json!({ "cells": cells, "nbformat": 4, "nbformat_minor": 5 });
        executed_cells(notebook.to_string().as_bytes(), "Group_", 7)
    }

    fn code(source: &str, count: Option<u64>, outputs: Value) -> Value {
        json!({ "cell_type": "code", "source": [source], "execution_count": count, "outputs": outputs })
    }

    #[test]
    fn cells_of_text_and_empty_ones_need_no_execution() {
        let text = json!({ "cell_type": "markdown", "source": "# Task 1" });
        let output = json!([{ "output_type": "stream", "name": "stdout", "text": "0.98" }]);
        assert_eq!(judged(json!([text, code("x", Some(1), output), code(" \n", None, json!([]))])), Ok(1));
        assert_eq!(judged(json!([text])), Err(Flaw::NoCode));
    }

    #[test]
    fn the_first_cell_with_a_flaw_is_named() {
        let good = code("let x = 1;", Some(1), json!([]));
        let idle = code("\nlet y = 2;\nlet z = 3;", None, json!([]));
        let error = json!([{ "output_type": "error", "ename": "E0425", "evalue": "\u{1b}[31mno `w`\u{1b}[0m\nhere" }]);
        let failed = code("w", Some(2), error);
        let flaw = Flaw::NotExecuted(2, "let y = 2;".into());
        assert_eq!(judged(json!([good, idle, failed])), Err(flaw));
        assert_eq!(judged(json!([good, failed, idle])), Err(Flaw::Failed(2, "E0425: no `w`".into())));
    }

    #[test]
    fn a_notebook_that_was_renamed_is_known_by_its_text() {
        let text = |text: &str| json!({ "cell_type": "markdown", "source": text });
        let good = code("x", Some(1), json!([]));
        assert_eq!(judged(json!([text("# Group_7, Group_N, Group_"), good])), Ok(1));
        assert_eq!(judged(json!([good, text("beside Group_71.code")])), Err(Flaw::OtherGroup("71".into())));
    }

    #[test]
    fn what_is_no_notebook_is_refused_with_its_line() {
        let Err(Flaw::Unreadable(reason)) = executed_cells(b"{\n  \"cells\": 7\n}", "Group_", 7) else {
            panic!("7 cells are no list")
        };
        assert!(reason.contains("line 2"), "{reason}");
    }
}
