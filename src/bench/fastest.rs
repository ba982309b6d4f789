//! Which configuration was the fastest, and which cannot be told from it.

use serde::Serialize;

use super::figures::ConfigurationRow;

/// The fastest configuration, by place. A name alone would say more than two runs can: what comes as close as the runs of
/// one configuration come to each other is named with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fastest {
    /// The most tokens per second over both runs.
    pub configuration: usize,
    /// Others, with a run that was no slower than the slower run of that one.
    pub alike: Vec<usize>,
}

impl Fastest {
    /// Of these; `None` where none has a speed.
    pub fn of(rows: &[ConfigurationRow]) -> Option<Self> {
        let timed = (0..).zip(rows).filter_map(|(place, row)| Some((place, row.tok_s_mean?)));
        let (configuration, _) = timed.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let slower = runs(&rows[configuration]).fold(f64::INFINITY, f64::min);
        let reaches = |place: &usize| *place != configuration && runs(&rows[*place]).any(|run| run >= slower);
        Some(Self { configuration, alike: (0..rows.len()).filter(reaches).collect() })
    }
}

fn runs(row: &ConfigurationRow) -> impl Iterator<Item = f64> + '_ {
    row.tok_s_runs.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_is_named_with_those_whose_runs_reach_into_its_own() {
        let row = |runs: [f64; 2]| ConfigurationRow {
            tok_s_mean: Some((runs[0] + runs[1]) / 2.0),
            tok_s_runs: runs.map(Some).to_vec(),
            ..ConfigurationRow::default()
        };
        let rows = [row([380.0, 392.0]), row([435.0, 393.0]), row([300.0, 393.0]), row([400.0, 410.0])];
        assert_eq!(Fastest::of(&rows), Some(Fastest { configuration: 1, alike: vec![2, 3] }));
        assert_eq!(Fastest::of(&rows[..2]), Some(Fastest { configuration: 1, alike: vec![] }));
        assert_eq!(Fastest::of(&[ConfigurationRow::default()]), None);
    }
}
