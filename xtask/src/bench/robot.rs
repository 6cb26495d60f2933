//! The robot under measurement: its extensions, its process, and a driver for its test connector.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    extensions::{EXTENSIONS, Extension, SAY_C},
    installed,
};
use crate::step::{self, Failure};

const ROBOT: &str = r#"
PrimaryProtocol: test
BotInfo: { UserName: bender, FullName: Bender Rodriguez }
Alias: ";"
AdminUsers: [ alice ]
DefaultChannels: [ general, random ]
DefaultJobChannel: general
LogLevel: warn
UserRoster: [ { UserName: alice }, { UserName: bob } ]
ExternalPlugins:
"#;

pub(crate) const PROTOCOL: &str = "
ProtocolConfig:
  Users: [ { Name: alice, InternalID: u0001 }, { Name: bob, InternalID: u0002 } ]
  Channels: [ general, random ]
";

fn failed(what: &str) -> impl FnOnce(std::io::Error) -> Failure + '_ {
    move |error| Failure::new(format!("{what}: {error}"))
}

/// A running robot.
pub(crate) struct Robot {
    /// The supervisor; all others are its children.
    process: Child,
    dir: PathBuf,
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    /// From its start to its first answer.
    pub(crate) first_answer: Duration,
}

/// Writes the robot's directory below `dir`; the compiled extension's path.
pub(crate) fn write(dir: &Path) -> Result<PathBuf, Failure> {
    let put = |name: &str, text: &str, mode: u32| {
        let path = dir.join(name);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(failed(name))
    };
    for name in ["conf/protocols", "plugins"] {
        fs::create_dir_all(dir.join(name)).map_err(failed(name))?;
    }
    let mut declared = ROBOT.to_owned();
    for Extension { name, file, source } in EXTENSIONS {
        // Writing to a string cannot fail.
        let _ = writeln!(declared, "  say-{name}: {{ Path: plugins/{file}, Network: false }}");
        put(&format!("plugins/{file}"), source, 0o755)?;
    }
    let _ = writeln!(declared, "  say-c: {{ Path: plugins/say, Network: false }}");
    put("conf/robot.yaml", &declared, 0o644)?;
    put("conf/protocols/test.yaml", PROTOCOL, 0o644)?;
    put("say.c", SAY_C, 0o644)?;
    let program = dir.join("plugins/say");
    let built = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(dir.join("say.c")).status();
    if built.map_err(failed("cc"))?.success() {
        Ok(program)
    } else {
        Err(Failure::new("cc did not compile the benchmark's extension"))
    }
}

impl Robot {
    /// Starts the robot in `dir` and waits for its first answer.
    pub(crate) fn start(dir: &Path) -> Result<Self, Failure> {
        let socket = dir.join("driver.sock");
        let _ = fs::remove_file(&socket);
        let begun = Instant::now();
        let process = Command::new(installed().join("gopherctl"))
            .args(["test", "--install-dir"])
            .arg(step::root().join("packaging/share"))
            .arg("--serve")
            .arg(&socket)
            .arg(dir)
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed("gopherctl"))?;
        let writer = loop {
            match UnixStream::connect(&socket) {
                Ok(stream) => break stream,
                Err(error) if begun.elapsed() > Duration::from_secs(20) => return Err(failed("driver.sock")(error)),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        writer.set_read_timeout(Some(Duration::from_mins(1))).map_err(failed("driver.sock"))?;
        let reader = BufReader::new(writer.try_clone().map_err(failed("driver.sock"))?);
        let mut robot = Self { process, dir: dir.to_owned(), reader, writer, first_answer: Duration::ZERO };
        while robot.next()?.get("op") != Some(&json!("ready")) {}
        robot.say("u0001", ";ping")?;
        robot.until("PONG")?;
        robot.first_answer = begun.elapsed();
        Ok(robot)
    }

    /// Sends a message to the channel, without waiting.
    pub(crate) fn say(&mut self, user: &str, text: &str) -> Result<(), Failure> {
        let message = json!({ "op": "send", "user_id": user, "channel": "general", "text": text });
        self.writer.write_all(format!("{message}\n").as_bytes()).map_err(failed("send"))
    }

    fn next(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        if self.reader.read_line(&mut line).map_err(failed("the robot did not answer"))? == 0 {
            return Err(Failure::new("the robot ended".to_owned()));
        }
        serde_json::from_str(&line).map_err(|e| Failure::new(format!("{line}: {e}")))
    }

    /// The next message of the robot: user and text.
    pub(crate) fn heard(&mut self) -> Result<(String, String), Failure> {
        loop {
            let value = self.next()?;
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            if text("op") == "msg" {
                return Ok((text("user"), text("text")));
            }
        }
    }

    /// Reads messages until one contains `wanted`.
    pub(crate) fn until(&mut self, wanted: &str) -> Result<(), Failure> {
        while !self.heard()?.1.contains(wanted) {}
        Ok(())
    }

    /// One command and its last answer.
    pub(crate) fn ask(&mut self, text: &str, wanted: &str) -> Result<(), Failure> {
        self.say("u0001", text)?;
        self.until(wanted)
    }

    /// Waits until nothing runs.
    pub(crate) fn rest(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            let mut ps = Command::new(installed().join("gopherctl"));
            let output = ps.arg("-C").arg(&self.dir).args(["--json", "ps"]).output().map_err(failed("gopherctl ps"))?;
            if output.stdout.trim_ascii() == b"[]" {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::new("the robot does not come to rest".to_owned()))
    }

    /// The process that its runs are made by.
    pub(crate) fn spawner(&self) -> Result<u32, Failure> {
        let spawns = |pid: &u32| {
            let title = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            title.starts_with(b"gopher-worker: spawner")
        };
        // Those that it has made for later are younger.
        children(self.process.id())
            .into_iter()
            .filter(spawns)
            .min()
            .ok_or_else(|| Failure::new("the robot has no spawner".to_owned()))
    }

    /// Proportional memory of all its processes, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let supervisor = self.process.id();
        children(supervisor).into_iter().chain([supervisor]).map(proportional).sum()
    }
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|p| p.parse().ok()).collect()
}

fn proportional(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:"));
    line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

impl Drop for Robot {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(self.dir.join("state"));
    }
}
