//! Reads the store and nothing else: statistics, figures, tables, the typeset report.

mod document;
mod error;
mod figure;
mod results;
pub mod statistics;

pub use document::typeset;
pub use error::ReportError;
pub use figure::Figure;
pub use results::{PairResults, PcaResults, PerceptronResults, Results};
