//! The order in which a matrix in panels holds its columns: those of quiet units together, so that whole panels of them can
//! be passed by.

/// Steps without a gradient after which a unit counts as quiet, and after which it is looked whether another order pays.
const QUIET: u32 = 128;

/// An order of columns. What they compute does not depend on it: sums over columns are taken in the order of the units.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The unit of each column.
    units: Vec<u32>,
    /// The column of each unit.
    columns: Vec<u32>,
    /// The last step in which each unit had a gradient.
    active: Vec<u32>,
    /// The order of files, until it has been looked whether another one pays.
    fresh: bool,
}

impl Order {
    /// The order of files.
    pub(crate) fn new(units: usize) -> Order {
        let plain: Vec<u32> = (0..units as u32).collect();
        Order { units: plain.clone(), columns: plain, active: vec![0; units], fresh: true }
    }

    /// Whether column j is unit j.
    pub(crate) fn is_plain(&self) -> bool {
        self.units.iter().zip(0..).all(|(&unit, column)| unit == column)
    }

    /// The unit of each column.
    pub(crate) fn units(&self) -> &[u32] {
        &self.units
    }

    /// Calls `active` with the column of each unit and what to call with those that have a gradient in this step.
    pub(crate) fn wake<T>(
        &mut self,
        step: u32,
        active: impl FnOnce(&[u32], &mut dyn FnMut(usize)) -> T,
    ) -> T {
        let Order { columns, active: last, .. } = self;
        active(columns, &mut |unit| last[unit] = step)
    }

    /// The units in an order that leaves more panels of `width` columns without any unit that is not quiet, if it is time
    /// to look and if there is one that pays.
    pub(crate) fn better(&mut self, step: u32, width: usize) -> Option<Vec<u32>> {
        if !self.fresh && !step.is_multiple_of(QUIET) {
            return None;
        }
        self.fresh = false;
        let is_quiet = |unit: u32| step - self.active[unit as usize] >= QUIET;
        let busy = self.units.chunks(width).filter(|panel| panel.iter().any(|&unit| !is_quiet(unit))).count();
        let loud = self.units.iter().filter(|&&unit| !is_quiet(unit)).count();
        let panels = self.units.len().div_ceil(width);
        if busy - loud.div_ceil(width) < panels.div_ceil(16) {
            return None;
        }
        let mut units: Vec<u32> = (0..self.units.len() as u32).collect();
        // The loud ones as in files, so that their sums run through panels one after the other; then the quiet ones, those
        // that spoke last first, so that who wakes now and then wakes few panels.
        units.sort_by_key(
            |&unit| {
                if is_quiet(unit) { (1, u32::MAX - self.active[unit as usize]) } else { (0, 0) }
            },
        );
        Some(units)
    }

    /// Takes another order, or that of files.
    pub(crate) fn set(&mut self, units: Option<Vec<u32>>) {
        self.fresh = units.is_none();
        match units {
            Some(units) => self.units = units,
            None => self.units.iter_mut().zip(0..).for_each(|(unit, column)| *unit = column),
        }
        for (column, &unit) in self.units.iter().enumerate() {
            self.columns[unit as usize] = column as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_units_go_to_the_end_where_that_empties_panels() {
        let mut order = Order::new(64);
        assert!(order.is_plain());
        assert!(order.better(0, 4).is_none(), "nobody is quiet yet");
        let evens = |_: &[u32], wake: &mut dyn FnMut(usize)| (0..64).step_by(2).for_each(wake);
        for step in 1..=QUIET {
            order.wake(step, evens);
        }
        assert!(order.better(QUIET - 1, 4).is_none(), "not the time to look");
        order.wake(5, |_, wake| wake(7));
        let better = order.better(2 * QUIET - 1, 4);
        assert!(better.is_none(), "not the time to look");
        order.wake(2 * QUIET, evens);
        let units = order.better(2 * QUIET, 4).expect("half of all units are quiet");
        let loud: Vec<u32> = (0..64).step_by(2).collect();
        assert_eq!(units[..32], loud);
        assert_eq!(units[32..35], [7, 1, 3], "who spoke last, then as in files");
        order.set(Some(units));
        assert!(!order.is_plain());
        assert!(order.units().iter().zip(0..).all(|(&unit, column)| order.columns[unit as usize] == column));
        assert!(order.better(2 * QUIET, 4).is_none(), "none is better");
        order.set(None);
        assert!(order.is_plain());
        assert!(order.better(2 * QUIET + 1, 4).is_some(), "back in the order of files it is looked at once");
    }
}
