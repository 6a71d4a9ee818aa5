//! Layers in the lines of a Python file: a layer with weights begins a line, and what follows it stays beside it.

/// Characters of a line.
const WIDTH: usize = 100;

/// What stands in a list of layers.
#[derive(Debug)]
pub(crate) enum Item {
    /// A layer.
    Layer {
        /// The expression that makes it.
        code: String,
        /// Whether it begins a line.
        leads: bool,
    },
    /// A residual block.
    Block {
        /// Its layers.
        items: Vec<Item>,
        /// The expression that makes the projection of its shortcut.
        projection: Option<String>,
    },
}

impl Item {
    /// A layer that begins a line.
    pub(crate) fn leading(code: String) -> Item {
        Item::Layer { code, leads: true }
    }

    /// A layer that stays on the line of the one before it.
    pub(crate) fn following(code: String) -> Item {
        Item::Layer { code, leads: false }
    }
}

/// How a residual block is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockSyntax {
    /// What stands before its layers, such as `Residual(`.
    pub(crate) open: &'static str,
    /// What stands after them, where they have brackets of their own.
    pub(crate) close: &'static str,
}

/// The items, each followed by a comma, in lines that are indented by so many spaces.
pub(crate) fn lines(items: &[Item], indent: usize, syntax: BlockSyntax) -> String {
    let margin = " ".repeat(indent);
    let mut lines: Vec<String> = Vec::new();
    let mut may_follow = false;
    for item in items {
        match item {
            Item::Layer { code, leads } => {
                let last = lines.last_mut().filter(|last| {
                    may_follow && !leads && last.chars().count() + code.chars().count() + 2 <= WIDTH
                });
                match last {
                    Some(last) => last.push_str(&format!(" {code},")),
                    None => lines.push(format!("{margin}{code},")),
                }
            }
            Item::Block { .. } => lines.push(format!("{margin}{},", block(item, indent, syntax))),
        }
        may_follow = matches!(item, Item::Layer { .. });
    }
    lines.join("\n")
}

/// The expression of one item, whose further lines are indented by so many spaces.
pub(crate) fn block(item: &Item, indent: usize, syntax: BlockSyntax) -> String {
    let (items, projection) = match item {
        Item::Layer { code, .. } => return code.clone(),
        Item::Block { items, projection } => (items, projection),
    };
    let (margin, open, close) = (" ".repeat(indent), syntax.open, syntax.close);
    let inner = lines(items, indent + 4, syntax);
    let projection = match projection {
        None => format!("\n{margin}{close}"),
        Some(code) if close.is_empty() => format!("\n{margin}    projection={code},\n{margin}"),
        Some(code) => format!("\n{margin}{close}, projection={code}"),
    };
    format!("{open}\n{inner}{projection})")
}
