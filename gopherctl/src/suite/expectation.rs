//! Expectations of a suite against what was seen. Pure.

use std::fmt;

use super::{
    driver::{Message, Sent},
    expand::{Variables, expand},
    format::{CaptureWid, Input, Receive, Reply},
    pattern,
};

/// Events whose difference is how an extension is built, which is not the suite's business.
const TASK_RAN: [&str; 2] = ["GoPluginRan", "ExternalTaskRan"];

/// Whether the robot's events are those of the suite, in order and number.
pub(super) fn same_events(expected: &[String], seen: &[String]) -> bool {
    let same =
        |(a, b): (&String, &String)| a == b || (TASK_RAN.contains(&a.as_str()) && TASK_RAN.contains(&b.as_str()));
    expected.len() == seen.len() && expected.iter().zip(seen).all(same)
}

/// Whether a message is the expected reply; the error is a sentence about the suite.
pub(super) fn is_reply(expected: &Reply, seen: &Message, variables: &Variables) -> Result<bool, String> {
    let wanted = expand(&expected.text_pattern, variables);
    let regex = pattern::compile(&wanted).map_err(|e| format!("text_pattern `{wanted}`: {e}"))?;
    let place = (&expected.user, &expected.channel, expected.threaded) == (&seen.user, &seen.channel, seen.threaded);
    Ok(place && regex.is_match(&seen.text))
}

/// What the text of a received message lacks or has too much, one sentence each.
pub(super) fn text_faults(receive: &Receive, text: &str, variables: &Variables) -> Vec<String> {
    let mut faults = Vec::new();
    let exact = expand(&receive.exact_text, variables);
    if !exact.is_empty() && text != exact {
        faults.push(format!("exactly {exact:?}"));
    }
    let folded = text.to_uppercase();
    let lists = [
        (&receive.contains, false, true),
        (&receive.contains_upper, true, true),
        (&receive.contains_none, false, false),
        (&receive.contains_none_upper, true, false),
    ];
    for (list, fold, wanted) in lists {
        for item in list {
            let item = expand(item, variables);
            let found = if fold { folded.contains(&item.to_uppercase()) } else { text.contains(&item) };
            if found != wanted {
                let verb = if wanted { "text with" } else { "text without" };
                let how = if fold { " in any case" } else { "" };
                faults.push(format!("{verb} {item:?}{how}"));
            }
        }
    }
    faults
}

/// Takes from a text what later steps need; the error is a sentence.
pub(super) fn capture(receive: &Receive, text: &str, variables: &mut Variables) -> Result<(), String> {
    if !receive.save_text_as.is_empty() {
        variables.insert(receive.save_text_as.clone(), text.to_owned());
    }
    for (name, regex) in &receive.capture_regex {
        let wanted = expand(regex, variables);
        let compiled = pattern::compile(&wanted).map_err(|e| format!("capture_regex {name} `{wanted}`: {e}"))?;
        let group = compiled.captures(text).and_then(|found| found.get(1));
        let value = group.ok_or_else(|| format!("capture_regex {name} `{wanted}`: no group 1 in the text"))?;
        variables.insert(name.clone(), value.as_str().to_owned());
    }
    if let Some(wid) = &receive.capture_pipeline_wid {
        let value = pipeline_wid(wid, text, variables)?;
        let name = if wid.name.is_empty() { "wid" } else { &wid.name };
        variables.insert(name.to_owned(), value);
    }
    Ok(())
}

/// The first field of the first line that names both the pipeline and the command, in any case.
fn pipeline_wid(wid: &CaptureWid, text: &str, variables: &Variables) -> Result<String, String> {
    let pipeline = expand(&wid.pipeline, variables).to_uppercase();
    let command = expand(&wid.command, variables).to_uppercase();
    let line = text.lines().find(|line| {
        let line = line.to_uppercase();
        line.contains(&pipeline) && line.contains(&command)
    });
    let field = line.and_then(|line| line.split_whitespace().next());
    field.map(str::to_owned).ok_or_else(|| format!("no line names both {pipeline:?} and {command:?}"))
}

/// What a case sends: a leading `/` makes it a hidden message.
pub(super) fn case_message(input: &Input) -> Sent {
    match input.text.strip_prefix('/').filter(|_| !input.hidden) {
        Some(text) => Sent { hidden: true, ..message(input, text.to_owned()) },
        None => message(input, input.text.clone()),
    }
}

/// What a flow step sends: its text as it is, with the variables' values.
pub(super) fn flow_message(input: &Input, variables: &Variables) -> Sent {
    message(input, expand(&input.text, variables))
}

fn message(input: &Input, text: String) -> Sent {
    Sent {
        user_id: user_id(&input.user).to_owned(),
        channel: input.channel.clone(),
        text,
        threaded: input.threaded,
        hidden: input.hidden,
    }
}

/// The ids of the users that every suite knows; another name is an id itself.
pub(super) fn user_id(name: &str) -> &str {
    match name {
        "alice" => "u0001",
        "bob" => "u0002",
        "carol" => "u0003",
        "david" => "u0004",
        "erin" => "u0005",
        other => other,
    }
}

