//! Plots as inline SVG. All are 360 units wide, so that a phone shows them at their own size; colours are classes of the
//! style sheet, so that they follow the reader's light or dark.

use std::fmt::Write;

use super::escape;

/// Width of every plot.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// Colours of the style sheet that series take in turn; the last one is for bounds.
const COLOURS: usize = 6;
/// The colour of what is no measurement.
pub const BOUND: usize = COLOURS;
/// Dashes by kind of line.
const DASHES: [&str; 4] = ["", "7 3", "2 3", "9 3 2 3"];

/// x, y, and the range of y where it spreads.
pub type Point = (f64, f64, Option<(f64, f64)>);

/// A line of a plot.
pub struct Line {
    /// In the legend.
    pub name: String,
    /// Which colour; [`BOUND`] for bounds.
    pub colour: usize,
    /// Which dashes.
    pub dash: usize,
    /// From left to right.
    pub points: Vec<Point>,
}

impl Line {
    fn colour(&self) -> String {
        let colour = if self.colour == BOUND { BOUND } else { self.colour % COLOURS };
        format!("stroke=\"var(--s{colour})\"")
    }

    fn stroke(&self) -> String {
        format!("{} stroke-dasharray=\"{}\"", self.colour(), DASHES[self.dash % DASHES.len()])
    }
}

