//! What the compiled-in commands do.

use gopher_protocol::{
    admin::PsRow,
    ids::{PipelineId, UserId},
    robot::{Disabled, Kind},
    robot_api::MessageFormat,
    supervisor::EngineToSupervisor,
};
use std::time::Instant;

use crate::{
    access::Manner,
    builtin::BuiltIn,
    connectors::Style,
    context::{Context, TEST},
    engine::Engine,
    execute::Killed,
    generation::Generation,
    help::{Facts, Helper, chunks},
    reload::Requester,
    runs::{Purpose, Run, State, age},
};

impl Engine {
    pub(crate) fn run_builtin(
        &mut self,
        built_in: BuiltIn,
        generation: &Generation,
        context: &Context,
        command: &str,
        args: &[String],
    ) {
        let first = args.first().map_or("", String::as_str);
        match (built_in, command) {
            (BuiltIn::Ping, _) => {
                let style = Style { manner: Manner::Reply, in_thread: false, format: Some(MessageFormat::Fixed) };
                self.tell(context, style, "PONG");
            }
            (BuiltIn::Help, _) => self.help(generation, context, command, first),
            (BuiltIn::Welcome, _) => {
                let transport = self.hidden_transport(&context.protocol);
                let text = Helper { generation, context, transport }.welcome();
                self.explain(context, MessageFormat::BasicMarkdown, &text);
            }
            (BuiltIn::Admin, "ps") => {
                let style = Style { manner: Manner::Say, in_thread: false, format: Some(MessageFormat::Fixed) };
                let text = ps_text(&self.ps_rows());
                self.tell(context, style, text);
            }
            (BuiltIn::Admin, "kill") => {
                let text = match first.parse() {
                    Ok(number) => {
                        let killed = self.kill(PipelineId(number), context.user.as_str());
                        killed_text(&killed, PipelineId(number))
                    }
                    Err(_) => format!("Pipeline {first} not found"),
                };
                self.tell(context, Style::SAY, text);
            }
            (BuiltIn::Admin, "reload") => self.reload(Requester::User(Box::new(context.clone()))),
            (BuiltIn::Admin, "encryptsecret") => self.encrypt(context, first),
            (BuiltIn::Admin, "listplugins") => {
                let text = if first.is_empty() { plugins_text(generation) } else { disabled_text(generation) };
                for chunk in chunks(&text) {
                    self.tell(context, Style::SAY, chunk);
                }
            }
            (BuiltIn::Admin, _) => self.quit(context),
            (BuiltIn::Fallback, _) => {
                let transport = self.hidden_transport(&context.protocol);
                let addressing = self.connectors.get(context.protocol.as_str()).and_then(|c| c.addressing.as_ref());
                let typed = addressing.and_then(|a| a.recognise(first)).map_or_else(|| first.to_owned(), |a| a.text);
                let text = Helper { generation, context, transport }.unmatched(&typed);
                self.explain(context, MessageFormat::BasicMarkdown, &text);
            }
        }
    }

    fn help(&mut self, generation: &Generation, context: &Context, command: &str, query: &str) {
        let transport = self.hidden_transport(&context.protocol);
        let helper = Helper { generation, context, transport };
        let text = match command {
            "help-all" => helper.all_commands(),
            "commands" => helper.commands(),
            "info" => {
                let text = self.information(&helper);
                self.explain(context, MessageFormat::Variable, &text);
                return;
            }
            _ if query.trim().is_empty() => helper.overview(),
            _ => helper.about(query),
        };
        self.explain(context, MessageFormat::BasicMarkdown, &text);
    }

    fn information(&self, helper: &Helper<'_>) -> String {
        let connector = self.connectors.get(helper.context.protocol.as_str());
        let robot_id = connector.and_then(|c| c.capabilities.as_ref()).and_then(|c| c.robot_id.as_ref());
        let start = self.start.as_ref();
        let passed = start.map(|s| s.pass_through.as_slice()).unwrap_or_default();
        helper.information(&Facts {
            host: passed.iter().find(|(name, _)| name == "HOSTNAME").map(|(_, value)| value.as_str()),
            robot_id: robot_id.map(UserId::as_str),
            version: start.map_or("", |s| s.version.as_str()),
            install: start.map_or("", |s| s.sources.install_dir.as_str()),
            home: start.map_or("", |s| s.sources.home.as_str()),
        })
    }

    /// Longer texts go to the thread of the question, so that they do not fill the channel.
    fn explain(&mut self, context: &Context, format: MessageFormat, text: &str) {
        let manner = if context.threaded { Manner::Reply } else { Manner::Say };
        let style = Style { manner, in_thread: true, format: Some(format) };
        for chunk in chunks(text) {
            self.tell(context, style, chunk);
        }
    }

