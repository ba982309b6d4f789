use super::*;

/// Layers 1, 2 and 3 of a model whose layer 0 is dense: 8 experts, 2 per token.
fn layers() -> Vec<RoutedLayer> {
    (1..4).map(|layer| RoutedLayer { layer, experts: 8, k: 2 }).collect()
}

fn predictor(kind: PredictorKind) -> Predictor {
    Predictor::new(kind, layers(), 100)
}

/// One step of one token whose layers choose these experts.
fn step(p: &mut Predictor, token: u32, chosen: [[u32; 2]; 3]) {
    p.begin_step(&[token]);
    for (i, experts) in chosen.iter().enumerate() {
        p.observe(i + 1, experts, &|_| true);
    }
}

#[test]
fn the_token_prior_learns_what_a_token_chose_last() {
    let mut p = predictor(PredictorKind::Gate);
    step(&mut p, 7, [[0, 1], [2, 3], [4, 5]]);
    step(&mut p, 9, [[6, 7], [6, 7], [6, 7]]);
    p.begin_step(&[7]);
    assert_eq!(p.prior(Method::Token, 1, 2), [0, 1]);
    assert_eq!(p.prior(Method::Token, 3, 2), [4, 5]);
    step(&mut p, 7, [[1, 6], [2, 3], [4, 5]]);
    p.begin_step(&[7]);
    assert_eq!(p.prior(Method::Token, 1, 4), [1, 6, 0], "the last choice first, then the one before");
    p.begin_step(&[8]);
    assert!(p.prior(Method::Token, 1, 2).is_empty(), "a token that was never seen");
    assert_eq!(p.prior(Method::Previous, 1, 2), [1, 6]);
}

#[test]
fn tokens_that_share_an_entry_do_not_speak_for_one_another() {
    let mut prior = TokenPrior::new(&layers(), 1 << 20);
    prior.learn(5, 0, &[1, 2]);
    prior.learn(5 + 8192, 0, &[3, 4]);
    assert!(prior.of(5, 0, 2).is_empty());
    assert_eq!(prior.of(5 + 8192, 0, 4), [3, 4]);
    assert!(prior.of(5 + 8192, 1, 4).is_empty(), "the other's experts are gone in all layers");
    assert_eq!(prior.of(5 + 8192, 9, 4), [0; 0], "a layer that it does not know");
}

#[test]
fn a_prompt_teaches_each_of_its_tokens() {
    let mut p = predictor(PredictorKind::Transition);
    p.begin_step(&[1, 2, 3]);
    p.observe(1, &[0, 1, 2, 3, 4, 5], &|_| true);
    p.observe(2, &[7, 6, 5, 4, 3, 2], &|_| true);
    p.begin_step(&[2]);
    assert_eq!(p.prior(Method::Token, 1, 2), [2, 3]);
    p.observe(1, &[4, 5], &|_| true);
    assert_eq!(p.following(1, 2, 2), [2, 3]);
}

#[test]
fn frequencies_fade() {
    let mut p = predictor(PredictorKind::Gate);
    (0..20).for_each(|_| step(&mut p, 1, [[0, 1]; 3]));
    (0..20).for_each(|_| step(&mut p, 1, [[2, 3]; 3]));
    assert_eq!(p.prior(Method::Frequency, 1, 4), [2, 3, 0, 1]);
}

#[test]
fn transitions_find_planted_structure() {
    let mut p = predictor(PredictorKind::Transition);
    let mut seed = 1u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 24
    };
    for _ in 0..400 {
        // layer 2 follows layer 1 always, layer 3 by chance
        let (a, b) = (random() % 4, 4 + random() % 4);
        step(&mut p, 1, [[a, b], [7 - a, 7 - b], [random() % 4, 4 + random() % 4]]);
    }
    for (a, b) in [(0, 5), (3, 4)] {
        p.begin_step(&[1]);
        p.observe(1, &[a, b], &|_| true);
        let mut next = p.following(1, 2, 2);
        next.sort_unstable();
        assert_eq!(next, [7 - b, 7 - a]);
    }
}

