//! A filter's answers by the number of the call, where the number is enough.
//!
//! A compiled filter asks for one call after the other. The kernel translates it whenever it is applied, and tries every
//! call there is on it, to remember those that are always allowed; a run applies one, and much of its start was this. A
//! search by halves in front leaves the long way to the few calls whose arguments matter.
#![forbid(unsafe_code)]

use seccompiler::{BpfProgram, sock_filter};

/// Instructions of classic BPF, and where the data of a system call begins (`linux/filter.h`, `linux/seccomp.h`).
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
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

/// A filter that answers as `whole` does, by `asking` where the arguments matter, which has no other rules than those. It
/// is `whole` itself if the search would be too far to jump over.
pub(crate) fn before(asking: &[sock_filter], whole: BpfProgram) -> BpfProgram {
    shortened(asking, &whole).unwrap_or(whole)
}

fn shortened(asking: &[sock_filter], whole: &[sock_filter]) -> Option<BpfProgram> {
    let head = whole.get(..HEAD)?;
    if head.iter().map(|i| i.code).ne([LOAD, JUMP_EQUAL, RETURN])
        || head[0].k != ARCHITECTURE
        || asking.get(..HEAD)? != head
    {
        return None;
    }
    let architecture = head[1].k;
    let answers = (0..KNOWN).map(|number| answer(whole, number, architecture, None));
    let mut program = head.to_vec();
    program.extend(search(&stretches(answers))?);
    program.extend_from_slice(&asking[HEAD..]);
    Some(program)
}

/// What a filter says of a call whose arguments are all this; of one whose are not known, `None` if they matter.
fn answer(filter: &[sock_filter], number: u32, architecture: u32, argument: Option<u32>) -> Option<u32> {
    let (mut at, mut loaded) = (0, 0);
    // Jumps lead forwards only.
    loop {
        let instruction = filter.get(at)?;
        let jumps = |condition| usize::from(if condition { instruction.jt } else { instruction.jf });
        at += 1;
        match (instruction.code, instruction.k) {
            (LOAD, NUMBER) => loaded = number,
            (LOAD, ARCHITECTURE) => loaded = architecture,
            (LOAD, _) => loaded = argument?,
            (AND, mask) => loaded &= mask,
            (JUMP, distance) => at += usize::try_from(distance).ok()?,
            (JUMP_EQUAL, value) => at += jumps(loaded == value),
            (JUMP_GREATER, value) => at += jumps(loaded > value),
            (JUMP_AT_LEAST, value) => at += jumps(loaded >= value),
            (RETURN, answer) => return Some(answer),
            _ => return None,
        }
    }
}

/// From this number on, up to the next, this is the answer.
type Stretch = (u32, Option<u32>);

/// The answers of the numbers from 0 on as stretches; the last one goes on for ever, the long way.
fn stretches(answers: impl Iterator<Item = Option<u32>>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (number, answer) in (0..).zip(answers.chain([None])) {
        if stretches.last().is_none_or(|(_, last)| *last != answer) {
            stretches.push((number, answer));
        }
    }
    stretches
}

/// Loads the number of a call and returns its answer, or goes on behind itself if there is none.
fn search(stretches: &[Stretch]) -> Option<Vec<sock_filter>> {
    let mut program = vec![sock_filter { code: LOAD, jt: 0, jf: 0, k: NUMBER }];
    let mut exits = Vec::new();
    halve(stretches, &mut program, &mut exits)?;
    let mut answers: Vec<u32> = stretches.iter().filter_map(|(_, answer)| *answer).collect();
    answers.sort_unstable();
    answers.dedup();
    let first = program.len();
    program.extend(answers.iter().map(|answer| sock_filter { code: RETURN, jt: 0, jf: 0, k: *answer }));
    for (at, upper, answer) in exits {
        let place = answer.and_then(|answer| answers.binary_search(&answer).ok()).unwrap_or(answers.len());
        let distance = u8::try_from(first + place - at - 1).ok()?;
        *(if upper { &mut program[at].jt } else { &mut program[at].jf }) = distance;
    }
    Some(program)
}

/// A jump that leads out of the search: where it is, whether it is for the upper half, and to which answer.
type Exit = (usize, bool, Option<u32>);

/// Appends the search among two stretches or more.
fn halve(stretches: &[Stretch], program: &mut Vec<sock_filter>, exits: &mut Vec<Exit>) -> Option<()> {
    if stretches.len() < 2 {
        return None;
    }
    let (lower, upper) = stretches.split_at(stretches.len() / 2);
    let fork = program.len();
    program.push(sock_filter { code: JUMP_AT_LEAST, jt: 0, jf: 0, k: upper[0].0 });
    match lower {
        [(_, answer)] => exits.push((fork, false, *answer)),
        lower => halve(lower, program, exits)?,
    }
    match upper {
        [(_, answer)] => exits.push((fork, true, *answer)),
        upper => {
            program[fork].jt = u8::try_from(program.len() - fork - 1).ok()?;
            halve(upper, program, exits)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filters;

    #[test]
    fn a_shortened_filter_says_the_same() {
        for name in ["run", "run-no-network"] {
            let (whole, short) = Filters::whole_and_shortened(name);
            assert!(short.len() < whole.len(), "{name}: {} instructions of {}", short.len(), whole.len());
            let by_number = (0..KNOWN).filter(|number| answer(&short, *number, whole[1].k, None).is_some()).count();
            assert!(by_number > 1000, "{name}: {by_number}");
            let ours = whole[1].k;
            let numbers = (0..1100).chain([0x4000_0000, 0x4000_0009, u32::MAX]);
            for number in numbers {
                for argument in [0, 2, 3, 10, 16, 17, 40, 0x1000_0000, 0x2_0000, u32::MAX] {
                    for architecture in [ours, 0x4000_0003] {
                        let [whole, short] = [&whole, &short].map(|f| answer(f, number, architecture, Some(argument)));
                        assert!(whole.is_some(), "{name}: call {number}: an instruction that is not known");
                        assert_eq!(whole, short, "{name}: call {number} with {argument:#x}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_shortened_stays_as_it_is() {
        assert!(before(&[], Vec::new()).is_empty());
        let (whole, _) = Filters::whole_and_shortened("run");
        assert!(before(&[], whole.clone()) == whole);
        let many: Vec<Stretch> = (0..1000).map(|n| (n, Some(n % 2))).collect();
        assert!(search(&many).is_none());
        assert!(search(&stretches([].into_iter())).is_none(), "nothing to search among");
    }

    #[test]
    fn neighbours_with_one_answer_are_one_stretch() {
        let answers = [Some(1), Some(1), None, Some(2)];
        assert_eq!(stretches(answers.into_iter()), [(0, Some(1)), (2, None), (3, Some(2)), (4, None)]);
    }
}
