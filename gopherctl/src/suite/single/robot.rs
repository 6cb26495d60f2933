//! The robot that a single extension is run against: its configuration. Pure.

use serde_json::{Map, Value, json};

use super::super::expectation::user_id;
use crate::author::Kind;

/// Stands between arguments where no text has it.
const BETWEEN: char = '\u{e000}';
/// The command that starts it all, and the plugin that has it where the extension has no commands.
const START: &str = "gopherctl-run";

/// One extension, and how it is to be run.
pub(super) struct Single {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Beneath the robot's directory.
    pub(super) path: String,
    pub(super) user: String,
    pub(super) channel: String,
    pub(super) admin: bool,
    pub(super) parameters: Vec<(String, String)>,
    /// Of a plugin: the command and its arguments; else the arguments.
    pub(super) words: Vec<String>,
    /// What `conf/plugins/NAME.yaml` says.
    pub(super) config: String,
}

/// A file of the robot's.
pub(super) type ConfigFile = (String, String);

impl Single {
    /// Every file of the robot but the extension's own.
    pub(super) fn files(&self) -> Vec<ConfigFile> {
        let mut files = vec![
            ("conf/robot.yaml".to_owned(), yaml(&self.robot())),
            ("conf/protocols/test.yaml".to_owned(), yaml(&self.protocol())),
        ];
        match self.kind {
            Kind::Plugin => {
                let own = match self.words.split_first() {
                    Some((command, arguments)) => with_commands(&self.config, commands(command, arguments.len())),
                    None => self.config.clone(),
                };
                files.push((format!("conf/plugins/{}.yaml", self.name), own));
            }
            Kind::Job | Kind::Task => {
                let starter = json!({ "Commands": commands("start", self.words.len()), "AllChannels": true,
                    "AllowedPrivateCommands": ["*"] });
                files.push((format!("conf/plugins/{START}.yaml"), yaml(&starter)));
                let script = include_str!("start.lua").replace("@NAME@", &self.name);
                files.push((format!("plugins/{START}.lua"), script));
            }
        }
        files
    }

    /// What is said to start it.
    pub(super) fn message(&self) -> String {
        let arguments = if self.kind == Kind::Plugin { self.words.get(1..).unwrap_or_default() } else { &self.words };
        let mut message = format!(";{START}{BETWEEN}");
        for argument in arguments {
            message.push_str(argument);
            message.push(BETWEEN);
        }
        message
    }

    /// Whether a text can be an argument here.
    pub(super) fn can_say(text: &str) -> bool {
        !text.contains([BETWEEN, '\0'])
    }

    fn robot(&self) -> Value {
        let users = self.users().map(|name| json!({ "UserName": name }));
        let mut robot = json!({
            "BotInfo": { "UserName": "bender", "FullName": "Bender Rodriguez" },
            "Alias": ";",
            "PrimaryProtocol": "test",
            "LogLevel": "debug",
            "AdminUsers": [ if self.admin { self.user.as_str() } else { "administrator" } ],
            "UserRoster": users.collect::<Vec<_>>(),
            "DefaultChannels": self.channels(),
            "DefaultJobChannel": self.channels()[0],
        });
        let parameters = self.parameters.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
        let own = json!({ "Path": self.path, "Parameters": parameters.collect::<Vec<_>>() });
        // A job cannot be started by itself: it is run as a step, as a task is.
        let map = if self.kind == Kind::Plugin { Kind::Plugin.map() } else { Kind::Task.map() };
        let mut plugins = Map::new();
        if self.kind == Kind::Plugin {
            plugins.insert(self.name.clone(), own);
        } else {
            robot[map] = json!({ self.name.as_str(): own });
            plugins.insert(START.to_owned(), json!({ "Path": format!("plugins/{START}.lua") }));
        }
        robot["ExternalPlugins"] = Value::Object(plugins);
        robot
    }

    fn protocol(&self) -> Value {
        let users = self.users().map(|name| json!({ "Name": name, "InternalID": user_id(name) }));
        json!({ "ProtocolConfig": { "Channels": self.channels(), "Users": users.collect::<Vec<_>>() } })
    }

    fn users(&self) -> impl Iterator<Item = &str> {
        const KNOWN: [&str; 6] = ["alice", "bob", "carol", "david", "erin", "administrator"];
        let own = Some(self.user.as_str()).filter(|user| !KNOWN.contains(user));
        KNOWN.into_iter().chain(own)
    }

    fn channels(&self) -> Vec<&str> {
        let mut channels = vec!["general", "random"];
        if !self.channel.is_empty() {
            channels.retain(|known| *known != self.channel);
            channels.insert(0, &self.channel);
        }
        channels
    }
}

