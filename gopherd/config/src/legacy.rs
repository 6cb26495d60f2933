//! What a plugin of version 2 prints for `configure`, in the keys of today. Only a robot with `LegacyConfigure: true`
//! asks for it; the plugin's own text is never touched.

use crate::{
    declared::is_true,
    yaml::{Entry, Node, Value, scalar::Typed},
};

/// Help was told in lines of its own; today each command has `Usage` and `Summary`.
const HELP: [&str; 2] = ["Help", "Helptext"];

/// The same default configuration in the keys of today; what it cannot say, such as help, is dropped.
pub(crate) fn modernised(mut node: Node) -> Node {
    let Value::Map(entries) = &mut node.value else { return node };
    entries.retain(|entry| !HELP.contains(&entry.key.as_str()));
    let has = |entries: &[Entry], key: &str| entries.iter().any(|entry| entry.key == key);
    let renamed = [("CommandMatchers", "Commands"), ("DirectOnly", "RequireAllCommandsPrivate")];
    for (old, new) in renamed {
        if !has(entries, new) {
            entries.iter_mut().filter(|entry| entry.key == old).for_each(|entry| new.clone_into(&mut entry.key));
        }
    }
    let all_private = entries.iter().any(|e| e.key == "RequireAllCommandsPrivate" && is_true(&e.value));
    if let Some(direct) = entries.iter_mut().find(|entry| entry.key == "AllowDirect") {
        let allowed = if is_true(&direct.value) || all_private { vec![everything(&direct.value)] } else { Vec::new() };
        "AllowedPrivateCommands".clone_into(&mut direct.key);
        direct.value.value = Value::List(allowed);
    }
    for key in ["Commands", "MessageMatchers"] {
        for entry in entries.iter_mut().filter(|entry| entry.key == key) {
            let Value::List(items) = &mut entry.value.value else { continue };
            for item in items {
                if let Value::Map(keys) = &mut item.value {
                    keys.retain(|entry| !HELP.contains(&entry.key.as_str()));
                }
            }
        }
    }
    node
}

/// The pattern that every command fits.
fn everything(near: &Node) -> Node {
    Node { value: Value::Scalar { text: "*".to_owned(), typed: Typed::Text }, at: near.at.clone() }
}
