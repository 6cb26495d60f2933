//! Filters in Rust that jaq lacks, or that would look at the process: `env`, `debug`, `stderr`, `input_filename`.

use std::{cell::RefCell, rc::Rc};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use jaq_core::{
    DataT, Error, Lut, RunPtr,
    data::HasLut,
    native::{Filter, Fun, bome, run, unary, v},
};
use jaq_json::{Val, read, write};
use jaq_std::input::{HasInputs, Inputs};

use super::{
    matches,
    numbers::plain,
    paths, source,
    value::{self, Value},
};

/// What filters work with.
pub(super) struct Kind;

impl DataT for Kind {
    type V<'a> = Value;
    type Data<'a> = &'a Context<'a>;
}

/// What one run of a filter shares.
pub(super) struct Context<'a> {
    pub lut: &'a Lut<Kind>,
    pub inputs: Inputs<'a, Value>,
    pub environment: Value,
    /// What `debug` and `stderr` said and is not written yet.
    pub messages: RefCell<Vec<u8>>,
    /// The file that is read at the moment.
    pub file: Rc<RefCell<Option<String>>>,
}

impl<'a> HasLut<'a, Kind> for &'a Context<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

impl<'a> HasInputs<'a, Value> for &'a Context<'a> {
    fn inputs(&self) -> Inputs<'a, Value> {
        self.inputs
    }
}

/// All native filters; ours stand for those of the same name.
pub(super) fn funs() -> impl Iterator<Item = Fun<Kind>> {
    let ours = ours();
    let names: Vec<_> = ours.iter().map(|(name, ..)| *name).collect();
    let theirs = jaq_core::funs().chain(jaq_std::funs());
    let inputs = jaq_std::input::funs::<Kind>().into_vec().into_iter().map(|fun| run::<Kind>(fun));
    theirs
        .filter(move |(name, ..)| !names.contains(name))
        .chain(inputs)
        .chain(ours.into_vec().into_iter().map(run::<Kind>))
}

fn ours() -> Box<[Filter<RunPtr<Kind>>]> {
    Box::new([
        ("env", v(0), |cv| bome(Ok(cv.0.data().environment.clone()))),
        ("debug_empty", v(0), |cv| {
            let line = format!("[\"DEBUG:\",{}]\n", json(&cv.1.0));
            cv.0.data().messages.borrow_mut().extend(line.as_bytes());
            Box::new(std::iter::empty())
        }),
        ("stderr_empty", v(0), |cv| {
            cv.0.data().messages.borrow_mut().extend(raw(&cv.1.0));
            Box::new(std::iter::empty())
        }),
        ("input_filename", v(0), |cv| {
            let name = cv.0.data().file.borrow().clone();
            bome(Ok(name.map_or(Value(Val::Null), Value::from)))
        }),
        ("tojson", v(0), |cv| bome(Ok(Value::from(json(&cv.1.0))))),
        ("delete_paths", v(1), |mut cv| {
            let path = cv.0.pop_var();
            bome(match &path.0 {
                Val::Arr(all) => paths::delete(&cv.1.0, all).map(Value).map_err(value::error),
                _ => Err(Error::str("paths are an array")),
            })
        }),
        ("decode_base64", v(0), |cv| {
            let decoded =
                unbase64(&raw(&cv.1.0)).map(|bytes| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
            bome(decoded.ok_or_else(|| Error::str("the string is not base64")))
        }),
        // One value, and one error: jaq's own goes on for ever about text that is no JSON.
        ("fromjson", v(0), |cv| {
            let text = raw(&cv.1.0);
            let parsed = source::check(&text).and_then(|()| read::parse_single(&text).map_err(|e| e.to_string()));
            let parsed = match &cv.1.0 {
                Val::TStr(_) => parsed.map_err(|why| format!("{} cannot be parsed as JSON: {why}", json(&cv.1.0))),
                other => Err(format!("{} cannot be parsed as JSON: it is no string", json(other))),
            };
            bome(parsed.map(Value).map_err(Error::str))
        }),
        ("matches", v(2), |mut cv| {
            let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
            bome(matches::matches(&cv.1.0, &pattern.0, &flags.0))
        }),
        ("not_a_number", v(0), |_| bome(Ok(Value::from(f64::NAN)))),
        ("is_nan", v(0), |cv| bome(Ok(Value::from(jaq_std::ValT::as_f64(&cv.1).is_some_and(f64::is_nan))))),
        ("length", v(0), |cv| bome(cv.1.length())),
        ("has", v(1), |cv| unary(cv, |value, key| value.has(&key))),
        ("contains", v(1), |cv| unary(cv, |value, part| value.contains(&part))),
        ("indices", v(1), |cv| unary(cv, |value, part| value.indices(&part))),
        ("bsearch", v(1), |cv| unary(cv, |value, item| value.search(&item))),
        ("encode_base32", v(0), |cv| bome(Ok(Value::from(base32(&raw(&cv.1.0)))))),
        ("decode_base32", v(0), |cv| {
            let decoded =
                unbase32(&raw(&cv.1.0)).map(|bytes| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
            bome(decoded.ok_or_else(|| Error::str("the string is not base32")))
        }),
    ])
}

/// A string without quotes, anything else as JSON.
pub(super) fn raw(value: &Val) -> Vec<u8> {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => bytes.to_vec(),
        other => json(other).into_bytes(),
    }
}

/// One line of JSON with sorted keys.
pub(super) fn json(value: &Val) -> String {
    let mut text = Vec::new();
    let pp = write::Pp { sort_keys: true, ..write::Pp::default() };
    // Memory does not refuse to be written to.
    let _ = write::write(&mut text, &pp, 0, &plain(value));
    String::from_utf8_lossy(&text).into_owned()
}

/// Padding may be missing.
fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |at| at + 1);
    STANDARD_NO_PAD.decode(&text[..end]).ok()
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - group.len()));
        let letters = (group.len() * 8).div_ceil(5);
        for at in 0..8 {
            let index = usize::try_from(bits >> (35 - 5 * at) & 31).unwrap_or_default();
            text.push(if at < letters { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}

fn unbase32(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = (bits << 5 | u32::try_from(digit).ok()?) & 0xffff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}
