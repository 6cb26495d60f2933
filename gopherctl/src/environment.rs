//! The part of the environment that this program heeds, read once.

use std::path::PathBuf;

#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) runtime_dir: Option<PathBuf>,
    state_home: Option<PathBuf>,
    home: Option<PathBuf>,
    no_color: bool,
}

impl Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where gopherctl reads its environment; none of it is secret"
    )]
    pub(crate) fn read() -> Self {
        let path = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Self {
            runtime_dir: path("XDG_RUNTIME_DIR"),
            state_home: path("XDG_STATE_HOME"),
            home: path("HOME"),
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }

    /// Where the console keeps what was typed.
    pub(crate) fn history_file(&self) -> Option<PathBuf> {
        let state = self.state_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".local/state")))?;
        Some(state.join("gopherctl/history"))
    }

    pub(crate) fn colours(&self, terminal: bool) -> bool {
        terminal && !self.no_color
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_follows_the_xdg_rules() {
        let home = Some(PathBuf::from("/home/a"));
        let plain = Environment { home: home.clone(), ..Environment::default() };
        assert_eq!(plain.history_file(), Some("/home/a/.local/state/gopherctl/history".into()));
        let xdg = Environment { home, state_home: Some("/state".into()), ..Environment::default() };
        assert_eq!(xdg.history_file(), Some("/state/gopherctl/history".into()));
        assert_eq!(Environment::default().history_file(), None);
    }

    #[test]
    fn colours_are_for_terminals_of_people_who_want_them() {
        assert!(Environment::default().colours(true));
        assert!(!Environment::default().colours(false));
        assert!(!Environment { no_color: true, ..Environment::default() }.colours(true));
    }
}
