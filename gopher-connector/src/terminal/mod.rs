//! The `terminal` connector: people at consoles that the engine has admitted.

mod consoles;
mod rooms;
mod service;

pub(crate) use consoles::TerminalConnector;
