//! How the robot was found (spec: configuration §1.2), and what encryption does then. Pure.

use gopher_protocol::{loader::StartMode, supervisor::Layout};

use crate::error::SecretdError;

/// What of the environment decides; a name that is set to nothing counts as set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) repository: bool,
    /// Not empty.
    pub(crate) deploy_key: bool,
}

pub(crate) fn start_mode(layout: &Layout, given: Given) -> Result<StartMode, SecretdError> {
    match (layout, given) {
        (Layout { demo: true, .. }, _) => Ok(StartMode::Demo),
        (Layout { inspect: true, robot_in_home, robot_in_custom, .. }, _) => {
            Ok(if *robot_in_home || *robot_in_custom { StartMode::Production } else { StartMode::Demo })
        }
        (Layout { robot_in_home: true, .. }, _) => Ok(StartMode::TestDev),
        (_, Given { repository: false, .. }) => Ok(StartMode::Demo),
        (Layout { robot_in_custom: true, .. }, _) => Ok(StartMode::Production),
        (_, Given { deploy_key: true, .. }) => Ok(StartMode::Bootstrap),
        _ => Err(SecretdError::NoDeployKey),
    }
}

pub(crate) fn name(mode: &StartMode) -> &'static str {
    match mode {
        StartMode::TestDev => "test-dev",
        StartMode::Demo => "demo",
        StartMode::Bootstrap => "bootstrap",
        StartMode::Production => "production",
    }
}

/// Who may do without `GOPHER_ENCRYPTION_KEY`: nothing they seal outlives them.
pub(crate) fn temporary_key_allowed(mode: &StartMode, layout: &Layout) -> bool {
    layout.inspect || matches!(mode, StartMode::TestDev | StartMode::Demo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_and_environment_has_its_mode() {
        use StartMode::{Bootstrap, Demo, Production, TestDev};
        let table = [
            // home, custom, demo, repository, deploy key
            ((false, false, false, false, false), Some(Demo)),
            ((false, true, false, false, true), Some(Demo)),
            ((true, true, false, true, true), Some(TestDev)),
            ((true, false, false, false, false), Some(TestDev)),
            ((true, true, true, true, true), Some(Demo)),
            ((false, true, false, true, false), Some(Production)),
            ((false, false, false, true, true), Some(Bootstrap)),
            ((false, false, false, true, false), None),
        ];
        for ((robot_in_home, robot_in_custom, demo, repository, deploy_key), expected) in table {
            let layout = Layout { robot_in_home, robot_in_custom, demo, inspect: false };
            let mode = start_mode(&layout, Given { repository, deploy_key });
            assert_eq!(mode.ok(), expected, "{layout:?} repository {repository} deploy key {deploy_key}");
            let looked_at = start_mode(&Layout { inspect: true, ..layout }, Given { repository, deploy_key });
            let robot = (robot_in_home || robot_in_custom) && !demo;
            assert_eq!(looked_at.ok(), Some(if robot { Production } else { Demo }));
        }
    }
}