    fn quit(&mut self, context: &Context) {
        if context.protocol != TEST {
            let running = self.ps_rows().len();
            let text = match running {
                0 => "Adios".to_owned(),
                1 => "One pipeline is still running; I'm stopping it, then I quit".to_owned(),
                n => format!("{n} pipelines are still running; I'm stopping them, then I quit"),
            };
            self.tell(context, Style::REPLY, text);
        }
        self.log.info(&format!("{} told the robot to quit", context.user));
        self.supervisor.send(&EngineToSupervisor::Quit { failed: None });
    }

    /// Live and waiting pipelines, the oldest first.
    pub(crate) fn ps_rows(&self) -> Vec<PsRow> {
        let now = Instant::now();
        let mut runs: Vec<&Run> =
            self.runs.values().filter(|r| r.purpose != Purpose::Configure && r.state != State::Over).collect();
        runs.sort_by_key(|r| r.pipeline);
        runs.into_iter().map(|r| r.row(now, self.prompts.waits(r.id))).collect()
    }
}

/// What became of a `kill`, for whoever asked.
pub(crate) fn killed_text(killed: &Killed, pipeline: PipelineId) -> String {
    match killed {
        Killed::Asked => format!("Killed pipeline {pipeline}"),
        Killed::Withdrawn => format!("Pipeline {pipeline} was still waiting and won't be started"),
        Killed::NotRunning => "No active process found for pipeline".to_owned(),
        Killed::NotFound => format!("Pipeline {pipeline} not found"),
    }
}

fn plugins_text(generation: &Generation) -> String {
    let active = generation.plugins.iter().map(|p| p.name.to_string());
    let disabled = disabled_plugins(generation).map(|d| format!("{} (disabled)", d.name));
    let names: Vec<String> = active.chain(disabled).collect();
    format!("Here are the plugins I have configured:\n{}", names.join(", "))
}

fn disabled_text(generation: &Generation) -> String {
    let lines: Vec<String> =
        disabled_plugins(generation).map(|d| format!("{}; reason: {}", d.name, d.reason)).collect();
    if lines.is_empty() {
        return "There are no disabled plugins".to_owned();
    }
    format!("Here's a list of all disabled plugins:\n{}", lines.join("\n"))
}

fn disabled_plugins(generation: &Generation) -> impl Iterator<Item = &Disabled> {
    generation.robot.disabled.iter().filter(|d| d.kind == Kind::Plugin)
}

fn ps_text(rows: &[PsRow]) -> String {
    if rows.is_empty() {
        return "No pipelines running".to_owned();
    }
    let head = ["WID", "AGE", "USER", "PLUGIN", "CMD", "TASK", "STATE"].map(str::to_owned);
    let cells = rows.iter().map(|r| {
        let user = if r.user.is_empty() { "-" } else { &r.user };
        [
            r.pipeline.to_string(),
            age(r.age_seconds),
            user.to_owned(),
            r.plugin.clone(),
            r.command.clone(),
            r.task.clone(),
            r.state.clone(),
        ]
    });
    let table: Vec<[String; 7]> = std::iter::once(head).chain(cells).collect();
    let mut widths = [0; 7];
    for row in &table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let lines = table.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    format!("Plugins\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use gopher_protocol::robot::Cause;

    use super::*;
    use crate::testing;

    #[test]
    fn plugins_are_listed_and_disabled_ones_with_their_reasons() {
        let mut robot = testing::robot_with(vec![testing::extension("deploy")]);
        let (whole, _) = Generation::new(robot.clone());
        assert_eq!(disabled_text(&whole), "There are no disabled plugins");
        robot.disabled.push(Disabled {
            name: "kettle".into(),
            kind: Kind::Plugin,
            reason: "plugins/kettle.sh is not there".into(),
            cause: Cause::Missing,
        });
        robot.disabled.push(Disabled {
            name: "nightly".into(),
            kind: Kind::Job,
            reason: "it says Disabled: true".into(),
            cause: Cause::Off,
        });
        let (generation, _) = Generation::new(robot);
        let all = plugins_text(&generation);
        assert!(all.starts_with("Here are the plugins I have configured:\nping, "), "{all}");
        assert!(all.ends_with("deploy, kettle (disabled)"), "{all}");
        assert_eq!(
            disabled_text(&generation),
            "Here's a list of all disabled plugins:\nkettle; reason: plugins/kettle.sh is not there"
        );
    }

    #[test]
    fn ps_is_a_table_whose_first_column_is_the_wid() {
        assert_eq!(ps_text(&[]), "No pipelines running");
        let row = PsRow {
            pipeline: PipelineId(42),
            kind: "plugin".into(),
            plugin: "bashdemo".into(),
            task: "note".into(),
            command: "hear".into(),
            user: "bob".into(),
            channel: "#general".into(),
            age_seconds: 7,
            state: "waiting for a reply".into(),
        };
        let text = ps_text(&[row]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "Plugins");
        assert!(lines[1].starts_with("WID  AGE  USER  PLUGIN    CMD   TASK"), "{text}");
        assert_eq!(lines[2], "42   7s   bob   bashdemo  hear  note  waiting for a reply");
    }
}
