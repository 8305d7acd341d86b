//! The process that the Kerberos library runs in, and how it is talked to.
//!
//! One request, one answer, each a byte that says what it is, the length of what follows in four bytes, and that.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::ffi::{Context, Gss};
use super::{GssError, Settings, trace};

/// The program that runs [`serve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    /// The program.
    pub program: PathBuf,
    /// What it is called with.
    pub arguments: Vec<OsString>,
}

/// What the helper is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Begin: principal, keytab and service with a zero byte between them.
    Begin = 1,
    /// Take the server's token.
    Step = 2,
    /// Sign the message.
    Sign = 3,
    /// Verify: the length of the signature in four bytes, the signature, the message.
    Verify = 4,
}

/// What the helper answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Done; a token, a signature, or nothing.
    Done = 0,
    /// A token, and the server's next one is needed.
    More = 1,
    /// The signature is wrong.
    No = 2,
    /// An error of Kerberos: its number in four bytes, its text.
    Failed = 3,
    /// The library is not there: why.
    NoLibrary = 4,
    /// Asked out of order.
    Protocol = 5,
}

/// No message here is longer than a DNS message and a signature.
const MAX_LEN: u32 = 1 << 18;

/// Answers requests on `input` until it ends: what a [`Helper`]'s program does, with its standard streams.
pub fn serve(mut input: impl Read, mut output: impl Write) -> ExitCode {
    let mut context = None;
    while let Ok(Some((ask, body))) = receive(&mut input) {
        let (answer, body) = respond(&mut context, ask, &body).unwrap_or_else(failure);
        if send(&mut output, answer, &body).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn respond(context: &mut Option<Context>, ask: u8, body: &[u8]) -> Result<(Answer, Vec<u8>), GssError> {
    if ask == Ask::Begin as u8 {
        let body = str::from_utf8(body).map_err(|_| GssError::Protocol)?;
        let mut parts = body.splitn(3, '\0');
        let (Some(principal), Some(keytab), Some(service)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(GssError::Protocol);
        };
        *context = Some(Gss::load()?.begin(principal, keytab, service)?);
        return step(context, &[]);
    }
    let verify = |context: &Context| {
        let (len, rest) = body.split_first_chunk().ok_or(GssError::Protocol)?;
        let (mic, message) = rest.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or(GssError::Protocol)?;
        Ok((if context.verify(message, mic)? { Answer::Done } else { Answer::No }, Vec::new()))
    };
    match (ask, &*context) {
        (ask, Some(_)) if ask == Ask::Step as u8 => step(context, body),
        (ask, Some(context)) if ask == Ask::Sign as u8 => Ok((Answer::Done, context.sign(body)?)),
        (ask, Some(context)) if ask == Ask::Verify as u8 => verify(context),
        _ => Err(GssError::Protocol),
    }
}

fn step(context: &mut Option<Context>, token: &[u8]) -> Result<(Answer, Vec<u8>), GssError> {
    let token = context.as_mut().ok_or(GssError::Protocol)?.step(token)?;
    Ok((if token.is_complete { Answer::Done } else { Answer::More }, token.token))
}

fn failure(error: GssError) -> (Answer, Vec<u8>) {
    match error {
        GssError::Kerberos { minor, text } => (Answer::Failed, [&minor.to_be_bytes(), text.as_bytes()].concat()),
        GssError::Library { problem } => (Answer::NoLibrary, problem.into_bytes()),
        GssError::Helper { .. } | GssError::Protocol => (Answer::Protocol, Vec::new()),
    }
}

fn receive(input: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; 5];
    if input.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut head[1..])?;
    let (kind, len) = split_head(head)?;
    let mut body = Vec::new();
    input.take(len).read_to_end(&mut body)?;
    Ok((body.len() as u64 == len).then_some((kind, body)))
}

fn send(output: &mut impl Write, answer: Answer, body: &[u8]) -> io::Result<()> {
    output.write_all(&frame(answer as u8, body))?;
    output.flush()
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32).to_be_bytes(), body].concat()
}

