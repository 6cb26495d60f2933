//! The keys of every file: adding a key is adding a field.

pub(crate) mod extension;
pub(crate) mod matcher;
pub(crate) mod robot;
pub(crate) mod task;
