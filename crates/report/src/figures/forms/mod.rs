//! Forms of figures: a figure says what it shows, a form knows where that goes, with its axes, labels and key.

mod apart;
mod bar;
mod chart;
mod key;
mod labels;
mod mark;
mod matrix;
mod tiles;

pub(super) use self::apart::{move_apart, overlap};
pub(super) use self::chart::{Chart, LEFT, Panels, Stroke};
pub(super) use self::key::{Key, Sign, square};
pub(super) use self::labels::Labels;
pub(super) use self::mark::{hollow, lettered, mark};
pub(super) use self::matrix::{Cell, Matrix, Room, shortened};
pub(super) use self::tiles::{Tiles, picture};
