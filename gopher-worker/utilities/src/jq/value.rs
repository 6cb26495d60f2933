//! Values as jq has them: jaq's, but an assignment makes what is missing on its way, and whole numbers have no point.

use std::{
    cmp::Ordering,
    fmt, mem,
    ops::{Add, Div, Mul, Neg, Rem, Sub},
};

use jaq_core::{Error, ValR, ValT, ValX, box_iter::BoxIter, path::Opt, val::Range};
use jaq_json::{Num, Rc, Val};

use super::{natives::json, numbers, paths::place};

/// A value that filters work with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value(pub Val);

/// An error of jaq's values as one of ours.
pub(super) fn error(error: Error<Val>) -> Error<Value> {
    Error::new(Value(error.into_val()))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json(&self.0))
    }
}

impl From<Range<Self>> for Value {
    fn from(range: Range<Self>) -> Self {
        Self(Val::from(range.start.map(|v| v.0)..range.end.map(|v| v.0)))
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self(items.into_iter().map(|v| v.0).collect())
    }
}

macro_rules! from {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Value {
            fn from(it: $kind) -> Self {
                Self(Val::from(it))
            }
        })*
    };
}

from!(bool, isize, usize, f64, String);

macro_rules! arithmetic {
    ($($operator:ident $function:ident),*) => {
        $(impl $operator for Value {
            type Output = ValR<Self>;
            fn $function(self, other: Self) -> ValR<Self> {
                whole(self.0.$function(other.0))
            }
        })*
    };
}

arithmetic!(Add add, Sub sub, Mul mul);

macro_rules! division {
    ($($operator:ident $function:ident),*) => {
        $(impl $operator for Value {
            type Output = ValR<Self>;
            fn $function(self, other: Self) -> ValR<Self> {
                if let (Val::Num(_), Val::Num(number)) = (&self.0, &other.0) {
                    if numbers::is_zero(number) {
                        return Err(Error::str(format_args!("cannot divide {self} by {other}")));
                    }
                }
                whole(self.0.$function(other.0))
            }
        })*
    };
}

division!(Div div, Rem rem);

impl Neg for Value {
    type Output = ValR<Self>;
    fn neg(self) -> ValR<Self> {
        whole(self.0.neg())
    }
}

/// A whole result is an integer.
fn whole(result: ValR<Val>) -> ValR<Value> {
    match result.map_err(error)? {
        Val::Num(Num::Float(number)) => Ok(Value(numbers::whole(number))),
        other => Ok(Value(other)),
    }
}

