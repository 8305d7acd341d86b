//! The program that shares frames out by their addresses: classic BPF, run by the kernel for each frame of a group.

/// An instruction of classic BPF, as in the kernel's linux/filter.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// What is done.
    pub(super) code: u16,
    /// How many instructions are skipped when a test holds.
    pub(super) yes: u8,
    /// How many are skipped when it does not.
    pub(super) no: u8,
    /// The operand.
    pub(super) operand: u32,
}

/// The program: the exclusive or of all words of both addresses, which is the same in both directions, stirred so that its
/// lower bits depend on all of them. The kernel takes the remainder by the number of rings.
///
/// Addresses are found from the network header, wherever the frame is on its way in or out. Linux has taken one VLAN tag off
/// before; a second one may still be there.
pub(super) fn program() -> Vec<Instruction> {
    let (v4, v6) = (words(12, 2), words(8, 8));
    let (v4_at, v6_at) = (START, START + v4.len() + 1);
    let test = |at: usize, value, target: usize| test(value, (target - at - 1) as u8);
    let mut program = vec![
        step(LOAD_NUMBER_X, 0),
        step(LOAD, PROTOCOL),
        test(2, IPV4, v4_at),
        test(3, IPV6, v6_at),
        test(4, VLAN, TAGGED),
        test(5, QINQ, TAGGED),
        step(JUMP, (UNKNOWN - 7) as u32),
        // Behind a tag.
        step(LOAD_NUMBER_X, TAG_LENGTH),
        step(LOAD_HALF, NETWORK + 2),
        test(9, IPV4, v4_at),
        test(10, IPV6, v6_at),
        // Not IP, or something that only the header's first half-byte tells.
        step(LOAD_NUMBER_X, 0),
        step(LOAD_BYTE, NETWORK),
        step(SHIFT_RIGHT, 4),
        test(14, 4, v4_at),
        test(15, 6, v6_at),
        step(RETURN_NUMBER, 0),
    ];
    program.extend(&v4);
    program.push(step(JUMP, v6.len() as u32));
    program.extend(&v6);
    program.extend([step(MULTIPLY, GOLDEN), step(SHIFT_RIGHT, 16), step(RETURN, 0)]);
    program
}

/// The exclusive or of `count` words from `first` on in the header that X is the offset of; in A.
fn words(first: u32, count: u32) -> Vec<Instruction> {
    let mut program = vec![step(STORE_X, OFFSET), step(LOAD_NUMBER, 0), step(STORE, SUM)];
    for word in 0..count {
        program.extend([
            step(LOAD_X, OFFSET),
            step(LOAD_AT_X, NETWORK + first + 4 * word),
            step(LOAD_X, SUM),
            step(XOR_X, 0),
            step(STORE, SUM),
        ]);
    }
    program
}

const fn step(code: u16, operand: u32) -> Instruction {
    Instruction { code, yes: 0, no: 0, operand }
}

const fn test(value: u32, yes: u8) -> Instruction {
    Instruction { code: JUMP_IF_EQUAL, yes, no: 0, operand: value }
}

/// Where in the program the parts begin: for what is behind a tag, for what has no known protocol, for IPv4.
const TAGGED: usize = 7;
const UNKNOWN: usize = 11;
const START: usize = 17;

const LOAD_NUMBER: u16 = 0x00;
const LOAD_NUMBER_X: u16 = 0x01;
const STORE: u16 = 0x02;
const STORE_X: u16 = 0x03;
const JUMP: u16 = 0x05;
const RETURN_NUMBER: u16 = 0x06;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x16;
const LOAD: u16 = 0x20;
const MULTIPLY: u16 = 0x24;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_AT_X: u16 = 0x40;
const LOAD_X: u16 = 0x61;
const SHIFT_RIGHT: u16 = 0x74;
const XOR_X: u16 = 0xac;

/// `SKF_NET_OFF`: where the network header is.
const NETWORK: u32 = (-0x10_0000_i32).cast_unsigned();
/// `SKF_AD_OFF + SKF_AD_PROTOCOL`: the frame's EtherType.
const PROTOCOL: u32 = (-0x1000_i32).cast_unsigned();

const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const VLAN: u32 = 0x8100;
const QINQ: u32 = 0x88a8;
/// The length of a tag behind the one that was taken off.
const TAG_LENGTH: u32 = 4;

/// The program's words of memory.
const SUM: u32 = 0;
const OFFSET: u32 = 1;

/// 2^32 over the golden ratio, Knuth's multiplier for hashing (The Art of Computer Programming 3, section 6.4).
const GOLDEN: u32 = 0x9e37_79b1;

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each instruction may lead.
    fn targets(program: &[Instruction], at: usize) -> Vec<usize> {
        match program[at] {
            Instruction { code: JUMP_IF_EQUAL, yes, no, .. } => vec![at + 1 + yes as usize, at + 1 + no as usize],
            Instruction { code: JUMP, operand, .. } => vec![at + 1 + operand as usize],
            Instruction { code: RETURN | RETURN_NUMBER, .. } => vec![],
            _ => vec![at + 1],
        }
    }

    #[test]
    fn jumps_lead_to_the_parts_they_name() {
        let program = program();
        let (v4_at, v6_at) = (START, START + words(12, 2).len() + 1);
        for start in [v4_at, v6_at] {
            assert_eq!(program[start], step(STORE_X, OFFSET));
        }
        assert_eq!((program[TAGGED], program[UNKNOWN]), (step(LOAD_NUMBER_X, 4), step(LOAD_NUMBER_X, 0)));
        assert_eq!(targets(&program, v6_at - 1), [program.len() - 3]);
        for (at, instruction) in program.iter().enumerate() {
            assert!(targets(&program, at).iter().all(|target| *target < program.len()));
            match (instruction.code, instruction.operand) {
                (JUMP_IF_EQUAL, IPV4 | 4) => assert_eq!(targets(&program, at)[0], v4_at),
                (JUMP_IF_EQUAL, IPV6 | 6) => assert_eq!(targets(&program, at)[0], v6_at),
                (JUMP_IF_EQUAL, _) => assert_eq!(targets(&program, at)[0], TAGGED),
                _ => {}
            }
        }
    }
}
