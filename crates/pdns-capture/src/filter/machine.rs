//! The machine that runs filter programs: McCanne and Jacobson, "The BSD Packet Filter", 1993, as in libpcap's
//! bpf_filter.c.

/// A program whose jumps all stay within it.
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
                Some(instruction) if instruction.stays_within(index, length) => instructions.push(instruction),
                _ => return Err(text),
            }
        }
        Ok(Self { instructions })
    }

    /// How many bytes of the frame the program accepts: 0 for one that does not pass.
    #[inline]
    pub(super) fn run(&self, data: &[u8], wire_len: u32) -> u32 {
        self.execute(data, wire_len).unwrap_or(0)
    }

    /// `None` when a load is outside the frame, or a division by zero: the frame does not pass.
    fn execute(&self, data: &[u8], wire_len: u32) -> Option<u32> {
        use Instruction as I;
        let mut a = 0_u32;
        let mut x = 0_u32;
        let mut memory = [0_u32; MEMORY];
        let mut next = 0_usize;
        // Only `protochain` jumps back, once for each header, which takes up at least a byte.
        let mut turns = data.len();
        loop {
            let instruction = *self.instructions.get(next)?;
            next += 1;
            match instruction {
                I::LoadWord(k) => a = u32::from_be_bytes(load(data, k)?),
                I::LoadHalf(k) => a = u16::from_be_bytes(load(data, k)?).into(),
                I::LoadByte(k) => a = u8::from_be_bytes(load(data, k)?).into(),
                I::LoadWordAtX(k) => a = u32::from_be_bytes(load(data, x.checked_add(k)?)?),
                I::LoadHalfAtX(k) => a = u16::from_be_bytes(load(data, x.checked_add(k)?)?).into(),
                I::LoadByteAtX(k) => a = u8::from_be_bytes(load(data, x.checked_add(k)?)?).into(),
                I::LoadLength => a = wire_len,
                I::LoadConstant(k) => a = k,
                I::LoadMemory(cell) => a = memory[usize::from(cell) % MEMORY],
                I::LoadXLength => x = wire_len,
                I::LoadXConstant(k) => x = k,
                I::LoadXMemory(cell) => x = memory[usize::from(cell) % MEMORY],
                I::LoadXHeaderLength(k) => x = u32::from(u8::from_be_bytes(load(data, k)?) & 0xf) << 2,
                I::Store(cell) => memory[usize::from(cell) % MEMORY] = a,
                I::StoreX(cell) => memory[usize::from(cell) % MEMORY] = x,
                I::Compute(operator, k) => a = operator.apply(a, k)?,
                I::ComputeX(operator) => a = operator.apply(a, x)?,
                I::Negate => a = a.wrapping_neg(),
                I::AToX => x = a,
                I::XToA => a = x,
                I::Jump(distance) => {
                    if distance < 0 {
                        turns = turns.checked_sub(1)?;
                    }
                    next = next.checked_add_signed(distance as isize)?;
                }
                I::JumpEqual(k, jump) => next += jump.on(a == k),
                I::JumpGreater(k, jump) => next += jump.on(a > k),
                I::JumpGreaterEqual(k, jump) => next += jump.on(a >= k),
                I::JumpAnyBit(k, jump) => next += jump.on(a & k != 0),
                I::JumpEqualX(jump) => next += jump.on(a == x),
                I::JumpGreaterX(jump) => next += jump.on(a > x),
                I::JumpGreaterEqualX(jump) => next += jump.on(a >= x),
                I::JumpAnyBitX(jump) => next += jump.on(a & x != 0),
                I::Return(k) => return Some(k),
                I::ReturnA => return Some(a),
            }
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
    /// Back when negative, which libpcap's machine allows and the kernel's does not.
    Jump(i32),
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
            0x05 => Self::Jump(k.cast_signed()),
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

    /// Whether, at `index` of a program of `length` instructions, it is followed by one, jump or not.
    fn stays_within(self, index: usize, length: usize) -> bool {
        let after = length - index - 1;
        let furthest = match self {
            Self::Return(_) | Self::ReturnA => return true,
            Self::Jump(distance) if distance < 0 => return distance.unsigned_abs() as usize <= index + 1,
            Self::Jump(distance) => distance.unsigned_abs() as usize,
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
    fn on(self, condition: bool) -> usize {
        usize::from(if condition { self.yes } else { self.no })
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
