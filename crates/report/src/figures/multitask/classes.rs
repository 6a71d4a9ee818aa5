//! Which classes gain and lose when a network has a second head: a heat map of recall against single-task networks.

use inkling_schema::Task;

use super::super::canvas::{Canvas, Drawing, Frame, Style, TEXT_WIDTH, text_width};
use super::super::colour::{GREY, readable, under_numbers};
use super::super::forms::{Cell, Key, Matrix, Room, Sign};
use super::super::registry::{Draw, Spec};
use super::super::{fixed, list};
use super::colour;
use crate::rows::Rows;
use crate::{ClassChange, Goal, MultitaskResults, Results};

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_classes", Draw::Found(Task::Multitask, heat_map))];

/// Height of the heading.
const TOP: f64 = 13.0;
/// Width of a column that holds a word from bottom to top.
const UPRIGHT_WORD: f64 = 8.0;
const GAP: f64 = 16.0;

/// A part for each goal; `None` where there is nothing to compare.
fn heat_map(found: &Results, rows: &Rows) -> Option<Drawing> {
    let (task, rows) = (found.multitask.as_ref()?, rows.multitask.as_ref()?);
    let changes = Goal::BOTH.map(|goal| {
        let changes = rows.classes.iter().map(|row| &row.change);
        changes.filter(|change| change.goal == goal).collect::<Vec<_>>()
    });
    if changes.iter().all(Vec::is_empty) {
        return None;
    }
    let most = changes.iter().flatten().map(|change| change.difference.abs()).fold(0.01, f64::max);
    let width = (TEXT_WIDTH - GAP) / 2.0;
    let lambdas: Vec<String> = task.lambdas.iter().map(|(lambda, _)| task.lambda_name(*lambda)).collect();
    let mut key = Key::column(width);
    key.note("percentage points more or less than single-task");
    key.bar(
        move |t| under_numbers(2.0 * t - 1.0),
        [(0.0, points(-most)), (0.5, "0".into()), (1.0, points(most))],
    );
    key.add(Sign::Edge, "p < 0.05 (McNemar, Holm)");
    let mut canvas = Canvas::page();
    for goal in Goal::BOTH {
        let x = (width + GAP) * goal.index() as f64;
        let title = format!("recall of the {}: λ", goal.name());
        canvas.text((x, 7.0), &title, Style::new(8).bold().start().colour(readable(colour(goal))));
        let room = Room { corner: (x, TOP), width, widest: 29.0, height: &|_| 12.5, ..Room::page() };
        let matrix = Matrix::table(task.classes(goal), &lambdas, &room);
        let cells = changes[goal.index()].iter().map(|change| {
            let cell = Cell::new(under_numbers(change.difference / most)).line(points(change.difference));
            ((change.class, change.lambda), cell.edged(change.differs()))
        });
        matrix.draw(&mut canvas, cells);
        for column in 0..lambdas.len() {
            if changes[goal.index()].iter().all(|change| change.lambda != column) {
                let (top, height) = (matrix.frame.y, matrix.frame.height);
                let frame = Frame { y: top, height, ..matrix.cell(0, column) };
                nothing(&mut canvas, frame, task, (goal, column));
            }
        }
        // Below the groups, which are fewer.
        if goal == Goal::Group {
            key.draw(&mut canvas, (x, matrix.frame.bottom() + 10.0));
        }
    }
    Some(canvas.described(alt(task, &changes)))
}

/// A column without numbers, and why it has none.
fn nothing(canvas: &mut Canvas, frame: Frame, task: &MultitaskResults, (goal, column): (Goal, usize)) {
    canvas.fill(frame.inset(0.4), [0xf2; 3]);
    let network = &task.lambdas[column].1;
    let word = match (network.kept(), network.trained(goal)) {
        (None, _) => "diverged",
        (_, false) => "untrained",
        // A single-task network in all but its name, so there is nothing to compare.
        _ if !network.is_joint() => "alone",
        _ => "",
    };
    if frame.height > text_width(word, 7.0) + 2.0 && frame.width > UPRIGHT_WORD {
        canvas.text(frame.centre(), word, Style::new(7).turned(-90.0).colour(GREY));
    }
}

/// Percentage points with one decimal and a sign.
fn points(difference: f64) -> String {
    let number = fixed(100.0 * difference, 1);
    if number.starts_with('−') || number == "0.0" { number } else { format!("+{number}") }
}

fn alt(task: &MultitaskResults, changes: &[Vec<&ClassChange>; 2]) -> String {
    let of = |goal: Goal| {
        let changes = &changes[goal.index()];
        let name = |change: &ClassChange| {
            let class = &task.classes(goal)[change.class];
            let lambda = task.lambda_name(task.lambdas[change.lambda].0);
            format!("{class} at λ = {lambda} ({})", points(change.difference))
        };
        let by = |p: &&&ClassChange, q: &&&ClassChange| p.difference.total_cmp(&q.difference);
        let ends: Vec<String> = changes
            .iter()
            .max_by(by)
            .into_iter()
            .chain(changes.iter().min_by(by))
            .map(|change| name(change))
            .collect();
        let differ = changes.iter().filter(|change| change.differs()).count();
        format!(
            "{}: largest gain and loss {}; {differ} of {} differ significantly",
            goal.name(),
            if ends.is_empty() { "none".to_owned() } else { list(&ends) },
            changes.len()
        )
    };
    format!(
        "Heat maps of the recall of every class under every λ minus that of the single-task network, in percentage points. \
         {}. {}.",
        of(Goal::Item),
        of(Goal::Group)
    )
}
