//! Things that would cover each other, moved apart.

use super::super::canvas::Frame;

/// Moves things until none has to move, within a frame that keeps them this far from its edges. `push` says how far the
/// second of two is to move away from the first, given where it lies from there: half of it moves each of them.
pub(crate) fn move_apart(
    places: &mut [(f64, f64)],
    frame: Frame,
    margins: impl Fn(usize) -> (f64, f64),
    push: impl Fn((usize, usize), (f64, f64)) -> (f64, f64),
) {
    let within = |places: &mut [(f64, f64)]| {
        for (i, place) in places.iter_mut().enumerate() {
            let (x, y) = margins(i);
            place.0 = place.0.min(frame.right() - x).max(frame.x + x);
            place.1 = place.1.min(frame.bottom() - y).max(frame.y + y);
        }
    };
    for _ in 0..300 {
        let mut still = true;
        within(places);
        for i in 0..places.len() {
            for j in i + 1..places.len() {
                let away = (places[j].0 - places[i].0, places[j].1 - places[i].1);
                let (x, y) = push((i, j), away);
                if (x, y) != (0.0, 0.0) {
                    still = false;
                    // A little more, or rounding would keep them moving.
                    let half = |by: f64| if by == 0.0 { 0.0 } else { by / 2.0 + 0.05_f64.copysign(by) };
                    places[i] = (places[i].0 - half(x), places[i].1 - half(y));
                    places[j] = (places[j].0 + half(x), places[j].1 + half(y));
                }
            }
        }
        if still {
            return;
        }
    }
    // There are too many to be apart.
    within(places);
}

/// How far boxes of these sizes, whose centres lie so far from each other, must move: across or along, whichever is less.
pub(crate) fn overlap(a: (f64, f64), b: (f64, f64), (dx, dy): (f64, f64)) -> (f64, f64) {
    let over = ((a.0 + b.0) / 2.0 - dx.abs(), (a.1 + b.1) / 2.0 - dy.abs());
    if over.0 <= 0.0 || over.1 <= 0.0 {
        (0.0, 0.0)
    } else if over.0 < over.1 {
        (over.0.copysign(dx), 0.0)
    } else {
        (0.0, over.1.copysign(dy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_end_apart_and_within_the_frame() {
        let frame = Frame { x: 10.0, y: 0.0, width: 100.0, height: 40.0 };
        let mut places = vec![(60.0, 20.0), (61.0, 20.0), (109.0, 39.0), (60.0, 21.0)];
        let size = (20.0, 10.0);
        move_apart(&mut places, frame, |_| (10.0, 5.0), |_, away| overlap(size, size, away));
        for (i, a) in places.iter().enumerate() {
            assert!((20.0..=100.0).contains(&a.0) && (5.0..=35.0).contains(&a.1), "{a:?}");
            for b in &places[i + 1..] {
                assert_eq!(overlap(size, size, (b.0 - a.0, b.1 - a.1)), (0.0, 0.0), "{places:?}");
            }
        }
    }
}
