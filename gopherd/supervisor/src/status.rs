//! What the supervisor knows of its roles, in a file that can be read while the engine is down.

use std::{fmt::Write as _, fs, path::Path};

use gopher_sys::paths;

/// One role in the file.
pub(crate) struct RoleStatus {
    pub(crate) name: String,
    pub(crate) pid: Option<u32>,
    pub(crate) restarts: u32,
    pub(crate) last_exit: Option<String>,
}

/// The file's text: JSON.
fn text(home: &Path, pid: u32, roles: &[RoleStatus], live_runs: usize, missing: &[String]) -> String {
    let mut out =
        format!("{{\"home\":{},\"pid\":{pid},\"live_runs\":{live_runs},\"roles\":[", quoted(&home.to_string_lossy()));
    for (i, role) in roles.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let pid = role.pid.map_or("null".to_owned(), |pid| pid.to_string());
        let exit = role.last_exit.as_deref().map_or("null".to_owned(), quoted);
        let _ = write!(
            out,
            "{comma}{{\"name\":{},\"pid\":{pid},\"restarts\":{},\"last_exit\":{exit}}}",
            quoted(&role.name),
            role.restarts
        );
    }
    let missing: Vec<String> = missing.iter().map(|m| quoted(m)).collect();
    let _ = write!(out, "],\"missing\":[{}]}}", missing.join(","));
    out.push('\n');
    out
}

/// Replaces the status file in `run`; what cannot be written is not worth the robot's life.
pub(crate) fn write(run: &Path, home: &Path, roles: &[RoleStatus], live_runs: usize, missing: &[String]) {
    let (new, path) = (run.join("status.json.new"), run.join(paths::STATUS));
    let _ = fs::write(&new, text(home, std::process::id(), roles, live_runs, missing))
        .and_then(|()| fs::rename(&new, &path));
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_json_whatever_the_names_are() {
        let role = RoleStatus { name: "engine".into(), pid: None, restarts: 2, last_exit: Some("a \"b\"\n".into()) };
        let text = text(Path::new("/r"), 7, &[role], 3, &["no\\thing".into()]);
        assert_eq!(
            text,
            "{\"home\":\"/r\",\"pid\":7,\"live_runs\":3,\"roles\":[{\"name\":\"engine\",\"pid\":null,\"restarts\":2,\
             \"last_exit\":\"a \\\"b\\\"\\u000a\"}],\"missing\":[\"no\\\\thing\"]}\n"
        );
    }
}
