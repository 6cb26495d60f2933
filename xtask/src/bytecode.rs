//! Bytecode of the Python libraries, beside them in the install tree: worth four milliseconds at every start of a
//! Python extension. Runs see that tree read-only and could never keep it themselves.

use std::process::{Command, Stdio};

use crate::{setup, step::root};

/// Compiles what is not compiled yet. Without it everything works, so trouble is nobody's concern.
pub(crate) fn compile() {
    if let Some(python) = setup::system_program("python3") {
        let mut compile = Command::new(python);
        compile.args(["-m", "compileall", "-q"]).arg(root().join("packaging/share/lib"));
        let _ = compile.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
