//! What is to be done about each error of the client: try again, send less, give the records up, or call for a person.

use rskafka::BackoffError;
use rskafka::ConnectionError;
use rskafka::client::error::{Error, ProtocolError};

use crate::{Failure, Outcome, Partly};

/// What became of records, and whether the connection may be used again.
#[derive(Debug)]
pub(super) struct Verdict {
    pub outcome: Outcome,
    pub is_connection_good: bool,
}

/// What an error of a request means for its records.
pub(super) fn of(error: &Error) -> Verdict {
    match innermost(error) {
        Error::ServerError { protocol_error, error_message, .. } => {
            let message = error_message.as_deref().filter(|message| !message.is_empty());
            of_code(*protocol_error, message)
        }
        _ => {
            let text = text(error);
            let failure = Failure::new(text.clone());
            let outcome = if needs_a_person(&text) { Outcome::Stop(failure) } else { Outcome::Retry(failure) };
            Verdict { outcome, is_connection_good: false }
        }
    }
}

/// The code in the broker's answer, when there was one.
pub(super) fn code(error: &Error) -> Option<ProtocolError> {
    match innermost(error) {
        Error::ServerError { protocol_error, .. } => Some(*protocol_error),
        _ => None,
    }
}

/// What a code in the broker's answer means.
fn of_code(code: ProtocolError, message: Option<&str>) -> Verdict {
    use ProtocolError as E;
    let reason = match code {
        E::UnknownTopicOrPartition => "the broker knows no such topic or partition".to_owned(),
        E::TopicAuthorizationFailed => "not authorised to write to the topic".to_owned(),
        E::ClusterAuthorizationFailed => "not authorised to use the cluster".to_owned(),
        E::MessageTooLarge | E::RecordListTooLarge => "the batch is larger than the broker takes".to_owned(),
        E::RequestTimedOut => "the brokers did not write the batch in time".to_owned(),
        E::NotEnoughReplicas | E::NotEnoughReplicasAfterAppend => "too few replicas are in sync".to_owned(),
        code => format!("the broker answers {code}"),
    };
    let failure = Failure::new(match message {
        Some(message) => format!("{reason}: {message}"),
        None => reason,
    });
    let outcome = match code {
        E::MessageTooLarge | E::RecordListTooLarge => Outcome::Split(failure),
        // One record can be the reason, or all of them; halves will show.
        E::InvalidRecord | E::InvalidTimestamp => Outcome::Split(failure),
        E::TopicAuthorizationFailed
        | E::ClusterAuthorizationFailed
        | E::SaslAuthenticationFailed
        | E::UnsupportedSaslMechanism
        | E::IllegalSaslState
        | E::SecurityDisabled
        | E::InvalidTopicException
        | E::InvalidRequiredAcks
        | E::UnsupportedCompressionType
        | E::UnsupportedForMessageFormat
        | E::UnsupportedVersion
        | E::PolicyViolation => Outcome::Stop(failure),
        E::UnknownServerError | E::CorruptMessage => Outcome::Retry(failure.suspect()),
        _ => Outcome::Retry(failure),
    };
    // A broker that no longer leads the partition, or does not know it, is not asked again by its old address.
    let is_connection_good = !matches!(
        code,
        E::UnknownTopicOrPartition
            | E::NotLeaderOrFollower
            | E::LeaderNotAvailable
            | E::FencedLeaderEpoch
            | E::NetworkException
            | E::KafkaStorageError
            | E::BrokerNotAvailable
            | E::ReplicaNotAvailable
    );
    Verdict { outcome, is_connection_good }
}

/// The error that the client tried again for until its time was over.
fn innermost(error: &Error) -> &Error {
    match error {
        Error::RetryFailed(BackoffError::DeadlineExceded { source, .. }) => {
            source.downcast_ref().map_or(error, innermost)
        }
        error => error,
    }
}

/// What is wrong, without the client's words about its own tries.
fn text(error: &Error) -> String {
    let text = match innermost(error) {
        Error::Connection(ConnectionError::RetryFailed(BackoffError::DeadlineExceded { source, .. }))
        | Error::RetryFailed(BackoffError::DeadlineExceded { source, .. }) => source.to_string(),
        Error::Connection(error) => error.to_string(),
        Error::Request(error) => error.to_string(),
        other => other.to_string(),
    };
    plain(&text)
}

/// The client's text without its headings. Of connections it says `error connecting to broker "HOST:PORT": IO Error: ...`,
/// and the place is said by whoever asks.
fn plain(text: &str) -> String {
    const HEADINGS: [&str; 8] = [
        "error getting cluster metadata: ",
        "cannot sync versions: ",
        "Request error: ",
        "Connection is poisoned: ",
        "Cannot read framed message: ",
        "Cannot read data: ",
        "Cannot read/write data: ",
        "IO Error: ",
    ];
    let mut text = match text.strip_prefix("error connecting to broker \"").and_then(|rest| rest.split_once("\": ")) {
        Some((_, reason)) => reason,
        None => text,
    };
    while let Some(rest) = HEADINGS.iter().find_map(|heading| text.strip_prefix(heading)) {
        text = rest;
    }
    if let Some(reason) = text.strip_prefix("Sasl handshake failed: ") {
        return format!("login failed: {}", reason.trim_start_matches("API error: "));
    }
    let hint = match text {
        "received fatal alert: BadCertificate" | "received fatal alert: CertificateRequired" => {
            "; the broker may want a certificate of ours"
        }
        "tls handshake eof" => "; the port may be one without TLS",
        _ => "",
    };
    format!("{text}{hint}")
}

