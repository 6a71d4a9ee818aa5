//! How long the runs of a study take on several nodes, each of which does one run at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A run as a scheduler sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// How long it takes.
    pub seconds: f64,
    /// The pieces before it, by their places, that must be finished first.
    pub needs: Vec<usize>,
}

/// Seconds from the first start to the last end of these pieces on so many nodes, where a node that is free takes, of the pieces that
/// can be done, the one with the longest way to the end (itself and what can only come after it).
///
/// # Panics
/// If a piece needs one that is not before it, or there is no node.
pub fn makespan(pieces: &[Piece], nodes: usize) -> f64 {
    assert!(nodes > 0, "runs are done on nodes");
    let mut way: Vec<f64> = pieces.iter().map(|piece| piece.seconds).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); pieces.len()];
    for (place, piece) in pieces.iter().enumerate().rev() {
        for &needed in &piece.needs {
            assert!(needed < place, "a piece comes after those that it needs");
            way[needed] = way[needed].max(pieces[needed].seconds + way[place]);
            followers[needed].push(place);
        }
    }
    let mut open: Vec<usize> = pieces.iter().map(|piece| piece.needs.len()).collect();
    // The longest way first; of equally long ones, the one that is planned first.
    let mut ready: BinaryHeap<(Order, Reverse<usize>)> = BinaryHeap::new();
    let mut running: BinaryHeap<Reverse<(Order, usize)>> = BinaryHeap::new();
    ready.extend(
        (0..pieces.len()).filter(|&place| open[place] == 0).map(|place| (Order(way[place]), Reverse(place))),
    );
    let mut now = 0.0;
    loop {
        while running.len() < nodes
            && let Some((_, Reverse(place))) = ready.pop()
        {
            running.push(Reverse((Order(now + pieces[place].seconds), place)));
        }
        let Some(Reverse((Order(end), ended))) = running.pop() else { return now };
        now = end;
        for &place in &followers[ended] {
            open[place] -= 1;
            if open[place] == 0 {
                ready.push((Order(way[place]), Reverse(place)));
            }
        }
    }
}

/// Seconds, in their order.
#[derive(Debug, Clone, Copy)]
struct Order(f64);

impl Ord for Order {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Order {}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(seconds: f64, needs: &[usize]) -> Piece {
        Piece { seconds, needs: needs.to_vec() }
    }

    #[test]
    fn what_others_wait_for_is_begun_first() {
        assert_eq!(makespan(&[], 3), 0.0);
        // The short network has long looks after it, and so comes before the longer one.
        let pieces =
            [piece(3.0, &[]), piece(2.0, &[]), piece(4.0, &[1]), piece(1.0, &[1]), piece(1.0, &[2, 3])];
        assert_eq!(makespan(&pieces, 1), 11.0);
        assert_eq!(makespan(&pieces, 2), 7.0);
        assert_eq!(makespan(&pieces, 64), 7.0);
        // Three equal ones on two nodes leave one idle.
        let equal = vec![piece(1.0, &[]); 3];
        assert_eq!([1, 2, 3].map(|nodes| makespan(&equal, nodes)), [3.0, 2.0, 1.0]);
    }

    #[test]
    fn no_schedule_is_shorter_than_its_bounds_or_longer_than_twice_them() {
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..300 {
            let mut pieces: Vec<Piece> = Vec::new();
            for place in 0..next(30) {
                let needs = (0..place as usize).filter(|_| next(8) == 0).collect();
                pieces.push(Piece { seconds: next(100) as f64, needs });
            }
            let sum: f64 = pieces.iter().map(|piece| piece.seconds).sum();
            let longest = makespan(&pieces, pieces.len().max(1));
            assert_eq!(makespan(&pieces, 1), sum);
            for nodes in 1..8 {
                let bound = longest.max(sum / nodes as f64);
                let found = makespan(&pieces, nodes);
                // Graham's bound for any schedule that leaves no node idle without need.
                assert!(bound <= found + 1e-9 && found <= 2.0 * bound + 1e-9, "{found} {bound}");
            }
        }
    }
}
