//! The machine that runs filter programs: McCanne and Jacobson, "The BSD Packet Filter", 1993, as in libpcap's
//! bpf_filter.c.

/// A program that ends: all jumps go forward and within it.
#[derive(Clone, Debug)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
}

impl Program {
    /// Reads instructions in the form `code jt jf k`, which is all that the `pcap` crate tells of them.
    ///
    /// # Errors
    ///
    /// The instruction that is not known, or whose operands are out of range.
    pub(super) fn new(texts: impl ExactSizeIterator<Item = String>) -> Result<Self, String> {
        let length = texts.len();
        let mut instructions = Vec::with_capacity(length);
        for (index, text) in texts.enumerate() {
            match Instruction::parse(&text) {
                Some(instruction) if instruction.jumps_within(length - index - 1) => instructions.push(instruction),
                _ => return Err(text),
            }
        }
        Ok(Self { instructions })
    }

    /// How many bytes of the frame the program accepts: 0 for one that does not pass.
    pub(super) fn run(&self, data: &[u8], wire_len: u32) -> u32 {
        self.run_loads(data, wire_len).unwrap_or(0)
    }

    /// `None` when a load is outside the frame, or a division by zero: the frame does not pass.
    fn run_loads(&self, data: &[u8], wire_len: u32) -> Option<u32> {
        use Instruction as I;
        let mut a = 0_u32;
        let mut x = 0_u32;
        let mut memory = [0_u32; MEMORY];
        let mut rest = self.instructions.iter();
        loop {
            // A jump skips so many instructions.
            let skip = match *rest.next()? {
                I::LoadWord(k) => {
                    a = u32::from_be_bytes(load(data, k)?);
                    continue;
                }
                I::LoadHalf(k) => {
                    a = u16::from_be_bytes(load(data, k)?).into();
                    continue;
                }
                I::LoadByte(k) => {
                    let [byte] = load(data, k)?;
                    a = byte.into();
                    continue;
                }
                I::LoadWordAtX(k) => {
                    a = u32::from_be_bytes(load(data, x.checked_add(k)?)?);
                    continue;
                }
                I::LoadHalfAtX(k) => {
                    a = u16::from_be_bytes(load(data, x.checked_add(k)?)?).into();
                    continue;
                }
                I::LoadByteAtX(k) => {
                    let [byte] = load(data, x.checked_add(k)?)?;
                    a = byte.into();
                    continue;
                }
                I::LoadLength => {
                    a = wire_len;
                    continue;
                }
                I::LoadConstant(k) => {
                    a = k;
                    continue;
                }
                I::LoadMemory(cell) => {
                    a = memory[cell as usize % MEMORY];
                    continue;
                }
                I::LoadXLength => {
                    x = wire_len;
                    continue;
                }
                I::LoadXConstant(k) => {
                    x = k;
                    continue;
                }
                I::LoadXMemory(cell) => {
                    x = memory[cell as usize % MEMORY];
                    continue;
                }
                I::LoadXHeaderLength(k) => {
                    let [byte] = load(data, k)?;
                    x = u32::from(byte & 0xf) << 2;
                    continue;
                }
                I::Store(cell) => {
                    memory[cell as usize % MEMORY] = a;
                    continue;
                }
                I::StoreX(cell) => {
                    memory[cell as usize % MEMORY] = x;
                    continue;
                }
                I::Compute(operator, k) => {
                    a = operator.apply(a, k)?;
                    continue;
                }
                I::ComputeX(operator) => {
                    a = operator.apply(a, x)?;
                    continue;
                }
                I::Negate => {
                    a = a.wrapping_neg();
                    continue;
                }
                I::AToX => {
                    x = a;
                    continue;
                }
                I::XToA => {
                    a = x;
                    continue;
                }
                I::Jump(k) => k,
                I::JumpEqual(k, jump) => jump.on(a == k),
                I::JumpGreater(k, jump) => jump.on(a > k),
                I::JumpGreaterEqual(k, jump) => jump.on(a >= k),
                I::JumpAnyBit(k, jump) => jump.on(a & k != 0),
                I::JumpEqualX(jump) => jump.on(a == x),
                I::JumpGreaterX(jump) => jump.on(a > x),
                I::JumpGreaterEqualX(jump) => jump.on(a >= x),
                I::JumpAnyBitX(jump) => jump.on(a & x != 0),
                I::Return(k) => return Some(k),
                I::ReturnA => return Some(a),
            };
            rest = rest.as_slice().get(skip as usize..)?.iter();
        }
    }
}

/// An instruction, its operand beside it.
#[derive(Clone, Copy, Debug)]
enum Instruction {
    LoadWord(u32),
    LoadHalf(u32),
    LoadByte(u32),
    LoadWordAtX(u32),
    LoadHalfAtX(u32),
    LoadByteAtX(u32),
    LoadLength,
    LoadConstant(u32),
    LoadMemory(u8),
    LoadXLength,
    LoadXConstant(u32),
    LoadXMemory(u8),
    LoadXHeaderLength(u32),
    Store(u8),
    StoreX(u8),
    Compute(Operator, u32),
    ComputeX(Operator),
    Negate,
    AToX,
    XToA,
    Jump(u32),
    JumpEqual(u32, Jump),
    JumpGreater(u32, Jump),
    JumpGreaterEqual(u32, Jump),
    JumpAnyBit(u32, Jump),
    JumpEqualX(Jump),
    JumpGreaterX(Jump),
    JumpGreaterEqualX(Jump),
    JumpAnyBitX(Jump),
    Return(u32),
    ReturnA,
}

