//! The `test` connector: a robot's counterpart is a program, a suite driver, that speaks JSON lines on a socket.

mod lines;
mod outbox;
mod service;
mod socket;
mod wire;

pub(crate) use socket::TestConnector;
