//! A way around a filter for the system calls that it has nothing against.
//!
//! A compiled filter asks for one call after the other. The kernel tries every call there is when a filter is applied, to
//! remember those that are always allowed, and a run applies one: most of what that took was this. A search by halves
//! in front leaves the long way to the few calls that have a rule.
#![forbid(unsafe_code)]

use seccompiler::{BpfProgram, sock_filter};

/// Instructions of classic BPF, and where the data of a system call begins (`linux/filter.h`, `linux/seccomp.h`).
const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// Calls of this number and above go the long way: there are none, or they are those of another interface.
const KNOWN: u32 = 1024;
/// What a filter begins with: load the architecture, compare it, end the process.
const HEAD: usize = 3;

/// The filter, with the search behind its check of the architecture; unchanged if that would be too far to jump over.
pub(crate) fn before(filter: BpfProgram) -> BpfProgram {
    let head = filter.get(..HEAD).map(|head| [head[0].code, head[1].code, head[2].code]);
    if head != Some([LOAD, JUMP_EQUAL, RETURN]) || filter[0].k != ARCHITECTURE {
        return filter;
    }
    let architecture = filter[1].k;
    let ruled: Vec<u32> = (0..KNOWN).filter(|number| !always_allows(&filter, *number, architecture)).collect();
    let Some(search) = search(&ruled) else { return filter };
    let mut whole = filter[..HEAD].to_vec();
    whole.extend(search);
    whole.extend_from_slice(&filter[HEAD..]);
    whole
}

/// Whether a filter allows a call whatever its arguments are.
fn always_allows(filter: &[sock_filter], number: u32, architecture: u32) -> bool {
    let (mut at, mut loaded) = (0, 0);
    // Jumps lead forwards only.
    while let Some(instruction) = filter.get(at) {
        let jumps = |condition| usize::from(if condition { instruction.jt } else { instruction.jf });
        at += 1;
        match (instruction.code, instruction.k) {
            (LOAD, NUMBER) => loaded = number,
            (LOAD, ARCHITECTURE) => loaded = architecture,
            (JUMP, distance) => at += usize::try_from(distance).unwrap_or(usize::MAX),
            (JUMP_EQUAL, value) => at += jumps(loaded == value),
            (JUMP_GREATER, value) => at += jumps(loaded > value),
            (JUMP_AT_LEAST, value) => at += jumps(loaded >= value),
            (RETURN, answer) => return answer == libc::SECCOMP_RET_ALLOW,
            _ => return false,
        }
    }
    false
}

/// Loads the number of a call and returns if it is none of these, which are in order; goes on behind itself if it is.
fn search(ruled: &[u32]) -> Option<Vec<sock_filter>> {
    let load = sock_filter { code: LOAD, jt: 0, jf: 0, k: NUMBER };
    let mut program = vec![load, sock_filter { code: JUMP_AT_LEAST, jt: 0, jf: 0, k: KNOWN }];
    let mut found = vec![1];
    halve(ruled, &mut program, &mut found)?;
    let end = program.len();
    for at in found {
        program[at].jt = u8::try_from(end - at - 1).ok()?;
    }
    Some(program)
}

/// Appends the search among some numbers; `found` are the jumps that lead behind the whole.
fn halve(ruled: &[u32], program: &mut Vec<sock_filter>, found: &mut Vec<usize>) -> Option<()> {
    match ruled {
        [] => program.push(sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }),
        [number] => {
            found.push(program.len());
            program.push(sock_filter { code: JUMP_EQUAL, jt: 0, jf: 0, k: *number });
            halve(&[], program, found)?;
        }
        numbers => {
            let (lower, upper) = numbers.split_at(numbers.len() / 2);
            let fork = program.len();
            program.push(sock_filter { code: JUMP_AT_LEAST, jt: 0, jf: 0, k: upper[0] });
            halve(lower, program, found)?;
            program[fork].jt = u8::try_from(program.len() - fork - 1).ok()?;
            halve(upper, program, found)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filters;

    /// What a filter says of a call whose arguments are all this.
    fn answer(filter: &[sock_filter], number: u32, architecture: u32, argument: u32) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        loop {
            let instruction = &filter[at];
            let jumps = |condition| usize::from(if condition { instruction.jt } else { instruction.jf });
            at += 1;
            match (instruction.code, instruction.k) {
                (LOAD, NUMBER) => loaded = number,
                (LOAD, ARCHITECTURE) => loaded = architecture,
                (LOAD, _) => loaded = argument,
                (0x54, mask) => loaded &= mask,
                (JUMP, distance) => at += distance as usize,
                (JUMP_EQUAL, value) => at += jumps(loaded == value),
                (JUMP_GREATER, value) => at += jumps(loaded > value),
                (JUMP_AT_LEAST, value) => at += jumps(loaded >= value),
                (RETURN, answer) => return answer,
                (code, k) => panic!("instruction {code:#x} {k}"),
            }
        }
    }

    #[test]
    fn a_filter_says_the_same_with_the_shortcut_and_sooner() {
        for name in ["run", "run-no-network"] {
            let (long, short) = Filters::of_runs_with_and_without_shortcut(name);
            assert!(short.len() > long.len(), "{name}: no shortcut");
            let architecture = long[1].k;
            let numbers = (0..1100).chain([0x4000_0000, 0x4000_0009, u32::MAX]);
            for number in numbers {
                for argument in [0, 2, 3, 10, 16, 17, 40, 0x1000_0000, 0x2_0000, u32::MAX] {
                    for architecture in [architecture, 0x4000_0003] {
                        let [long, short] = [&long, &short].map(|f| answer(f, number, architecture, argument));
                        assert_eq!(long, short, "{name}: call {number} with {argument:#x}");
                    }
                }
            }
            let allowed = (0..KNOWN).filter(|number| always_allows(&short, *number, architecture)).count();
            assert!((900..1024).contains(&allowed), "{name}: {allowed}");
        }
    }

    #[test]
    fn what_is_no_filter_or_too_long_stays_as_it_is() {
        assert!(before(Vec::new()).is_empty());
        let many: Vec<u32> = (0..1000).step_by(2).collect();
        assert!(search(&many).is_none());
        let few = search(&[3, 9]).expect("short");
        assert_eq!(few.len(), 7);
    }
}
