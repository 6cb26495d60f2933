//! The engine's part of a run's environment (spec: Robot API §2.3). Pure.
//!
//! The worker adds what belongs to its own endpoint, and the parameters that secretd gave it.

use gopher_protocol::{
    loader::Sources,
    robot::{CommandMode, Extension, Robot},
};

use crate::context::Context;

/// What of the start of the robot every run needs to know.
pub(crate) struct Base<'a> {
    pub(crate) sources: &'a Sources,
    /// Passed through from the launch environment.
    pub(crate) pass_through: &'a [(String, String)],
}

type List = Vec<(String, String)>;

fn put(list: &mut List, name: &str, value: impl Into<String>) {
    list.push((name.to_owned(), value.into()));
}

/// Where things are: the whole environment of a `_configure` run.
pub(crate) fn of_configure(base: &Base<'_>) -> List {
    let sources = base.sources;
    let libraries = format!("{}/lib:{}/lib", sources.install_dir, sources.config_dir);
    let mut list = List::with_capacity(32);
    put(&mut list, "GOPHER_INSTALLDIR", &sources.install_dir);
    put(&mut list, "GOPHER_HOME", &sources.home);
    put(&mut list, "GOPHER_CONFIGDIR", &sources.config_dir);
    put(&mut list, "RUBYLIB", &libraries);
    put(&mut list, "PYTHONPATH", &libraries);
    put(&mut list, "JULIA_LOAD_PATH", format!("{libraries}:"));
    put(&mut list, "GEM_HOME", format!("{}/.bot-gems", sources.home));
    put(&mut list, "PYTHONUSERBASE", format!("{}/.bot-python", sources.home));
    // Programs that start a shell ask for it here, and a service has none.
    put(&mut list, "SHELL", "/bin/bash");
    list.extend(base.pass_through.iter().cloned());
    list
}

/// The environment of a run of an extension.
pub(crate) fn of_run(
    base: &Base<'_>,
    robot: &Robot,
    extension: &Extension,
    context: &Context,
    pipeline_type: &str,
) -> List {
    let mut list = of_configure(base);
    if let Some(work_space) = robot.work_space.as_ref().filter(|_| extension.privileged || extension.homed) {
        put(&mut list, "GOPHER_WORKSPACE", absolute(&base.sources.home, work_space));
    }
    let id = |id: &str| if id.is_empty() { String::new() } else { format!("<{id}>") };
    put(&mut list, "GOPHER_USER", context.user.as_str());
    put(&mut list, "GOPHER_USER_ID", id(context.user_id.as_str()));
    put(&mut list, "GOPHER_CHANNEL", &context.channel);
    put(&mut list, "GOPHER_CHANNEL_ID", if context.direct { String::new() } else { id(context.channel_id.as_str()) });
    put(&mut list, "GOPHER_MESSAGE_ID", context.message_id.as_str());
    put(&mut list, "GOPHER_THREAD_ID", context.thread.as_str());
    for (name, set) in [
        ("GOPHER_THREADED_MESSAGE", context.threaded),
        ("GOPHER_HIDDEN_COMMAND", context.hidden),
        ("GOPHER_PRIVATE_COMMAND", context.private()),
    ] {
        if set {
            put(&mut list, name, "true");
        }
    }
    put(&mut list, "GOPHER_CMDMODE", mode_name(context.mode.as_ref()));
    put(&mut list, "GOPHER_PROTOCOL", &context.protocol);
    put(&mut list, "GOPHER_BRAIN", &robot.brain);
    put(&mut list, "GOPHER_ENVIRONMENT", &robot.environment);
    put(&mut list, "GOPHER_TASK_NAME", extension.name.as_str());
    if !pipeline_type.is_empty() {
        put(&mut list, "GOPHER_PIPELINE_TYPE", pipeline_type);
    }
    list
}

/// A path of the configuration, relative to the robot home unless it is absolute.
pub(crate) fn absolute(home: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{home}/{path}") }
}

