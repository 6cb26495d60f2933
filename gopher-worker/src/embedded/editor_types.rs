//! What editors are told of the Robot API is what it is.

use std::collections::{BTreeMap, BTreeSet};

use gopher_protocol::robot_api::RetVal;

use super::robot;

const LUA: &str = include_str!("../../../packaging/share/lib/types/gopherbot.lua");
const JAVASCRIPT: &str = include_str!("../../../packaging/share/lib/types/gopherbot_v1.d.ts");

const JULIA: &str = include_str!("../../../packaging/share/lib/GopherbotV1.jl");

/// Methods with their parameters, without a message's format.
type Methods = BTreeMap<String, Vec<String>>;

/// As a library has them: what gives another robot, and memories as a whole.
fn expected() -> Methods {
    let own = [
        ("Direct", vec![]),
        ("Threaded", vec![]),
        ("Fixed", vec![]),
        ("MessageFormat", vec![]),
        ("UpdateDatum", vec!["memory"]),
        ("CheckinDatum", vec!["memory"]),
    ];
    let all = robot::signatures().chain(own);
    all.map(|(name, words)| (name.to_owned(), words.into_iter().map(str::to_owned).collect())).collect()
}

/// `name(a, b?: type, ...rest: type)` after `before` on its line.
fn methods<'t>(lines: impl Iterator<Item = &'t str>) -> Methods {
    lines
        .filter_map(|line| {
            let (name, rest) = line.split_once('(')?;
            let words = rest.split_once(')')?.0.split(", ").filter(|word| !word.is_empty()).map(|word| {
                let word = word.split(':').next().unwrap_or(word).trim_end_matches('?');
                if word.starts_with("...") { "...".to_owned() } else { word.to_owned() }
            });
            Some((name.to_owned(), words.filter(|word| word != "format").collect()))
        })
        .collect()
}

#[test]
fn the_annotations_for_lua_have_every_method_with_its_parameters() {
    let mut found = methods(LUA.lines().filter_map(|line| line.strip_prefix("function Robot:")));
    assert_eq!(found.remove("new"), Some(vec!["gbot".to_owned()]));
    assert_eq!(found, expected());
}

#[test]
fn the_declarations_for_javascript_have_every_method_with_its_parameters() {
    let class = JAVASCRIPT.split_once("class Robot {").expect("the class").1;
    let class = class.split_once("\n  }\n").expect("its end").0;
    let mut found =
        methods(class.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.starts_with('*')));
    found.retain(|name, _| !name.contains(' '));
    assert_eq!(found.remove("constructor"), Some(vec!["gbot".to_owned()]));
    assert_eq!(found, expected());
}

/// Public methods of the Python library: class, name and parameters as they are written.
fn python() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let text = include_str!("../../../packaging/share/lib/gopherbot_v2.py");
    let mut found = Vec::new();
    for class in text.split("\nclass ").skip(1).filter(|class| !class.starts_with('_')) {
        let class_name = class.split(['(', ':']).next().expect("a name");
        for method in class.split("\n    def ").skip(1) {
            let (name, rest) = method.split_once('(').expect("parameters");
            let head = rest.split_once(":\n").expect("a body").0;
            if !name.starts_with('_') || ["__init__", "__str__"].contains(&name) {
                let (parameters, _) = head.rsplit_once(") -> ").unwrap_or_else(|| panic!("{name} returns what?"));
                // A comma within brackets is none between parameters.
                let words =
                    parameters.split([',', '\n']).map(str::trim).filter(|p| !p.is_empty() && !p.starts_with("..."));
                found.push((class_name, name, words.collect()));
            }
        }
    }
    found
}

#[test]
fn the_library_for_python_annotates_every_method_and_has_them_all() {
    let found = python();
    assert!(found.len() > 60, "{found:?}");
    for (class, name, parameters) in &found {
        let bare: Vec<_> = parameters.iter().filter(|p| **p != "self" && !p.contains(": ")).collect();
        assert!(bare.is_empty(), "{class}.{name} has parameters without a type: {bare:?}");
    }
    let names: BTreeSet<&str> =
        found.iter().filter(|(class, ..)| *class == "Robot").map(|(_, name, _)| *name).collect();
    let expected = expected();
    assert_eq!(names, expected.keys().map(String::as_str).chain(["Call", "__init__"]).collect());
}

/// As functions are called in Julia.
fn in_julia(name: &str) -> String {
    match name {
        "Pause" => "pause_robot".to_owned(),
        "Log" => "log_message".to_owned(),
        "LinkOAuth2Identity" => "link_oauth2_identity".to_owned(),
        _ => {
            let mut out = String::new();
            for c in name.chars() {
                if c.is_ascii_uppercase() && !out.is_empty() {
                    out.push('_');
                }
                out.push(c.to_ascii_lowercase());
            }
            out
        }
    }
}

#[test]
fn the_library_for_julia_has_every_method() {
    for name in expected().keys().map(|name| in_julia(name)) {
        let starts =
            [format!("{name}(robot::Robot"), format!("function {name}(robot::Robot"), format!("{name}(::Robot")];
        let found = JULIA.lines().any(|line| starts.iter().any(|start| line.starts_with(start)));
        assert!(found, "{name}");
    }
}

#[test]
fn they_know_every_number_of_the_library_by_its_name() {
    let library = include_str!("../../../packaging/share/lib/gopherbot_v1.js");
    let named = library.lines().filter_map(|line| {
        let (number, name) = line.trim().split_once(": \"")?;
        Some((number.parse::<u8>().ok()?, name.trim_end_matches("\",")))
    });
    let mut count = 0;
    for (number, name) in named {
        count += 1;
        assert!(LUA.contains(&format!("---@field {name} {number}\n")), "Lua: {name}");
        assert!(JAVASCRIPT.contains(&format!("readonly {name}: {number};\n")), "JavaScript: {name}");
        // Texts in Julia, as over the wire.
        let levels_and_formats =
            ["Trace", "Debug", "Info", "Audit", "Warn", "Error", "Fatal", "Raw", "Fixed", "Variable"];
        let services = ["BasicMarkdown", "Slack", "GoogleChat", "Rocket", "Terminal", "Test", "Null", "SSH"];
        if !levels_and_formats.contains(&name) && !services.contains(&name) {
            assert!(JULIA.contains(&format!("const {name} = {number}\n")), "Julia: {name}");
        }
    }
    assert!(count > RetVal::IdentityConfigError.number().into(), "{count} numbers");
}
