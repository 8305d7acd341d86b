//! The `edns` object: RFC 6891, with the options that are worth reading decoded.

use pdns_packet::dns::{EdnsOption, Opt, OptionData};
use pdns_packet::text::Text;

use crate::json;

pub(crate) fn encode(opt: &Opt<'_>, out: &mut Vec<u8>) {
    json::number(out, b",\"edns\":{\"version\":", u64::from(opt.version()));
    json::number(out, b",\"udp_size\":", u64::from(opt.udp_size()));
    if opt.dnssec_ok() {
        out.extend_from_slice(b",\"do\":true");
    } else {
        out.extend_from_slice(b",\"do\":false");
    }
    let mut separator: &[u8] = b",\"options\":[";
    // What follows a broken option cannot be read; `malformed` says so.
    for option in opt.options().map_while(Result::ok) {
        out.extend_from_slice(separator);
        write_option(&option, out);
        separator = b",";
    }
    if separator == b"," {
        out.push(b']');
    }
    out.push(b'}');
}

fn write_option(option: &EdnsOption<'_>, out: &mut Vec<u8>) {
    json::number(out, b"{\"code\":", u64::from(option.code.0));
    if let Some(name) = option.code.mnemonic() {
        quoted(out, b",\"name\":\"", |out| out.extend_from_slice(name.as_bytes()));
    }
    match option.decode() {
        OptionData::ClientSubnet(subnet) => {
            quoted(out, b",\"address\":\"", |out| out.ip(subnet.address));
            json::number(out, b",\"source_prefix\":", u64::from(subnet.source));
            json::number(out, b",\"scope_prefix\":", u64::from(subnet.scope));
        }
        OptionData::Nsid(id) => {
            quoted(out, b",\"data\":\"", |out| json::hex(out, id));
            if !id.is_empty() && id.iter().all(|byte| matches!(byte, b' '..=b'~')) {
                quoted(out, b",\"text\":\"", |out| json::untrusted(out, id));
            }
        }
        OptionData::Cookie(cookie) => {
            quoted(out, b",\"client\":\"", |out| json::hex(out, cookie.client));
            if !cookie.server.is_empty() {
                quoted(out, b",\"server\":\"", |out| json::hex(out, cookie.server));
            }
        }
        OptionData::ExtendedError(error) => {
            json::number(out, b",\"info_code\":", u64::from(error.code.0));
            if let Some(name) = error.code.mnemonic() {
                quoted(out, b",\"info_name\":\"", |out| out.extend_from_slice(name.as_bytes()));
            }
            if !error.text.is_empty() {
                quoted(out, b",\"extra_text\":\"", |out| json::untrusted(out, error.text));
            }
        }
        OptionData::Padding(length) => json::number(out, b",\"length\":", length as u64),
        OptionData::TcpKeepalive(Some(units)) => {
            json::number(out, b",\"timeout_ms\":", u64::from(units) * 100);
        }
        OptionData::TcpKeepalive(None) => {}
        OptionData::Raw(data) => quoted(out, b",\"data\":\"", |out| json::hex(out, data)),
    }
    out.push(b'}');
}

fn quoted(out: &mut Vec<u8>, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(key);
    write(out);
    out.push(b'"');
}