fn mode_name(mode: Option<&CommandMode>) -> &'static str {
    match mode {
        Some(CommandMode::Alias) => "alias",
        Some(CommandMode::Name) => "name",
        Some(CommandMode::Direct) => "direct",
        Some(CommandMode::Hidden) | None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use gopher_protocol::loader::StartMode;

    fn sources() -> Sources {
        Sources {
            home: "/robot".into(),
            config_dir: "/robot/custom".into(),
            install_dir: "/opt/gopher".into(),
            mode: StartMode::Production,
            protocol: None,
            demo_extensions: false,
            extra_root: None,
        }
    }

    fn value<'a>(list: &'a List, name: &str) -> Option<&'a str> {
        assert!(list.iter().filter(|(n, _)| n == name).count() <= 1, "{name} is there twice");
        list.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    #[test]
    fn a_run_finds_robot_context_and_libraries() {
        let (sources, robot) = (sources(), testing::robot());
        let pass_through = [("PATH".to_owned(), "/usr/bin".to_owned()), ("HOME".to_owned(), "/home/floyd".to_owned())];
        let base = Base { sources: &sources, pass_through: &pass_through };
        let mut context = testing::context("bob", "general");
        let extension = testing::extension("deploy");
        let list = of_run(&base, &robot, &extension, &context, "plugCommand");
        for (name, expected) in [
            ("GOPHER_USER", "bob"),
            ("GOPHER_USER_ID", "<u-bob>"),
            ("GOPHER_CHANNEL", "general"),
            ("GOPHER_CHANNEL_ID", "<#general>"),
            ("GOPHER_CMDMODE", "alias"),
            ("GOPHER_PIPELINE_TYPE", "plugCommand"),
            ("GOPHER_TASK_NAME", "deploy"),
            ("GOPHER_PROTOCOL", "test"),
            ("PYTHONPATH", "/opt/gopher/lib:/robot/custom/lib"),
            ("RUBYLIB", "/opt/gopher/lib:/robot/custom/lib"),
            ("JULIA_LOAD_PATH", "/opt/gopher/lib:/robot/custom/lib:"),
            ("SHELL", "/bin/bash"),
            ("PATH", "/usr/bin"),
            ("HOME", "/home/floyd"),
        ] {
            assert_eq!(value(&list, name), Some(expected), "{name}");
        }
        for absent in ["GOPHER_THREADED_MESSAGE", "GOPHER_HIDDEN_COMMAND", "GOPHER_PRIVATE_COMMAND", "GOPHER_WORKSPACE"]
        {
            assert_eq!(value(&list, absent), None);
        }
        context.threaded = true;
        context.hidden = true;
        let privileged = Extension { privileged: true, ..extension };
        let list = of_run(&base, &robot, &privileged, &context, "");
        for name in ["GOPHER_THREADED_MESSAGE", "GOPHER_HIDDEN_COMMAND", "GOPHER_PRIVATE_COMMAND"] {
            assert_eq!(value(&list, name), Some("true"));
        }
        assert_eq!(value(&list, "GOPHER_WORKSPACE"), Some("/robot/workspace"));
        assert_eq!(value(&list, "GOPHER_PIPELINE_TYPE"), None);
    }

    #[test]
    fn a_direct_message_has_an_empty_channel_that_is_set() {
        let (sources, robot) = (sources(), testing::robot());
        let base = Base { sources: &sources, pass_through: &[] };
        let context = Context { direct: true, channel: String::new(), ..testing::context("bob", "") };
        let list = of_run(&base, &robot, &testing::extension("p"), &context, "plugCommand");
        assert_eq!(value(&list, "GOPHER_CHANNEL"), Some(""));
        assert_eq!(value(&list, "GOPHER_CHANNEL_ID"), Some(""));
        assert_eq!(value(&list, "GOPHER_PRIVATE_COMMAND"), Some("true"));
        assert_eq!(value(&of_configure(&base), "GOPHER_USER"), None);
    }
}
