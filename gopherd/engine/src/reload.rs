//! Loading the configuration anew: who asked, what became of it, and who is told.
//!
//! A reload that fails changes nothing. One that is asked for while another is on its way waits for it, so that whoever
//! asks gets the files as they are now.

use gopher_protocol::{
    admin::{DisabledRow, LoadReport},
    ids::Generation as Number,
    robot::{Cause, Disabled},
    robot_api::MessageFormat,
};

use crate::{access::Manner, connectors::Style, context::Context, diff, engine::Engine, generation::Generation};

const DONE: &str = "Configuration reloaded successfully";
const FAILED: &str = "Error encountered during reload:";

/// Who waits for a load to end.
#[derive(Debug, Clone)]
pub(crate) enum Requester {
    User(Box<Context>),
    /// An admin client by its number.
    Client(u64),
}

impl Engine {
    /// Somebody wants the files as they are now.
    pub(crate) fn reload(&mut self, requester: Requester) {
        match &self.loader {
            Some(_) => self.reloads.push(requester),
            None => self.start_reload(vec![requester]),
        }
    }

    fn start_reload(&mut self, requesters: Vec<Requester>) {
        let read_paths = self.current.as_ref().map(|c| c.robot.read_paths.clone()).unwrap_or_default();
        self.request_load(read_paths);
        if let Some(loader) = &mut self.loader {
            loader.requesters = requesters;
        }
    }

    /// A load is over; what was asked for meanwhile begins.
    pub(crate) fn load_ended(&mut self, requesters: Vec<Requester>, report: LoadReport) {
        for requester in requesters {
            match requester {
                Requester::User(context) => self.tell_reloaded(&context, &report),
                Requester::Client(client) => self.report_to(client, report.clone()),
            }
        }
        self.last_load = report;
        if self.loader.is_none() && !self.reloads.is_empty() {
            let waiting = std::mem::take(&mut self.reloads);
            self.start_reload(waiting);
        }
    }

    fn tell_reloaded(&mut self, context: &Context, report: &LoadReport) {
        if report.errors.is_empty() {
            self.tell(context, Style::REPLY, DONE);
            return;
        }
        self.log.error(&format!("Reloading configuration, requested by {}: it stays as it was", context.user));
        self.tell(context, Style::REPLY, FAILED);
        let fixed = Style { manner: Manner::Say, in_thread: false, format: Some(MessageFormat::Fixed) };
        self.tell(context, fixed, report.errors.join("\n"));
    }

    /// The report on a generation that is in force now.
    pub(crate) fn report_on(&self, before: Option<&Generation>, generation: &Generation) -> LoadReport {
        let robot = &generation.robot;
        LoadReport {
            generation: robot.generation.0,
            errors: Vec::new(),
            changes: before.map(|b| diff::changes(&b.robot, robot)).unwrap_or_default(),
            notices: robot.notices.clone(),
            disabled: disabled_rows(&robot.disabled),
            unopened: self.inspected.unopened.clone(),
            plugins: u32::try_from(generation.plugins.len()).unwrap_or(u32::MAX),
        }
    }
}

/// The report on one that is not.
pub(crate) fn refused(number: Number, errors: Vec<String>) -> LoadReport {
    LoadReport {
        generation: number.0,
        errors,
        changes: Vec::new(),
        notices: Vec::new(),
        disabled: Vec::new(),
        unopened: Vec::new(),
        plugins: 0,
    }
}

/// As admin answers carry them. What only waits to be switched on is nobody's concern.
pub(crate) fn disabled_rows(all: &[Disabled]) -> Vec<DisabledRow> {
    let rows = all.iter().filter(|disabled| disabled.cause != Cause::Stock).map(|disabled| DisabledRow {
        name: disabled.name.as_str().to_owned(),
        kind: format!("{:?}", disabled.kind).to_lowercase(),
        reason: disabled.reason.clone(),
        cause: disabled.cause,
    });
    rows.collect()
}
