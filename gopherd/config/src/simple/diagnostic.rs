//! The sentences about values that do not fit (spec: configuration §5.4).

use super::{
    spec::{Choice, OptionForm, Options, Slot},
    tokens::folded,
};

/// All of a sentence but the value it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// `value` or `option`.
    what: &'static str,
    rest: String,
}

impl Template {
    pub(crate) fn slot(slot: &Slot) -> Self {
        Self::typed(slot, slot.name.as_deref().unwrap_or(slot.kind.name()))
    }

    fn typed(slot: &Slot, label: &str) -> Self {
        Self { what: "value", rest: format!(" for: \"{label}\"; expected: {}", slot.kind.expected()) }
    }

    pub(crate) fn choice(choice: &Choice) -> Self {
        let values: Vec<String> = choice.values.iter().map(|v| v.join(" ")).collect();
        let label = if choice.label.is_empty() { String::new() } else { format!(" for: \"{}\"", choice.label) };
        Self { what: "value", rest: format!("{label}; valid values: {}.", values.join(", ")) }
    }

    /// Of the value of an option; an option without a name is called by its text.
    pub(crate) fn option_value(option: &OptionForm, slot: &Slot) -> Self {
        let text = option.text.trim_start_matches('-').trim_end_matches([':', '=']);
        let inferred = if text.is_empty() { "option" } else { text };
        Self::typed(slot, slot.name.as_deref().unwrap_or(inferred))
    }

    pub(crate) fn unknown_option(block: &Options) -> Self {
        let forms: Vec<String> = block.options.iter().map(OptionForm::shown).collect();
        Self { what: "option", rest: format!(" for: \"{}\"; valid options: {}.", block.label, forms.join(", ")) }
    }

    /// The whole sentence.
    pub(crate) fn about(&self, value: &str) -> String {
        format!("Invalid {}: {value:?}{}", self.what, self.rest)
    }
}

/// Sentences of one spec, each once, so that equal ones are known by their place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Templates(Vec<Template>);

impl Templates {
    pub(crate) fn place_of(&mut self, template: Template) -> usize {
        if let Some(place) = self.0.iter().position(|known| *known == template) {
            return place;
        }
        self.0.push(template);
        self.0.len() - 1
    }

    pub(crate) fn about(&self, place: usize, value: &str) -> String {
        self.0.get(place).map(|t| t.about(value)).unwrap_or_default()
    }
}

/// An option ready for comparison.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    pub(crate) text: String,
    /// Type and sentence of its value, if it has one.
    pub(crate) value: Option<(super::types::Kind, usize)>,
}

impl Compared {
    pub(crate) fn new(option: &OptionForm, templates: &mut Templates) -> Self {
        let value = option.slot.as_ref().map(|slot| {
            let template = Template::option_value(option, slot);
            (slot.kind, templates.place_of(template))
        });
        Self { text: folded(&option.text), value }
    }
}
