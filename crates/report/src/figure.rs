//! What a figure is, whoever draws it, and what files of figures and tables are called.

use inkling_schema::Task;

/// A figure: an SVG image, and what a reader who cannot see it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What the report calls it.
    pub name: String,
    /// The task that it belongs to; none where a person looked into a network of their own.
    pub task: Option<Task>,
    /// The image; one user unit is one point.
    pub svg: String,
    /// Alternative text: what the image shows, in a sentence or two, with its main numbers.
    pub alt: String,
}

impl Figure {
    /// A figure of no task.
    pub fn new(name: impl Into<String>, svg: impl Into<String>, alt: impl Into<String>) -> Figure {
        Figure { name: name.into(), task: None, svg: svg.into(), alt: alt.into() }
    }

    /// The same, of a task.
    pub fn of(self, task: Task) -> Figure {
        Figure { task: Some(task), ..self }
    }

    /// The name of its files, without their ending: `task1_pca_scatter`.
    pub fn file(&self) -> String {
        file_name(self.task, &self.name)
    }
}

/// What the file of a figure or a table is called, without its ending.
pub(crate) fn file_name(task: Option<Task>, name: &str) -> String {
    let number = task.and_then(Task::number);
    number.map_or_else(|| name.to_owned(), |number| format!("task{number}_{name}"))
}
