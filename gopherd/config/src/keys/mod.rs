//! The keys of every file: adding a key is adding a field.

pub(crate) mod extension;
pub(crate) mod matcher;
pub(crate) mod provider;
pub(crate) mod robot;
pub(crate) mod services;
pub(crate) mod task;
