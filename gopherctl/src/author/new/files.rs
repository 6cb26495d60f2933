//! The files of a new extension, as text. Pure.

use super::{Kind, Language};

/// A file to be made, beneath the robot's tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewFile {
    pub(super) path: String,
    pub(super) content: Content,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    Program(String),
    /// A link to a directory of the robot, from beside it.
    Link(String),
}

const PROTOCOL: &str = include_str!("../templates/test.protocol.yaml");
const START: &str = include_str!("../templates/start.lua");

/// The extension's own file, beneath the tree.
pub(super) fn path(kind: Kind, language: Language, name: &str) -> String {
    format!("{}/{name}.{}", kind.directory(), language.suffix())
}

/// All of its files, its own first.
pub(super) fn all(kind: Kind, language: Language, name: &str) -> Vec<NewFile> {
    let own = path(kind, language, name);
    let (script, suite, robot) = texts(kind, language);
    let fill = |text: &str| {
        let text = text.replace("@NAME@", name).replace("@KIND@", kind.word());
        text.replace("@PATH@", &own)
    };
    let stage = format!("suites/{name}");
    let new = |path: String, content: Content| NewFile { path, content };
    let script = fill(script);
    let mut files = vec![
        new(own.clone(), if language.is_embedded() { Content::Text(script) } else { Content::Program(script) }),
        new(format!("{stage}.yaml"), Content::Text(fill(suite))),
        new(format!("{stage}/conf/robot.yaml"), Content::Text(fill(robot))),
        new(format!("{stage}/conf/protocols/test.yaml"), Content::Text(PROTOCOL.to_owned())),
    ];
    let shared = if kind == Kind::Plugin { vec!["plugins", "lib"] } else { vec![kind.directory(), "lib"] };
    files.extend(shared.into_iter().map(|dir| new(format!("{stage}/{dir}"), Content::Link(format!("../../{dir}")))));
    if kind != Kind::Plugin {
        files.push(new(format!("{stage}/plugins/start.lua"), Content::Text(fill(START))));
    }
    files
}

/// Script, suite and the suite's robot.
fn texts(kind: Kind, language: Language) -> (&'static str, &'static str, &'static str) {
    let plugin = kind == Kind::Plugin;
    let (suite, robot) = if plugin {
        (include_str!("../templates/plugin.suite.yaml"), include_str!("../templates/plugin.robot.yaml"))
    } else {
        (include_str!("../templates/step.suite.yaml"), include_str!("../templates/step.robot.yaml"))
    };
    let script = match (language, plugin) {
        (Language::Bash, true) => include_str!("../templates/plugin.sh"),
        (Language::Bash, false) => include_str!("../templates/step.sh"),
        (Language::Python, true) => include_str!("../templates/plugin.py"),
        (Language::Python, false) => include_str!("../templates/step.py"),
        (Language::Ruby, true) => include_str!("../templates/plugin.rb"),
        (Language::Ruby, false) => include_str!("../templates/step.rb"),
        (Language::Lua, true) => include_str!("../templates/plugin.lua"),
        (Language::Lua, false) => include_str!("../templates/step.lua"),
        (Language::JavaScript, true) => include_str!("../templates/plugin.js"),
        (Language::JavaScript, false) => include_str!("../templates/step.js"),
        (Language::Gsh, true) => include_str!("../templates/plugin.gsh"),
        (Language::Gsh, false) => include_str!("../templates/step.gsh"),
    };
    (script, suite, robot)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn nothing_of_a_template_is_left_to_fill_in() {
        for kind in Kind::value_variants() {
            for language in Language::value_variants() {
                for NewFile { path, content } in all(*kind, *language, "my-own") {
                    let (Content::Text(text) | Content::Program(text) | Content::Link(text)) = content;
                    assert!(!["@NAME@", "@KIND@", "@PATH@"].iter().any(|hole| text.contains(hole)), "{path}: {text}");
                }
            }
        }
    }

    #[test]
    fn only_programs_of_their_own_are_executable() {
        let first = |language| all(Kind::Job, language, "a").remove(0);
        assert_eq!(first(Language::Lua).path, "jobs/a.lua");
        assert!(matches!(first(Language::Lua).content, Content::Text(_)));
        assert!(matches!(first(Language::Python).content, Content::Program(_)));
    }
}
