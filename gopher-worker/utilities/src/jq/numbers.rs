//! Numbers as gojq shows them: `3.0` is 3, and what JSON cannot say is null or the largest number.

use jaq_json::{Num, Rc, Val};

/// The value with such numbers, all the way down.
pub(super) fn plain(value: &Val) -> Val {
    match value {
        Val::Num(Num::Dec(text)) => text.parse().map_or_else(|_| value.clone(), float),
        Val::Num(Num::Float(number)) => float(*number),
        Val::Arr(items) => items.iter().map(plain).collect(),
        Val::Obj(map) => Val::obj(map.iter().map(|(key, item)| (key.clone(), plain(item))).collect()),
        other => other.clone(),
    }
}

/// The integer that a whole number is.
pub(super) fn whole(number: f64) -> Val {
    if number.fract() == 0.0 && number.abs() <= EXACT { float(number) } else { Val::Num(Num::Float(number)) }
}

/// Whether nothing can be divided by it.
pub(super) fn is_zero(number: &Num) -> bool {
    match number {
        Num::Int(number) => *number == 0,
        Num::BigInt(_) => false,
        Num::Float(number) => *number == 0.0,
        Num::Dec(text) => text.parse() == Ok(0.0),
    }
}

/// The integer at or below.
pub(super) fn floor(number: &Num) -> Num {
    let real = match number {
        Num::Float(real) => *real,
        Num::Dec(text) => text.parse().unwrap_or(f64::NAN),
        other => return other.clone(),
    };
    match whole(real.floor()) {
        Val::Num(number) => number,
        _ => number.clone(),
    }
}

/// The largest whole number that a float tells from its neighbours.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn float(number: f64) -> Val {
    if number.is_nan() {
        return Val::Null;
    }
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return format!("{number:.0}").parse::<isize>().map_or(Val::Num(Num::Float(number)), Val::from);
    }
    let number = number.clamp(f64::MIN, f64::MAX);
    let text = if (1e-6..1e21).contains(&number.abs()) {
        number.to_string()
    } else {
        let text = format!("{number:e}");
        if text.contains("e-") { text } else { text.replace('e', "e+") }
    };
    Val::Num(Num::Dec(Rc::new(text)))
}