#[test]
fn transitions_decay() {
    let mut p = predictor(PredictorKind::Transition);
    (0..1000).for_each(|_| step(&mut p, 1, [[0, 1], [2, 3], [2, 3]]));
    (0..100).for_each(|_| step(&mut p, 1, [[0, 1], [4, 5], [6, 7]]));
    p.begin_step(&[1]);
    p.observe(1, &[0, 1], &|_| true);
    assert_eq!(p.following(1, 2, 4), [4, 5, 2, 3], "100 of late outweigh 1000 before");
    assert_eq!(p.following(1, 3, 2), [6, 7], "two layers ahead");
}

#[test]
fn what_was_not_chosen_in_this_step_is_not_followed() {
    let mut p = predictor(PredictorKind::Transition);
    step(&mut p, 1, [[0, 1], [2, 3], [4, 5]]);
    p.begin_step(&[1]);
    assert!(p.following(1, 2, 2).is_empty());
    assert!(p.following(3, 1, 2).is_empty(), "backwards");
}

#[test]
fn recall_counts_routed_slots_and_misses_by_layer_and_distance() {
    let mut p = predictor(PredictorKind::Residual);
    p.begin_step(&[1]);
    p.expect(Method::Residual, Some(1), 2, &[4, 5, 6]);
    p.expect(Method::Residual, Some(2), 3, &[0, 1]);
    p.observe(1, &[0, 1], &|_| true);
    p.observe(2, &[5, 6], &|e| e == 6);
    p.begin_step(&[1]);
    p.observe(3, &[0, 1], &|_| true);
    let want = RecallRow {
        predictor: Method::Residual,
        layer: 2,
        d: Some(1),
        slots: 2,
        slot_hits: 1,
        misses: 1,
        miss_hits: 0,
    };
    assert_eq!(p.recall(), [want], "6 is third of two; what was expected of an earlier step is forgotten");
}

#[test]
fn totals_sum_over_layers_only() {
    let row = |layer, d, hits| RecallRow {
        predictor: Method::Fate,
        layer,
        d: Some(d),
        slots: 8,
        slot_hits: hits,
        misses: 2,
        miss_hits: 1,
    };
    let sums = totals(&[row(1, 1, 3), row(2, 1, 4), row(2, 2, 5)]);
    let hits: Vec<_> = sums.iter().map(|s| (s.d, s.slots, s.slot_hits, s.misses, s.miss_hits)).collect();
    assert_eq!(hits, [(Some(1), 16, 7, 4, 2), (Some(2), 8, 5, 2, 1)]);
}

#[test]
fn the_gates_better_input_is_kept_after_a_trial() {
    for (right, wrong) in [(Method::Residual, Method::Fate), (Method::Fate, Method::Residual)] {
        let mut p = predictor(PredictorKind::Gate);
        assert_eq!(p.in_use(), Method::Residual);
        for _ in 0..TRIAL_TOKENS {
            assert_eq!(p.methods(), [Method::Residual, Method::Fate]);
            p.begin_step(&[1]);
            p.observe(1, &[0, 1], &|_| true);
            p.expect(right, Some(1), 2, &[2, 3]);
            p.expect(wrong, Some(1), 2, &[2, 4]);
            p.observe(2, &[2, 3], &|_| true);
        }
        p.begin_step(&[1]);
        assert_eq!((p.in_use(), p.methods()), (right, &[right][..]));
    }
}

#[test]
fn tokens_without_a_prediction_are_no_trial() {
    let mut p = predictor(PredictorKind::Gate);
    (0..100).for_each(|_| step(&mut p, 1, [[0, 1]; 3]));
    assert_eq!(p.methods(), [Method::Residual, Method::Fate]);
}

#[test]
fn kinds_are_known_by_their_names() {
    for (name, kind) in PredictorKind::ALL {
        assert_eq!((name.parse(), kind.to_string().as_str()), (Ok(kind), name));
    }
    assert!("oracle".parse::<PredictorKind>().is_err());
}

#[test]
fn only_who_asks_for_transitions_pays_for_their_tables() {
    let layers: Vec<_> = (0..48).map(|layer| RoutedLayer { layer, experts: 128, k: 8 }).collect();
    let bytes = |kind| Predictor::bytes(kind, &layers, 151_936, 1);
    assert!(bytes(PredictorKind::Gate) < 3 << 20, "{}", bytes(PredictorKind::Gate));
    let tables = (47 + 46 + 45) * 128 * 129 * 4;
    assert!(bytes(PredictorKind::Transition) >= bytes(PredictorKind::Gate) + tables);
}
