//! What a message would start, and why it would not start other things: for authors who try their matchers. Pure.

use gopher_config::simple::Outcome;
use gopher_protocol::{
    admin::{MatchReport, MatchRow},
    ids::{TaskName, UserName},
    robot::{CommandMode, Robot},
};

use crate::{
    access::{self, HiddenTransport},
    addressing::Addressing,
    context::Context,
    elsewhere,
    generation::{Generation, Pattern, Plugin},
    matching::{self, Found},
    prefilter::Place,
};

/// Judges a text of a user (by default the first administrator) in a channel (by default the first of the robot; an empty
/// name is a direct message).
pub(crate) fn report(generation: &Generation, user: Option<&str>, channel: Option<&str>, text: &str) -> MatchReport {
    let robot = &generation.robot;
    let mut context = context(generation, user, channel);
    let addressing = Addressing::new(&robot.identity.user_name, robot.alias, None).ok();
    let addressed = addressing.and_then(|addressing| addressing.recognise(text));
    context.mode = context.direct.then_some(CommandMode::Direct);
    let mut bare = text.to_owned();
    if let Some(addressed) = addressed {
        context.mode = Some(addressed.mode);
        bare = addressed.text;
    }
    let trial = Trial { generation, context: &context };
    let mut candidates = trial.rows(&matching::fitting(generation, &bare), |p| &p.commands, &|p| trial.command(p));
    candidates.extend(trial.rows(&matching::overhearing(generation, text), |p| &p.messages, &|p| trial.remark(p)));
    let outcome = match trial.obstacle(&bare, text) {
        Some(nothing_runs) => {
            for row in candidates.iter_mut().filter(|row| row.runs) {
                row.runs = false;
                "it fits, but nothing runs".clone_into(&mut row.verdict);
            }
            nothing_runs
        }
        None => trial.outcome(&bare, text),
    };
    MatchReport {
        user: context.user.as_str().to_owned(),
        place: context.place(),
        outcome,
        command: context.is_command().then_some(bare),
        candidates,
    }
}

fn context(generation: &Generation, user: Option<&str>, channel: Option<&str>) -> Context {
    let robot = &generation.robot;
    let listed = |user: &&UserName| generation.roster_entry(user).is_some();
    let first = robot.admin_users.iter().find(listed).or(robot.roster.first().map(|entry| &entry.user_name));
    let user = user.map(UserName::new).or(first.cloned()).unwrap_or_default();
    let channel = match channel {
        Some(channel) => channel.trim_start_matches('#').to_owned(),
        None => robot.default_channels.first().map(|c| c.as_str().to_owned()).unwrap_or_default(),
    };
    let entry = generation.roster_entry(&user);
    Context {
        protocol: robot.primary_protocol.as_str().to_owned(),
        listed: entry.is_some(),
        bot_user: entry.is_some_and(|entry| entry.bot_user),
        direct: channel.is_empty(),
        groups: generation.groups.of_user(user.as_str(), |_| None),
        user,
        channel,
        ..Context::default()
    }
}

/// Nothing is hidden here.
const OPEN: HiddenTransport<'_> = HiddenTransport { supported: true, prefix: None };

struct Trial<'t> {
    generation: &'t Generation,
    context: &'t Context,
}

