//! `gopherctl schema`: what an editor needs to check configuration while it is written.

use gopher_config::{ConfigFile, schema};

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SchemaKind {
    /// conf/robot.yaml
    Robot,
    /// conf/protocols/NAME.yaml
    Protocol,
    /// conf/plugins/NAME.yaml
    Plugin,
    /// conf/jobs/NAME.yaml
    Job,
    /// conf/brains/NAME.yaml
    Brain,
    /// conf/history/NAME.yaml
    History,
    /// conf/queues/NAME.yaml
    Queue,
}

impl SchemaKind {
    pub(crate) fn schema(self) -> serde_json::Value {
        schema(match self {
            Self::Robot => ConfigFile::Robot,
            Self::Protocol => ConfigFile::Protocol,
            Self::Plugin => ConfigFile::Plugin,
            Self::Job => ConfigFile::Job,
            Self::Brain => ConfigFile::Brain,
            Self::History => ConfigFile::History,
            Self::Queue => ConfigFile::Queue,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_of_its_own() {
        let all = [
            SchemaKind::Robot,
            SchemaKind::Protocol,
            SchemaKind::Plugin,
            SchemaKind::Job,
            SchemaKind::Brain,
            SchemaKind::History,
            SchemaKind::Queue,
        ];
        for kind in all {
            let schema = kind.schema();
            assert!(schema["$schema"].as_str().is_some_and(|s| s.contains("2020-12")), "{kind:?}");
            assert!(schema["properties"].as_object().is_some_and(|p| !p.is_empty()), "{kind:?}");
        }
        assert_ne!(SchemaKind::Plugin.schema(), SchemaKind::Job.schema());
    }
}
