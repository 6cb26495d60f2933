//! Variables of a suite: `${name}` in what a flow sends and expects.

use std::collections::BTreeMap;

pub(super) type Variables = BTreeMap<String, String>;

/// Whether a text needs values of the run.
pub(super) fn has_variable(text: &str) -> bool {
    text.contains("${")
}

/// Puts the values in; a name without value stays as it is written.
pub(super) fn expand(text: &str, variables: &Variables) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let value = from.find('}').and_then(|end| Some((variables.get(&from[2..end])?, end)));
        if let Some((value, end)) = value {
            out.push_str(value);
            rest = &from[end + 1..];
        } else {
            out.push_str("${");
            rest = &from[2..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_value_are_replaced_and_others_are_not() {
        let variables = Variables::from([("wid".to_owned(), "7f".to_owned()), ("empty".to_owned(), String::new())]);
        for (text, want) in [
            ("log ${wid}!", "log 7f!"),
            ("${wid}${wid}", "7f7f"),
            ("[${empty}]", "[]"),
            ("${none} ${wid}", "${none} 7f"),
            ("cost $5 ${", "cost $5 ${"),
            ("${a${wid}", "${a7f"),
        ] {
            assert_eq!(expand(text, &variables), want);
        }
    }
}
