//! Which classes gain and lose when a network has a second head: a heat map of recall against single-task networks.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::super::colour::{self, CROWD, GREY, INK, readable, text_on};
use super::super::grid::{note, number_size};
use super::super::names::all_fitted;
use super::super::{list, signed};
use super::colour;
use crate::{ClassChange, Figure, Goal, MultitaskResults};

const ROW: f64 = 12.5;
/// Height of the heading with the numbers of the columns, and what slanted numbers take besides.
const TOP: f64 = 27.0;
const SLANTED: f64 = 14.0;
const WIDEST: f64 = 29.0;
/// Width of a column that holds a word from bottom to top.
const UPRIGHT_WORD: f64 = 8.0;
/// Columns as far apart as two slanted numbers have to be.
const APART: f64 = 10.0;
/// Widest name of a class.
const NAME: f64 = 58.0;
const GAP: f64 = 16.0;
const LEGEND: f64 = 46.0;

/// A part for each goal; `None` where there is nothing to compare.
pub(super) fn heat_map(task: &MultitaskResults) -> Option<Figure> {
    let changes = Goal::BOTH.map(|goal| task.class_changes(goal));
    if changes.iter().all(Vec::is_empty) {
        return None;
    }
    let most = changes.iter().flatten().map(|change| change.difference().abs()).fold(0.01, f64::max);
    let part = (TEXT_WIDTH - GAP) / 2.0;
    let rows = Goal::BOTH.map(|goal| task.classes(goal).len() as f64 * ROW);
    let slanted = Goal::BOTH.into_iter().any(|goal| !numbers_fit(task, column_width(task, goal, part)));
    let top = if slanted { TOP + SLANTED } else { TOP };
    // The legend stands below the groups, which are fewer.
    let height = top + rows[0].max(rows[1] + LEGEND) + 2.0;
    let mut canvas = Canvas::new(TEXT_WIDTH, height);
    for goal in Goal::BOTH {
        let frame =
            Frame { x: (part + GAP) * goal.index() as f64, y: top, width: part, height: height - top };
        half(&mut canvas, frame, task, (goal, &changes[goal.index()], most));
    }
    legend(&mut canvas, (part + GAP, top + rows[1] + 10.0), most);
    Some(Figure::new("multitask_classes", canvas.finish(), alt(task, &changes)))
}

/// The width of the names of a goal's classes.
fn name_width(task: &MultitaskResults, goal: Goal) -> f64 {
    let names = task.classes(goal);
    names.iter().map(|name| text_width(name, 7.0)).fold(20.0, f64::max).min(NAME) + 5.0
}

fn column_width(task: &MultitaskResults, goal: Goal, part: f64) -> f64 {
    // The last number may lean over the edge.
    ((part - name_width(task, goal) - 10.0) / task.lambdas.len().max(1) as f64).min(WIDEST)
}

/// Whether every λ can stand level above a column of this width.
fn numbers_fit(task: &MultitaskResults, width: f64) -> bool {
    task.lambdas.iter().all(|(lambda, _)| text_width(&task.lambda_name(*lambda), 7.0) < width - 1.0)
}

/// The rows of a goal's classes in a frame below whose upper edge they begin; the heading stands above it.
fn half(
    canvas: &mut Canvas,
    frame: Frame,
    task: &MultitaskResults,
    (goal, changes, most): (Goal, &[ClassChange], f64),
) {
    let classes = task.classes(goal);
    let (name_width, width) = (name_width(task, goal), column_width(task, goal, frame.width));
    let (x, top) = (frame.x + name_width, frame.y);
    let level = top <= TOP;
    let names = all_fitted(classes, 7.0, NAME);
    let title = format!("recall of the {}: λ", goal.name());
    canvas.text((x, 7.0), &title, Style::new(8).bold().start().colour(readable(colour(goal))));
    for (row, name) in names.iter().enumerate() {
        let y = top + ROW * (row as f64 + 0.5);
        canvas.text((x - 4.0, y), name, Style::new(7).end());
    }
    let every = (APART / width).ceil().max(1.0) as usize;
    for (column, (lambda, network)) in task.lambdas.iter().enumerate() {
        let left = x + width * column as f64;
        let number = task.lambda_name(*lambda);
        if level {
            canvas.text((left + width / 2.0, top - 6.0), &number, Style::new(7));
        } else if column % every == 0 {
            canvas.text((left + width / 2.0, top - 4.0), &number, Style::new(7).start().turned(-45.0));
        }
        let of_column: Vec<&ClassChange> = changes.iter().filter(|change| change.lambda == column).collect();
        if of_column.is_empty() {
            let all = Frame { x: left, y: top, width, height: ROW * classes.len() as f64 };
            canvas.fill(all.inset(0.4), [0xf2; 3]);
            let word = match (network.last(), network.trained(goal)) {
                (None, _) => "diverged",
                (_, false) => "untrained",
                // A single-task network in all but its name, so there is nothing to compare.
                _ if !network.is_joint() => "alone",
                _ => "",
            };
            let style = Style::new(7).turned(-90.0).colour(GREY);
            if all.height > text_width(word, 7.0) + 2.0 && width > UPRIGHT_WORD {
                canvas.text(all.centre(), word, style);
            }
        }
        for change in of_column {
            let cell = Frame { x: left, y: top + ROW * change.class as f64, width, height: ROW };
            fill(canvas, cell, change, most);
        }
    }
}

