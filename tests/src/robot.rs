//! A whole robot under test: its directory, its processes, and the far end of its test connector.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::{
            fs::PermissionsExt as _,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    programs::{command, robot_binary, spawn_with, variable, workspace},
    tree,
};

/// The longest anybody waits for a sign of life, on a machine that others keep busy as well: a robot that waits for
/// somebody takes longer. How quick it is, benchmarks show.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// Nothing here takes longer; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const ROBOT: &str = "
PrimaryProtocol: test
BotInfo: { UserName: bender, FullName: Bender Rodriguez }
Alias: \";\"
AdminUsers: [ alice ]
DefaultChannels: [ general, random ]
DefaultJobChannel: random
UserRoster: [ { UserName: alice }, { UserName: bob }, { UserName: carol } ]
ExternalPlugins:
";

const PROTOCOL: &str = "
ProtocolConfig:
  Users: [ { Name: alice, InternalID: u0001 }, { Name: bob, InternalID: u0002 }, { Name: carol, InternalID: u0003 } ]
  Channels: [ general, random ]
";

/// A robot's directory while it is written.
pub struct Home {
    dir: tempfile::TempDir,
    /// What becomes `robot.yaml`; a copy of a robot has its own.
    robot: Option<String>,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// An empty robot in a directory that only its owner can enter.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let home = Self { dir, robot: Some(ROBOT.to_owned()) };
        home.file("conf/protocols/test.yaml", PROTOCOL);
        home
    }

    /// A copy of one of our robots, `workshop` say.
    pub fn copy_of(robot: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        tree::copy(&workspace().join("tests/robots").join(robot), dir.path());
        Self { dir, robot: None }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes the configuration down.
    pub fn write(&self) {
        if let Some(robot) = &self.robot {
            fs::write(self.path().join("conf/robot.yaml"), robot).expect("robot.yaml");
        }
    }

    /// What the supervisor knows of a role, by its name in the status file.
    pub fn role_status(&self, name: &str) -> Option<Value> {
        let status: Value = serde_json::from_str(&read_file(&self.run_dir().join("status.json"))).ok()?;
        status["roles"].as_array()?.iter().find(|role| role["name"] == name).cloned()
    }

    /// Where sockets and status of the robot are that runs here.
    pub fn run_dir(&self) -> PathBuf {
        let home = fs::canonicalize(self.path()).expect("the home");
        let runtime_dir = variable("XDG_RUNTIME_DIR");
        gopher_sys::paths::run_dir(&home, nix::unistd::geteuid().as_raw(), runtime_dir.as_deref())
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("directory");
        fs::write(&path, text).expect("file");
        path
    }

    /// Adds a bash plugin: `cases` are the branches of its `case "$1"`, one for each `(command, regex)`.
    pub fn bash(&mut self, name: &str, settings: &str, commands: &[(&str, &str)], cases: &str) {
        let matchers = commands.iter().map(|(command, regex)| format!("- {{ Command: {command}, Regex: '{regex}' }}"));
        let matchers = matchers.collect::<Vec<_>>().join("\n");
        let text = format!(
            "#!/bin/bash\nsource \"$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh\"\ncase \"$1\" in\n\
             _configure) cat <<'EOF'\nCommands:\n{matchers}\nEOF\n;;\n{cases}\nesac\n"
        );
        let path = self.file(&format!("plugins/{name}.sh"), &text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        self.declare(name, &format!("plugins/{name}.sh"), settings);
    }

    /// Declares an extension; `settings` are further keys in flow style, each beginning with a comma.
    pub fn declare(&mut self, name: &str, path: &str, settings: &str) {
        let line = format!("  {name}: {{ Path: {path}{settings} }}\n");
        self.more(&line);
    }

    /// `gopherctl` for the robot that runs here.
    pub fn gopherctl(&self, args: &[&str]) -> Command {
        let mut program = command(robot_binary("gopherctl").expect("gopherctl is built"));
        program.arg("-C").arg(self.path()).args(args).stdin(Stdio::null());
        program
    }

    /// Adds text to `robot.yaml` behind the extensions.
    pub fn more(&mut self, text: &str) {
        self.robot.as_mut().expect("a robot that is not a copy").push_str(text);
    }

    /// Puts `new` where `old` stands in `robot.yaml`.
    pub fn edit(&mut self, old: &str, new: &str) {
        let robot = self.robot.as_mut().expect("a robot that is not a copy");
        assert!(robot.contains(old), "{old} is not in {robot}");
        *robot = robot.replacen(old, new, 1);
    }

    /// Compiles a C program into the robot.
    pub fn compile(&self, name: &str, source: &Path) {
        let out = self.path().join("plugins").join(name);
        fs::create_dir_all(out.parent().expect("has a parent")).expect("directory");
        let status = command("cc").args(["-O1", "-w", "-o"]).arg(&out).arg(source).status().expect("a C compiler");
        assert!(status.success(), "{} does not compile", source.display());
    }
}

/// How a robot is started.
#[derive(Default)]
pub struct Start {
    /// In a pid namespace of the test's own, with a time limit: for extensions that attack.
    pub caged: bool,
    pub env: Vec<(String, String)>,
    /// `gopherd` itself with these options, and with no environment but `env` and what every program needs.
    pub gopherd: Option<Vec<&'static str>>,
}

impl Start {
    /// `gopherd` with these options.
    pub fn gopherd(options: &[&'static str]) -> Self {
        Self { gopherd: Some(options.to_vec()), ..Self::default() }
    }

    /// With one more variable of the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running robot.
pub struct Robot {
    pub home: Home,
    process: Child,
    lines: BufReader<UnixStream>,
    writer: UnixStream,
    heard: Vec<Heard>,
}

/// One message of the robot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub user: String,
    pub channel: String,
    pub text: String,
}

/// Whether this test runs as root: the robot is then packaged, else plain.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The command that puts what follows into a pid namespace, which ends after two minutes.
fn cage() -> Command {
    let mut cage = command("timeout");
    cage.args(["-k", "5", "120", "unshare"]);
    if !is_root() {
        cage.args(["--user", "--map-current-user"]);
    }
    cage.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    cage
}

impl Robot {
    /// Starts the robot and waits until it takes commands.
    pub fn start(home: Home, start: &Start) -> Self {
        let mut robot = Self::launch(home, start);
        while robot.next().get("op") != Some(&json!("ready")) {}
        robot
    }

    /// Starts the robot and connects to it, ready or not.
    fn launch(home: Home, start: &Start) -> Self {
        home.write();
        let socket = home.path().join("driver.sock");
        if let Some(options) = &start.gopherd {
            let process = gopherd_with_driver(&home, options, &start.env);
            let writer = UnixStream::connect(&socket).expect("the driver's socket");
            return Self::connected(home, process, writer);
        }
        let gopherctl = robot_binary("gopherctl").expect("gopherctl is built");
        let mut program = if start.caged { cage() } else { command(&gopherctl) };
        if start.caged {
            program.arg(&gopherctl);
        }
        let log = fs::File::create(home.path().join("out.log")).expect("log");
        let process = program
            .args(["test", "--install-dir"])
            .arg(workspace().join("packaging/share"))
            .arg("--serve")
            .arg(&socket)
            .arg(home.path())
            .envs(start.env.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log"))
            .stderr(log)
            .spawn()
            .expect("gopherctl starts");
        let begun = Instant::now();
        let writer = loop {
            match UnixStream::connect(&socket) {
                Ok(stream) => break stream,
                Err(e) => assert!(begun.elapsed() < PATIENCE, "no socket: {e}: {}", read(&home, "out.log")),
            }
            sleep(Duration::from_millis(2));
        };
        Self::connected(home, process, writer)
    }

    fn connected(home: Home, process: Child, writer: UnixStream) -> Self {
        writer.set_read_timeout(Some(PATIENCE)).expect("time-out");
        let lines = BufReader::new(writer.try_clone().expect("socket"));
        Self { home, process, lines, writer, heard: Vec::new() }
    }

    /// Connects anew, to a connector that was restarted, and waits until it takes commands.
    pub fn reconnect(&mut self) {
        self.writer = UnixStream::connect(self.home.path().join("driver.sock")).expect("the driver's socket");
        self.writer.set_read_timeout(Some(PATIENCE)).expect("time-out");
        self.lines = BufReader::new(self.writer.try_clone().expect("socket"));
        while self.next().get("op") != Some(&json!("ready")) {}
    }

    /// Waits for the end of the process that was started.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("our child") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the robot does not end: {}", self.errors());
            sleep(Duration::from_millis(5));
        }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => panic!("the robot ended: {}", read(&self.home, "out.log")),
            Ok(_) => serde_json::from_str(&line).expect("JSON"),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                panic!(
                    "nothing was said for {PATIENCE:?}; heard so far: {:?}; {}",
                    self.heard,
                    read(&self.home, "out.log")
                )
            }
            Err(e) => panic!("{e}: {}", read(&self.home, "out.log")),
        }
    }

    /// Says something in the channel `general`.
    pub fn say(&mut self, user: &str, text: &str) {
        self.say_in("general", user, text);
    }

    /// Says something in a channel; one without a name is a direct message.
    pub fn say_in(&mut self, channel: &str, user: &str, text: &str) {
        self.send(channel, user, text, &[]);
    }

    /// Says something in a thread of the channel `general`.
    pub fn say_threaded(&mut self, user: &str, text: &str) {
        self.send("general", user, text, &["threaded"]);
    }

    /// Says something in the channel `general` that only the robot sees.
    pub fn say_hidden(&mut self, user: &str, text: &str) {
        self.send("general", user, text, &["hidden"]);
    }

    fn send(&mut self, channel: &str, user: &str, text: &str, flags: &[&str]) {
        let id = match user {
            "alice" => "u0001",
            "bob" => "u0002",
            _ => "u0003",
        };
        let mut message = json!({ "op": "send", "user_id": id, "channel": channel, "text": text });
        for flag in flags {
            message[*flag] = true.into();
        }
        self.writer.write_all(format!("{message}\n").as_bytes()).expect("sent");
    }

    /// The next message of the robot.
    pub fn hear(&mut self) -> Heard {
        loop {
            let value = self.next();
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            if text("op") == "msg" {
                let heard = Heard { user: text("user"), channel: text("channel"), text: text("text") };
                self.heard.push(heard.clone());
                return heard;
            }
        }
    }

    /// What the robot has said before its end, which has come.
    pub fn rest(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        while self.lines.read_line(&mut line).is_ok_and(|count| count > 0) {
            let said: Option<Value> = serde_json::from_str(&line).ok();
            lines.extend(said.and_then(|said| said["text"].as_str().map(str::to_owned)));
            line.clear();
        }
        lines
    }

    /// The first message that contains `wanted`; others are left behind.
    pub fn hear_about(&mut self, wanted: &str) -> Heard {
        loop {
            let heard = self.hear();
            if heard.text.contains(wanted) {
                return heard;
            }
        }
    }

    /// Says something as alice; the answer that contains `wanted`.
    pub fn ask(&mut self, text: &str, wanted: &str) -> String {
        self.say("alice", text);
        self.hear_about(wanted).text
    }

    /// Asks for a sign of life; how long it took.
    pub fn ping(&mut self) -> Duration {
        let asked = Instant::now();
        self.say("carol", ";ping");
        self.hear_about("PONG");
        asked.elapsed()
    }

    /// Every process of the robot, by its number in our namespace.
    pub fn processes(&self) -> Vec<u32> {
        let mut all = descendants(self.process.id());
        all.retain(|pid| name(*pid).contains("gopher"));
        all
    }

    /// The process whose title contains `title`, once there is one: a robot that answers may still be starting others.
    pub fn role(&self, title: &str) -> u32 {
        let mut found = None;
        eventually(&format!("a process {title}"), || {
            found = self.processes().into_iter().find(|pid| name(*pid).contains(title));
            found.is_some()
        });
        found.expect("found")
    }

    /// What the robot wrote to its standard error.
    pub fn errors(&self) -> String {
        read(&self.home, "out.log")
    }

    /// Runs `gopherctl` against this robot.
    pub fn gopherctl(&self, args: &[&str]) -> std::process::Output {
        self.home.gopherctl(args).output().expect("gopherctl runs")
    }

    /// The process that started the robot.
    pub fn starter(&self) -> u32 {
        self.process.id()
    }

    /// Ends the robot as a service manager would; its directory is left for inspection.
    pub fn stop(mut self) -> Home {
        self.end();
        std::mem::take(&mut self.home)
    }

    fn end(&mut self) {
        if let Ok(Some(_)) = self.process.try_wait() {
            return;
        }
        // In a cage the supervisor is not the process that was started; and what it is about to start still has its name.
        let started = self.process.id();
        let supervisor = [started].into_iter().chain(descendants(started)).find(|pid| is_supervisor(*pid));
        signal(supervisor.unwrap_or(started), nix::sys::signal::Signal::SIGTERM);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(Some(_)) = self.process.try_wait() {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        // One failure is enough.
        assert!(std::thread::panicking(), "the robot did not end when it was asked to: {}", self.errors());
    }
}