fn split_head([kind, len @ ..]: [u8; 5]) -> io::Result<(u8, u64)> {
    let len = u32::from_be_bytes(len);
    if len > MAX_LEN {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((kind, len.into()))
}

/// A helper that is running. It is killed when the value is dropped, whatever it is doing.
#[derive(Debug)]
pub(super) struct Running {
    /// Held for its end.
    _child: Child,
    /// None after an error, which ends the helper.
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// What the library says of what it does.
    trace: Option<JoinHandle<String>>,
}

impl Running {
    pub(super) fn start(settings: &Settings) -> Result<Self, GssError> {
        let mut command = Command::new(&settings.helper.program);
        command.args(&settings.helper.arguments).kill_on_drop(true);
        // Whatever the caller's own cache is, it is neither used nor changed.
        command.env("KRB5CCNAME", "MEMORY:dns-stamp").env("KRB5_TRACE", "/dev/stderr");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| helper(format!("cannot be started: {error}")))?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(helper("has no pipes".to_owned()));
        };
        Ok(Self { _child: child, input: Some(input), output, trace: Some(trace::collect(errors)) })
    }

    /// Asks, and waits for the answer: there may be none for long.
    pub(super) async fn ask(&mut self, ask: Ask, body: &[u8]) -> Result<(Answer, Vec<u8>), GssError> {
        let (answer, body) = self.exchange(ask, body).await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => helper("ended".to_owned()),
            _ => helper(format!("cannot be talked to: {error}")),
        })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match answer {
            0 => Ok((Answer::Done, body)),
            1 => Ok((Answer::More, body)),
            2 => Ok((Answer::No, body)),
            3 => {
                let (minor, words) = body.split_first_chunk().ok_or(GssError::Protocol)?;
                let error = GssError::Kerberos { minor: i32::from_be_bytes(*minor), text: text(words) };
                Err(trace::improve(error, &self.end().await))
            }
            4 => Err(GssError::Library { problem: text(&body) }),
            _ => Err(GssError::Protocol),
        }
    }

    /// Ends the helper, and returns its trace.
    async fn end(&mut self) -> String {
        /// It has nothing to do but to go.
        const PATIENCE: Duration = Duration::from_secs(1);
        self.input = None;
        let Some(trace) = self.trace.take() else { return String::new() };
        tokio::time::timeout(PATIENCE, trace).await.map_or_else(|_| String::new(), Result::unwrap_or_default)
    }

    async fn exchange(&mut self, ask: Ask, body: &[u8]) -> io::Result<(u8, Vec<u8>)> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(&frame(ask as u8, body)).await?;
        input.flush().await?;
        let mut head = [0; 5];
        self.output.read_exact(&mut head).await?;
        let (kind, len) = split_head(head)?;
        let mut body = Vec::new();
        (&mut self.output).take(len).read_to_end(&mut body).await?;
        if body.len() as u64 == len { Ok((kind, body)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

fn helper(problem: String) -> GssError {
    GssError::Helper { problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(asked: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        serve(asked, &mut output);
        output
    }

    #[test]
    fn what_is_asked_out_of_order_is_no_more_than_an_error() {
        let protocol = frame(Answer::Protocol as u8, &[]);
        for (ask, body) in
            [(Ask::Step, &b""[..]), (Ask::Sign, b"x"), (Ask::Verify, b"\0\0\0\x09"), (Ask::Begin, b"dns")]
        {
            assert_eq!(answers(&frame(ask as u8, body)), protocol, "{ask:?}");
        }
        assert_eq!(answers(&frame(9, b"")), protocol);
        assert_eq!(answers(&frame(Ask::Begin as u8, b"\xff\0\0")), protocol);
    }

    #[test]
    fn what_is_cut_off_or_too_long_ends_it() {
        for asked in [&b""[..], b"\x02", b"\x02\0\0\0\x02x", b"\x02\xff\xff\xff\xff"] {
            assert_eq!(answers(asked), b"", "{asked:?}");
        }
    }
}
