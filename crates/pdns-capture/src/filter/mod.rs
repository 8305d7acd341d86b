//! Capture filters in libpcap's language.
//!
//! libpcap compiles them; the program it makes is run here. The `pcap` crate's own way of running one takes what was
//! captured of a frame for all of it, so that `greater 100` fails on a frame cut by the snap length.

mod machine;

use machine::Program;

/// A filter for frames of one link type.
#[derive(Clone, Debug)]
pub struct Filter {
    program: Program,
}

/// A filter for frames of any link type, compiled for each when it is first met.
#[derive(Clone, Debug)]
pub struct FilterSet {
    expression: String,
    filters: Vec<(u16, Filter)>,
}

/// Why a filter cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// libpcap does not accept the expression, in general or for this link type.
    #[error("filter '{expression}' for link type {}: {message}", describe_link(*link))]
    Refused {
        /// The expression.
        expression: String,
        /// The LINKTYPE_ number.
        link: u16,
        /// What libpcap said.
        message: String,
    },
    /// libpcap's program has an instruction that is not known here.
    #[error("filter '{expression}': libpcap made the unknown instruction '{instruction}' of it")]
    Instruction {
        /// The expression.
        expression: String,
        /// The instruction's code, jumps and operand.
        instruction: String,
    },
}

impl Filter {
    /// Compiles `expression`, in the language of pcap-filter(7), for frames of the LINKTYPE_ number `link`.
    ///
    /// # Errors
    ///
    /// libpcap refuses it: a syntax error, an unknown host or port name, or something the link type does not have.
    pub fn compile(expression: &str, link: u16) -> Result<Self, FilterError> {
        let refused = |error: pcap::Error| {
            let message = match error {
                pcap::Error::PcapError(message) => message,
                error => error.to_string(),
            };
            FilterError::Refused { expression: expression.to_owned(), link, message }
        };
        let capture = pcap::Capture::dead(dlt(link)).map_err(refused)?;
        let compiled = capture.compile(expression, true).map_err(refused)?;
        let program = Program::new(compiled.get_instructions().iter().map(ToString::to_string))
            .map_err(|instruction| FilterError::Instruction { expression: expression.to_owned(), instruction })?;
        Ok(Self { program })
    }

    /// Whether the frame passes, of which `data` was captured and `wire_len` bytes were on the wire.
    #[inline]
    pub fn matches(&self, data: &[u8], wire_len: u32) -> bool {
        self.program.run(data, wire_len) != 0
    }
}

impl FilterSet {
    /// The filter of this expression, not compiled yet.
    pub fn new(expression: &str) -> Self {
        Self { expression: expression.to_owned(), filters: Vec::new() }
    }

    /// Whether the frame passes; see [`Filter::matches`].
    ///
    /// # Errors
    ///
    /// The expression cannot be compiled for this link type; see [`Filter::compile`].
    #[inline]
    pub fn matches(&mut self, link: u16, data: &[u8], wire_len: u32) -> Result<bool, FilterError> {
        Ok(self.filter(link)?.matches(data, wire_len))
    }

    /// The filter for one link type.
    ///
    /// # Errors
    ///
    /// The expression cannot be compiled for it; see [`Filter::compile`].
    #[inline]
    pub fn filter(&mut self, link: u16) -> Result<&Filter, FilterError> {
        let index = match self.filters.iter().position(|(known, _)| *known == link) {
            Some(index) => index,
            None => {
                self.filters.push((link, Filter::compile(&self.expression, link)?));
                self.filters.len() - 1
            }
        };
        Ok(&self.filters[index].1)
    }
}

/// libpcap's name of a LINKTYPE_ number.
pub(crate) fn link_name(link: u16) -> Option<String> {
    dlt(link).get_name().ok()
}

fn describe_link(link: u16) -> String {
    link_name(link).map_or_else(|| link.to_string(), |name| format!("{link} ({name})"))
}

/// The DLT_ number that libpcap's functions want for a LINKTYPE_ number. They differ where operating systems disagree about
/// the DLT_; these are the ones of Linux, from libpcap's pcap-common.c.
fn dlt(link: u16) -> pcap::Linktype {
    pcap::Linktype(match link {
        100 => 11,
        101 => 12,
        102 => 15,
        103 => 16,
        106 => 19,
        246 => 18,
        same => i32::from(same),
    })
}

#[cfg(test)]
mod tests;