impl ValT for Value {
    fn from_num(text: &str) -> ValR<Self> {
        Val::from_num(text).map(Self).map_err(error)
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(entries: I) -> ValR<Self> {
        let mut map = jaq_json::Map::default();
        for (key, item) in entries {
            if !matches!(key.0, Val::TStr(_)) {
                return Err(Error::str(format_args!("the key {key} is no string")));
            }
            map.insert(key.0, item.0);
        }
        Ok(Self(Val::obj(map)))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        Box::new(self.0.key_values().map(|r| r.map(|(k, v)| (Self(k), Self(v))).map_err(error)))
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        Box::new(self.0.values().map(|r| r.map(Self).map_err(error)))
    }

    fn index(self, index: &Self) -> ValR<Self> {
        match (self.0, &index.0) {
            (Val::Obj(map), key @ Val::TStr(_)) => Ok(Self(map.get(key).cloned().unwrap_or_default())),
            (value @ Val::Obj(_), key) => Err(error(Error::index(value, key.clone()))),
            (value @ Val::Arr(_), Val::Num(number)) => {
                value.index(&Val::Num(numbers::floor(number))).map(Self).map_err(error)
            }
            (value, key) => value.index(key).map(Self).map_err(error),
        }
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        if self.0 == Val::Null {
            return Ok(self);
        }
        self.0.range(range.start.map(|v| &v.0)..range.end.map(|v| &v.0)).map(Self).map_err(error)
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a, Self> {
        match self.0 {
            Val::Arr(items) => {
                // As in jq's paths, each part becomes one or none.
                let changed = items.iter().filter_map(|item| f(Self(item.clone())).next());
                changed.collect::<Result<Self, _>>()
            }
            Val::Obj(map) => {
                let mut changed = jaq_json::Map::default();
                for (key, item) in map.iter() {
                    if let Some(item) = f(Self(item.clone())).next() {
                        changed.insert(key.clone(), item?.0);
                    }
                }
                Ok(Self(Val::obj(changed)))
            }
            other => refuse(opt, Self(other), |value| Error::typ(value, "array or object")),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let once = |old: Val| f(Self(old)).next().transpose();
        match (self.0, &index.0) {
            (value @ (Val::Null | Val::Arr(_)), Val::Obj(slice)) => {
                let bound = |name: &str| slice.get(&Val::from(name.to_owned())).cloned().map(Self);
                let (start, end) = (bound("start"), bound("end"));
                Self(value).map_range(start.as_ref()..end.as_ref(), opt, f)
            }
            (value @ (Val::Null | Val::Obj(_)), key @ Val::TStr(_)) => {
                let mut map = if let Val::Obj(map) = value { map } else { Rc::default() };
                let inner = Rc::make_mut(&mut map);
                let old = inner.get_mut(key).map(mem::take).unwrap_or_default();
                match once(old)? {
                    Some(new) => inner.insert(key.clone(), new.0),
                    None => inner.shift_remove(key),
                };
                Ok(Self(Val::Obj(map)))
            }
            (value @ (Val::Null | Val::Arr(_)), Val::Num(number)) => {
                let mut items = if let Val::Arr(items) = value { items } else { Rc::default() };
                let Some(at) = place(&numbers::floor(number), items.len()) else {
                    return refuse(opt, Self(Val::Arr(items)), |_| Error::str("the index is outside of the array"));
                };
                let inner = Rc::make_mut(&mut items);
                let old = inner.get_mut(at).map(mem::take).unwrap_or_default();
                match once(old)? {
                    Some(new) => {
                        if at >= inner.len() {
                            inner.resize(at + 1, Val::Null);
                        }
                        inner[at] = new.0;
                    }
                    None if at < inner.len() => drop(inner.remove(at)),
                    None => {}
                }
                Ok(Self(Val::Arr(items)))
            }
            (value, key) => refuse(opt, Self(value), |value| Error::index(value, Self(key.clone()))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let items = match self.0 {
            Val::Arr(items) => items,
            Val::Null => Rc::default(),
            other => return refuse(opt, Self(other), |value| Error::typ(value, "array")),
        };
        let bound = |value: Option<&Self>, otherwise: usize| match value.map(|value| &value.0) {
            None | Some(Val::Null) => Some(otherwise),
            Some(Val::Num(number)) => {
                let at = numbers::floor(number).as_isize()?;
                let at = if at < 0 { items.len().saturating_sub(at.unsigned_abs()) } else { at.unsigned_abs() };
                Some(at.min(items.len()))
            }
            Some(_) => None,
        };
        let (Some(begin), Some(end)) = (bound(range.start, 0), bound(range.end, items.len())) else {
            return refuse(opt, Self(Val::Arr(items)), |_| Error::str("the bounds of a slice are numbers"));
        };
        let end = end.max(begin);
        let new = match f(Self(items[begin..end].iter().cloned().collect())).next().transpose()? {
            None => Rc::default(),
            Some(Self(Val::Arr(new))) => new,
            Some(other) => return Err(Error::typ(other, "array").into()),
        };
        let parts = items[..begin].iter().chain(new.iter()).chain(&items[end..]);
        Ok(Self(parts.cloned().collect()))
    }

    fn as_bool(&self) -> bool {
        self.0.as_bool()
    }

    fn into_string(self) -> Self {
        match self.0 {
            Val::TStr(_) => self,
            Val::BStr(bytes) => Self(Val::TStr(bytes)),
            other => Self(Val::from(json(&other))),
        }
    }
}

/// With `?` nothing happens, else it is an error.
fn refuse<'a>(opt: Opt, value: Value, why: impl FnOnce(Value) -> Error<Value>) -> ValX<'a, Value> {
    match opt {
        Opt::Optional => Ok(value),
        Opt::Essential => Err(why(value).into()),
    }
}

impl jaq_std::ValT for Value {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self.0 {
            Val::Arr(items) => Ok(items.iter().cloned().map(Self).collect()),
            other => Err(Self(other)),
        }
    }

    fn is_int(&self) -> bool {
        self.0.is_int()
    }

    fn as_isize(&self) -> Option<isize> {
        self.0.as_isize()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn is_utf8_str(&self) -> bool {
        self.0.is_utf8_str()
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.0.as_bytes()
    }

    fn as_sub_str(&self, sub: &[u8]) -> Self {
        Self(self.0.as_sub_str(sub))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self(Val::from_utf8_bytes(bytes))
    }
}

/// What jaq's own filters over its values do, for ours.
impl Value {
    pub(super) fn length(&self) -> ValR<Self> {
        match &self.0 {
            Val::Null => Ok(Self::from(0_usize)),
            Val::Bool(_) => Err(Error::str(format_args!("{self} has no length"))),
            Val::Num(_) if *self < Self::from(0_usize) => self.clone().neg(),
            Val::Num(_) => Ok(self.clone()),
            Val::TStr(text) => Ok(Self::from(String::from_utf8_lossy(text).chars().count())),
            Val::BStr(bytes) => Ok(Self::from(bytes.len())),
            Val::Arr(items) => Ok(Self::from(items.len())),
            Val::Obj(map) => Ok(Self::from(map.len())),
        }
    }

    pub(super) fn has(&self, key: &Self) -> ValR<Self> {
        match (&self.0, &key.0) {
            (Val::Obj(map), key @ Val::TStr(_)) => Ok(Self::from(map.contains_key(key))),
            (Val::Arr(items), Val::Num(number)) => {
                let at = numbers::floor(number).as_isize().and_then(|at| usize::try_from(at).ok());
                Ok(Self::from(at.is_some_and(|at| at < items.len())))
            }
            _ => Err(Error::str(format_args!("{self} cannot have {key}"))),
        }
    }

    pub(super) fn contains(&self, other: &Self) -> ValR<Self> {
        let kinds = |v: &Val| mem::discriminant(v);
        if kinds(&self.0) != kinds(&other.0) && !matches!((&self.0, &other.0), (Val::Num(_), Val::Num(_))) {
            return Err(Error::str(format_args!("{self} and {other} cannot be compared for what they contain")));
        }
        Ok(Self::from(contains(&self.0, &other.0)))
    }

    pub(super) fn indices(&self, other: &Self) -> ValR<Self> {
        let found: Vec<usize> = match (&self.0, &other.0) {
            (Val::Null, _) => return Ok(Self(Val::Null)),
            (Val::TStr(_), Val::TStr(part)) if part.is_empty() => Vec::new(),
            (Val::TStr(text), Val::TStr(part)) => {
                let text = String::from_utf8_lossy(text);
                let starts = text.char_indices().enumerate();
                starts.filter(|(_, (at, _))| text.as_bytes()[*at..].starts_with(part)).map(|(nth, _)| nth).collect()
            }
            (Val::Arr(_), Val::Arr(part)) if part.is_empty() => Vec::new(),
            (Val::Arr(items), Val::Arr(part)) => {
                let windows = items.windows(part.len()).enumerate();
                windows.filter(|(_, window)| *window == part.as_slice()).map(|(at, _)| at).collect()
            }
            (Val::Arr(items), item) => {
                items.iter().enumerate().filter(|(_, it)| *it == item).map(|(at, _)| at).collect()
            }
            _ => return Err(Error::index(self.clone(), other.clone())),
        };
        Ok(found.into_iter().map(Self::from).collect())
    }

    pub(super) fn search(&self, item: &Self) -> ValR<Self> {
        let Val::Arr(items) = &self.0 else {
            return Err(Error::typ(self.clone(), "array"));
        };
        let at = items.binary_search_by(|it| it.partial_cmp(&item.0).unwrap_or(Ordering::Equal));
        let signed = |at: usize| isize::try_from(at).unwrap_or(isize::MAX);
        Ok(Self::from(at.map_or_else(|gap| -1 - signed(gap), signed)))
    }
}

fn contains(whole: &Val, part: &Val) -> bool {
    match (whole, part) {
        (Val::TStr(whole), Val::TStr(part)) => {
            part.is_empty() || whole.windows(part.len()).any(|window| window == part.as_ref())
        }
        (Val::Arr(whole), Val::Arr(part)) => part.iter().all(|part| whole.iter().any(|item| contains(item, part))),
        (Val::Obj(whole), Val::Obj(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|item| contains(item, part)))
        }
        _ => whole == part,
    }
}
