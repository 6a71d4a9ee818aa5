//! The two architectures, drawn from their specs: single-task networks, and one trunk with two heads.

use inkling_schema::{LayerSpec, PlannedLayer};

use super::super::canvas::{Canvas, Drawing, Frame, Style, TEXT_WIDTH};
use super::super::colour::{GREY, INK, Rgb, pale};
use super::super::names::fitted;
use super::super::registry::{Draw, Spec};
use super::super::{list, thousands};
use super::colour;
use crate::{Goal, MultitaskResults, Network};

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_architectures", Draw::Multitask(drawing))];

const COLUMN: f64 = 104.0;
const GAP: f64 = 12.0;
const TITLE: f64 = 14.0;
const ARROW: f64 = 5.0;
/// Tallest drawing; networks with more layers get lower boxes.
const TALLEST: f64 = 560.0;
/// Heights of boxes with one line of text and with two.
const HEIGHTS: (f64, f64) = (11.0, 19.0);

/// A box: what the layer is and what comes out of it, and its parameters where it has some.
struct Block {
    words: String,
    parameters: usize,
}

/// A network as columns of boxes: the trunk, and each head with its goal.
struct Columns {
    trunk: Vec<Block>,
    heads: Vec<(Option<Goal>, Vec<Block>)>,
    parameters: usize,
}

/// Single-task networks beside a two-headed one; `None` where no network can be planned.
fn drawing(task: &MultitaskResults) -> Option<Drawing> {
    let single: Vec<(String, Columns)> = Goal::BOTH
        .into_iter()
        .filter_map(|goal| Some((format!("{} network", goal.name()), Columns::new(task.single(goal)?)?)))
        .collect();
    let joint = task.lambdas.iter().map(|(_, network)| network).chain(&task.others).find_map(Columns::new);
    let networks: Vec<(String, Columns)> =
        single.into_iter().chain(joint.map(|drawn| ("two-headed network".to_owned(), drawn))).collect();
    let tallest = networks.iter().map(|(_, drawn)| drawn.height(1.0)).max_by(f64::total_cmp)?;
    let scale = (TALLEST / tallest).min(1.0);
    let columns: usize = networks.iter().map(|(_, drawn)| drawn.heads.len()).sum();
    let column = ((TEXT_WIDTH - 2.0 - GAP * (columns as f64 - 1.0)) / columns as f64).min(COLUMN);
    let mut canvas = Canvas::page();
    let across = column * columns as f64 + GAP * (columns as f64 - 1.0);
    let mut x = (TEXT_WIDTH - across) / 2.0;
    for (name, drawn) in &networks {
        let heads = drawn.heads.len() as f64;
        let width = column * heads + GAP * (heads - 1.0);
        let frame = Frame { x, y: TITLE, width, height: scale * drawn.height(1.0) };
        canvas.text((frame.centre().0, 6.0), name, Style::new(8).bold());
        draw(&mut canvas, frame, drawn, (column, scale));
        let foot = format!("{} parameters", thousands(drawn.parameters));
        canvas.text((frame.centre().0, TITLE + scale * tallest + 8.0), &foot, Style::new(7).bold());
        x += width + GAP;
    }
    Some(canvas.described(alt(&networks)))
}

impl Columns {
    fn new(network: &Network) -> Option<Columns> {
        let spec = &network.spec;
        let plan = spec.model.plan().ok()?;
        let [height, width, channels] = spec.model.input;
        let input = Block { words: format!("image {height}×{width}×{channels}"), parameters: 0 };
        let of = |place: &str| {
            let here = plan
                .layers
                .iter()
                .filter(|layer| layer.place.rsplit_once(' ').is_some_and(|(p, _)| p == place));
            here.filter_map(Block::new).collect::<Vec<Block>>()
        };
        let trunk = std::iter::once(input).chain(of("trunk")).collect();
        let heads = spec.model.heads.iter().enumerate().map(|(i, head)| {
            let goal = Goal::BOTH.into_iter().find(|&goal| network.head(goal) == Some(i));
            (goal, of(&head.name))
        });
        Some(Columns { trunk, heads: heads.collect(), parameters: plan.parameters })
    }

    fn height(&self, scale: f64) -> f64 {
        let tallest = self.heads.iter().map(|(_, blocks)| stack(blocks, scale)).fold(0.0, f64::max);
        stack(&self.trunk, scale) + tallest - ARROW * scale
    }

