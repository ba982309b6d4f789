//! Plots as inline SVG. All are 360 units wide, so that a phone shows them at their own size; colours are classes of the
//! style sheet, so that they follow the reader's light or dark.

use std::fmt::Write;

use super::escape;

/// Width of every plot.
pub(super) const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// Colours of the style sheet that series take in turn: one for each policy.
const COLOURS: usize = 7;
/// Dashes by kind of line.
const DASHES: [&str; 4] = ["", "7 3", "2 3", "9 3 2 3"];
/// Points by colour, around (0, 0), so that colours need not be told apart.
const POINTS: [&str; COLOURS] = [
    "M-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0z",
    "M-2.4-2.4h4.8v4.8h-4.8z",
    "M0-3.4L3.4 0L0 3.4L-3.4 0z",
    "M0-3.3L3.2 2.2H-3.2z",
    "M0 3.3L3.2-2.2H-3.2z",
    "M3.3 0L-2.2 3.2V-3.2z",
    "M-1-3h2v2h2v2h-2v2h-2v-2h-2v-2h2z",
];
/// Points of what is no measurement.
const CROSS: &str = "M-2.6-2.6L2.6 2.6M-2.6 2.6L2.6-2.6";

/// x, y, and the range of y where it spreads.
pub type Point = (f64, f64, Option<(f64, f64)>);

/// A line of a plot.
pub struct Line {
    /// In the legend.
    pub name: String,
    /// How it is drawn.
    pub look: Look,
    /// From left to right.
    pub points: Vec<Point>,
}

/// How a line is drawn.
#[derive(Clone, Copy)]
pub enum Look {
    /// With this colour and these dashes.
    Series { colour: usize, dash: usize },
    /// What measurements are held against, such as a bound: thin, in the colour of text.
    Bound,
}

impl Look {
    fn colour(self) -> String {
        match self {
            Self::Series { colour, .. } => format!("stroke=\"var(--s{})\"", colour % COLOURS),
            Self::Bound => "stroke=\"var(--ink)\"".into(),
        }
    }

    /// A line's class, colour and dashes.
    fn stroke(self) -> String {
        match self {
            Self::Series { dash, .. } => {
                let dashes = DASHES[dash % DASHES.len()];
                format!("class=\"series\" {} stroke-dasharray=\"{dashes}\"", self.colour())
            }
            Self::Bound => format!("class=\"series bound\" {}", self.colour()),
        }
    }

    /// A point at this place, with what it says when pointed at.
    fn point(self, x: f64, y: f64, says: &str) -> String {
        let path = match self {
            Self::Series { colour, .. } => POINTS[colour % COLOURS],
            Self::Bound => CROSS,
        };
        let colour = self.colour();
        format!(
            "<path class=\"point\" {colour} transform=\"translate({x:.1} {y:.1})\" d=\"{path}\"><title>{}</title></path>",
            escape(says)
        )
    }
}

/// An axis: from, to, and the marks with their texts.
pub struct Axis {
    /// What it counts.
    pub title: String,
    /// Behind its numbers.
    pub unit: String,
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
        let marks = (0..=count).map(mark).collect();
        Self { title: title.into(), unit: unit.into(), range: (0.0, count as f64 * step), marks }
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
        let _ = write!(
            svg,
            "<text class=\"mark\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 5.0,
            at + 3.5
        );
    }
    for (value, text) in &x.marks {
        let (at, below) = (px(*value), bottom + 14.0);
        let _ = write!(
            svg,
            "<text class=\"mark\" x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>",
            escape(text)
        );
    }
    let middle = (LEFT + right) / 2.0;
    let _ =
        write!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>", HEIGHT - 4.0, escape(&x.title));
    for (n, line) in lines.iter().enumerate() {
        // whiskers side by side, many of them closer
        let shift = if line.points.iter().any(|p| p.2.is_some()) {
            (32.0 / lines.len() as f64).min(4.0) * (n as f64 - (lines.len() as f64 - 1.0) / 2.0)
        } else {
            0.0
        };
        let (stroke, colour) = (line.look.stroke(), line.look.colour());
        let points: Vec<String> =
            line.points.iter().map(|p| format!("{:.1},{:.1}", px(p.0) + shift, py(p.1))).collect();
        let _ = write!(svg, "<polyline {stroke} points=\"{}\"/>", points.join(" "));
        for &(x_value, y_value, spread) in &line.points {
            let at = px(x_value) + shift;
            if let Some((low, high)) = spread {
                let (low, high) = (py(low), py(high));
                let _ = write!(
                    svg,
                    "<line class=\"whisker\" {colour} x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\"/>"
                );
            }
            svg += &line.look.point(at, py(y_value), &format!("{}: {}{}", line.name, round(y_value), y.unit));
        }
    }
    svg.push_str("</svg><ul class=\"legend\">");
    for line in lines {
        let _ = write!(
            svg,
            "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><line {} x1=\"0\" x2=\"26\" y1=\"5\" y2=\"5\"/>{}</svg>{}</li>",
            line.look.stroke(),
            line.look.point(13.0, 5.0, ""),
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

/// Begins a plot.
pub(super) fn open(label: &str, height: f64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.1}\" role=\"img\" aria-label=\"{}\">", escape(label))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::expert::cache::PolicyKind;

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
        let look = Look::Series { colour: 9, dash: 9 };
        let line = Line { name: "<script>".into(), look, points: vec![(0.5, 1.0, Some((0.5, 2.0)))] };
        let axis = Axis::up_to("<b>", 1.0, "");
        let svg = lines("\"", &axis, &axis, &[line]);
        assert!(!svg.contains("<script>") && !svg.contains("<b>") && svg.contains("&quot;"), "{svg}");
    }

    #[test]
    fn policies_and_the_bound_differ_in_colour_and_in_points() {
        let looks: Vec<Look> =
            (0..COLOURS).map(|colour| Look::Series { colour, dash: 0 }).chain([Look::Bound]).collect();
        let colours: BTreeSet<String> = looks.iter().map(|look| look.colour()).collect();
        let points: BTreeSet<&str> = POINTS.into_iter().chain([CROSS]).collect();
        assert_eq!((colours.len(), points.len()), (COLOURS + 1, COLOURS + 1));
        assert!(PolicyKind::ALL.len() <= COLOURS);
    }
}
