//! Charts, as SVG that stands in the page. Labels are foreign text: the library escapes them.
//!
//! The colours are those of a light page. Each is given to one thing only, so that the page's
//! style can find it and put another in its place.

use charts_rs::{
    AxisType, Box as Margin, ChartBase, Color, HorizontalBarChart, LineChart, Series, Symbol,
    YAxisConfig, svg_with_accessibility,
};
use minijinja::Value;

use crate::report::show::{float, size};

/// What a chart is wide, on a wide page and on a narrow one: text is the same size on both.
const WIDE: (f32, &str) = (600.0, "wide");
const NARROW: (f32, &str) = (330.0, "narrow");

/// How many letters of a label there are at most on either.
const WIDE_LABEL: usize = 40;
const NARROW_LABEL: usize = 20;

/// What a row of bars, and what is below them, takes.
const ROW: f32 = 30.0;
const AXIS: f32 = 30.0;

const TEXT: [u8; 3] = [0x57, 0x60, 0x6a];
const GRID: [u8; 3] = [0xe4, 0xe8, 0xec];
pub(super) const BUSY: [u8; 3] = [0x09, 0x69, 0xda];
pub(super) const STARVED: [u8; 3] = [0xc3, 0xcc, 0xd6];
pub(super) const BLOCKED: [u8; 3] = [0xd4, 0x86, 0x0b];
pub(super) const NEW: [u8; 3] = [0xcf, 0x22, 0x2e];
pub(super) const KNOWN: [u8; 3] = [0x8c, 0x95, 0x9f];

/// Some of the bars of a chart: one for each row, in one colour.
#[derive(Debug)]
pub(super) struct Bars<'a> {
    pub(super) name: &'a str,
    pub(super) colour: [u8; 3],
    /// A value for each row.
    pub(super) values: Vec<f64>,
}

/// Draws rows of bars, the first one on top; those of one row stand behind each other. Where they
/// are shares of 100, the axis says so.
pub(super) fn bars(
    title: &str,
    labels: &[String],
    bars: &[Bars<'_>],
    shares: bool,
) -> charts_rs::Result<Value> {
    let mut both = String::new();
    for ((width, class), letters) in [(WIDE, WIDE_LABEL), (NARROW, NARROW_LABEL)] {
        // The library begins at the bottom.
        let labels = labels.iter().rev().map(|label| clipped(label, letters)).collect();
        let series = bars.iter().map(|bars| {
            let values = bars.values.iter().rev().map(|value| narrow(*value)).collect();
            let stack = Some("all".to_owned());
            Series { stack, ..Series::new(bars.name.to_owned(), values) }
        });
        let mut chart = HorizontalBarChart::new(series.collect(), labels);
        let rows = bars.first().map_or(0, |bars| bars.values.len());
        let colours = bars.iter().map(|bars| bars.colour);
        look(&mut chart.base, (width, narrow(float(size(rows))) * ROW + AXIS), colours);
        let axis = axis(&mut chart.y_axis_configs, if width < WIDE.0 { 2 } else { 4 });
        if shares {
            axis.formatter = Some("{c}%".to_owned());
            axis.max = Some(100.0);
        }
        both.push_str(&named(&chart.svg()?, title, class));
    }
    Ok(Value::from_safe_string(both))
}

/// Draws a line: at which second what rate, from the run's begin to its end.
pub(super) fn line(title: &str, points: &[(f64, f64)], end: f64) -> charts_rs::Result<Value> {
    let mut series =
        Series::new(title.to_owned(), points.iter().map(|(_, rate)| narrow(*rate)).collect());
    series.x_values = Some(points.iter().map(|(t, _)| *t).collect());
    let mut chart = LineChart::new(vec![series], Vec::new());
    look(&mut chart.base, (NARROW.0, 150.0), [BUSY].into_iter());
    chart.base.series.symbol = Some(Symbol::None);
    chart.base.series.fill = true;
    chart.base.series.fill_opacity = Some(0.15);
    chart.base.x_axis.kind = AxisType::Value;
    (chart.base.x_axis.min, chart.base.x_axis.max) = (Some(0.0), Some(end));
    chart.base.x_axis.formatter = Some("{c} s".to_owned());
    axis(&mut chart.y_axis_configs, 4);
    Ok(Value::from_safe_string(named(&chart.svg()?, title, "line")))
}

fn look(base: &mut ChartBase, (width, height): (f32, f32), colours: impl Iterator<Item = [u8; 3]>) {
    (base.width, base.height) = (width, height);
    base.margin = Margin { left: 2.0, top: 4.0, right: 18.0, bottom: 2.0 };
    base.background_color = Color::transparent();
    base.compact = true;
    base.legend.show = Some(false);
    base.grid.stroke_color = colour(GRID);
    base.series.colors = colours.map(colour).collect();
    base.x_axis.font.size = 13.0;
    base.x_axis.font.color = colour(TEXT);
    base.x_axis.stroke_color = colour(TEXT);
    base.x_axis.height = AXIS - 6.0;
}

/// Sets up the axis of the values, which begins at nothing.
fn axis(axes: &mut [YAxisConfig], parts: usize) -> &mut YAxisConfig {
    let axis = &mut axes[0];
    axis.font.size = 13.0;
    axis.font.color = colour(TEXT);
    axis.split_number = parts;
    axis.min = Some(0.0);
    axis
}

/// Gives a chart a name for those who cannot see it, and a class for the page's style.
fn named(svg: &str, title: &str, class: &str) -> String {
    let svg = svg_with_accessibility(svg, title, "");
    svg.replacen("<svg ", &format!("<svg class=\"{class}\" "), 1)
}

fn clipped(label: &str, letters: usize) -> String {
    match label.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", label.get(..end).unwrap_or(label)),
        None => label.to_owned(),
    }
}

fn colour([r, g, b]: [u8; 3]) -> Color {
    (r, g, b).into()
}

/// What the library reckons with. Where a bar ends it is more than fine enough.
#[expect(clippy::cast_possible_truncation, reason = "a pixel is coarser than that")]
fn narrow(number: f64) -> f32 {
    number as f32
}
