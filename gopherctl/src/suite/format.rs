//! A suite file as it is written, and its validation. Unknown keys are ignored, as suites expect.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Deserialize;

use super::{error::SuiteError, expand::has_variable, pattern};

/// A suite that can be played.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) config_dir: String,
    pub(super) before_start: Vec<BeforeStart>,
    /// Connectors that are to pretend they have no hidden commands.
    pub(super) without_hidden_commands: Vec<String>,
    /// Never empty of both; a flow wins over cases.
    pub(super) cases: Vec<Case>,
    pub(super) flow: Vec<Step>,
}

impl Suite {
    /// Cases, or the steps of the flow.
    pub(super) fn len(&self) -> usize {
        if self.flow.is_empty() { self.cases.len() } else { self.flow.len() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BeforeStart {
    TestHttpServer,
    DevelopmentEnvironment,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    name: String,
    config_dir: String,
    before_start: OneOrMore,
    capabilities: BTreeMap<String, Capabilities>,
    cases: Vec<Case>,
    flow: Vec<Step>,
}

/// `before_start` is written as one word; a list of them is as clear.
#[derive(Debug, Default)]
struct OneOrMore(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.split([',', ' ']).map(str::to_owned).collect()))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Capabilities {
    hidden_commands: Option<bool>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) input: Input,
    pub(super) replies: Vec<Reply>,
    pub(super) events: Vec<String>,
    pub(super) replies_only: bool,
    #[serde(deserialize_with = "pause")]
    pub(super) pause: Duration,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    pub(super) user: String,
    /// Empty: a direct message.
    pub(super) channel: String,
    pub(super) text: String,
    pub(super) threaded: bool,
    pub(super) hidden: bool,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Reply {
    /// Empty: spoken to the channel.
    pub(super) user: String,
    pub(super) channel: String,
    pub(super) text_pattern: String,
    pub(super) threaded: bool,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) case: Option<Case>,
    pub(super) wait_for_idle: bool,
    pub(super) drain_events: bool,
    #[serde(deserialize_with = "pause")]
    pub(super) sleep: Duration,
    pub(super) send: Option<Input>,
    pub(super) receive: Option<Receive>,
    pub(super) expect_events: Option<Vec<String>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Receive {
    pub(super) user: String,
    pub(super) channel: String,
    pub(super) text_pattern: String,
    pub(super) threaded: bool,
    pub(super) save_text_as: String,
    pub(super) exact_text: String,
    pub(super) contains: Vec<String>,
    pub(super) contains_upper: Vec<String>,
    pub(super) contains_none: Vec<String>,
    pub(super) contains_none_upper: Vec<String>,
    pub(super) capture_regex: BTreeMap<String, String>,
    pub(super) capture_pipeline_wid: Option<CaptureWid>,
}

impl Receive {
    pub(super) fn reply(&self) -> Reply {
        Reply {
            user: self.user.clone(),
            channel: self.channel.clone(),
            text_pattern: self.text_pattern.clone(),
            threaded: self.threaded,
        }
    }
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct CaptureWid {
    pub(super) name: String,
    pub(super) pipeline: String,
    pub(super) command: String,
}

/// A Go duration (`300ms`, `1.5h`, `2h45m`), or a plain number of nanoseconds.
fn pause<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no duration; write one like 300ms or 2m30s")))
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Duration::ZERO);
    }
    if let Ok(nanos) = text.parse() {
        return Some(Duration::from_nanos(nanos));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |i| i + digits);
        let seconds = match &rest[digits..unit] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(amount * seconds).ok()?)?;
        rest = &rest[unit..];
    }
    Some(total)
}

/// Reads and checks a suite file.
pub(super) fn load(path: &Path) -> Result<Suite, SuiteError> {
    let bytes = std::fs::read(path).map_err(|error| SuiteError::Unreadable { path: path.to_path_buf(), error })?;
    parse(&path.display().to_string(), bytes)
}

fn parse(shown: &str, bytes: Vec<u8>) -> Result<Suite, SuiteError> {
    let written: Written = gopher_config::from_yaml(shown, bytes).map_err(|found| {
        let sentences: Vec<String> = found.iter().map(gopher_config::Diagnostic::sentence).collect();
        SuiteError::Malformed(sentences.join("\n"))
    })?;
    let wrong = |what: &str| SuiteError::Malformed(format!("{shown}: {what}"));
    if written.name.is_empty() {
        return Err(wrong("a suite needs a `name`"));
    }
    if written.config_dir.is_empty() {
        return Err(wrong("a suite needs a `config_dir`, the robot it is for"));
    }
    if written.cases.is_empty() && written.flow.is_empty() {
        return Err(wrong("a suite needs `cases` or a `flow`"));
    }
    let mut before_start = Vec::new();
    for word in written.before_start.0.iter().filter(|word| !word.is_empty()) {
        before_start.push(match word.as_str() {
            "test_http_server" => BeforeStart::TestHttpServer,
            "development_environment" => BeforeStart::DevelopmentEnvironment,
            other => {
                return Err(wrong(&format!(
                    "before_start: `{other}` is not known; there are test_http_server and development_environment"
                )));
            }
        });
    }
    let without = written.capabilities.into_iter().filter(|(_, c)| c.hidden_commands == Some(false));
    let mut suite = Suite {
        name: written.name,
        config_dir: written.config_dir,
        before_start,
        without_hidden_commands: without.map(|(connector, _)| connector).collect(),
        cases: written.cases,
        flow: written.flow,
    };
    complete(&mut suite).map_err(|what| wrong(&what))?;
    Ok(suite)
}

