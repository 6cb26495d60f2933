//! Derives the build id from the protocol sources, so that binaries of different builds refuse each other.

use std::{fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=src");
    let mut files: Vec<PathBuf> = fs::read_dir("src")?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    // FNV-1a: any change of a message changes the id; no cryptographic strength is needed.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for file in files {
        for byte in fs::read(file)? {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    println!("cargo:rustc-env=GOPHER_PROTOCOL_HASH={hash:016x}");
    Ok(())
}
