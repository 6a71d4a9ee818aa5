//! Drawing on kuva's scene: text, shapes, axes, embedded rasters, and the finished SVG. Only this file knows kuva.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kuva::backend::svg::SvgBackend;
use kuva::render::axis::add_axes_and_grid;
use kuva::render::color::Color;
use kuva::render::layout::{ComputedLayout, Layout, TickFormat};
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

use super::axis::Axis;
use super::colour::{INK, Rgb, WHITE};
use super::raster::Raster;
use crate::document::printable::without_controls;

/// Width of the report's text, in points.
pub(super) const TEXT_WIDTH: f64 = 453.0;

const FONT: &str = "Arial, 'Liberation Sans', Helvetica, sans-serif";

/// Half the height of a capital letter as a share of the font size, by which text is centred on a point.
const HALF_CAPITAL: f64 = 0.36;

/// How far letters reach below their line, as a share of the font size.
const DESCENT: f64 = 0.22;

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    size: u32,
    bold: bool,
    anchor: TextAnchor,
    colour: Rgb,
    degrees: f64,
}

impl Style {
    /// Text of this size in points, centred.
    pub(super) const fn new(size: u32) -> Style {
        Style { size, bold: false, anchor: TextAnchor::Middle, colour: INK, degrees: 0.0 }
    }

    pub(super) const fn bold(self) -> Style {
        Style { bold: true, ..self }
    }

    /// Begins at the point.
    pub(super) const fn start(self) -> Style {
        Style { anchor: TextAnchor::Start, ..self }
    }

    /// Ends at the point.
    pub(super) const fn end(self) -> Style {
        Style { anchor: TextAnchor::End, ..self }
    }

    pub(super) const fn colour(self, colour: Rgb) -> Style {
        Style { colour, ..self }
    }

    /// Turned clockwise about the point.
    pub(super) const fn turned(self, degrees: f64) -> Style {
        Style { degrees, ..self }
    }
}

/// About how wide a text is in Arial, in points.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '/' | '!' | ' '
        | '\u{a0}' => 0.28,
        'm' | 'M' | 'w' | 'W' | '%' | '@' | '…' => 0.86,
        'A'..='Z' => 0.69,
        // Chinese, Japanese and Korean letters are as wide as high, and pictures are no narrower.
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f000}'..='\u{3ffff}' => 1.0,
        _ => 0.556,
    };
    // Where a font lacks a script, a wide one may stand in for the whole text.
    let foreign = |c: char| matches!(c, '\u{530}'..='\u{10ff}' | '\u{fb1d}'..='\u{feff}' | '\u{1f000}'..);
    let least: f64 = if text.chars().any(foreign) { 0.61 } else { 0.0 };
    size * text.chars().map(|c| least.max(em(c))).sum::<f64>()
}

/// A rectangle on the canvas, in points from the top left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Frame {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// The middle of the rectangle.
    pub(super) fn centre(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The rectangle without a margin on every side.
    pub(super) fn inset(&self, margin: f64) -> Frame {
        let (width, height) = (self.width - 2.0 * margin, self.height - 2.0 * margin);
        Frame { x: self.x + margin, y: self.y + margin, width, height }
    }
}

/// A rectangle with two axes.
pub(super) struct Panel {
    pub(super) frame: Frame,
    layout: Layout,
    computed: ComputedLayout,
    titles: [(String, f64); 2],
}

impl Panel {
    /// Where a value of the horizontal axis lies.
    pub(super) fn x(&self, value: f64) -> f64 {
        self.computed.map_x(value)
    }

    /// Where a value of the vertical axis lies.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.computed.map_y(value)
    }
}

/// A figure without a name.
pub(super) struct Drawing {
    pub(super) svg: String,
    pub(super) alt: String,
}

/// A figure in the making.
pub(super) struct Canvas {
    scene: Scene,
    images: Vec<String>,
    /// The lowest point that something was drawn at.
    lowest: f64,
}

impl Canvas {
    /// An empty canvas; width and least height in points. It grows with what is drawn below.
    pub(super) fn new(width: f64, height: f64) -> Canvas {
        Canvas { scene: Scene::new(width, height), images: Vec::new(), lowest: 0.0 }
    }

    /// An empty canvas as wide as the report's text and as high as what is drawn.
    pub(super) fn page() -> Canvas {
        Canvas::new(TEXT_WIDTH, 0.0)
    }

    fn reach(&mut self, y: f64) {
        self.lowest = self.lowest.max(y);
    }

