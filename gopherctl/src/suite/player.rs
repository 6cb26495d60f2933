//! Plays a suite against a robot: the case algorithm and the flow (integration suites §5.2).

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{
    driver::{Driver, DriverError, Sent},
    expand::Variables,
    expectation,
    format::{Case, Receive, Step, Suite},
};

/// Something that was not as the suite says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    /// Case or flow step.
    pub(super) case: String,
    pub(super) error: String,
    pub(super) timed_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<String>,
}

/// What became of a suite.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// Of the failed ones, those that were never begun.
    pub(super) not_run: usize,
    pub(super) failures: Vec<Failure>,
    pub(super) interrupted: bool,
}

/// Whether the suite can go on.
enum Next {
    GoOn,
    End,
}

struct Player<'d> {
    driver: &'d mut Driver,
    time_out: Duration,
    variables: Variables,
    failures: Vec<Failure>,
    /// Where we are, for failures.
    case: String,
    sent: Option<String>,
    /// The reply that is being waited for.
    awaited: Option<String>,
    interrupted: bool,
}

/// Plays the whole suite on a robot that is ready.
pub(super) fn play(suite: &Suite, driver: &mut Driver, time_out: Duration) -> Outcome {
    let mut player = Player {
        driver,
        time_out,
        variables: Variables::new(),
        failures: Vec::new(),
        case: String::new(),
        sent: None,
        awaited: None,
        interrupted: false,
    };
    let mut outcome = Outcome::default();
    for index in 0..suite.len() {
        let before = player.failures.len();
        let next = match suite.flow.get(index) {
            Some(step) => player.step(step),
            None => player.case(&suite.cases[index]),
        };
        if player.failures.len() == before {
            outcome.passed += 1;
        } else {
            outcome.failed += 1;
        }
        if matches!(next, Next::End) {
            outcome.not_run = suite.len() - index - 1;
            outcome.failed += outcome.not_run;
            break;
        }
    }
    outcome.failures = player.failures;
    outcome.interrupted = player.interrupted;
    outcome
}

