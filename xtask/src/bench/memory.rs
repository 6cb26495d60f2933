//! Long-term memories: an update that is sealed and on disk, against what the disk costs.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

use super::{
    figures::Row,
    robot::{PROTOCOL, Robot},
    sample::{Sample, ms, ratio},
};
use crate::step::{Failure, Scratch};

/// Updates of one run.
const UPDATES: u32 = 200;
const ROUNDS: usize = 15;
const LIMIT: f64 = 2.0;

const ROBOT: &str = "
PrimaryProtocol: test
BotInfo: { UserName: bender, FullName: Bender Rodriguez }
Alias: \";\"
AdminUsers: [ alice ]
DefaultChannels: [ general ]
LogLevel: warn
UserRoster: [ { UserName: alice } ]
Brain: file
ExternalPlugins:
  mind: { Path: plugins/mind.lua, Network: false }
";

/// An update needs a checkout; what that alone costs is taken off, with what the run costs.
const MIND: &str = r#"
local command = arg[1]
if command == "_configure" then
  return "Commands: [ { Command: many, Regex: 'update many' }, { Command: read, Regex: 'read many' } ]"
elseif command == "_init" then
  return
end
local bot = require("gopherbot_v1").Robot:new()
for n = 1, 200 do
  local memory = bot:CheckoutDatum("bench", command == "many")
  memory.datum = { n = n, text = string.rep("x", 480) }
  if command == "many" and bot:UpdateDatum(memory) ~= 0 then
    bot:Say("update failed")
  end
end
bot:Say(command .. " done")
"#;

pub(crate) fn rows(wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, Failure> {
    if wanted("brain") { Ok(vec![update()?]) } else { Ok(Vec::new()) }
}

fn update() -> Result<Row, Failure> {
    const NAME: &str = "brain update, durable and sealed / a bare SQLite commit";
    eprintln!("bench: {NAME}");
    let scratch = Scratch::new("bench-brain")?;
    let dir = scratch.path();
    for (name, text) in [
        ("conf/robot.yaml", ROBOT),
        ("conf/protocols/test.yaml", PROTOCOL),
        ("plugins/mind.lua", MIND),
        // The key makes memories last.
        (".env", "GOPHER_ENCRYPTION_KEY=a-key-of-thirty-two-letters-only\n"),
    ] {
        let path = dir.join(name);
        let parent = path.parent().unwrap_or(dir);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|e| Failure::new(format!("{name}: {e}")))?;
    }
    let mut robot = Robot::start(dir)?;
    let bare = Bare::beneath(&dir.join("bare"))?;
    let (mut sealed, mut commits) = (Sample::default(), Sample::default());
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        robot.ask(";update many", "many done")?;
        let both = begun.elapsed();
        let begun = Instant::now();
        robot.ask(";read many", "read done")?;
        let took = both.saturating_sub(begun.elapsed()) / UPDATES;
        let other = bare.commits()?;
        // The first round warms both up.
        if round > 0 {
            sealed.push(took);
            commits.push(other);
        }
    }
    let ratio = ratio(sealed.median(), commits.median());
    eprintln!("bench: a bare commit takes {}", ms(commits.median()));
    Ok(Row {
        name: NAME,
        measured: ms(sealed.median()),
        ratio: format!("{ratio:.2}"),
        goal: "<= 2 x",
        met: ratio <= LIMIT,
    })
}

/// A table of its own on the same disk, opened as the store is.
struct Bare {
    connection: gopher_sys::database::Connection,
    _directory: File,
}

impl Bare {
    fn beneath(path: &Path) -> Result<Self, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new(format!("the bare database: {e}"));
        fs::create_dir_all(path).map_err(|e| failed(&e))?;
        let directory = File::open(path).map_err(|e| failed(&e))?;
        let connection = gopher_sys::database::open(&directory, "bare.db").map_err(|e| failed(&e))?;
        let made = gopher_sys::database::be_durable(&connection)
            .and_then(|()| connection.execute_batch("CREATE TABLE record (key TEXT PRIMARY KEY, value BLOB NOT NULL)"));
        made.map_err(|e| failed(&e))?;
        Ok(Self { connection, _directory: directory })
    }

    /// How long one commit of as many takes.
    fn commits(&self) -> Result<Duration, Failure> {
        let begun = Instant::now();
        for n in 0..UPDATES {
            let put = "INSERT OR REPLACE INTO record VALUES ('bench', zeroblob(500 + ?))";
            self.connection.execute(put, [n % 8]).map_err(|e| Failure::new(format!("the bare database: {e}")))?;
        }
        Ok(begun.elapsed() / UPDATES)
    }
}