/// Gives names to what has none, and compiles every pattern that needs no value of the run.
fn complete(suite: &mut Suite) -> Result<(), String> {
    for (index, case) in suite.cases.iter_mut().enumerate() {
        complete_case(case, format!("case-{:03}", index + 1))?;
    }
    for (index, step) in suite.flow.iter_mut().enumerate() {
        if step.name.is_empty() {
            step.name = format!("step-{:03}", index + 1);
        }
        if let Some(case) = &mut step.case {
            complete_case(case, step.name.clone())?;
        }
        if let Some(receive) = &step.receive {
            check(&step.name, "text_pattern", &receive.text_pattern)?;
            for (variable, regex) in &receive.capture_regex {
                check(&step.name, &format!("capture_regex {variable}"), regex)?;
            }
        }
    }
    Ok(())
}

fn complete_case(case: &mut Case, default: String) -> Result<(), String> {
    if case.name.is_empty() {
        case.name = default;
    }
    for reply in &case.replies {
        check(&case.name, "text_pattern", &reply.text_pattern)?;
    }
    Ok(())
}

fn check(name: &str, key: &str, text: &str) -> Result<(), String> {
    if has_variable(text) {
        return Ok(());
    }
    pattern::compile(text).map(drop).map_err(|e| format!("{name}: {key} `{text}`: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Suite, String> {
        parse("S.yaml", text.as_bytes().to_vec()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_suite_is_read_with_its_defaults() {
        let suite = load(
            "name: S\nconfig_dir: robots/a\nlog_name: x\nmetadata: {tier: smoke}\nbefore_start: test_http_server\n\
             capabilities: {test: {hidden_commands: false}, slack: {hidden_commands: true}}\n\
             cases:\n- input: {user: alice, channel: general, text: yes}\n  replies:\n  - {channel: general, text_pattern: 12}\n  \
             pause: 1.5s\n- name: other\n  replies_only: true\n  input: {text: '${x}'}\n",
        )
        .expect("a good suite");
        assert_eq!((suite.name.as_str(), suite.config_dir.as_str(), suite.len()), ("S", "robots/a", 2));
        assert_eq!(suite.before_start, [BeforeStart::TestHttpServer]);
        assert_eq!(suite.without_hidden_commands, ["test"]);
        assert_eq!((suite.cases[0].name.as_str(), suite.cases[1].name.as_str()), ("case-001", "other"));
        assert_eq!(suite.cases[0].input.text, "yes", "text is text, whatever it looks like");
        assert_eq!(suite.cases[0].replies[0].text_pattern, "12");
        assert_eq!(suite.cases[0].pause, Duration::from_millis(1500));
    }

    #[test]
    fn a_flow_wins_over_cases_and_its_steps_have_names() {
        let suite = load("name: S\nconfig_dir: r\ncases: [{}]\nflow: [{sleep: 1ms}, {name: two, receive: {}}]\n")
            .expect("good");
        assert_eq!((suite.len(), suite.flow[0].name.as_str(), suite.flow[1].name.as_str()), (2, "step-001", "two"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("config_dir: r\ncases: [{}]\n", "S.yaml: a suite needs a `name`"),
            ("name: S\ncases: [{}]\n", "S.yaml: a suite needs a `config_dir`"),
            ("name: S\nconfig_dir: r\n", "S.yaml: a suite needs `cases` or a `flow`"),
            ("name: S\nconfig_dir: r\nbefore_start: moon\ncases: [{}]\n", "before_start: `moon` is not known"),
            ("name: S\nconfig_dir: r\ncases:\n- pause: soon\n", "`soon` is no duration"),
            ("name: S\nconfig_dir: r\ncases:\n- replies: [{text_pattern: '(a'}]\n", "case-001: text_pattern `(a`: "),
            ("name: [\n", "S.yaml:"),
            ("name: S\nconfig_dir: r\ncases: no\n", "S.yaml:3:8: expected a list"),
        ] {
            let error = load(text).expect_err(text);
            assert!(error.contains(said), "{error} for {text}");
        }
    }

    #[test]
    fn durations_are_those_of_go() {
        for (text, millis) in
            [("", 0), ("300ms", 300), ("1.5h", 5_400_000), ("2h45m", 9_900_000), ("1000000", 1), ("1m0.5s", 60_500)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["soon", "5", "-1s", "1x", "s", "1e9h"] {
            assert!(duration(text).is_none_or(|d| d < Duration::from_millis(1)), "{text}");
        }
    }
}
