//! Where messages broke off, or what of them is left out: the `malformed` field.

use pdns_packet::dns::Message;
use pdns_packet::text::Text;
use pdns_track::Transaction;

use crate::draft::Draft;
use crate::shown::Shown;

/// Appends the `malformed` field, if there is anything to tell.
pub(crate) fn write(transaction: &Transaction<'_>, shown: &Shown, out: &mut Draft) {
    let mut messages = [transaction.query, transaction.response].into_iter().flatten();
    if messages.all(|observed| observed.message.malformed().is_none() && !observed.message.has_options())
        && !shown.is_cut()
    {
        return;
    }
    let mut separator = ",\"malformed\":\"";
    for damage in damages(transaction, shown) {
        out.plain(separator.as_bytes());
        out.plain(damage.as_bytes());
        separator = "; ";
    }
    if separator == "; " {
        out.plain(b"\"");
    }
}

/// Where messages broke off or are left out, one text for each. Damage is rare, so `Display` may cost what it costs; its text holds no
/// quote, backslash or control byte.
pub(crate) fn damages(transaction: &Transaction<'_>, shown: &Shown) -> impl Iterator<Item = String> {
    let messages = [("query", transaction.query), ("response", transaction.response)];
    let broken = messages.into_iter().filter_map(|(name, observed)| {
        let observed = observed?;
        let broken = damage(observed.message)?;
        let cut = if observed.missing > 0 {
            format!(" ({} bytes were not captured)", observed.missing)
        } else {
            String::new()
        };
        Some(format!("{name}: {broken}{cut}"))
    });
    broken.chain(shown.reason())
}

/// Where a message or its EDNS options broke off.
fn damage(message: &Message<'_>) -> Option<String> {
    if let Some(broken) = message.malformed() {
        return Some(broken.to_string());
    }
    if !message.has_options() {
        return None;
    }
    message.opt()?.options().find_map(Result::err).map(|error| error.to_string())
}