/// Whether an error stays until somebody changes settings or certificates. The client has no types for it.
fn needs_a_person(text: &str) -> bool {
    ["login failed", "certificate", "fatal alert", "Invalid Hostname"].iter().any(|sign| text.contains(sign))
}

/// What became of a batch whose pieces, named by the places of their records, have their own outcomes.
pub(super) fn together(pieces: Vec<(Vec<usize>, Outcome)>) -> Outcome {
    let is_delivered = |outcome: &Outcome| *outcome == Outcome::Delivered;
    if pieces.iter().all(|(_, outcome)| is_delivered(outcome)) {
        return Outcome::Delivered;
    }
    let is_alike = pieces.windows(2).all(|pair| kind(&pair[0].1) == kind(&pair[1].1));
    let is_any_settled =
        pieces.iter().any(|(_, outcome)| is_delivered(outcome) || matches!(outcome, Outcome::Refused(_)));
    if is_alike || !is_any_settled {
        let worst = pieces.into_iter().map(|(_, outcome)| outcome).max_by_key(kind);
        return worst.unwrap_or(Outcome::Delivered);
    }
    let mut partly = Partly::default();
    for (places, outcome) in pieces {
        match outcome {
            Outcome::Refused(failure) => {
                partly.refused.extend(places.into_iter().map(|place| (place, failure.reason.clone())));
            }
            Outcome::Retry(failure) | Outcome::Split(failure) | Outcome::Stop(failure) => {
                partly.again.extend(places);
                partly.reason.get_or_insert(failure);
            }
            _ => {}
        }
    }
    partly.refused.sort_unstable();
    partly.again.sort_unstable();
    Outcome::Partly(partly)
}

/// How grave an outcome is.
const fn kind(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Refused(_) => 1,
        Outcome::Split(_) => 2,
        Outcome::Retry(_) => 3,
        Outcome::Stop(_) => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: &str) -> Failure {
        Failure::new(reason)
    }

    #[test]
    fn records_of_a_piece_share_its_fate() {
        let outcome = together(vec![
            (vec![1, 4], Outcome::Delivered),
            (vec![2, 5], Outcome::Retry(failure("busy"))),
            (vec![0], Outcome::Refused(failure("never"))),
            (vec![3], Outcome::Split(failure("large"))),
        ]);
        let expected = Partly {
            refused: vec![(0, "never".to_owned())],
            again: vec![2, 3, 5],
            reason: Some(failure("busy")),
            ..Partly::default()
        };
        assert_eq!(outcome, Outcome::Partly(expected));
    }

    #[test]
    fn pieces_of_one_fate_are_one() {
        let pieces = |outcomes: [Outcome; 2]| together(outcomes.map(|outcome| (vec![0], outcome)).to_vec());
        let (retry, split) = (Outcome::Retry(failure("busy")), Outcome::Split(failure("large")));
        let stop = Outcome::Stop(failure("not authorised"));
        assert_eq!(pieces([Outcome::Delivered, Outcome::Delivered]), Outcome::Delivered);
        assert_eq!(pieces([split.clone(), split.clone()]), split);
        assert_eq!(pieces([split, retry.clone()]), retry, "nothing was taken, so all goes again");
        assert_eq!(pieces([retry, stop.clone()]), stop);
    }

    #[test]
    fn codes_of_the_broker_are_sorted() {
        use ProtocolError as E;
        let sorted = |code| match of_code(code, None).outcome {
            Outcome::Retry(failure) => {
                if failure.is_suspect {
                    "suspect"
                } else {
                    "retry"
                }
            }
            Outcome::Split(_) => "split",
            Outcome::Stop(_) => "stop",
            outcome => panic!("{outcome:?}"),
        };
        for code in [
            E::RequestTimedOut,
            E::NotEnoughReplicas,
            E::KafkaStorageError,
            E::ThrottlingQuotaExceeded,
            E::Unknown(999),
        ] {
            assert_eq!(sorted(code), "retry", "{code:?}");
        }
        for code in [E::UnknownServerError, E::CorruptMessage] {
            assert_eq!(sorted(code), "suspect", "{code:?}");
        }
        for code in [E::MessageTooLarge, E::RecordListTooLarge, E::InvalidRecord] {
            assert_eq!(sorted(code), "split", "{code:?}");
        }
        for code in [E::TopicAuthorizationFailed, E::UnsupportedCompressionType, E::InvalidTopicException] {
            assert_eq!(sorted(code), "stop", "{code:?}");
        }
    }

    #[test]
    fn headings_of_the_client_are_left_out() {
        for (text, shown) in [
            (
                "error connecting to broker \"kafka:1\": IO Error: Connection refused (os error 111)",
                "Connection refused (os error 111)",
            ),
            (
                "Request error: Connection is poisoned: Cannot read framed message: Cannot read data: early eof",
                "early eof",
            ),
            (
                "Sasl handshake failed: API error: SASL Authentication failed",
                "login failed: SASL Authentication failed",
            ),
            ("tls handshake eof", "tls handshake eof; the port may be one without TLS"),
            ("something else: of another form", "something else: of another form"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }
}