impl Trial<'_> {
    fn rows(
        &self,
        fitting: &[(Place, Outcome)],
        class: fn(&Plugin) -> &Vec<Pattern>,
        obstacle: &dyn Fn(&Plugin) -> Option<String>,
    ) -> Vec<MatchRow> {
        let mut rows = Vec::new();
        let mut taken = None;
        for (place, outcome) in fitting {
            let Some(plugin) = self.generation.plugins.get(place.plugin) else { continue };
            let Some(matcher) = class(plugin).get(place.matcher).map(|p| &p.matcher) else { continue };
            let (arguments, wrong) = match outcome {
                Outcome::Exact(arguments) => (arguments.clone(), None),
                Outcome::Syntax(mistake) => (Vec::new(), Some(mistake.clone())),
                Outcome::None => continue,
            };
            let earlier = || (taken == Some(place.plugin)).then(|| "an earlier matcher of the plugin fits".to_owned());
            let unsuitable = || {
                let unsuitable = !matching::suits_place(matcher, self.context);
                unsuitable.then(|| "it is for channels only (ChannelOnly)".to_owned())
            };
            let refused = || {
                let command = matcher.command.as_str();
                self.refusal(plugin, command)
            };
            let why = wrong.or_else(|| obstacle(plugin)).or_else(unsuitable).or_else(earlier);
            if why.is_none() {
                taken = Some(place.plugin);
            }
            let why = why.or_else(refused);
            rows.push(MatchRow {
                plugin: plugin.name.as_str().to_owned(),
                command: matcher.command.clone(),
                arguments,
                runs: why.is_none(),
                verdict: why.unwrap_or_else(|| fits(plugin, &matcher.command)),
            });
        }
        rows
    }

    /// What the user would be told instead.
    fn refusal(&self, plugin: &Plugin, command: &str) -> Option<String> {
        let judged = access::judge(self.generation, plugin, command, self.context, OPEN).refusal;
        judged.map(|(_, text)| text).or_else(|| access::elevation_refusal(plugin, command).map(str::to_owned))
    }

    /// What keeps a plugin from being asked about a command.
    fn command(&self, plugin: &Plugin) -> Option<String> {
        if !self.context.is_command() {
            return Some("the robot is not addressed".to_owned());
        }
        self.access(plugin).or_else(|| {
            let considered = access::considered_for_commands(self.generation, plugin, self.context);
            (!considered).then(|| misplaced(plugin))
        })
    }

    /// What keeps a plugin from overhearing.
    fn remark(&self, plugin: &Plugin) -> Option<String> {
        if self.context.is_command() && !plugin.ambient_match_command {
            return Some("it does not hear what is addressed to the robot (AmbientMatchCommand)".to_owned());
        }
        if !self.context.listed && !plugin.match_unlisted && !self.context.is_command() {
            return Some("it does not hear users who are not in UserRoster (MatchUnlisted)".to_owned());
        }
        self.access(plugin).or_else(|| {
            let available = access::available_here(self.generation, plugin, self.context);
            (!available).then(|| misplaced(plugin))
        })
    }

    fn access(&self, plugin: &Plugin) -> Option<String> {
        if access::has_access(self.generation, plugin, &self.context.user) {
            return None;
        }
        let key = if plugin.require_admin && !self.generation.in_admin_users(&self.context.user) {
            "RequireAdmin"
        } else {
            "Users"
        };
        Some(format!("it is not for {} ({key})", self.context.user))
    }

    fn name(&self, index: usize) -> &str {
        self.generation.plugins.get(index).map_or("?", |p| p.name.as_str())
    }

    /// What is found among commands if it is one, and among what is overheard.
    fn searches(&self, bare: &str, text: &str) -> [(Found, bool); 2] {
        let (generation, context) = (self.generation, self.context);
        let command = context.is_command().then(|| matching::command(generation, context, bare));
        [(command.unwrap_or(Found::Nothing), true), (matching::ambient(generation, context, text), false)]
    }

    /// Why nothing runs, though it fits.
    fn obstacle(&self, bare: &str, text: &str) -> Option<String> {
        ignored(&self.generation.robot, self.context).or_else(|| {
            let found = self.searches(bare, text).into_iter().find(|(found, _)| !matches!(found, Found::Nothing));
            let Some((Found::Several(one, other), _)) = found else { return None };
            Some(format!("Nothing runs, because '{}' and '{}' both want it.", self.name(one), self.name(other)))
        })
    }

    fn outcome(&self, bare: &str, text: &str) -> String {
        let (generation, context) = (self.generation, self.context);
        for (found, command) in self.searches(bare, text) {
            match found {
                // Of several was told before.
                Found::Nothing | Found::Several(..) => {}
                Found::Mistaken(sentence) => return format!("The answer is: {sentence}"),
                Found::One(hit) => {
                    let Some(plugin) = generation.plugins.get(hit.plugin) else { continue };
                    let class = if command { &plugin.commands } else { &plugin.messages };
                    let Some(pattern) = class.get(hit.matcher) else { continue };
                    let command = pattern.matcher.command.as_str();
                    return match (self.refusal(plugin, command), authorizer(plugin, command)) {
                        (Some(refusal), _) => format!("{}/{command} is refused: {refusal}", plugin.name),
                        (None, Some(name)) => format!("{}/{command} runs if '{name}' agrees.", plugin.name),
                        (None, None) => format!("{}/{command} runs.", plugin.name),
                    };
                }
            }
        }
        if !context.is_command() {
            return "Nothing runs.".to_owned();
        }
        if let Some(hint) = elsewhere::hint(generation, context, bare) {
            return format!("The answer is: {hint}");
        }
        match matching::catch_all(generation, context) {
            Ok(Some(plugin)) => format!("Nothing fits; the catch-all of '{}' gets it.", self.name(plugin)),
            Ok(None) => "Nothing runs.".to_owned(),
            Err(several) => {
                let names: Vec<&str> = several.into_iter().map(|index| self.name(index)).collect();
                format!("Nothing runs: the catch-alls {} want it equally.", names.join(", "))
            }
        }
    }
}

fn authorizer<'p>(plugin: &'p Plugin, command: &str) -> Option<&'p str> {
    let needed = access::needs_authorization(plugin, command);
    plugin.guard.authorizer.as_ref().filter(|_| needed).map(TaskName::as_str)
}

fn fits(plugin: &Plugin, command: &str) -> String {
    authorizer(plugin, command)
        .map_or("it fits".to_owned(), |name| format!("it fits; the authorizer '{name}' is asked"))
}

fn misplaced(plugin: &Plugin) -> String {
    let channels: Vec<String> = plugin.channels.iter().map(|c| format!("#{c}")).collect();
    match channels.as_slice() {
        [] => "it is for private messages only".to_owned(),
        _ => format!("it listens in {} only", channels.join(", ")),
    }
}

