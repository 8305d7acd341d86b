//! What the Kerberos library says of what it does, where its errors say too little.
//!
//! It calls every failure to get a first ticket "No credentials cache found". Its trace has the KDC's own word.

use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio::task::JoinHandle;

use super::GssError;

/// How much of a trace is kept: that of a whole run with some servers.
const MAX_LEN: u64 = 1 << 18;

/// "No credentials cache found", for whatever reason.
const NO_CACHE: i32 = -1_765_328_189;
/// "Additional pre-authentication required" is how every KDC begins.
const PREAUTH_REQUIRED: i32 = -1_765_328_359;

/// Reads a trace to its end.
pub(super) fn collect(errors: ChildStderr) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut trace = Vec::new();
        let mut errors = errors.take(MAX_LEN);
        // What came before an error is all there is.
        errors.read_to_end(&mut trace).await.ok();
        // The rest has to go somewhere, or the helper waits for it.
        tokio::io::copy(errors.get_mut(), &mut tokio::io::sink()).await.ok();
        String::from_utf8_lossy(&trace).into_owned()
    })
}

/// The error, or a better one from the trace.
pub(super) fn improve(error: GssError, trace: &str) -> GssError {
    let GssError::Kerberos { minor, text } = error else { return error };
    if let Some((minor, text)) = trace.lines().filter_map(kdc_error).rfind(|(minor, _)| *minor != PREAUTH_REQUIRED) {
        return GssError::Kerberos { minor, text: text.to_owned() };
    }
    if minor != NO_CACHE {
        return GssError::Kerberos { minor, text };
    }
    let text = if trace.contains("AS key obtained") || trace.contains("Decrypted AS reply") {
        "the KDC's answer does not fit the key in the keytab: the password was changed since; export the keytab anew"
    } else if trace.contains("Sending request") && !trace.contains("Received answer") {
        "no KDC answers"
    } else {
        return GssError::Kerberos { minor, text };
    };
    GssError::Kerberos { minor, text: text.to_owned() }
}

/// The number and the words of a KDC's error in a line.
fn kdc_error(line: &str) -> Option<(i32, &str)> {
    let after = |words| line.split_once(words).map(|(_, error)| error);
    let (number, text) =
        after("Received error from KDC: ").or_else(|| after("TGS request result: "))?.split_once('/')?;
    let number = number.parse().ok().filter(|&number| number != 0)?;
    Some((number, text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn improved(minor: i32, trace: &str) -> String {
        improve(GssError::Kerberos { minor, text: "No credentials cache found".to_owned() }, trace).to_string()
    }

    #[test]
    fn the_last_word_of_the_kdc_is_told() {
        let trace = "[1] 1.2: Received error from KDC: -1765328359/Additional pre-authentication required\n\
            [1] 1.3: Received error from KDC: -1765328378/Client not found in Kerberos database\n[1] 1.4: and so on\n";
        assert_eq!(improved(NO_CACHE, trace), "Client not found in Kerberos database (Kerberos error -1765328378)");
        assert_eq!(
            improved(NO_CACHE, trace.lines().next().unwrap()),
            "No credentials cache found (Kerberos error -1765328189)"
        );
    }

    #[test]
    fn the_number_of_a_missing_ticket_is_the_kdc_s() {
        let trace = "[1] 1.2: TGS request result: 0/Success\n\
            [1] 1.3: TGS request result: -1765328377/Server DNS/x@R not found in Kerberos database\n";
        assert_eq!(
            improved(100_005, trace),
            "Server DNS/x@R not found in Kerberos database (Kerberos error -1765328377)"
        );
    }

    #[test]
    fn a_key_that_does_not_fit_is_told() {
        let trace = "[1] 1.2: Sending request (179 bytes) to TEST.LAN\n[1] 1.3: Received answer (780 bytes)\n\
            [1] 1.4: AS key obtained from gak_fct: aes256-cts/31DC\n";
        assert!(improved(NO_CACHE, trace).starts_with("the KDC's answer does not fit the key in the keytab"));
        assert!(improved(-1, trace).starts_with("No credentials cache found"));
        assert!(improved(NO_CACHE, "Sending request (1 bytes) to X\n").starts_with("no KDC answers"));
    }
}
