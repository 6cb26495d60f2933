//! Robots that mean harm: refused or disabled, soon and without a panic.

use std::time::Duration;

use gopher_protocol::robot::Expression;
use proptest::prelude::*;

use super::{ROBOT, draft, of};

/// Thousands of wrong entries must not make errors or notices cost more than their number.
#[test]
fn a_robot_of_mistakes_is_refused_soon() {
    let start = std::time::Instant::now();
    let plugins: Vec<String> = (0..20_000).map(|n| format!("  p{n}: {{Path: x{n}}}\n")).collect();
    let plugins = plugins.concat();
    let users: String = (0..20_000).map(|_| "- {}\n").collect();
    let robot = of(&format!("ExternalPlugins:\n{plugins}UserRoster:\n{users}")).expect("valid");
    assert_eq!(robot.disabled.len(), 20_000);
    assert_eq!(robot.notices.len(), 101);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// The same for maps that are looked up in each other.
#[test]
fn a_robot_of_crossed_references_is_told_soon() {
    let start = std::time::Instant::now();
    let many = |entry: &dyn Fn(usize) -> String| (0..8_000).map(entry).collect::<String>();
    let plugins = many(&|n| format!("  p{n}: {{Path: x}}\n"));
    let stock = many(&|n| format!("  s{n}: {{NameSpace: gone}}\n"));
    let schedules = many(&|n| format!("- {{Name: p{n}, Schedule: '@init'}}\n"));
    let providers = many(&|n| format!("  i{n}: {{Type: x}}\n"));
    let robot = of(&format!(
        "ExternalPlugins:\n{plugins}GoPlugins:\n{stock}ScheduledJobs:\n{schedules}IdentityProviders:\n{providers}"
    ))
    .expect("valid");
    assert_eq!((robot.disabled.len(), robot.notices.len()), (16_000, 101));
    let spaces = many(&|n| format!("  n{n}: {{}}\n"));
    let errors = of(&format!("NameSpaces:\n{spaces}ParameterSets:\n{spaces}")).expect_err("each twice");
    assert_eq!(errors.len(), 8_000);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// A chain of authorizers, and one authorizer for everybody.
#[test]
fn disabling_costs_no_more_than_what_is_disabled() {
    let start = std::time::Instant::now();
    let count = 5_000;
    let mut tree = super::Tree::with(&[super::TEST, ("/bot/custom/x", "")]);
    let plugins: Vec<String> = (0..count).map(|n| format!("  p{n}: {{Path: x}}\n")).collect();
    let plugins = plugins.concat();
    for n in 0..count {
        let file = format!("AuthorizeAllCommands: true\nAuthorizer: p{}\n", n + 1);
        tree.0.insert(format!("/bot/custom/conf/plugins/p{n}.yaml").into(), (file.into_bytes(), false));
    }
    let yaml = format!("PrimaryProtocol: test\nExternalPlugins:\n{plugins}");
    tree.0.insert(ROBOT.into(), (yaml.into_bytes(), false));
    let draft = crate::read(gopher_protocol::ids::Generation(1), &super::sources(), &crate::Launch::default(), &tree)
        .expect("valid");
    let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(String::new()))).collect();
    let robot = draft.finish(answers).expect("finishes");
    assert_eq!((robot.extensions.len(), robot.disabled.len()), (0, count));
    assert!(robot.disabled.iter().all(|d| d.reason.len() < 200));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

fn keys() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "Commands:\n",
        "- Command: a\n",
        "  Regex: '",
        "  SimpleMatcher: '",
        "<a:ident>",
        "(\\w+)",
        "[a-",
        "]'\n",
        "Users: [",
        "alice",
        "]\n",
        "Config: {a: 1}\n",
        "TimeOuts: ",
        "{Kill: 1s}\n",
        "AllChannels: ",
        "true\n",
        "yes\n",
        "- Label: x\n",
        "ReplyMatchers:\n",
        "Channels: [a]\n",
        "\n",
        "{2,",
        "}",
        "|",
        "AppendUsers: ",
        "Disabled: ",
        "CatchAllModes: [alias]\n",
        "AuthorizeAllCommands: ",
        "Authorizer: p\n",
        "ElevatedCommands: [a]\n",
        "Elevator: ",
        "duo\n",
        "&a ",
        "*a\n",
        "<<: *a\n",
        "\\Q",
        "(?i)",
        "*",
        "+",
        "?",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_default_configuration_hurts(default in keys(), file in keys()) {
        let draft = draft(&[
            (ROBOT, "PrimaryProtocol: test\nExternalPlugins: {p: {Path: p.sh}}\n"),
            ("/bot/custom/p.sh", ""),
            ("/bot/custom/conf/plugins/p.yaml", &file),
        ]).expect("valid");
        let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(default.clone()))).collect();
        let robot = draft.finish(answers).expect("finishes");
        for matcher in robot.extensions.iter().flat_map(|e| e.commands.iter().chain(&e.reply_matchers)) {
            match &matcher.expression {
                Expression::Regex(pattern) => prop_assert!(crate::pattern::compile(pattern).is_ok()),
                Expression::Simple(spec) => prop_assert!(crate::simple::Spec::parse(spec).is_ok()),
            }
        }
        prop_assert_eq!(robot.extensions.len() + robot.disabled.len(), 1);
    }

    #[test]
    fn no_robot_hurts(text in "[A-Za-z:{}\\[\\]\\-&*'\" \n]{0,200}", cut in 0..400_usize) {
        let whole = format!("PrimaryProtocol: test\nAlias: '!'\nExternalPlugins:\n  p:\n    Path: p.sh\n    Parameters: [{{Name: A, Value: b}}]\nUserRoster:\n- UserName: a\n{text}");
        let cut = whole.char_indices().map(|(n, _)| n).take_while(|n| *n <= cut).last().unwrap_or(0);
        let _ = draft(&[(ROBOT, &whole[..cut])]);
        let _ = draft(&[(ROBOT, &whole)]);
    }

    #[test]
    fn no_schedule_hurts(text in "[@0-9*?/,\\- a-z=_A-Z]{0,40}") {
        let _ = crate::schedule::problem(&text);
    }

    #[test]
    fn no_provider_file_hurts(file in "(BrainConfig|HistoryConfig|A|:|\\{|\\}| |\n|'|-|\\[|x){0,30}") {
        let files = [
            (ROBOT, "PrimaryProtocol: test\nBrain: file\nHistoryProvider: file\n"),
            ("/bot/custom/conf/brains/file.yaml", file.as_str()),
            ("/bot/custom/conf/history/file.yaml", file.as_str()),
        ];
        prop_assert!(draft(&files).is_err(), "no file is both");
    }

    #[test]
    fn no_pattern_hurts(pattern in "[\\[\\]()a-c*+?{}0-9,|\\\\dwsbQEpPx^$.:<>&~-]{0,24}") {
        if let Ok(ours) = crate::pattern::anchored(&pattern) {
            prop_assert!(crate::pattern::compile(&ours).is_ok());
        }
        let _ = crate::pattern::unanchored(&pattern);
    }
}
