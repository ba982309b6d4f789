//! Flags of how an answer is drawn and when it ends.

use clap::Args;

use crate::cli::flags;
use crate::generate::sampler::{Sampling, random_seed};

const SAMPLING: &str = "Sampling";

/// How an answer is drawn and when it ends.
#[derive(Args, Clone, Debug)]
pub struct SamplingFlags {
    /// Tokens to generate at most; -1: no limit [default: until the answer or the context ends]
    #[arg(short = 'n', long = "tokens", value_name = "N", value_parser = or_minus_one::<usize>, help_heading = SAMPLING)]
    tokens: Option<OrMinusOne<usize>>,
    /// End the answer before this text; may be given several times
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = SAMPLING)]
    pub stop: Vec<String>,
    /// Temperature; 0 takes the best token always, and the flags below but --repeat-penalty are idle
    #[arg(long, value_name = "T", default_value_t = 0.8, value_parser = |s: &str| float(s, 0.0, 1000.0), help_heading = SAMPLING)]
    pub temp: f32,
    /// Keep the best K tokens; 0: all
    #[arg(long, value_name = "K", default_value_t = 40, value_parser = flags::whole, help_heading = SAMPLING)]
    pub top_k: usize,
    /// Keep the fewest best tokens whose probabilities reach P; 1: all
    #[arg(long, value_name = "P", default_value_t = 0.95, value_parser = |s: &str| float(s, f32::MIN_POSITIVE, 1.0), help_heading = SAMPLING)]
    pub top_p: f32,
    /// Keep tokens at least P times as probable as the best; 0: all
    #[arg(long, value_name = "P", default_value_t = 0.05, value_parser = |s: &str| float(s, 0.0, 1.0), help_heading = SAMPLING)]
    pub min_p: f32,
    /// Make the last 64 tokens less likely; 1: no
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = |s: &str| float(s, f32::MIN_POSITIVE, 1000.0), help_heading = SAMPLING)]
    pub repeat_penalty: f32,
    /// Seed of the draw: the same seed gives the same text; -1: a random one [default: random]
    #[arg(long, value_name = "N", value_parser = or_minus_one::<u64>, help_heading = SAMPLING)]
    seed: Option<OrMinusOne<u64>>,
}

impl SamplingFlags {
    /// Tokens of an answer at most, if there is a limit.
    pub fn max_tokens(&self) -> Option<usize> {
        self.tokens.and_then(|n| n.0)
    }

    /// What the sampler runs with; a seed is drawn if none was given.
    pub fn resolve(&self) -> Sampling {
        Sampling {
            temperature: self.temp,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repeat_penalty: self.repeat_penalty,
            seed: self.seed.and_then(|seed| seed.0).unwrap_or_else(random_seed),
        }
    }
}

/// A number from -1 on, and what it stands for: -1 is "none given", as in llama.cpp.
fn or_minus_one<T: std::str::FromStr>(text: &str) -> Result<OrMinusOne<T>, String> {
    match text {
        "-1" => Ok(OrMinusOne(None)),
        digits => {
            let number = digits.parse().map_err(|_| format!("`{text}` is neither -1 nor a number from 0 on"))?;
            Ok(OrMinusOne(Some(number)))
        }
    }
}

/// A number, or -1 for the default.
#[derive(Clone, Copy, Debug)]
pub struct OrMinusOne<T>(Option<T>);

fn float(text: &str, min: f32, max: f32) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        _ if min > 0.0 => Err(format!("give a number above 0, at most {max}")),
        _ => Err(format!("give a number from {min} to {max}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches, Parser};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        sampling: SamplingFlags,
    }

    fn parse(flags: &str) -> Result<SamplingFlags, String> {
        let command = flags::with_negative_numbers(Line::command());
        let line = command.try_get_matches_from(["x"].into_iter().chain(flags.split_whitespace()));
        line.and_then(|line| Line::from_arg_matches(&line)).map(|line| line.sampling).map_err(|e| e.to_string())
    }

    #[test]
    fn sampling_defaults_are_the_samplers() {
        let sampling = parse("").unwrap().resolve();
        assert_eq!(sampling, Sampling { seed: sampling.seed, ..Sampling::default() });
        assert_ne!(parse("").unwrap().resolve().seed, sampling.seed);
        assert_eq!(parse("--seed 7").unwrap().resolve().seed, 7);
    }

    #[test]
    fn minus_one_is_no_limit_and_a_random_seed() {
        let line = parse("-n -1 --seed -1").unwrap();
        assert_eq!(line.max_tokens(), None);
        assert_ne!(line.resolve().seed, line.resolve().seed);
        assert_eq!(parse("-n 0").unwrap().max_tokens(), Some(0));
        assert_eq!(parse("--seed 18446744073709551615").unwrap().resolve().seed, u64::MAX);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for flags in [
            "--temp -1",
            "--temp NaN",
            "--top-p 0",
            "--top-p 1.1",
            "--min-p 2",
            "--repeat-penalty 0",
            "--seed -2",
            "--seed 18446744073709551616",
            "-n -2",
            "-n x",
        ] {
            assert!(parse(flags).is_err(), "{flags}");
        }
    }
}