    /// Writes a text whose capitals are centred vertically on the point.
    pub(super) fn text(&mut self, (x, y): (f64, f64), text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        let lift = HALF_CAPITAL * f64::from(style.size);
        let (sin, cos) = style.degrees.to_radians().sin_cos();
        let baseline = y + lift * cos;
        self.reach(baseline + DESCENT * f64::from(style.size));
        self.scene.add(Primitive::Text {
            x: x - lift * sin,
            y: baseline,
            // kuva takes what stands between two dollars for mathematics.
            content: without_controls(text).replace('$', r"\$"),
            size: style.size,
            anchor: style.anchor,
            rotate: (style.degrees != 0.0).then_some(style.degrees),
            bold: style.bold,
            color: (style.colour != INK).then(|| paint(style.colour)),
        });
    }

    /// Writes a text on a white halo, to be read over a crowd of points.
    pub(super) fn text_with_halo(&mut self, at: (f64, f64), text: &str, style: Style) {
        let halo = "stroke=\"#ffffff\" stroke-width=\"3.2\" stroke-linejoin=\"round\"".to_owned();
        self.scene.add(Primitive::GroupStart { transform: None, title: None, extra_attrs: Some(halo) });
        self.text(at, text, style.colour(WHITE));
        self.scene.add(Primitive::GroupEnd);
        self.text(at, text, style);
    }

    pub(super) fn fill(&mut self, frame: Frame, colour: Rgb) {
        self.rectangle(frame, paint(colour), None);
    }

    pub(super) fn outline(&mut self, frame: Frame, colour: Rgb, stroke_width: f64) {
        self.rectangle(frame, Color::None, Some((colour, stroke_width)));
    }

    fn rectangle(&mut self, frame: Frame, fill: Color, stroke: Option<(Rgb, f64)>) {
        let Frame { x, y, width, height } = frame;
        self.reach(y + height + stroke.map_or(0.0, |(_, width)| width / 2.0));
        let (stroke, stroke_width) = stroke.map(|(colour, width)| (paint(colour), width)).unzip();
        self.scene.add(Primitive::Rect { x, y, width, height, fill, stroke, stroke_width, opacity: None });
    }

