//! Reads the store and nothing else: statistics, figures, tables, the typeset report.

mod error;
mod figure;
mod figures;
mod results;
pub mod statistics;

pub use error::ReportError;
pub use figure::Figure;
pub use figures::draw;
pub use results::{PairResults, PcaResults, PerceptronResults, Results};