struct Place<'a> {
    user: &'a str,
    channel: &'a str,
    threaded: bool,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.user, self.channel) {
            (user, "") => write!(f, "direct message to {user}")?,
            ("", channel) => write!(f, "#{channel}")?,
            (user, channel) => write!(f, "to {user} in #{channel}")?,
        }
        if self.threaded { f.write_str(", in a thread") } else { Ok(()) }
    }
}

/// A message as a report shows it.
pub(super) fn seen(message: &Message) -> String {
    let place = Place { user: &message.user, channel: &message.channel, threaded: message.threaded };
    format!("{place}: {}", message.text)
}

/// An expected reply as a report shows it.
pub(super) fn expected(reply: &Reply, variables: &Variables) -> String {
    let place = Place { user: &reply.user, channel: &reply.channel, threaded: reply.threaded };
    format!("{place}: /{}/", expand(&reply.text_pattern, variables))
}

/// What was sent as a report shows it.
pub(super) fn sent(user: &str, message: &Sent) -> String {
    let place = if message.channel.is_empty() { "direct message".to_owned() } else { format!("#{}", message.channel) };
    let thread = if message.threaded { ", in a thread" } else { "" };
    let hidden = if message.hidden { ", hidden" } else { "" };
    format!("{user} in {place}{thread}{hidden}: {}", message.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn events_are_equal_in_order_and_number_but_for_how_an_extension_is_built() {
        for (want, got, same) in [
            (&["CommandTaskRan", "GoPluginRan"][..], &["CommandTaskRan", "ExternalTaskRan"][..], true),
            (&["CommandTaskRan", "ExternalTaskRan"], &["ExternalTaskRan", "CommandTaskRan"], false),
            (&["CommandTaskRan"], &["CommandTaskRan", "CommandTaskRan"], false),
            (&["CommandTaskRan", "GoPluginRan"], &["CommandTaskRan"], false),
            (&["GoPluginRan"], &["CatchAllsRan"], false),
            (&[], &[], true),
        ] {
            assert_eq!(same_events(&events(want), &events(got)), same, "{want:?} {got:?}");
        }
    }

    #[test]
    fn a_reply_is_compared_in_text_user_channel_and_thread() {
        let reply = |user: &str, channel: &str, text_pattern: &str, threaded| Reply {
            user: user.to_owned(),
            channel: channel.to_owned(),
            text_pattern: text_pattern.to_owned(),
            threaded,
        };
        let seen =
            Message { user: "alice".into(), channel: "general".into(), text: "say (hi) 7".into(), threaded: false };
        let variables = Variables::from([("n".to_owned(), r"\d".to_owned())]);
        for (want, same) in [
            (reply("alice", "general", "hi", false), true),
            (reply("alice", "general", "(hi) ${n}", false), false),
            (reply("alice", "general", r"\(hi\) ${n}$", false), true),
            (reply("alice", "general", "", false), true),
            (reply("", "general", "hi", false), false),
            (reply("alice", "", "hi", false), false),
            (reply("alice", "general", "hi", true), false),
        ] {
            assert_eq!(is_reply(&want, &seen, &variables), Ok(same), "{want:?}");
        }
        assert!(is_reply(&reply("", "", "(${gone", false), &seen, &variables).is_err());
    }

    #[test]
    fn a_slash_makes_a_case_hidden_and_a_flow_step_not() {
        let input = |text: &str, hidden| Input { user: "alice".into(), text: text.into(), hidden, ..Input::default() };
        let plain = case_message(&input("/bender ping", false));
        assert_eq!((plain.text.as_str(), plain.hidden, plain.user_id.as_str()), ("bender ping", true, "u0001"));
        let hidden = case_message(&input("/x", true));
        assert_eq!((hidden.text.as_str(), hidden.hidden), ("/x", true));
        let flow = flow_message(&input("/x", false), &Variables::new());
        assert_eq!((flow.text.as_str(), flow.hidden), ("/x", false));
    }

    #[test]
    fn texts_are_searched_and_captured() {
        let receive = Receive {
            exact_text: "one".into(),
            contains: vec!["Ping".into(), "pong".into()],
            contains_upper: vec!["PING".into()],
            contains_none: vec!["Ping".into()],
            contains_none_upper: vec!["gone".into()],
            save_text_as: "all".into(),
            capture_regex: [("id".to_owned(), r"^(\w+) ".to_owned())].into(),
            capture_pipeline_wid: Some(CaptureWid {
                pipeline: "PLUG".into(),
                command: "ping".into(),
                name: String::new(),
            }),
            ..Receive::default()
        };
        let text = "head line\n4f2a plug/Ping now";
        assert_eq!(
            text_faults(&receive, text, &Variables::new()),
            ["exactly \"one\"", "text with \"pong\"", "text without \"Ping\""]
        );
        let mut variables = Variables::new();
        capture(&receive, text, &mut variables).expect("all found");
        assert_eq!(variables["all"], text);
        assert_eq!((variables["id"].as_str(), variables["wid"].as_str()), ("head", "4f2a"));
        let missing = Receive { capture_regex: [("id".to_owned(), "x(y)".to_owned())].into(), ..Receive::default() };
        assert!(capture(&missing, text, &mut variables).is_err());
    }
}
