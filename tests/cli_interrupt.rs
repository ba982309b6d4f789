//! A stop between the layers of a step: what is computed afterwards does not know of it.

mod common;

use std::cell::Cell;

use common::tiny_model;
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};
use foregate::generate::sampler::{Sampler, Sampling};
use foregate::generate::stream::{Answer, Ended, Generator, LanguageModel, ModelText, Request};
use foregate::tokenizer::Tokenizer;

/// Layers of the model.
const LAYERS: usize = 3;

fn engine() -> Engine {
    let options = Options { device: DeviceChoice::Cpu, memory: Some(1 << 30), ctx: Some(64), ..Options::default() };
    Engine::open(&tiny_model(), &options, &mut |_| ()).unwrap()
}

/// Says stop from the `n`th question on.
fn stop_at(asked: &Cell<usize>, n: usize) -> impl Fn() -> bool + '_ {
    asked.set(0);
    move || asked.replace(asked.get() + 1) >= n
}

#[test]
fn a_step_is_stopped_before_any_of_its_layers_and_the_next_overwrites_it() {
    let (kept, stopped, next): (Vec<u32>, Vec<u32>, Vec<u32>) =
        ((1..20).collect(), (50..80).collect(), (100..115).collect());
    let mut fresh = engine();
    fresh.next_logits(&kept, &|| false).unwrap().unwrap();
    let expected = fresh.next_logits(&next, &|| false).unwrap().unwrap();
    let mut model = engine();
    model.next_logits(&kept, &|| false).unwrap().unwrap();
    let asked = Cell::new(0);
    for n in 0..LAYERS {
        assert_eq!(model.next_logits(&stopped, &stop_at(&asked, n)).unwrap(), None, "stopped before layer {n}");
        assert_eq!(asked.get(), n + 1, "no layer more is begun");
        assert_eq!(model.position(), kept.len());
        assert_eq!(model.next_logits(&next, &|| false).unwrap().unwrap(), expected);
        model.rewind(kept.len()).unwrap();
    }
    assert!(model.next_logits(&stopped, &stop_at(&asked, LAYERS)).unwrap().is_some(), "the last layer was asked for");
}

#[test]
fn after_a_stop_anywhere_the_next_answer_is_that_of_a_model_that_never_saw_it() {
    let gguf = foregate::gguf::Gguf::open(&tiny_model()).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let ids = |text: &str| tokenizer.encode(text, true, true).unwrap();
    let answer = |model: &mut Engine, generator: &mut Generator, prompt: &str, cancel: &dyn Fn() -> bool| -> Answer {
        let prompt = ids(prompt);
        let request = Request { prompt: &prompt, max_tokens: Some(4), stops: &[] };
        let mut sampler = Sampler::new(Sampling::greedy());
        let mut text = ModelText::new(&tokenizer, &[]);
        generator.answer(model, &mut text, &mut sampler, &request, cancel, &mut |_| Ok(())).unwrap()
    };
    let expected = answer(&mut engine(), &mut Generator::new(), "the rain in the street", &|| false);
    let (mut model, mut generator, asked) = (engine(), Generator::new(), Cell::new(0));
    let mut lengths = Vec::new();
    // in the prompt, at its end, and in each token of the answer
    for n in 0..=LAYERS * 4 {
        let stopped = answer(&mut model, &mut generator, "the rain on the hill", &stop_at(&asked, n));
        if n < LAYERS * 4 {
            assert_eq!(stopped.ended, Ended::Interrupted, "{n}");
        }
        lengths.push(stopped.ids.len());
        let next = answer(&mut model, &mut generator, "the rain in the street", &|| false);
        assert_eq!(next.ids, expected.ids, "after a stop at question {n}");
    }
    assert_eq!(lengths[..=LAYERS], [0; LAYERS + 1], "a stop in the prompt draws no token");
    assert!(lengths.is_sorted() && lengths.contains(&2), "{lengths:?}");
}
