//! Curves of many points, without those that a reader could not tell apart.

/// Leaves out points that a reader could not tell apart: of those within a step across, the first, lowest, highest
/// and last stay.
pub(super) fn thin(points: impl Iterator<Item = (f64, f64)>, step: f64) -> Vec<(f64, f64)> {
    let mut bins: Vec<(f64, Vec<(f64, f64)>)> = Vec::new();
    for point in points {
        let bin = (point.0 / step).floor();
        match bins.last_mut() {
            Some((last, members)) if *last == bin => members.push(point),
            _ => bins.push((bin, vec![point])),
        }
    }
    let mut kept = Vec::new();
    for (_, members) in bins {
        let by_height = |a: &usize, b: &usize| members[*a].1.total_cmp(&members[*b].1);
        let lowest = (0..members.len()).min_by(by_height);
        let highest = (0..members.len()).max_by(by_height);
        let mut places = vec![Some(0), lowest, highest, members.len().checked_sub(1)];
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().flatten().map(|place| members[place]));
    }
    kept
}
