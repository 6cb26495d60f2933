//! Regular expressions of jq, with a null for a group that took no part.

use jaq_core::{Error, ValR};
use jaq_json::{Map, Val};
use regex::{Regex, RegexBuilder};

use super::value::Value;

/// For every match an array: the match, then its groups.
pub(super) fn matches(text: &Val, pattern: &Val, flags: &Val) -> ValR<Value> {
    let (Val::TStr(bytes), Val::TStr(pattern)) = (text, pattern) else {
        return Err(Error::str("a text and a regular expression are strings"));
    };
    let flags = match flags {
        Val::TStr(flags) => String::from_utf8_lossy(flags).into_owned(),
        Val::Null => String::new(),
        _ => return Err(Error::str("the flags of a regular expression are a string")),
    };
    let regex = compile(&String::from_utf8_lossy(pattern), &flags).map_err(Error::str)?;
    let text = String::from_utf8_lossy(bytes);
    let most = if flags.contains('g') { usize::MAX } else { 1 };
    let mut found = Vec::new();
    let (mut seen, mut characters) = (0, 0);
    for captures in regex.captures_iter(&text).take(most) {
        let mut groups = Vec::new();
        for (name, group) in regex.capture_names().zip(captures.iter()) {
            let mut map = Map::default();
            let (offset, length, string) = match group {
                None => (Val::from(-1_isize), 0, Val::Null),
                Some(group) => {
                    // Matches come in order, so that what was counted is not counted again.
                    if groups.is_empty() {
                        characters += text[seen..group.start()].chars().count();
                        seen = group.start();
                    }
                    let offset = characters + text[seen..].get(..group.start() - seen).unwrap_or("").chars().count();
                    let string = group.as_str();
                    (Val::from(offset), string.chars().count(), Val::from(string.to_owned()))
                }
            };
            map.insert(Val::from("length".to_owned()), Val::from(length));
            if !groups.is_empty() {
                let name = name.map_or(Val::Null, |name| Val::from(name.to_owned()));
                map.insert(Val::from("name".to_owned()), name);
            }
            map.insert(Val::from("offset".to_owned()), offset);
            map.insert(Val::from("string".to_owned()), string);
            groups.push(Val::obj(map));
        }
        if !(flags.contains('n') && captures.get(0).is_some_and(|whole| whole.is_empty())) {
            found.push(groups.into_iter().collect::<Val>());
        }
    }
    Ok(Value(found.into_iter().collect()))
}

fn compile(pattern: &str, flags: &str) -> Result<Regex, String> {
    if let Some(flag) = flags.chars().find(|flag| !"gnixslp".contains(*flag)) {
        return Err(format!("{flag} is no flag of a regular expression"));
    }
    let has = |flag: char| flags.contains(flag);
    RegexBuilder::new(pattern)
        .case_insensitive(has('i'))
        .ignore_whitespace(has('x'))
        .dot_matches_new_line(has('s') || has('p'))
        .build()
        .map_err(|_| format!("{pattern} is no regular expression"))
}