impl Instruction {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(' ').map(str::parse::<u32>);
        let mut field = || fields.next()?.ok();
        let (code, yes, no, k) = (field()?, field()?, field()?, field()?);
        let jump = Jump { yes: yes.try_into().ok()?, no: no.try_into().ok()? };
        let cell = || u8::try_from(k).ok().filter(|cell| usize::from(*cell) < MEMORY);
        Some(match code {
            0x20 => Self::LoadWord(k),
            0x28 => Self::LoadHalf(k),
            0x30 => Self::LoadByte(k),
            0x40 => Self::LoadWordAtX(k),
            0x48 => Self::LoadHalfAtX(k),
            0x50 => Self::LoadByteAtX(k),
            0x80 => Self::LoadLength,
            0x00 => Self::LoadConstant(k),
            0x60 => Self::LoadMemory(cell()?),
            0x81 => Self::LoadXLength,
            0x01 => Self::LoadXConstant(k),
            0x61 => Self::LoadXMemory(cell()?),
            0xb1 => Self::LoadXHeaderLength(k),
            0x02 => Self::Store(cell()?),
            0x03 => Self::StoreX(cell()?),
            0x84 => Self::Negate,
            0x07 => Self::AToX,
            0x87 => Self::XToA,
            0x05 => Self::Jump(k),
            0x15 => Self::JumpEqual(k, jump),
            0x25 => Self::JumpGreater(k, jump),
            0x35 => Self::JumpGreaterEqual(k, jump),
            0x45 => Self::JumpAnyBit(k, jump),
            0x1d => Self::JumpEqualX(jump),
            0x2d => Self::JumpGreaterX(jump),
            0x3d => Self::JumpGreaterEqualX(jump),
            0x4d => Self::JumpAnyBitX(jump),
            0x06 => Self::Return(k),
            0x16 => Self::ReturnA,
            _ if code & 0xf == 0x4 => Self::Compute(Operator::new(code >> 4)?, k),
            _ if code & 0xf == 0xc => Self::ComputeX(Operator::new(code >> 4)?),
            _ => return None,
        })
    }

    /// Whether it jumps no further than to the last of the `after` instructions that follow it.
    fn jumps_within(self, after: usize) -> bool {
        let furthest = match self {
            Self::Return(_) | Self::ReturnA => return true,
            Self::Jump(k) => k as usize,
            Self::JumpEqual(_, jump)
            | Self::JumpGreater(_, jump)
            | Self::JumpGreaterEqual(_, jump)
            | Self::JumpAnyBit(_, jump)
            | Self::JumpEqualX(jump)
            | Self::JumpGreaterX(jump)
            | Self::JumpGreaterEqualX(jump)
            | Self::JumpAnyBitX(jump) => jump.yes.max(jump.no).into(),
            _ => 0,
        };
        furthest < after
    }
}

/// How many instructions a test skips.
#[derive(Clone, Copy, Debug)]
struct Jump {
    yes: u8,
    no: u8,
}

impl Jump {
    #[inline]
    fn on(self, condition: bool) -> u32 {
        u32::from(if condition { self.yes } else { self.no })
    }
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Or,
    And,
    ShiftLeft,
    ShiftRight,
    Modulo,
    Xor,
}

impl Operator {
    fn new(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::Add,
            1 => Self::Subtract,
            2 => Self::Multiply,
            3 => Self::Divide,
            4 => Self::Or,
            5 => Self::And,
            6 => Self::ShiftLeft,
            7 => Self::ShiftRight,
            9 => Self::Modulo,
            10 => Self::Xor,
            _ => return None,
        })
    }

    #[inline]
    fn apply(self, a: u32, b: u32) -> Option<u32> {
        Some(match self {
            Self::Add => a.wrapping_add(b),
            Self::Subtract => a.wrapping_sub(b),
            Self::Multiply => a.wrapping_mul(b),
            Self::Divide => a.checked_div(b)?,
            Self::Or => a | b,
            Self::And => a & b,
            Self::ShiftLeft => a.checked_shl(b).unwrap_or(0),
            Self::ShiftRight => a.checked_shr(b).unwrap_or(0),
            Self::Modulo => a.checked_rem(b)?,
            Self::Xor => a ^ b,
        })
    }
}

/// Big-endian bytes at `at` in the frame, if it was captured that far.
#[inline]
fn load<const N: usize>(data: &[u8], at: u32) -> Option<[u8; N]> {
    data.get(at as usize..)?.first_chunk().copied()
}

/// The machine's memory, in words.
const MEMORY: usize = 16;