    /// The goal whose colour its trunk has; a shared trunk has none.
    fn only(&self) -> Option<Goal> {
        match self.heads[..] {
            [(goal, _)] => goal,
            _ => None,
        }
    }
}

impl Block {
    /// `None` for what is part of the layer before it, or changes nothing but the form.
    fn new(planned: &PlannedLayer) -> Option<Block> {
        let layer = &planned.layer;
        if *layer == LayerSpec::Flatten || layer.is_activation() {
            return None;
        }
        let words = format!("{} → {}", layer.caption(), planned.output);
        Some(Block { words, parameters: planned.parameters })
    }

    fn height(&self) -> f64 {
        if self.parameters > 0 { HEIGHTS.1 } else { HEIGHTS.0 }
    }
}

/// The height of boxes one below the other, with an arrow after each.
fn stack(blocks: &[Block], scale: f64) -> f64 {
    scale * blocks.iter().map(|block| block.height() + ARROW).sum::<f64>()
}

fn draw(canvas: &mut Canvas, frame: Frame, drawn: &Columns, (column, scale): (f64, f64)) {
    let middle = frame.centre().0;
    let trunk = Frame { x: middle - column / 2.0, y: frame.y, width: column, height: 0.0 };
    let shade = drawn.only().map_or([0xe4; 3], |goal| pale(colour(goal)));
    let end = blocks(canvas, trunk, &drawn.trunk, (shade, scale));
    let fork = end - ARROW * scale;
    for (i, (goal, head)) in drawn.heads.iter().enumerate() {
        let x = frame.x + (column + GAP) * i as f64;
        let centre = x + column / 2.0;
        // Out of the trunk's lower edge, to the head's upper one.
        canvas.line(&[(middle, fork), (centre, end)], INK, 0.7, None);
        let shade = goal.map_or([0xe4; 3], |goal| pale(colour(goal)));
        blocks(canvas, Frame { x, y: end, width: column, height: 0.0 }, head, (shade, scale));
    }
    if drawn.heads.len() > 1 {
        let shared: usize = drawn.trunk.iter().map(|block| block.parameters).sum();
        let x = middle + column / 2.0 + 4.0;
        let y = frame.y + (fork - frame.y) / 2.0;
        canvas.line(&[(x, frame.y + 1.0), (x, fork - 1.0)], GREY, 0.6, None);
        canvas.text((x + 4.0, y - 5.0), "shared:", Style::new(7).start());
        canvas.text((x + 4.0, y + 5.0), &thousands(shared), Style::new(7).start());
    }
}

/// Draws boxes one below the other; gives back where the next would begin.
fn blocks(canvas: &mut Canvas, at: Frame, blocks: &[Block], (shade, scale): (Rgb, f64)) -> f64 {
    let mut y = at.y;
    for (i, block) in blocks.iter().enumerate() {
        let frame = Frame { y, height: scale * block.height(), ..at };
        canvas.fill(frame, shade);
        canvas.outline(frame, GREY, 0.4);
        let (x, middle) = frame.centre();
        let words = fitted(&block.words, 7.0, at.width - 4.0);
        if block.parameters > 0 && frame.height > 15.0 {
            canvas.text((x, middle - 4.3), &words, Style::new(7));
            canvas.text((x, middle + 4.6), &thousands(block.parameters), Style::new(7));
        } else if frame.height > 6.0 {
            canvas.text((x, middle), &words, Style::new(7));
        }
        y = frame.bottom() + ARROW * scale;
        if i + 1 < blocks.len() {
            canvas.line(&[(x, frame.bottom()), (x, y)], INK, 0.7, None);
        }
    }
    y
}

fn alt(networks: &[(String, Columns)]) -> String {
    let words = |blocks: &[Block]| -> String {
        let all: Vec<&str> = blocks.iter().map(|block| block.words.as_str()).collect();
        all.join(", ")
    };
    let described: Vec<String> = networks
        .iter()
        .map(|(name, drawn)| {
            let heads: Vec<String> = drawn
                .heads
                .iter()
                .map(|(goal, blocks)| {
                    let name = goal.map_or("other", Goal::name);
                    format!("{name} ({})", words(blocks))
                })
                .collect();
            let parameters = thousands(drawn.parameters);
            let of = if heads.len() > 1 { "a shared trunk" } else { "layers" };
            format!("{name}, {parameters} parameters: {of} ({}), then {}", words(&drawn.trunk), list(&heads))
        })
        .collect();
    format!(
        "Drawing of the networks layer by layer, with output shapes and parameters. {}.",
        described.join(". ")
    )
}