    /// Draws a line through points, or a dot where there is one alone; `dash` as SVG's stroke-dasharray.
    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: Rgb, width: f64, dash: Option<&str>) {
        match *points {
            [at] => self.dot(at, colour, width),
            _ => self.path((points, 2, ""), None, (colour, width), dash, None),
        }
    }

    /// Draws a curve of many points; a tenth of a point is precise enough, and short. Of one alone, a dot.
    pub(super) fn curve(&mut self, points: &[(f64, f64)], colour: Rgb, width: f64, dash: Option<&str>) {
        match *points {
            [at] => self.dot(at, colour, width),
            _ => self.path((points, 1, ""), None, (colour, width), dash, None),
        }
    }

    /// Draws the dot that stands for a line of this width that has no length.
    fn dot(&mut self, (x, y): (f64, f64), colour: Rgb, width: f64) {
        let r = (1.5 * width).max(1.3);
        let corner = |i: usize| {
            let (sin, cos) = (std::f64::consts::TAU * i as f64 / 12.0).sin_cos();
            (x + r * cos, y + r * sin)
        };
        let round: Vec<(f64, f64)> = (0..12).map(corner).collect();
        self.path((&round, 2, "Z"), Some(colour), (colour, 0.0), None, None);
    }

    /// Fills a polygon, with a thin white edge.
    pub(super) fn polygon(&mut self, points: &[(f64, f64)], colour: Rgb) {
        self.path((points, 2, "Z"), Some(colour), (WHITE, 0.3), None, None);
    }

    /// Fills a polygon without an edge; what lies under it is seen through it as far as the opacity is below 1.
    pub(super) fn area(&mut self, points: &[(f64, f64)], colour: Rgb, opacity: f64) {
        self.path((points, 1, "Z"), Some(colour), (colour, 0.0), None, Some(opacity));
    }

    /// Draws a path through points, with so many decimals, that ends in `end`.
    fn path(
        &mut self,
        (points, decimals, end): (&[(f64, f64)], usize, &str),
        fill: Option<Rgb>,
        (stroke, stroke_width): (Rgb, f64),
        dash: Option<&str>,
        opacity: Option<f64>,
    ) {
        self.reach(points.iter().map(|point| point.1).fold(0.0, f64::max) + stroke_width / 2.0);
        let (d, fill) = (outline(points, decimals) + end, fill.map(paint));
        let stroke_dasharray = dash.map(str::to_owned);
        let data = PathData { d, fill, stroke: paint(stroke), stroke_width, opacity, stroke_dasharray };
        self.scene.add(Primitive::Path(Box::new(data)));
    }

    /// Embeds a raster, stretched to the frame.
    pub(super) fn image(&mut self, frame: Frame, raster: &Raster) {
        // kuva has no primitive for images: an empty group keeps the place until the SVG is finished.
        let slot = format!("data-slot=\"{}\"", self.images.len());
        self.scene.add(Primitive::GroupStart { transform: None, title: None, extra_attrs: Some(slot) });
        self.scene.add(Primitive::GroupEnd);
        let Frame { x, y, width, height } = frame;
        self.reach(frame.bottom());
        let png = STANDARD.encode(raster.png());
        self.images.push(format!(
            "<image x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
             preserveAspectRatio=\"none\" href=\"data:image/png;base64,{png}\"/>"
        ));
    }

    /// A panel of the canvas, not drawn yet.
    pub(super) fn panel(&self, frame: Frame, x: &Axis, y: &Axis) -> Panel {
        // kuva measures the lower margin from the canvas's lower edge, which is not known yet.
        const BELOW: f64 = 100.0;
        let (width, height) = (self.scene.width, frame.bottom() + BELOW);
        let mut layout = Layout::new(x.range, y.range)
            .with_width(width)
            .with_height(height)
            .with_force_margins(frame.x, width - frame.right())
            .with_force_margins_y(frame.y, BELOW)
            .with_x_axis_min(x.range.0)
            .with_x_axis_max(x.range.1)
            .with_y_axis_min(y.range.0)
            .with_y_axis_max(y.range.1)
            .with_x_tick_format(TickFormat::Custom(x.labels()))
            .with_y_tick_format(TickFormat::Custom(y.labels()))
            .with_tick_size(7)
            .with_tick_length(2.5)
            .with_tick_width(0.6)
            .with_axis_line_width(0.6)
            .with_show_grid(false);
        layout = if x.log { layout.with_log_x() } else { layout };
        layout = if y.log { layout.with_log_y() } else { layout };
        if let Some(step) = x.step {
            layout = layout.with_x_tick_step(step);
        }
        if let Some(step) = y.step {
            layout = layout.with_y_tick_step(step);
        }
        let titles = [(x.title.to_owned(), x.gap), (y.title.to_owned(), y.gap)];
        Panel { frame, computed: ComputedLayout::from_layout(&layout), layout, titles }
    }

    /// Draws a panel's axes, ticks and titles.
    pub(super) fn axes(&mut self, panel: &Panel) {
        let before = self.scene.elements.len();
        add_axes_and_grid(&mut self.scene, &panel.computed, &panel.layout);
        // What has no label got an empty one.
        let empty =
            |element: &Primitive| matches!(element, Primitive::Text { content, .. } if content.is_empty());
        self.scene.elements.retain(|element| !empty(element));
        let labels: Vec<(f64, f64)> = self.scene.elements[before..]
            .iter()
            .filter_map(|element| match element {
                Primitive::Text { x, y, content, size, anchor: TextAnchor::End, .. } => {
                    Some((x - text_width(content, f64::from(*size)), *y))
                }
                Primitive::Text { x, y, .. } => Some((*x, *y)),
                _ => None,
            })
            .collect();
        labels.iter().for_each(|label| self.reach(label.1 + 2.0));
        let leftmost = labels.iter().map(|label| label.0).fold(panel.frame.x, f64::min);
        let (x, y) = panel.frame.centre();
        let [(x_title, x_gap), (y_title, y_gap)] = &panel.titles;
        let x_gap = if *x_gap > 0.0 { *x_gap } else { 21.0 };
        let left = if *y_gap > 0.0 { panel.frame.x - y_gap } else { (leftmost - 8.5).max(5.0) };
        self.text((x, panel.frame.bottom() + x_gap), x_title, Style::new(8));
        self.text((left, y), y_title, Style::new(8).turned(-90.0));
    }

    /// The figure with what a reader who cannot see it is told.
    pub(super) fn described(self, alt: String) -> Drawing {
        Drawing { svg: self.finish(), alt }
    }

    /// The figure as SVG: one user unit is one point.
    pub(super) fn finish(mut self) -> String {
        if self.lowest > self.scene.height {
            self.scene.height = self.lowest.ceil();
        }
        let (width, height) = (self.scene.width, self.scene.height);
        let drawn = SvgBackend::new().render_scene(&self.scene);
        // kuva's root element has neither units nor a viewBox, and a comment with kuva's version follows it.
        let body = drawn.split_once("-->").map_or(drawn.as_str(), |(_, body)| body);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}pt\" height=\"{height}pt\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"{FONT}\" fill=\"{}\">",
            paint(INK).to_svg_string()
        );
        let mut rest = body;
        for (slot, image) in self.images.iter().enumerate() {
            let place = format!("<g data-slot=\"{slot}\"></g>");
            if let Some((before, after)) = rest.split_once(place.as_str()) {
                svg.push_str(before);
                svg.push_str(image);
                rest = after;
            }
        }
        svg.push_str(rest);
        svg
    }
}

fn paint([red, green, blue]: Rgb) -> Color {
    Color::Rgb(red, green, blue)
}

fn outline(points: &[(f64, f64)], decimals: usize) -> String {
    let mut d = String::with_capacity(points.len() * 12);
    for (index, (x, y)) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        write!(d, "{command}{x:.decimals$} {y:.decimals$}").expect("a string takes all that is written");
    }
    d
}
