//! The heat map: use of every expert, and whether it has a slot.

use std::fmt::Write;

use super::svg::{WIDTH, open};

/// A row of a heat map: its name, and of each cell the value and whether it is underlined.
pub struct HeatRow {
    /// Left of it.
    pub name: String,
    /// Its cells.
    pub cells: Vec<(u64, bool)>,
}

const NAMES: f64 = 20.0;
const HEAD: f64 = 14.0;

/// Where the cells are.
struct Grid {
    columns: usize,
    width: f64,
    height: f64,
    most: u64,
}

impl Grid {
    fn new(rows: &[HeatRow]) -> Self {
        let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(1);
        let width = (WIDTH - NAMES) / columns as f64;
        let most = rows.iter().flat_map(|row| &row.cells).map(|cell| cell.0).max().unwrap_or(0);
        Self { columns, width, height: width.clamp(5.0, 12.0), most }
    }
}

/// Cells whose colour grows with their value, with the scale below.
pub fn heat(label: &str, rows: &[HeatRow]) -> String {
    let grid = Grid::new(rows);
    let height = HEAD + grid.height * rows.len() as f64 + 2.0;
    let mut svg = open(label, height).replacen("<svg", "<svg class=\"heat\"", 1);
    // Writing to a string cannot fail.
    for column in (0..grid.columns).step_by(grid.columns.div_ceil(8)) {
        let at = NAMES + grid.width * (column as f64 + 0.5);
        let _ = write!(svg, "<text class=\"mark\" x=\"{at:.1}\" y=\"9\" text-anchor=\"middle\">{column}</text>");
    }
    let every = (10.0 / grid.height).ceil() as usize;
    for (n, row) in rows.iter().enumerate() {
        let top = HEAD + grid.height * n as f64;
        if n % every == 0 {
            let (at, name) = (top + grid.height / 2.0 + 3.5, &row.name);
            let _ = write!(
                svg,
                "<text class=\"mark\" x=\"{}\" y=\"{at:.1}\" text-anchor=\"end\">{name}</text>",
                NAMES - 5.0
            );
        }
        for (column, &cell) in row.cells.iter().enumerate() {
            draw(&mut svg, &grid, (&row.name, column), top, cell);
        }
    }
    svg + "</svg>" + &scale(grid.most)
}

/// One cell. A line at its foot marks a slot: an outline would cover the colour of small cells.
fn draw(svg: &mut String, grid: &Grid, (layer, column): (&str, usize), top: f64, (value, slot): (u64, bool)) {
    let gap = (grid.width * 0.08).min(0.5);
    let (x, y) = (NAMES + grid.width * column as f64 + gap, top + gap);
    let (width, height) = (grid.width - 2.0 * gap, grid.height - 2.0 * gap);
    let frame = format!("x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"");
    let opacity = value as f64 / grid.most.max(1) as f64;
    let says = if slot { ", in a slot at the end" } else { "" };
    let _ = write!(
        svg,
        "<rect class=\"ground\" {frame}/><rect class=\"cell\" fill-opacity=\"{opacity:.3}\" {frame}><title>layer {layer}, \
         expert {column}: {value} tokens{says}</title></rect>"
    );
    if slot {
        let foot = (height * 0.2).max(1.0);
        let _ = write!(
            svg,
            "<rect class=\"slot\" pointer-events=\"none\" x=\"{x:.2}\" y=\"{:.2}\" width=\"{width:.2}\" \
             height=\"{foot:.2}\"/>",
            y + height - foot
        );
    }
}

/// What colours and marks mean, in numbers that need no pointer.
fn scale(most: u64) -> String {
    let step = |n: u32| {
        let opacity = f64::from(n) / 5.0;
        format!(
            "<rect class=\"ground\" x=\"{0}\" width=\"13\" height=\"10\"/><rect class=\"cell\" fill-opacity=\"{opacity:.1}\" \
             x=\"{0}\" width=\"13\" height=\"10\"/>",
            13 * n
        )
    };
    let steps: String = (0..6).map(step).collect();
    format!(
        "<ul class=\"legend\"><li>0 <svg class=\"scale\" viewBox=\"0 0 78 10\" aria-hidden=\"true\">{steps}</svg>{most} \
         tokens</li><li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><rect class=\"ground\" width=\"26\" height=\"10\"/>\
         <rect class=\"slot\" y=\"8\" width=\"26\" height=\"2\"/></svg>had a slot at the end</li></ul>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_a_scale_and_slots_leave_most_of_a_cell_free() {
        let rows = [HeatRow { name: "3".into(), cells: (0..128).map(|n| (n, n == 5)).collect() }];
        let svg = heat("x", &rows);
        assert!(svg.contains("</svg>127 tokens") && svg.contains("had a slot"), "{svg}");
        let grid = Grid::new(&rows);
        let slot = svg.split("class=\"slot\"").nth(1).unwrap();
        let foot: f64 = slot.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        assert!(foot <= grid.height / 3.0, "{foot} of {}", grid.height);
    }
}
