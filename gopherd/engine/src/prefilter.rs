//! All matchers of one class in one look-up, so that a thousand cost little more than ten.
//!
//! Regular expressions are one automaton, `SimpleMatcher`s an index of their first words. What is wanted is a superset
//! of what matches or gives a diagnostic.

use std::borrow::Cow;

use gopher_config::{regexes::Regexes, simple::Index};
use gopher_protocol::robot::Expression;

use crate::generation::{Pattern, Plugin};

/// Where a pattern is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// In `Generation::plugins`.
    pub(crate) plugin: usize,
    /// In its class of the plugin.
    pub(crate) matcher: usize,
}

/// The matchers of one class.
#[derive(Debug)]
pub(crate) struct Prefilter {
    /// By number; in order of plugins and matchers.
    places: Vec<Place>,
    /// `None` if they could not be compiled together.
    regexes: Option<Regexes>,
    /// The numbers of the regular expressions, in their order.
    numbers: Vec<usize>,
    simple: Index,
}

impl Prefilter {
    pub(crate) fn new(plugins: &[Plugin], class: fn(&Plugin) -> &Vec<Pattern>) -> Self {
        let (mut places, mut numbers, mut expressions) = (Vec::new(), Vec::new(), Vec::new());
        let mut simple = Index::default();
        for (plugin, of) in plugins.iter().enumerate() {
            for (matcher, pattern) in class(of).iter().enumerate() {
                let number = places.len();
                places.push(Place { plugin, matcher });
                match (&pattern.matcher.expression, pattern.spec()) {
                    (Expression::Regex(expression), _) => {
                        numbers.push(number);
                        expressions.push(expression);
                    }
                    (Expression::Simple(_), Some(spec)) => simple.add(number, spec),
                    (Expression::Simple(_), None) => {}
                }
            }
        }
        Self { places, regexes: Regexes::new(&expressions).ok(), numbers, simple }
    }

    /// Whether all regular expressions compile.
    pub(crate) fn is_whole(&self) -> bool {
        self.regexes.is_some()
    }

    /// The patterns that may say something about a text, in order; `forms` are its forms, the text itself first.
    pub(crate) fn wanted(&self, forms: &[Cow<'_, str>]) -> Vec<Place> {
        let mut numbers = Vec::new();
        match &self.regexes {
            Some(regexes) => {
                for form in forms {
                    regexes.matching(form, &mut numbers);
                }
                for number in &mut numbers {
                    *number = self.numbers.get(*number).copied().unwrap_or(*number);
                }
            }
            None => numbers.extend(&self.numbers),
        }
        if let Some(text) = forms.first() {
            self.simple.look_up(text, &mut numbers);
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().filter_map(|number| self.places.get(number).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{generation::Generation, testing};

    /// Counts instead of measuring time: what is looked at does not depend on how much there is.
    #[test]
    fn as_few_patterns_are_examined_among_a_thousand_as_among_ten() {
        let examined = |count: usize| {
            let extensions = (0..count).map(|n| {
                let mut extension = testing::extension(&format!("p{n}"));
                extension.commands = vec![
                    testing::command("old", &format!("old{n} (.*)")),
                    testing::simple("new", &format!("new{n} <name:ident>")),
                    testing::simple("level", &format!("set{n} level (lvl:debug|info)")),
                    testing::simple("shared", &format!("show thing{n} [<m:rest>]")),
                ];
                extension
            });
            let (generation, trouble) = Generation::new(testing::robot_with(extensions.collect()));
            assert_eq!(trouble, [""; 0]);
            let texts = ["old7 x", "new7 9x", "set7-level-loud", "show thing7 and more", "show", "what", "ping"];
            texts.map(|text| generation.commands.wanted(&[text.into()]).len())
        };
        assert_eq!(examined(10), [1, 1, 1, 1, 0, 0, 1]);
        assert_eq!(examined(1000), examined(10));
    }
}