fn fill(canvas: &mut Canvas, cell: Frame, change: &ClassChange, most: f64) {
    // Half the map's range: the strongest colours would drown the numbers.
    let shade = colour::diverging(0.6 * change.difference() / most);
    canvas.fill(cell.inset(0.4), shade);
    if change.differs() {
        // In a narrow cell the frame would hide the colour.
        let (inset, stroke) = if cell.width > UPRIGHT_WORD { (1.0, 1.2) } else { (0.4, 0.4) };
        canvas.outline(cell.inset(inset), INK, stroke);
    }
    let number = points(change.difference());
    // Bold type is a little wider, and an edge takes room of its own.
    let room = if change.differs() { cell.inset(1.4) } else { cell };
    if let Some(size) = number_size(&number, room, &[7, 6, 5]) {
        let style = Style::new(size).colour(text_on(shade));
        canvas.text(cell.centre(), &number, if change.differs() { style.bold() } else { style });
    }
}

/// Percentage points with one decimal and a sign.
fn points(difference: f64) -> String {
    let number = signed(100.0 * difference);
    if number.starts_with('−') || number == "0.0" { number } else { format!("+{number}") }
}

fn legend(canvas: &mut Canvas, (x, y): (f64, f64), most: f64) {
    note(canvas, (x, y), &["percentage points more or less than single-task"]);
    let bar = Frame { x, y: y + 7.0, width: 60.0, height: 6.0 };
    let shade = |t: f64| colour::diverging(0.6 * (2.0 * t - 1.0));
    canvas.colour_bar(bar, shade, &[(0.0, points(-most)), (0.5, "0".into()), (1.0, points(most))]);
    canvas.outline(Frame { x: x + 92.0, y: y + 6.0, width: 12.0, height: 9.0 }, INK, 1.2);
    note(canvas, (x + 108.0, y + 10.5), &["p < 0.05 (McNemar, Holm)"]);
    canvas.line(&[(x, y - 7.0), (x + 200.0, y - 7.0)], CROWD, 0.4, None);
}

fn alt(task: &MultitaskResults, changes: &[Vec<ClassChange>; 2]) -> String {
    let of = |goal: Goal| {
        let changes = &changes[goal.index()];
        let name = |change: &ClassChange| {
            let class = &task.classes(goal)[change.class];
            let lambda = task.lambda_name(task.lambdas[change.lambda].0);
            format!("{class} at λ = {lambda} ({})", points(change.difference()))
        };
        let by = |p: &&ClassChange, q: &&ClassChange| p.difference().total_cmp(&q.difference());
        let ends: Vec<String> =
            changes.iter().max_by(by).into_iter().chain(changes.iter().min_by(by)).map(name).collect();
        let differ = changes.iter().filter(|change| change.differs()).count();
        format!(
            "{}: largest gain and loss {}; {differ} of {} differ significantly",
            goal.name(),
            if ends.is_empty() { "none".to_owned() } else { list(&ends) },
            changes.len()
        )
    };
    format!(
        "Heat maps of the recall of every class under every λ less that of the single-task network, in percentage points. \
         {}. {}.",
        of(Goal::Item),
        of(Goal::Group)
    )
}
