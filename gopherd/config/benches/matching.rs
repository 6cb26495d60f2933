//! Which of many commands a text is: the time for a text among 10 and among 1,000 commands, in nanoseconds.
//!
//! `cargo xtask bench matching` reads what this prints: `NAME TEN THOUSAND`, a line each.
#![allow(clippy::unwrap_used)]

use std::{hint::black_box, time::Instant};

use gopher_config::{
    regexes::Regexes,
    simple::{Index, Outcome, Spec},
};
use regex::Regex;

const ROUNDS: u32 = 20_000;
/// The best of so many: whatever else the machine does makes it slower, never faster.
const TRIES: usize = 15;

fn main() {
    let texts = ["deploy7 web to berlin", "deploy9999 web to berlin"];
    let [small, large] = [10, 1_000].map(regexes);
    assert_eq!((large(texts[0]), large(texts[1])), (3, 0));
    println!("regex {} {}", best(|| small(texts[0])), best(|| large(texts[0])));
    println!("regex-miss {} {}", best(|| small(texts[1])), best(|| large(texts[1])));
    let [small, large] = [10, 1_000].map(specs);
    assert_eq!((large(texts[0]), large(texts[1])), (1, 0));
    println!("simple {} {}", best(|| small(texts[0])), best(|| large(texts[0])));
    println!("simple-miss {} {}", best(|| small(texts[1])), best(|| large(texts[1])));
}

/// As the engine does it: which may match, then the arguments of each.
fn regexes(count: usize) -> impl Fn(&str) -> usize {
    let expressions: Vec<String> = (0..count).map(|n| format!(r"^\s*(?i:deploy{n} (\S+) to (\S+))\s*$")).collect();
    let all = Regexes::new(&expressions).unwrap();
    let each: Vec<Regex> = expressions.iter().map(|e| Regex::new(e).unwrap()).collect();
    move |text| {
        let mut found = Vec::new();
        all.matching(text, &mut found);
        let arguments = found.iter().filter_map(|n| each[*n].captures(text)).map(|c| c.len());
        arguments.sum()
    }
}

fn specs(count: usize) -> impl Fn(&str) -> usize {
    let each: Vec<Spec> =
        (0..count).map(|n| Spec::parse(&format!("deploy{n} <what:token> to <site:token>")).unwrap()).collect();
    let mut index = Index::default();
    for (number, spec) in each.iter().enumerate() {
        index.add(number, spec);
    }
    move |text| {
        let mut found = Vec::new();
        index.look_up(text, &mut found);
        found.iter().filter(|n| matches!(each[**n].command(text), Outcome::Exact(_))).count()
    }
}

/// Nanoseconds of one look.
fn best(look: impl Fn() -> usize) -> u128 {
    let round = || {
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            black_box(look());
        }
        begun.elapsed().as_nanos() / u128::from(ROUNDS)
    };
    (0..TRIES).map(|_| round()).min().unwrap_or_default()
}
