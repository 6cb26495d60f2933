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
    fn no_pattern_hurts(pattern in "[\\[\\]()a-c*+?{}0-9,|\\\\dwsbQEpPx^$.:<>&~-]{0,24}") {
        if let Ok(ours) = crate::pattern::anchored(&pattern) {
            prop_assert!(crate::pattern::compile(&ours).is_ok());
        }
        let _ = crate::pattern::unanchored(&pattern);
    }
}
