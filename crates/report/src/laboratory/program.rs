//! The laboratory's program: its modules as one script.
//!
//! A page that is opened from a file can import nothing, so the modules are put one after the other into one scope, each after
//! those that it imports from; a module's own test sees to it that no two declare one name.

use std::collections::BTreeSet;

include!(concat!(env!("OUT_DIR"), "/laboratory.rs"));

/// The module that starts the program; all others are reached from it.
const MAIN: &str = "main.js";

/// The program as one script.
pub(super) fn bundle() -> String {
    let mut order = Vec::new();
    visit(MAIN, &mut BTreeSet::new(), &mut order);
    let bodies = order.into_iter().map(|name| body(source(name)));
    format!("(() => {{\n\"use strict\";\n{}}})();\n", bodies.collect::<String>())
}

/// The style sheet of all its parts.
pub(super) fn style() -> String {
    STYLES.iter().map(|(_, text)| *text).collect()
}

/// Adds a module to the order after all that it imports from.
fn visit(name: &'static str, seen: &mut BTreeSet<&'static str>, order: &mut Vec<&'static str>) {
    if !seen.insert(name) {
        return;
    }
    for imported in imports(source(name)) {
        let path = resolve(name, imported);
        let (known, _) = MODULES
            .iter()
            .find(|(known, _)| *known == path)
            .unwrap_or_else(|| panic!("{name} imports {path}, which is no module"));
        visit(known, seen, order);
    }
    order.push(name);
}

fn source(name: &str) -> &'static str {
    MODULES.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
}

/// The paths of a module's imports, which stand at its beginning.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    statements(text).0.into_iter().filter_map(|statement| statement.split('"').nth(1))
}

/// A module's import statements, and the rest of it.
fn statements(text: &str) -> (Vec<&str>, &str) {
    let (mut imports, mut rest) = (Vec::new(), text);
    loop {
        let line = rest.lines().next().unwrap_or_default();
        if line.starts_with("import ") {
            let end = rest.find(';').map_or(rest.len(), |end| end + 1);
            imports.push(&rest[..end]);
            rest = rest[end..].trim_start_matches('\n');
        } else if (line.is_empty() || line.starts_with("//")) && !rest.is_empty() {
            rest = rest[line.len()..].strip_prefix('\n').unwrap_or_default();
        } else {
            return (imports, rest);
        }
    }
}

/// A module without its imports, and with its exports as plain declarations.
fn body(text: &str) -> String {
    let (_, rest) = statements(text);
    let lines = rest.lines().map(|line| line.strip_prefix("export ").unwrap_or(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The path of a module that another one imports by a relative path.
fn resolve(from: &str, to: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_go_and_exports_are_declarations() {
        let text = "// What it is.\nimport { a,\n  b } from \"./x.js\";\nimport { c } from \"../y.js\";\n\n// Why.\nexport const d = 1;\nconst text = \"\\nexport \";\n";
        assert_eq!(imports(text).collect::<Vec<_>>(), ["./x.js", "../y.js"]);
        assert_eq!(body(text), "const d = 1;\nconst text = \"\\nexport \";\n");
        assert_eq!(resolve("views/draw.js", "./x.js"), "views/x.js");
        assert_eq!(resolve("views/draw.js", "../runner/y.js"), "runner/y.js");
    }

    #[test]
    fn the_whole_program_is_one_script_that_holds_every_module() {
        let bundle = bundle();
        assert!(
            !bundle.contains("</script") && !bundle.contains("\nimport ") && !bundle.contains("\nexport ")
        );
        let mut order = Vec::new();
        visit(MAIN, &mut BTreeSet::new(), &mut order);
        let unused: Vec<&str> =
            MODULES.iter().map(|(name, _)| *name).filter(|name| !order.contains(name)).collect();
        assert!(unused.is_empty(), "nothing imports {unused:?}");
    }
}
