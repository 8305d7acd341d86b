//! The `edns` object: RFC 6891, with the options that are worth reading decoded.

use pdns_packet::dns::{EdnsOption, Opt, OptionData};
use pdns_packet::text::Text;

use crate::draft::{Draft, Fragment, remember};
use crate::json;

/// How many beginnings are remembered; a power of two.
const REMEMBERED: usize = 8;

/// The beginning of the object, for those seen last: there are few.
#[derive(Clone, Debug)]
pub(crate) struct Fragments([(u32, Fragment<64>); REMEMBERED]);

impl Default for Fragments {
    fn default() -> Self {
        // No OPT has such a number, which leaves bits unused.
        Self([(u32::MAX, Fragment::EMPTY); REMEMBERED])
    }
}

impl Fragments {
    /// Appends the object of an OPT record.
    #[inline]
    pub(crate) fn write(&mut self, opt: &Opt<'_>, out: &mut Draft) {
        let number = u32::from(opt.udp_size()) | u32::from(opt.version()) << 16 | u32::from(opt.dnssec_ok()) << 24;
        let place = number.wrapping_mul(0x9e37_79b9) >> (u32::BITS - REMEMBERED.ilog2());
        let (known, text) = &mut self.0[place as usize % REMEMBERED];
        if *known == number {
            out.fragment(text);
        } else {
            let start = out.len();
            write_fields(opt, out);
            remember((known, text), number, out.text_from(start));
        }
        if opt.has_options() {
            write_options(opt, out);
        }
        out.plain(b"}");
    }
}

#[cold]
fn write_fields(opt: &Opt<'_>, out: &mut Draft) {
    out.number_field(b",\"edns\":{\"version\":", u64::from(opt.version()));
    out.number_field(b",\"udp_size\":", u64::from(opt.udp_size()));
    out.plain(if opt.dnssec_ok() { b",\"do\":true" } else { b",\"do\":false" });
}

fn write_options(opt: &Opt<'_>, out: &mut Draft) {
    let mut separator: &[u8] = b",\"options\":[";
    // What follows a broken option cannot be read; `malformed` says so.
    for option in opt.options().map_while(Result::ok) {
        out.plain(separator);
        write_option(&option, out);
        separator = b",";
    }
    if separator == b"," {
        out.plain(b"]");
    }
}

fn write_option(option: &EdnsOption<'_>, out: &mut Draft) {
    out.number_field(b"{\"code\":", u64::from(option.code.0));
    if let Some(name) = option.code.mnemonic() {
        quoted(out, b",\"name\":\"", |out| out.plain(name.as_bytes()));
    }
    match option.decode() {
        OptionData::ClientSubnet(subnet) => {
            quoted(out, b",\"address\":\"", |out| out.ip(subnet.address));
            out.number_field(b",\"source_prefix\":", u64::from(subnet.source));
            out.number_field(b",\"scope_prefix\":", u64::from(subnet.scope));
        }
        OptionData::Nsid(id) => {
            quoted(out, b",\"data\":\"", |out| out.lower_hex(id));
            if !id.is_empty() && id.iter().all(|byte| matches!(byte, b' '..=b'~')) {
                quoted(out, b",\"text\":\"", |out| json::untrusted(out, id));
            }
        }
        OptionData::Cookie(cookie) => {
            quoted(out, b",\"client\":\"", |out| out.lower_hex(cookie.client));
            if !cookie.server.is_empty() {
                quoted(out, b",\"server\":\"", |out| out.lower_hex(cookie.server));
            }
        }
        OptionData::ExtendedError(error) => {
            out.number_field(b",\"info_code\":", u64::from(error.code.0));
            if let Some(name) = error.code.mnemonic() {
                quoted(out, b",\"info_name\":\"", |out| out.plain(name.as_bytes()));
            }
            if !error.text.is_empty() {
                quoted(out, b",\"extra_text\":\"", |out| json::untrusted(out, error.text));
            }
        }
        OptionData::Padding(length) => out.number_field(b",\"length\":", length as u64),
        OptionData::TcpKeepalive(Some(units)) => {
            out.number_field(b",\"timeout_ms\":", u64::from(units) * 100);
        }
        OptionData::TcpKeepalive(None) => {}
        OptionData::Raw(data) => quoted(out, b",\"data\":\"", |out| out.lower_hex(data)),
    }
    out.plain(b"}");
}

fn quoted(out: &mut Draft, key: &[u8], write: impl FnOnce(&mut Draft)) {
    out.plain(key);
    write(out);
    out.plain(b"\"");
}
