//! Long-term memories: an update that is sealed and on disk, against what the disk costs. Both by turns in the same run,
//! for what a sync costs changes from one second to the next.

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

/// Updates, or commits, of one turn: as few as can be timed, so that both meet the same mood of the disk.
const BATCH: u32 = 10;
/// Turns that are measured.
const ROUNDS: usize = 150;
/// Turns before: a log of the database that still grows costs more to sync, so both fill theirs once.
const WARM: usize = 150;
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

/// One run that does a batch whenever it is told to. An update needs a checkout; what that alone costs, with the prompt, is
/// taken off.
const MIND: &str = r#"
local command = arg[1]
if command == "_configure" then
  return "Commands: [ { Command: begin, Regex: 'begin' } ]"
elseif command == "_init" then
  return
end
local bot = require("gopherbot_v1").Robot:new()
local text = string.rep("x", 480)
while true do
  local order = bot:PromptForReply("SimpleString", "next")
  if order ~= "update" and order ~= "look" then
    break
  end
  for n = 1, 10 do
    local memory = bot:CheckoutDatum("bench", order == "update")
    memory.datum = { n = n, text = text }
    if order == "update" and bot:UpdateDatum(memory) ~= 0 then
      bot:Say("update failed")
    end
  end
end
bot:Say("over")
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
    let mut turns = Turns::default();
    robot.ask(";begin", "next")?;
    for turn in 0..WARM + ROUNDS {
        // What the file system has gathered meanwhile is paid for by whoever syncs next, so both come after the same pause.
        let (pause, update) = (order(&mut robot, "look")?, order(&mut robot, "update")?);
        let (look, bare) = (order(&mut robot, "look")?, bare.commits()?);
        if turn >= WARM {
            turns.take(update.saturating_sub((pause + look) / 2) / BATCH, bare / BATCH);
        }
    }
    robot.ask("end", "over")?;
    Ok(turns.row(NAME))
}

/// How long the run takes for a batch.
fn order(robot: &mut Robot, what: &str) -> Result<Duration, Failure> {
    let begun = Instant::now();
    robot.ask(what, "next")?;
    Ok(begun.elapsed())
}

/// What was measured, turn by turn.
#[derive(Default)]
struct Turns {
    sealed: Sample,
    commits: Sample,
}

impl Turns {
    fn take(&mut self, sealed: Duration, commit: Duration) {
        self.sealed.push(sealed);
        self.commits.push(commit);
    }

    fn row(&self, name: &'static str) -> Row {
        let spread = |sample: &Sample| {
            let [low, middle, high] = [10, 50, 90].map(|percent| ms(sample.percentile(percent)));
            format!("{middle} (a tenth below {low}, a tenth above {high})")
        };
        eprintln!("bench: a bare commit takes {}, an update {}", spread(&self.commits), spread(&self.sealed));
        let ratio = ratio(self.sealed.median(), self.commits.median());
        Row {
            name,
            measured: ms(self.sealed.median()),
            ratio: format!("{ratio:.2}"),
            goal: "<= 2 x",
            met: ratio <= LIMIT,
        }
    }
}

/// The table of the store.
const TABLE: &str = "CREATE TABLE record (store TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, \
    sealed BLOB NOT NULL, PRIMARY KEY (store, key)) WITHOUT ROWID";

/// One like it on the same disk, opened as the store is.
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
        let made = gopher_sys::database::be_durable(&connection).and_then(|()| connection.execute_batch(TABLE));
        made.map_err(|e| failed(&e))?;
        Ok(Self { connection, _directory: directory })
    }

    /// How long a batch takes.
    fn commits(&self) -> Result<Duration, Failure> {
        let begun = Instant::now();
        for n in 0..BATCH {
            let put = "INSERT OR REPLACE INTO record VALUES ('brain', 'mind:bench', ?, randomblob(530))";
            self.connection.execute(put, [n]).map_err(|e| Failure::new(format!("the bare database: {e}")))?;
        }
        Ok(begun.elapsed())
    }
}
