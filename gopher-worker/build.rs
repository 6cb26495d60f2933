//! Has the linker put functions that short runs execute next to each other: such a run meets fewer pages of code, which it
//! pays for one by one.
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script about the target by the environment")]

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=layout.ld");
    let variable = |name| env::var(name).unwrap_or_default();
    if variable("CARGO_CFG_TARGET_OS") == "linux" && variable("PROFILE") == "release" {
        println!("cargo::rustc-link-arg-bins=-T");
        println!("cargo::rustc-link-arg-bins={}/layout.ld", variable("CARGO_MANIFEST_DIR"));
    }
}
