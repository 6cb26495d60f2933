//! Licence and source of every dependency, over `cargo metadata`.

use serde_json::Value;

use crate::{
    spdx,
    step::{Failure, announce, cargo, shown},
};

/// How cargo marks what comes from a registry, and not from a repository or a directory.
const REGISTRY: &str = "registry+";

pub(crate) fn run() -> Result<(), Failure> {
    announce("licences and sources of the dependencies");
    let mut command = cargo(&["metadata", "--locked", "--format-version", "1"]);
    let output =
        command.output().map_err(|e| Failure::new(format!("{} could not be started: {e}.", shown(&command))))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{} failed: {}", shown(&command), String::from_utf8_lossy(&output.stderr))));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| Failure::new(format!("cargo metadata did not print JSON: {e}.")))?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let foreign: Vec<&Value> = packages.iter().filter(|p| !p["source"].is_null()).collect();
    let registry = foreign.iter().filter_map(|p| p["source"].as_str()).find(|s| s.starts_with(REGISTRY));
    let registry = registry.unwrap_or(REGISTRY);
    let objections: Vec<String> = foreign.iter().filter_map(|package| objection(package, registry)).collect();
    if objections.is_empty() {
        println!("{} dependencies, all from one registry and all under allowed licences.", foreign.len());
        return Ok(());
    }
    Err(Failure::new(format!("{} dependencies may not be used:\n  {}", objections.len(), objections.join("\n  "))))
}

/// What speaks against a package of others; all must come from one registry.
fn objection(package: &Value, registry: &str) -> Option<String> {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    let (name, version, source, licence) = (text("name"), text("version"), text("source"), text("license"));
    if source != registry {
        return Some(format!("{name} {version} comes from {source}"));
    }
    match spdx::allowed(licence) {
        Some(true) => None,
        Some(false) => Some(format!("{name} {version} is under {licence}")),
        None => Some(format!("{name} {version} names no licence expression (\"{licence}\")")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::objection;

    const REGISTRY: &str = "registry+https://example.com/index";

    #[test]
    fn only_registry_packages_under_allowed_licences_pass() {
        let package =
            |source: &str, licence: &str| json!({ "name": "p", "version": "1", "source": source, "license": licence });
        let objection = |package: &serde_json::Value| objection(package, REGISTRY);
        assert_eq!(objection(&package(REGISTRY, "MIT")), None);
        assert_eq!(objection(&package(REGISTRY, "AGPL-3.0")), Some("p 1 is under AGPL-3.0".to_owned()));
        for source in ["git+https://example.com/p", "registry+https://example.org/index"] {
            assert!(objection(&package(source, "MIT")).is_some());
        }
        assert!(objection(&json!({ "name": "p", "version": "1", "source": REGISTRY, "license": null })).is_some());
    }
}
