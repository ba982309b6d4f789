use proptest::prelude::*;

use super::*;

/// All stages off but the given ones.
fn open() -> Sampling {
    Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, min_p: 0.0, repeat_penalty: 1.0, seed: 1 }
}

/// Which tokens come up in many draws.
fn support(sampling: Sampling, logits: &[f32]) -> Vec<u32> {
    let mut sampler = Sampler::new(sampling);
    let mut seen: Vec<u32> = (0..2000).map(|_| sampler.sample(logits).unwrap()).collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}

#[test]
fn greedy_takes_the_best_and_the_lowest_id_of_equals() {
    let mut sampler = Sampler::new(Sampling::greedy());
    assert_eq!(sampler.sample(&[0.0, 3.0, 1.0, 3.0]).unwrap(), 1);
    assert_eq!(sampler.sample(&[-1.0, f32::NEG_INFINITY]).unwrap(), 0);
}

#[test]
fn top_k_keeps_the_best_k_and_the_lowest_ids_of_equals() {
    assert_eq!(support(Sampling { top_k: 2, ..open() }, &[1.0, 1.2, 0.9, 1.1]), [1, 3]);
    assert_eq!(support(Sampling { top_k: 2, ..open() }, &[1.0; 4]), [0, 1]);
    assert_eq!(support(Sampling { top_k: 9, ..open() }, &[1.0; 4]), [0, 1, 2, 3]);
}

#[test]
fn top_p_keeps_the_fewest_tokens_that_reach_the_sum() {
    // Probabilities 0.5, 0.3, 0.2.
    let logits = [0.3f32.ln(), 0.5f32.ln(), 0.2f32.ln()];
    assert_eq!(support(Sampling { top_p: 0.45, ..open() }, &logits), [1]);
    assert_eq!(support(Sampling { top_p: 0.7, ..open() }, &logits), [0, 1]);
    assert_eq!(support(Sampling { top_p: 0.9, ..open() }, &logits), [0, 1, 2]);
}

#[test]
fn min_p_keeps_tokens_near_the_best() {
    let logits = [0.3f32.ln(), 0.5f32.ln(), 0.2f32.ln()];
    assert_eq!(support(Sampling { min_p: 0.5, ..open() }, &logits), [0, 1]);
    assert_eq!(support(Sampling { min_p: 1.0, ..open() }, &logits), [1]);
}

#[test]
fn filters_look_at_probabilities_before_the_temperature() {
    // At temperature 10 the three would be nearly equal and top-p 0.45 would need two of them.
    let logits = [0.3f32.ln(), 0.5f32.ln(), 0.2f32.ln()];
    assert_eq!(support(Sampling { top_p: 0.45, temperature: 10.0, ..open() }, &logits), [1]);
}

#[test]
fn repeat_penalty_divides_positive_and_multiplies_negative_logits_once() {
    let mut sampler = Sampler::new(Sampling { repeat_penalty: 2.0, ..Sampling::greedy() });
    sampler.accept(&[0, 0, 0]);
    assert_eq!(sampler.sample(&[3.0, 1.4]).unwrap(), 0, "3 / 2 once, not three times");
    assert_eq!(sampler.sample(&[3.0, 1.6]).unwrap(), 1);
    assert_eq!(sampler.sample(&[-1.0, -1.9]).unwrap(), 1, "-1 x 2 is below -1.9");
    sampler.accept(&[1; PENALTY_WINDOW]);
    assert_eq!(sampler.sample(&[3.0, 2.9]).unwrap(), 0, "token 0 has left the window");
}

#[test]
fn frequencies_follow_the_softmax() {
    let logits = [0.6f32.ln(), 0.4f32.ln()];
    let mut sampler = Sampler::new(open());
    let ones = (0..20_000).filter(|_| sampler.sample(&logits).unwrap() == 1).count();
    assert!((7_700..8_300).contains(&ones), "{ones} of 20000 at probability 0.4");
}

#[test]
fn a_seed_fixes_the_choices() {
    let logits: Vec<f32> = (0..100).map(|i| (i as f32 * 0.7).sin()).collect();
    let draw = |seed| {
        let mut sampler = Sampler::new(Sampling { seed, ..Sampling::default() });
        (0..12).map(|_| sampler.sample(&logits).unwrap()).collect::<Vec<u32>>()
    };
    assert_eq!(draw(42), draw(42));
    assert_ne!(draw(42), draw(43));
}

#[test]
fn broken_logits_are_an_error_that_says_so() {
    let mut sampler = Sampler::new(Sampling::default());
    let nan = sampler.sample(&[0.0, f32::NAN]).unwrap_err().to_string();
    assert!(nan.contains("NaN") && nan.contains("token 1"), "{nan}");
    assert!(sampler.sample(&[f32::INFINITY]).is_err());
    assert!(sampler.sample(&[f32::NEG_INFINITY; 3]).is_err());
    assert!(sampler.sample(&[]).is_err());
}

#[test]
fn our_exp_agrees_with_the_systems() {
    for i in 0..70_000 {
        let x = -f64::from(i) * 0.01;
        let (ours, theirs) = (exp(x), x.exp());
        assert!((ours - theirs).abs() <= theirs * 1e-15, "exp({x}) = {ours}, not {theirs}");
    }
    assert_eq!(exp(f64::NEG_INFINITY), 0.0);
    assert_eq!(exp(0.0), 1.0);
}

proptest! {
    #[test]
    fn a_draw_is_a_token_that_every_filter_keeps(
        logits in prop::collection::vec(-20.0f32..20.0, 1..200),
        temperature in 0.01f32..3.0, top_k in 0usize..50, top_p in 0.01f32..=1.0, min_p in 0.0f32..=1.0, seed: u64,
    ) {
        let mut sampler = Sampler::new(Sampling { temperature, top_k, top_p, min_p, repeat_penalty: 1.0, seed });
        let token = sampler.sample(&logits).unwrap() as usize;
        let better = logits.iter().filter(|x| **x > logits[token]).count();
        prop_assert!(top_k == 0 || better < top_k);
        let best = logits.iter().copied().fold(f32::MIN, f32::max);
        prop_assert!((logits[token] - best).exp() >= min_p * 0.999);
    }

    #[test]
    fn any_setting_with_top_k_one_is_greedy(logits in prop::collection::vec(-20.0f32..20.0, 1..200), seed: u64) {
        let one = Sampler::new(Sampling { top_k: 1, seed, ..Sampling::default() }).sample(&logits).unwrap();
        prop_assert_eq!(one, Sampler::new(Sampling::greedy()).sample(&logits).unwrap());
    }
}