/// An axis: from, to, and the marks with their texts.
pub struct Axis {
    /// What it counts.
    pub title: String,
    /// Its ends.
    pub range: (f64, f64),
    /// Where marks are, and what they say.
    pub marks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to a round number above `most`, with a handful of marks.
    pub fn up_to(title: &str, most: f64, unit: &str) -> Self {
        let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
        let power = 10f64.powf((most / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|s| most / s <= 5.0).unwrap_or(most);
        let count = (most / step).ceil() as usize;
        let mark = |n: usize| (n as f64 * step, format!("{}{unit}", round(n as f64 * step)));
        Self { title: title.into(), range: (0.0, count as f64 * step), marks: (0..=count).map(mark).collect() }
    }

    fn place(&self, value: f64, from: f64, to: f64) -> f64 {
        let width = (self.range.1 - self.range.0).max(1e-12);
        from + (value - self.range.0) / width * (to - from)
    }
}

/// A number without needless decimals.
fn round(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Lines over one another, with their legend.
pub fn lines(label: &str, x: &Axis, y: &Axis, lines: &[Line]) -> String {
    let mut svg = open(label, HEIGHT);
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let px = |value| x.place(value, LEFT + 8.0, right - 8.0);
    let py = |value| y.place(value, bottom, TOP);
    // Writing to a string cannot fail.
    for (value, text) in &y.marks {
        let at = py(*value);
        let _ = write!(svg, "<line class=\"rule\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ = write!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>", LEFT - 5.0, at + 3.5);
    }
    for (value, text) in &x.marks {
        let (at, below) = (px(*value), bottom + 14.0);
        let _ = write!(svg, "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>", escape(text));
    }
    let middle = (LEFT + right) / 2.0;
    let _ =
        write!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>", HEIGHT - 4.0, escape(&x.title));
    for (n, line) in lines.iter().enumerate() {
        // whiskers side by side
        let shift = if line.points.iter().any(|p| p.2.is_some()) {
            4.0 * (n as f64 - (lines.len() as f64 - 1.0) / 2.0)
        } else {
            0.0
        };
        let (stroke, colour) = (line.stroke(), line.colour());
        let points: Vec<String> =
            line.points.iter().map(|p| format!("{:.1},{:.1}", px(p.0) + shift, py(p.1))).collect();
        let _ = write!(svg, "<polyline class=\"series\" {stroke} points=\"{}\"/>", points.join(" "));
        for &(x_value, y_value, spread) in &line.points {
            let at = px(x_value) + shift;
            if let Some((low, high)) = spread {
                let (low, high) = (py(low), py(high));
                let _ = write!(
                    svg,
                    "<line class=\"whisker\" {colour} x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\"/>"
                );
            }
            let _ = write!(
                svg,
                "<circle {colour} stroke-width=\"2\" fill=\"var(--card)\" cx=\"{at:.1}\" cy=\"{:.1}\" r=\"2.6\"><title>{}: \
                 {}</title></circle>",
                py(y_value),
                escape(&line.name),
                round(y_value)
            );
        }
    }
    svg.push_str("</svg><ul class=\"legend\">");
    for line in lines {
        let _ = write!(
            svg,
            "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><line class=\"series\" {} x1=\"0\" x2=\"26\" y1=\"5\" \
             y2=\"5\"/></svg>{}</li>",
            line.stroke(),
            escape(&line.name)
        );
    }
    svg + "</ul>"
}

/// A bar of several parts.
pub struct Bar {
    /// Above it, left.
    pub name: String,
    /// Above it, right.
    pub total: String,
    /// Length of each part, and what it says when pointed at.
    pub parts: Vec<(f64, String)>,
}

/// Bars below one another, on one scale, with the legend of their parts.
pub fn bars(label: &str, parts: &[&str], bars: &[Bar]) -> String {
    const ROW: f64 = 36.0;
    let mut svg = open(label, ROW * bars.len() as f64);
    let length = |bar: &Bar| bar.parts.iter().map(|p| p.0).sum::<f64>();
    let longest = bars.iter().map(length).fold(0.0, f64::max).max(1e-12);
    // Writing to a string cannot fail.
    for (n, bar) in bars.iter().enumerate() {
        let top = ROW * n as f64;
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{0:.1}\">{1}</text><text class=\"value\" x=\"{WIDTH}\" y=\"{0:.1}\" \
             text-anchor=\"end\">{2}</text>",
            top + 12.0,
            escape(&bar.name),
            escape(&bar.total)
        );
        let mut from = 0.0;
        for (colour, (part, says)) in bar.parts.iter().enumerate() {
            let width = part / longest * WIDTH;
            let _ = write!(
                svg,
                "<rect x=\"{from:.2}\" y=\"{:.1}\" width=\"{:.2}\" height=\"12\" rx=\"1.5\" \
                 fill=\"var(--s{colour})\"><title>{}</title></rect>",
                top + 17.0,
                (width - 0.8).max(0.0),
                escape(says)
            );
            from += width;
        }
    }
    svg.push_str("</svg><ul class=\"legend\">");
    for (colour, part) in parts.iter().enumerate() {
        let _ = write!(
            svg,
            "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><rect width=\"26\" height=\"10\" rx=\"2\" \
             fill=\"var(--s{colour})\"/></svg>{part}</li>"
        );
    }
    svg + "</ul>"
}

/// A row of a heat map: its name, and of each cell the value and whether it is outlined.
pub struct HeatRow {
    /// Left of it.
    pub name: String,
    /// Its cells.
    pub cells: Vec<(u64, bool)>,
}

/// Cells whose colour grows with their value.
pub fn heat(label: &str, rows: &[HeatRow]) -> String {
    const NAMES: f64 = 20.0;
    const HEAD: f64 = 14.0;
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(1);
    let width = (WIDTH - NAMES) / columns as f64;
    let height = width.clamp(5.0, 12.0);
    let most = rows.iter().flat_map(|row| &row.cells).map(|cell| cell.0).max().unwrap_or(0).max(1) as f64;
    let mut svg = open(label, HEAD + height * rows.len() as f64 + 2.0).replacen("<svg", "<svg class=\"heat\"", 1);
    // Writing to a string cannot fail.
    for column in (0..columns).step_by(columns.div_ceil(8)) {
        let at = NAMES + width * (column as f64 + 0.5);
        let _ = write!(svg, "<text x=\"{at:.1}\" y=\"9\" text-anchor=\"middle\">{column}</text>");
    }
    let every = (10.0 / height).ceil() as usize;
    for (n, row) in rows.iter().enumerate() {
        let top = HEAD + height * n as f64;
        if n % every == 0 {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                NAMES - 5.0,
                top + height / 2.0 + 3.5,
                row.name
            );
        }
        let gap = (width * 0.08).min(0.5);
        for (column, &(value, outlined)) in row.cells.iter().enumerate() {
            let x = NAMES + width * column as f64 + gap;
            let frame = format!(
                "x=\"{x:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\"",
                top + gap,
                width - 2.0 * gap,
                height - 2.0 * gap
            );
            let _ = write!(svg, "<rect class=\"ground\" {frame}/>");
            let slot = if outlined { ", in a slot at the end" } else { "" };
            let _ = write!(
                svg,
                "<rect class=\"cell\" fill-opacity=\"{:.3}\" {frame}><title>layer {}, expert {column}: {value} \
                 tokens{slot}</title></rect>",
                value as f64 / most,
                row.name
            );
            if outlined {
                let _ = write!(svg, "<rect class=\"slot\" pointer-events=\"none\" {frame}/>");
            }
        }
    }
    svg + "</svg>"
}

fn open(label: &str, height: f64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.1}\" role=\"img\" aria-label=\"{}\">", escape(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_a_round_number_with_a_handful_of_marks() {
        for most in [0.0, 0.004, 0.7, 1.0, 3.0, 47.0, 100.0, 389.0, 12_345.0] {
            let axis = Axis::up_to("x", most, "");
            assert!(axis.range.1 >= most && (2..=7).contains(&axis.marks.len()), "{most}: {:?}", axis.marks);
            assert!(most < 0.01 || axis.range.1 <= most * 2.0 || most == 0.0, "{most}: {:?}", axis.range);
        }
    }

    #[test]
    fn names_cannot_leave_their_plot() {
        let line = Line { name: "<script>".into(), colour: 7, dash: 9, points: vec![(0.5, 1.0, Some((0.5, 2.0)))] };
        let axis = Axis::up_to("<b>", 1.0, "");
        let svg = lines("\"", &axis, &axis, &[line]);
        assert!(!svg.contains("<script>") && !svg.contains("<b>") && svg.contains("&quot;"), "{svg}");
    }
}
