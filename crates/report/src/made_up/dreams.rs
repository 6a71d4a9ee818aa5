//! Made-up dreams for tests: digits as on a pocket calculator that come out of noise.

use inkling_schema::found::{DreamFound, DreamOutcome, Seen};
use inkling_schema::{DreamPicture, DreamPurpose, DreamRun, ImageChoice, Objective, Start, preset};

use super::chance;
use super::inside::{Looked, id};
use crate::results::{DreamResults, Pictures};

/// Dreams of classes from random streams of these numbers; `rough` of them is noise, and the judge believes the rest.
pub(crate) fn dream_run(
    looked: &Looked,
    purpose: DreamPurpose,
    dreams: &[(usize, u32)],
    start: Start,
    rough: f64,
) -> DreamResults {
    let study = preset("brief").expect("a preset");
    let ascent = study.inside.expect("the brief looks inside").dream;
    let amplified = match &purpose {
        DreamPurpose::Amplify { layer } => Some(layer.clone()),
        _ => None,
    };
    let n = dreams.len();
    let objective = |class: usize| match &amplified {
        Some(layer) => Objective::LayerMeanSquare { layer: layer.clone() },
        None => Objective::ClassLogit { head: "class".into(), class },
    };
    let ends =
        pictures(looked.size, dreams.iter().map(|&(class, number)| (class, number as usize + 40, rough)));
    let starts = pictures(
        looked.size,
        dreams.iter().map(|&(class, number)| match &start {
            Start::Grey { .. } => (usize::MAX, 0, 0.0),
            Start::Noise { .. } => (usize::MAX, number as usize, 0.3),
            Start::Image { .. } if amplified.is_some() => (class, number as usize, 0.0),
            Start::Image { .. } => (11 - class.min(11), number as usize, 0.0),
        }),
    );
    let frame_steps: Vec<u32> = (0..9).map(|frame| frame * 32).collect();
    let part = |step: u32| 1.0 - (-f64::from(step) / 60.0).exp();
    let frames = frame_steps.iter().flat_map(|&step| {
        let share = part(step) as f32;
        starts.values.iter().zip(&ends.values).map(move |(from, to)| from + (to - from) * share)
    });
    let path_steps: Vec<u32> = (0..=64).map(|t| t * 4).collect();
    let logit = |step: u32, i: usize| -3.0 + (24.0 + 12.0 * rough + 3.0 * chance(i + 9)) * part(step);
    let probability = |logit: f64| 1.0 / (1.0 + (4.0 - logit).exp());
    let over = |of: &dyn Fn(u32, usize) -> f64| -> Vec<f32> {
        path_steps
            .iter()
            .flat_map(|&step| (0..n).map(move |i| (step, i)))
            .map(|(s, i)| of(s, i) as f32)
            .collect()
    };
    let seen = |step: u32, i: usize, class: usize| Seen {
        objective: logit(step, i).abs(),
        logit: amplified.is_none().then(|| logit(step, i)),
        probability: amplified.is_none().then(|| probability(logit(step, i))),
        predicted: class,
    };
    let found = dreams.iter().enumerate().map(|(i, &(class, _))| DreamFound {
        before: seen(0, i, 0),
        after: seen(256, i, class),
        judge: looked.judge.then(|| Seen {
            objective: 9.0,
            logit: amplified.is_none().then_some(9.0 - 12.0 * rough),
            probability: amplified
                .is_none()
                .then(|| (1.02 - rough * (1.0 + 0.2 * chance(i))).clamp(0.0, 1.0)),
            predicted: if rough < 0.5 { class } else { 0 },
        }),
        diverged: None,
    });
    DreamResults {
        title: "a dream".into(),
        outcome: DreamOutcome { pictures: found.collect(), seconds: 0.4, notes: Vec::new() },
        frames: Pictures { size: looked.size, values: frames.collect() },
        frame_steps,
        path_objective: over(&logit),
        path_class: amplified.is_none().then(|| [over(&logit), over(&|s, i| probability(logit(s, i)))]),
        path_steps,
        spec: DreamRun {
            of: id(),
            judge: looked.judge.then(id),
            data: None,
            purpose,
            pictures: dreams
                .iter()
                .map(|&(class, number)| {
                    let start = match &start {
                        Start::Image { .. } if amplified.is_some() => {
                            Start::Image { image: ImageChoice::Typical { class: class as u8 } }
                        }
                        start => start.clone(),
                    };
                    DreamPicture { objective: objective(class), start, number }
                })
                .collect(),
            ascent,
            seed: 1,
        },
        pictures: ends,
        starts,
    }
}

/// Pictures of digits as on a pocket calculator, each of (digit, seed, share of noise); no digit is grey.
pub(super) fn pictures(size: [usize; 3], digits: impl Iterator<Item = (usize, usize, f64)>) -> Pictures {
    /// Top, upper right, lower right, bottom, lower left, upper left, middle.
    const BARS: [[f64; 4]; 7] = [
        [0.3, 0.15, 0.7, 0.15],
        [0.7, 0.15, 0.7, 0.5],
        [0.7, 0.5, 0.7, 0.85],
        [0.3, 0.85, 0.7, 0.85],
        [0.3, 0.5, 0.3, 0.85],
        [0.3, 0.15, 0.3, 0.5],
        [0.3, 0.5, 0.7, 0.5],
    ];
    const DIGITS: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];
    let [height, width, channels] = size;
    let picture = |(digit, seed, rough): (usize, usize, f64)| {
        (0..height * width * channels).map(move |i| {
            let (channel, place) = (i % channels, i / channels);
            let x = ((place % width) as f64 + 0.5) / width as f64 + 0.04 * (chance(seed) - 0.5);
            let y = ((place / width) as f64 + 0.5) / height as f64 + 0.04 * (chance(seed + 1) - 0.5);
            let lit = |bar: usize| digit < usize::MAX && DIGITS[digit % 10] >> bar & 1 == 1;
            let away = BARS.iter().enumerate().filter(|(bar, _)| lit(*bar)).map(|(_, &[x0, y0, x1, y1])| {
                let (along, across) = (x.clamp(x0, x1.max(x0)) - x, y.clamp(y0, y1.max(y0)) - y);
                along.hypot(across)
            });
            let away = away.fold(f64::MAX, f64::min);
            let ink = if digit == usize::MAX { 0.5 } else { (1.7 - away * 18.0).clamp(0.0, 1.0) };
            let ink = ink * [1.0, 0.7, 0.4][channel % 3];
            let noise = chance(i * 31 + seed * 977 + digit % 100);
            (ink * (1.0 - rough) + rough * noise) as f32
        })
    };
    Pictures { size, values: digits.flat_map(picture).collect() }
}
