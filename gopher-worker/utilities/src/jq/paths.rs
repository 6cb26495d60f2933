//! `delpaths`, which in jaq takes one path after another.

use jaq_core::Error;
use jaq_json::{Map, Num, Val};

/// The value without what is at the paths.
pub(super) fn delete(value: &Val, paths: &[Val]) -> Result<Val, Error<Val>> {
    let mut paths = paths.to_vec();
    // From the end, so that no deletion moves what another path names.
    paths.sort();
    paths.iter().rev().try_fold(value.clone(), |value, path| match path {
        Val::Arr(path) => without(&value, path),
        _ => Err(Error::str("a path is an array")),
    })
}

fn without(value: &Val, path: &[Val]) -> Result<Val, Error<Val>> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(Val::Null);
    };
    match (value, key) {
        (Val::Null, _) => Ok(Val::Null),
        (Val::Obj(map), Val::TStr(_)) => {
            let mut map = Map::clone(map);
            if rest.is_empty() {
                map.shift_remove(key);
            } else if let Some(inner) = map.get_mut(key) {
                *inner = without(inner, rest)?;
            }
            Ok(Val::obj(map))
        }
        (Val::Arr(items), Val::Num(number)) => {
            let mut items = items.to_vec();
            match place(number, items.len()).filter(|at| *at < items.len()) {
                None => {}
                Some(at) if rest.is_empty() => drop(items.remove(at)),
                Some(at) => items[at] = without(&items[at], rest)?,
            }
            Ok(items.into_iter().collect())
        }
        (Val::Arr(items), Val::Obj(slice)) if rest.is_empty() => {
            let bound = |name: &str| match slice.get(&Val::from(name.to_owned())) {
                Some(Val::Num(number)) => place(number, items.len()),
                _ => None,
            };
            let (begin, end) = (bound("start").unwrap_or(0), bound("end").unwrap_or(items.len()).min(items.len()));
            let kept = items.iter().enumerate().filter(|(at, _)| *at < begin || *at >= end);
            Ok(kept.map(|(_, item)| item.clone()).collect())
        }
        _ => Err(Error::index(value.clone(), key.clone())),
    }
}

/// Largest index that an array is extended to.
const MOST: usize = 1 << 24;

/// Where an index lies, from the end if it is negative.
pub(super) fn place(number: &Num, length: usize) -> Option<usize> {
    let at = number.as_isize()?;
    let at = if at < 0 { length.checked_sub(at.unsigned_abs())? } else { at.unsigned_abs() };
    (at <= MOST).then_some(at)
}