/// The one command, with as many arguments as there are.
fn commands(command: &str, arguments: usize) -> Value {
    let groups = format!(r"([^\x{{{0:x}}}]*)\x{{{0:x}}}", u32::from(BETWEEN)).repeat(arguments);
    let regex = format!(r"{START}\x{{{:x}}}{groups}", u32::from(BETWEEN));
    json!([{ "Command": command, "Regex": regex }])
}

/// A plugin's file with one more command, whether it replaces the plugin's own ones or not.
fn with_commands(config: &str, more: Value) -> String {
    let appended = |more: &Value| format!("{config}\nAppendCommands: {}", yaml(more));
    // What is only known once templates are expanded, or lists are joined, is left as it is.
    let plain = !["{{", "Append"].iter().any(|sign| config.contains(sign));
    let Some(mut file) = plain.then(|| parsed(config)).flatten() else { return appended(&more) };
    let key = if file.contains_key("Commands") { "Commands" } else { "AppendCommands" };
    let list = file.entry(key).or_insert_with(|| json!([]));
    match (list, more) {
        (Value::Array(list), Value::Array(more)) => list.extend(more),
        // The robot says what is wrong with it.
        _ => return config.to_owned(),
    }
    yaml(&Value::Object(file))
}

fn parsed(config: &str) -> Option<Map<String, Value>> {
    match gopher_config::from_yaml("config", config.as_bytes().to_vec()) {
        Ok(Value::Object(file)) => Some(file),
        Ok(Value::Null) => Some(Map::new()),
        Ok(_) | Err(_) => None,
    }
}

/// JSON is YAML; what would begin a template does not.
fn yaml(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default().replace("{{", r"{\u007b")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(kind: Kind, words: &[&str]) -> Single {
        Single {
            name: "lights".into(),
            kind,
            path: "plugins/lights.sh".into(),
            user: "zoe".into(),
            channel: "ops".into(),
            admin: true,
            parameters: vec![("TOKEN".into(), "{{ secret \"X\" }}".into())],
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            config: "Config: { A: 1 }".into(),
        }
    }

    #[test]
    fn arguments_come_back_as_they_were_given() {
        let words = ["switch", "living room", "", "a;b \n c "];
        let single = single(Kind::Plugin, &words);
        let found = commands("switch", 3);
        let regex = regex::Regex::new(found[0]["Regex"].as_str().expect("a regex")).expect("compiles");
        let message = single.message();
        let captured = regex.captures(message.strip_prefix(';').expect("the alias")).expect("fits");
        let groups: Vec<&str> = captured.iter().skip(1).flatten().map(|group| group.as_str()).collect();
        assert_eq!(groups, words[1..]);
        assert!(Single::can_say("a b") && !Single::can_say("a\u{e000}"));
    }

    #[test]
    fn values_are_never_templates() {
        let files = single(Kind::Plugin, &["switch"]).files();
        let robot = &files[0].1;
        assert!(!robot.contains("{{"), "{robot}");
        let value: Value = serde_json::from_str(robot).expect("JSON");
        assert_eq!(value["ExternalPlugins"]["lights"]["Parameters"][0]["Value"], "{{ secret \"X\" }}");
        assert_eq!((&value["AdminUsers"][0], &value["DefaultChannels"][0]), (&"zoe".into(), &"ops".into()));
        let own: Value = serde_json::from_str(&files[2].1).expect("JSON");
        assert_eq!((&own["Config"]["A"], &own["AppendCommands"][0]["Command"]), (&1.into(), &"switch".into()));
    }

    #[test]
    fn a_command_more_is_added_however_the_file_is_written() {
        let added = |config| with_commands(config, json!([{ "Command": "x" }]));
        for (config, expected) in [
            ("", r#"{"AppendCommands":[{"Command":"x"}]}"#),
            ("Commands: [ { Command: a } ]", r#"{"Commands":[{"Command":"a"},{"Command":"x"}]}"#),
            ("AppendUsers: [ a ]", "AppendUsers: [ a ]\nAppendCommands: [{\"Command\":\"x\"}]"),
            ("Users: [ {{ .X }} ]", "Users: [ {{ .X }} ]\nAppendCommands: [{\"Command\":\"x\"}]"),
            ("Commands: none", "Commands: none"),
        ] {
            assert_eq!(added(config), expected, "{config}");
        }
        assert!(added("a: [").starts_with("a: [\n"), "what is wrong is for the robot to tell");
    }

    #[test]
    fn what_has_no_command_is_started_by_another_plugin() {
        let files = single(Kind::Task, &["one"]).files();
        let value: Value = serde_json::from_str(&files[0].1).expect("JSON");
        assert_eq!(value["ExternalTasks"]["lights"]["Path"], "plugins/lights.sh");
        assert!(files.iter().any(|(name, text)| name == "plugins/gopherctl-run.lua" && text.contains("\"lights\"")));
    }
}
