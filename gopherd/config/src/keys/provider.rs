//! The one key of each provider file; what stands beneath it is the provider's (spec: configuration §1.8, §2.4).

use schemars::JsonSchema;
use serde::Deserialize;

/// conf/brains/NAME.yaml
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct BrainFile {
    /// Settings of this brain.
    pub(crate) brain_config: Option<serde_json::Value>,
}

/// conf/history/NAME.yaml
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct HistoryFile {
    /// Settings of this history provider.
    pub(crate) history_config: Option<serde_json::Value>,
}

/// conf/queues/NAME.yaml
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct QueueFile {
    /// Settings of this queue.
    pub(crate) queue_config: Option<serde_json::Value>,
}