impl Player<'_> {
    fn deadline(&self) -> Instant {
        Instant::now() + self.time_out
    }

    fn fail(&mut self, error: impl Into<String>) -> &mut Failure {
        self.failures.push(Failure {
            case: self.case.clone(),
            error: error.into(),
            sent: self.sent.clone(),
            ..Failure::default()
        });
        let last = self.failures.len() - 1;
        &mut self.failures[last]
    }

    /// Records that the robot could not be heard; nothing after that can be relied on.
    fn lost(&mut self, doing: &str, error: &DriverError) -> Next {
        self.interrupted |= matches!(error, DriverError::Interrupted);
        let expected = self.awaited.take();
        let failure = self.fail(format!("{doing}: {error}"));
        failure.timed_out = matches!(error, DriverError::TimedOut);
        failure.expected = expected;
        Next::End
    }

    fn case(&mut self, case: &Case) -> Next {
        self.case.clone_from(&case.name);
        self.sent = None;
        match self.try_case(case) {
            Ok(()) => Next::GoOn,
            Err((doing, error)) => self.lost(doing, &error),
        }
    }

    fn try_case(&mut self, case: &Case) -> Result<(), (&'static str, DriverError)> {
        let deadline = self.deadline();
        self.driver.idle(deadline).map_err(at("waiting for the robot to be idle"))?;
        self.driver.events(deadline).map_err(at("reading events"))?;
        self.send(&case.input.user, &expectation::case_message(&case.input), deadline)?;
        for reply in &case.replies {
            self.awaited = Some(expectation::expected(reply, &self.variables));
            let message = self.driver.receive(deadline).map_err(at("waiting for a reply"))?;
            self.awaited = None;
            match expectation::is_reply(reply, &message, &self.variables) {
                Ok(true) => {}
                Ok(false) => {
                    let expected = expectation::expected(reply, &self.variables);
                    let failure = self.fail("another reply was expected");
                    failure.expected = Some(expected);
                    failure.seen = Some(expectation::seen(&message));
                }
                Err(sentence) => drop(self.fail(sentence)),
            }
        }
        if !case.replies_only {
            if case.replies.is_empty() {
                // No reply says that the message was dealt with, so the robot is asked.
                self.driver.idle(deadline).map_err(at("waiting for the robot to be idle"))?;
            }
            self.events(&case.events, deadline)?;
        }
        self.driver.pause(case.pause).map_err(at("pausing"))?;
        let deadline = self.deadline();
        self.driver.idle(deadline).map_err(at("waiting for the robot to be idle"))?;
        self.driver.events(deadline).map_err(at("reading events")).map(drop)
    }

    fn send(&mut self, user: &str, message: &Sent, deadline: Instant) -> Result<(), (&'static str, DriverError)> {
        self.sent = Some(expectation::sent(user, message));
        let complaints = self.driver.send(message, deadline).map_err(at("sending"))?;
        for complaint in complaints {
            self.fail(format!("sending: {complaint}"));
        }
        Ok(())
    }

    fn events(&mut self, expected: &[String], deadline: Instant) -> Result<(), (&'static str, DriverError)> {
        let seen = self.driver.events(deadline).map_err(at("reading events"))?;
        if !expectation::same_events(expected, &seen) {
            let expected = expected.join(" ");
            let failure = self.fail("other events were expected");
            failure.expected = Some(format!("events: {expected}"));
            failure.seen = Some(format!("events: {}", seen.join(" ")));
        }
        Ok(())
    }

    /// One step of a flow: what it has, in this order. A mismatch ends the flow; a text without what it should
    /// contain only fails the step.
    fn step(&mut self, step: &Step) -> Next {
        self.case.clone_from(&step.name);
        self.sent = None;
        if let Some(case) = &step.case {
            let before = self.failures.len();
            let next = self.case(case);
            self.case.clone_from(&step.name);
            if matches!(next, Next::End) || self.failures.len() > before {
                return Next::End;
            }
        }
        match self.try_step(step) {
            Ok(next) => next,
            Err((doing, error)) => self.lost(doing, &error),
        }
    }

    fn try_step(&mut self, step: &Step) -> Result<Next, (&'static str, DriverError)> {
        if step.wait_for_idle {
            self.driver.idle(self.deadline()).map_err(at("waiting for the robot to be idle"))?;
        }
        if step.drain_events {
            self.driver.events(self.deadline()).map_err(at("reading events"))?;
        }
        self.driver.pause(step.sleep).map_err(at("sleeping"))?;
        if let Some(input) = &step.send {
            let before = self.failures.len();
            self.send(&input.user, &expectation::flow_message(input, &self.variables), self.deadline())?;
            if self.failures.len() > before {
                return Ok(Next::End);
            }
        }
        if let Some(receive) = &step.receive
            && matches!(self.receive(receive)?, Next::End)
        {
            return Ok(Next::End);
        }
        if let Some(expected) = &step.expect_events {
            let before = self.failures.len();
            self.events(expected, self.deadline())?;
            if self.failures.len() > before {
                return Ok(Next::End);
            }
        }
        Ok(Next::GoOn)
    }

    fn receive(&mut self, receive: &Receive) -> Result<Next, (&'static str, DriverError)> {
        let reply = receive.reply();
        self.awaited = Some(expectation::expected(&reply, &self.variables));
        let message = self.driver.receive(self.deadline()).map_err(at("waiting for a reply"))?;
        self.awaited = None;
        match expectation::is_reply(&reply, &message, &self.variables) {
            Ok(true) => {}
            Ok(false) => {
                let expected = expectation::expected(&reply, &self.variables);
                let failure = self.fail("another reply was expected");
                failure.expected = Some(expected);
                failure.seen = Some(expectation::seen(&message));
                return Ok(Next::End);
            }
            Err(sentence) => {
                self.fail(sentence);
                return Ok(Next::End);
            }
        }
        for fault in expectation::text_faults(receive, &message.text, &self.variables) {
            let failure = self.fail("the text of the reply is not as expected");
            failure.expected = Some(fault);
            failure.seen = Some(expectation::seen(&message));
        }
        if let Err(sentence) = expectation::capture(receive, &message.text, &mut self.variables) {
            self.fail(sentence).seen = Some(expectation::seen(&message));
            return Ok(Next::End);
        }
        Ok(Next::GoOn)
    }
}

fn at(doing: &'static str) -> impl FnOnce(DriverError) -> (&'static str, DriverError) {
    move |error| (doing, error)
}

#[cfg(test)]
mod tests;
