//! Options of a study that are no part of its spec, and the name of its record.

use inkling_schema::Task;

/// Name of the file that says which runs belong to a study.
pub(crate) const STUDY: &str = "study.json";

/// Options of running a study that are no part of its spec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudyOptions {
    /// The tasks to do; all of them where there are none. What the folder holds of the others stays part of the study.
    pub only: Vec<Task>,
    /// Whether the study is kept in its folder, as a file of the name that it goes by.
    pub keep_file: bool,
    /// Whether to continue in a folder whose networks were computed with instructions that give other last digits.
    pub mix_instructions: bool,
}
