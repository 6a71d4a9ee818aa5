//! Forms of figures: a figure says what it shows, a form knows where that goes, with its axes, labels and key.

pub(super) mod apart;
mod bar;
pub(super) mod chart;
pub(super) mod key;
pub(super) mod labels;
pub(super) mod mark;
pub(super) mod matrix;
pub(super) mod tiles;
