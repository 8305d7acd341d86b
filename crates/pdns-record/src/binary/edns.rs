//! The `edns` object: the fields of `crate::edns`, in the same order.

use pdns_packet::dns::{EdnsOption, Opt, OptionData};
use pdns_packet::text::Text;

use super::map::Map;
use super::{Form, write_lossy};

pub(super) fn write<F: Form>(opt: &Opt<'_>, out: &mut Vec<u8>) {
    Map::<F>::write(out, |fields| {
        fields.number("version", opt.version());
        fields.number("udp_size", opt.udp_size());
        fields.boolean("do", opt.dnssec_ok());
        // What follows a broken option cannot be read; `malformed` says so.
        let options = opt.options().map_while(Result::ok);
        fields.list("options", options, |out, option| Map::<F>::write(out, |fields| write_option(&option, fields)));
    });
}

/// The values that an option may have. Each has its place; most have none of them.
#[derive(Default)]
struct Values<'a> {
    subnet: Option<pdns_packet::dns::ClientSubnet>,
    data: Option<&'a [u8]>,
    text: Option<&'a [u8]>,
    client: Option<&'a [u8]>,
    server: Option<&'a [u8]>,
    info_code: Option<pdns_packet::dns::EdeCode>,
    extra_text: Option<&'a [u8]>,
    length: Option<u32>,
    timeout_ms: Option<u32>,
}

impl<'a> Values<'a> {
    fn of(option: &EdnsOption<'a>) -> Self {
        let none = Self::default();
        match option.decode() {
            OptionData::ClientSubnet(subnet) => Self { subnet: Some(subnet), ..none },
            OptionData::Nsid(id) => {
                let is_text = !id.is_empty() && id.iter().all(|byte| matches!(byte, b' '..=b'~'));
                Self { data: Some(id), text: is_text.then_some(id), ..none }
            }
            OptionData::Cookie(cookie) => {
                let server = Some(cookie.server).filter(|server| !server.is_empty());
                Self { client: Some(cookie.client), server, ..none }
            }
            OptionData::ExtendedError(error) => {
                let extra_text = Some(error.text).filter(|text| !text.is_empty());
                Self { info_code: Some(error.code), extra_text, ..none }
            }
            // An option is no longer than its 16-bit length says.
            OptionData::Padding(length) => Self { length: Some(length as u32), ..none },
            OptionData::TcpKeepalive(units) => Self { timeout_ms: units.map(|units| u32::from(units) * 100), ..none },
            OptionData::Raw(data) => Self { data: Some(data), ..none },
        }
    }
}

fn write_option<F: Form>(option: &EdnsOption<'_>, fields: &mut Map<'_, F>) {
    let values = Values::of(option);
    let name = |out: &mut Vec<u8>, name: &str| out.extend_from_slice(name.as_bytes());
    let hex = |out: &mut Vec<u8>, bytes: &[u8]| out.lower_hex(bytes);
    let lossy = |out: &mut Vec<u8>, bytes: &[u8]| write_lossy(bytes, out);
    fields.number("code", option.code.0);
    fields.optional_text("name", option.code.mnemonic(), name);
    fields.optional_text("address", values.subnet, |out, subnet| out.ip(subnet.address));
    fields.optional_number("source_prefix", values.subnet.map(|subnet| subnet.source));
    fields.optional_number("scope_prefix", values.subnet.map(|subnet| subnet.scope));
    fields.optional_text("data", values.data, hex);
    fields.optional_text("text", values.text, lossy);
    fields.optional_text("client", values.client, hex);
    fields.optional_text("server", values.server, hex);
    fields.optional_number("info_code", values.info_code.map(|code| code.0));
    fields.optional_text("info_name", values.info_code.and_then(|code| code.mnemonic()), name);
    fields.optional_text("extra_text", values.extra_text, lossy);
    fields.optional_number("length", values.length);
    fields.optional_number("timeout_ms", values.timeout_ms);
}
