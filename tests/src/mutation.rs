//! Configurations as accidents leave them: lines lost or twice, bytes changed, files cut, template actions where none
//! were. From a seed, so that the same seed makes the same accident.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Text that is put somewhere into a file.
const INSERTED: [&str; 20] = [
    "{{",
    "}}",
    "{{ end }}",
    "{{ else }}",
    "{{ if env \"HOME\" }}",
    "{{ range $x := . }}",
    "{{ secret \"GATE_CODE\" }}",
    "{{ env \"GATE_TOKEN\" | printf \"%q\" }}",
    "{{ variable \"LOBBY\" }}",
    "{{ .Include \"robot.yaml\" }}",
    "{{ .Include \"../../../../etc/passwd\" }}",
    "{{ printf \"%s %d\" 1 }}",
    "{{- /* a comment */ -}}",
    "{{ SetEnv \"GOPHER_ALIAS\" \"!\" }}",
    "\t",
    ": ",
    "- ",
    "&a ",
    "*a ",
    "\u{feff}",
];

/// Numbers in an order that looks like none (`SplitMix64`).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..sides`; 0 if there are none.
    pub fn below(&mut self, sides: usize) -> usize {
        let sides = sides.max(1) as u64;
        usize::try_from(self.roll() % sides).expect("below a usize")
    }
}

/// All configuration files of a robot, in an order that is always the same.
pub fn configuration(robot: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut next = vec![robot.join("conf"), robot.join("custom/conf")];
    while let Some(dir) = next.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                next.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// A text after one to three accidents.
pub fn spoil(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=dice.below(3) {
        text = accident(text, dice);
    }
    text
}

fn accident(mut text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let at = dice.below(text.len() + 1);
    match dice.below(7) {
        0 if !text.is_empty() => {
            let at = dice.below(text.len());
            text[at] ^= 1 << dice.below(8);
        }
        1 => text.truncate(at),
        2 => drop(text.splice(at..at, INSERTED[dice.below(INSERTED.len())].bytes())),
        3 => drop(text.splice(at..at, [u8::try_from(dice.below(256)).expect("a byte")])),
        how => {
            let mut lines: Vec<Vec<u8>> = text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
            match how {
                _ if lines.is_empty() => {}
                4 => drop(lines.remove(one)),
                5 => lines.insert(other, lines[one].clone()),
                _ => lines.swap(one, other),
            }
            text = lines.concat();
        }
    }
    text
}