impl Drop for Robot {
    fn drop(&mut self) {
        self.end();
    }
}

fn read(home: &Home, name: &str) -> String {
    read_file(&home.path().join(name))
}

fn read_file(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// `gopherd` as a service manager starts it: with nothing of the test's own environment but what every program needs.
pub fn gopherd(home: &Home, options: &[&str], env: &[(String, String)]) -> Command {
    let mut program = command(robot_binary("gopherd").expect("gopherd is built"));
    program.arg("-C").arg(home.path()).arg("--install-dir").arg(workspace().join("packaging/share"));
    program.args(options).env_clear();
    let kept = ["PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR"];
    program.envs(kept.into_iter().filter_map(|name| Some((name, variable(name)?))));
    program.envs(env.iter().map(|(n, v)| (n, v))).stdin(Stdio::null());
    program
}

/// The same with the test protocol at `driver.sock` and its output in `out.log`.
fn gopherd_with_driver(home: &Home, options: &[&str], env: &[(String, String)]) -> Child {
    let socket = home.path().join("driver.sock");
    // Of an earlier start.
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).expect("the driver's socket");
    let log = fs::File::options().create(true).append(true).open(home.path().join("out.log")).expect("log");
    let mut program = gopherd(home, options, env);
    program.args(["--protocol", "test", "--test-fd", &listener.as_raw_fd().to_string()]);
    program.stdout(log.try_clone().expect("log")).stderr(log);
    spawn_with(&mut program, &[listener.into()])
}

/// Sends a signal to a process of the test's own.
pub fn signal(pid: u32, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a process number"));
    // It may have ended meanwhile.
    let _ = nix::sys::signal::kill(pid, signal);
}

/// A process's command line, blanks between its words.
pub fn name(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_owned()
}

fn is_supervisor(pid: u32) -> bool {
    name(pid).split(' ').next().is_some_and(|program| program.ends_with("gopherd"))
}

/// All processes below `pid`.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let mut next = vec![pid];
    while let Some(pid) = next.pop() {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let children: Vec<u32> = children.split_ascii_whitespace().filter_map(|p| p.parse().ok()).collect();
        all.extend(&children);
        next.extend(children);
    }
    all
}

/// Waits until `done`; what was waited for is named when it does not come.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        sleep(Duration::from_millis(5));
    }
}

/// Whether some process of this machine has `marker` in its command line.
pub fn somebody_runs(marker: &str) -> bool {
    how_many_run(marker) > 0
}

/// How many processes of this machine have `marker` in their command lines; one that is about to become another
/// program has none for a moment.
pub fn how_many_run(marker: &str) -> usize {
    let Ok(listing) = fs::read_dir("/proc") else { return 0 };
    let pids = listing.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id() && name(*pid).contains(marker)).count()
}
