//! Where a robot's own files are: the directory beneath which `conf/robot.yaml` stands.

use std::path::{Path, PathBuf};

use crate::error::CtlError;

const ROBOT: &str = "conf/robot.yaml";

/// The tree of the robot in `home`: `home/custom`, or `home` itself.
///
/// # Errors
/// There is no robot.
pub(super) fn of(home: &Path) -> Result<PathBuf, CtlError> {
    let found = [home.to_owned(), home.join("custom")].into_iter().find(|tree| tree.join(ROBOT).is_file());
    found.ok_or_else(|| CtlError::NoRobot { path: home.to_owned() })
}

/// The tree that a file lies in, if it lies in one.
pub(crate) fn around(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|dir| dir.join(ROBOT).is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robot_has_its_tree_in_itself_or_in_custom() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(of(dir.path()).is_err());
        let conf = dir.path().join("custom/conf");
        std::fs::create_dir_all(&conf).expect("made");
        std::fs::write(conf.join("robot.yaml"), "").expect("written");
        assert_eq!(of(dir.path()).expect("a robot"), dir.path().join("custom"));
        assert_eq!(of(&dir.path().join("custom")).expect("a robot"), dir.path().join("custom"));
        assert_eq!(around(&dir.path().join("custom/plugins/a.sh")), Some(dir.path().join("custom")));
        assert_eq!(around(&dir.path().join("a.sh")), None);
    }
}