/// Why the robot does not hear the user at all.
fn ignored(robot: &Robot, context: &Context) -> Option<String> {
    let name = context.user.as_str();
    if robot.ignore_users.iter().any(|ignored| ignored.to_lowercase() == name.to_lowercase()) {
        return Some(format!("Nothing runs: {name} is in IgnoreUsers."));
    }
    let unlisted = robot.ignore_unlisted_users && !context.listed;
    unlisted.then(|| format!("Nothing runs: {name} is not in UserRoster, and IgnoreUnlistedUsers is set."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use gopher_protocol::robot::Guard;

    fn generation() -> Generation {
        let mut deploy = testing::extension("deploy");
        deploy.commands = vec![testing::command("go", "deploy (.+)"), testing::command("web", "deploy web")];
        deploy.channels = vec!["ops".into()];
        let mut other = testing::extension("other");
        other.commands = vec![testing::command("deploy", "deploy .*")];
        other.users = vec!["carol".into()];
        let mut ears = testing::extension("ears");
        ears.message_matchers = vec![testing::overheard("hear", "deploy")];
        Generation::new(testing::robot_with(vec![deploy, other, ears])).0
    }

    fn told(user: &str, channel: &str, text: &str) -> (String, Vec<String>) {
        let report = report(&generation(), Some(user), Some(channel), text);
        let rows =
            report.candidates.iter().map(|r| format!("{}/{} {:?} {}", r.plugin, r.command, r.arguments, r.verdict));
        (report.outcome, rows.collect())
    }

    #[test]
    fn every_matcher_that_fits_says_why_it_does_not_run() {
        let (outcome, rows) = told("bob", "ops", ";deploy web");
        assert_eq!(outcome, "deploy/go runs.");
        assert_eq!(
            rows,
            [
                "deploy/go [\"web\"] it fits",
                "deploy/web [] an earlier matcher of the plugin fits",
                "other/deploy [] it is not for bob (Users)",
                "ears/hear [] it does not hear what is addressed to the robot (AmbientMatchCommand)",
            ]
        );
        let (outcome, rows) = told("bob", "general", ";deploy web");
        assert_eq!(outcome, "The answer is: deploy/go not available in #general, try #ops");
        assert_eq!(rows[0], "deploy/go [\"web\"] it listens in #ops only");
        assert_eq!(told("carol", "ops", ";deploy web").0, "Nothing runs, because 'deploy' and 'other' both want it.");
        let (outcome, rows) = told("bob", "ops", "deploy web");
        assert_eq!(outcome, "ears/hear runs.");
        assert_eq!(rows[0], "deploy/go [\"web\"] the robot is not addressed");
        assert_eq!(told("bob", "ops", ";dance").0, "Nothing fits; the catch-all of 'builtin-fallback' gets it.");
        assert!(told("bob", "", "reload").0.starts_with("Nothing fits"), "not of an administrator");
    }

    #[test]
    fn what_nobody_runs_fits_and_does_not_run() {
        let several = report(&generation(), Some("carol"), Some("ops"), ";deploy web");
        let rows: Vec<(&str, bool)> = several.candidates.iter().map(|r| (r.verdict.as_str(), r.runs)).collect();
        assert_eq!((rows[0], rows[2]), (("it fits, but nothing runs", false), ("it fits, but nothing runs", false)));
        let mut robot = testing::robot();
        robot.ignore_users = vec!["Bob".into()];
        let ignored = report(&Generation::new(robot).0, Some("bob"), Some("general"), ";ping");
        assert_eq!(ignored.outcome, "Nothing runs: bob is in IgnoreUsers.");
        assert!(!ignored.candidates.is_empty() && ignored.candidates.iter().all(|r| !r.runs), "{ignored:?}");
    }

    #[test]
    fn what_an_authorizer_decides_is_told_with_his_name() {
        let mut deploy = testing::extension("deploy");
        deploy.commands = vec![testing::command("go", "deploy")];
        deploy.guard = Guard {
            authorizer: Some("gate".into()),
            authorize_all: true,
            elevate_immediate: vec!["stop".into()],
            ..Guard::default()
        };
        deploy.commands.push(testing::command("stop", "stop"));
        let generation = Generation::new(testing::robot_with(vec![deploy])).0;
        let told = |text: &str| report(&generation, Some("bob"), Some("general"), text);
        let report = told(";deploy");
        assert_eq!(report.outcome, "deploy/go runs if 'gate' agrees.");
        assert_eq!(report.candidates[0].verdict, "it fits; the authorizer 'gate' is asked");
        assert!(told(";stop").outcome.starts_with("deploy/stop is refused: Sorry, elevation failed"));
    }

    #[test]
    fn without_a_name_it_is_the_first_administrator_in_the_first_channel() {
        let report = report(&generation(), None, None, ";reload");
        assert_eq!((report.user.as_str(), report.place.as_str()), ("alice", "#general"));
        assert_eq!(
            (report.outcome.as_str(), report.command.as_deref()),
            ("builtin-admin/reload runs.", Some("reload"))
        );
    }
}
