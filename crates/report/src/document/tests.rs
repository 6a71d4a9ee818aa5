//! Tests of the typeset report.
