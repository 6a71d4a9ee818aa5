//! In which order the columns of a matrix give their parts of dX: that of the units, wherever the columns lie.

use crate::kernels::product::COLUMNS;

/// A part of the sum for dX: columns of a panel. Of one whose units have a gradient, parts follow each other in the order of
/// the units, so that the sum is the same in any order of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) panel: usize,
    /// The first and last of these columns, from the panel's first on.
    pub(super) columns: [usize; 2],
    /// Whether it is the panel's first and last part.
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

impl Stretch {
    /// It as a number.
    fn to_index(self) -> u32 {
        let [first, last] = self.columns;
        let flags = usize::from(self.is_first) | usize::from(self.is_last) << 1;
        (self.panel << 12 | first << 7 | last << 2 | flags) as u32
    }

    /// What [`stretches`] has written.
    pub(super) fn from_index(index: u32) -> Stretch {
        let index = index as usize;
        Stretch {
            panel: index >> 12,
            columns: [index >> 7 & 31, index >> 2 & 31],
            is_first: index & 1 == 1,
            is_last: index & 2 == 2,
        }
    }
}

/// Divides the active columns into stretches in the order of the units, which `wake` hears of; how many there are. `columns`
/// is the column of each unit; `left` is scratch, as long as `active`.
pub(super) fn stretches(
    active: &[u32],
    columns: &[u32],
    left: &mut [u32],
    to: &mut [u32],
    wake: &mut dyn FnMut(usize),
) -> usize {
    left.copy_from_slice(active);
    let mut count = 0;
    let mut close = |mut stretch: Stretch, left: &[u32]| {
        stretch.is_last = left[stretch.panel] == 0;
        to[count] = stretch.to_index();
        count += 1;
    };
    let mut open: Option<Stretch> = None;
    for (unit, &column) in columns.iter().enumerate() {
        let (panel, column) = (column as usize / COLUMNS, column as usize % COLUMNS);
        if active[panel] >> column & 1 == 0 {
            continue;
        }
        wake(unit);
        let is_first = left[panel] == active[panel];
        // Active columns that lie between are another unit's, whose turn is earlier or later.
        let follows = |last: usize| {
            let between = ((1_u64 << column) - 1) & !((2_u64 << last) - 1);
            last < column && u64::from(active[panel]) & between == 0
        };
        match &mut open {
            Some(stretch) if stretch.panel == panel && follows(stretch.columns[1]) => {
                stretch.columns[1] = column;
            }
            before => {
                if let Some(before) = before.take() {
                    close(before, left);
                }
                *before = Some(Stretch { panel, columns: [column; 2], is_first, is_last: false });
            }
        }
        left[panel] &= !(1 << column);
    }
    if let Some(last) = open {
        close(last, left);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_follow_the_units_and_name_every_active_column_once() {
        // Units 0 to 39 in order, but for 5 and 20, which lie in a third panel, 20 before 5.
        let mut columns: Vec<u32> = (0..40).collect();
        (columns[20], columns[5]) = (64, 66);
        let active = [0b1011 << 3 | 1 << 8 | 1 << 21, 0b11, 0b101];
        let (mut left, mut to, mut woken) = ([0; 3], [0; 40], Vec::new());
        let count = stretches(&active, &columns, &mut left, &mut to, &mut |unit| woken.push(unit));
        assert_eq!(woken, [3, 4, 5, 6, 8, 20, 21, 32, 33]);
        let found: Vec<_> = to[..count].iter().map(|&index| Stretch::from_index(index)).collect();
        let stretch = |panel, first, last, is_first, is_last| Stretch {
            panel,
            columns: [first, last],
            is_first,
            is_last,
        };
        assert_eq!(
            found,
            [
                stretch(0, 3, 4, true, false),
                stretch(2, 2, 2, true, false),
                stretch(0, 6, 8, false, false),
                stretch(2, 0, 0, false, true),
                stretch(0, 21, 21, false, true),
                stretch(1, 0, 1, true, true),
            ]
        );
    }
}
