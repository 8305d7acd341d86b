//! Pairing against a naive model of its contract: one list of messages, searched from the front.

mod common;

use common::{Ask, Harness, MS, Part, START, Seen};
use pdns_packet::frame::VlanTags;
use pdns_track::{PairingConfig, SECOND, Transport};
use proptest::prelude::*;

/// What happens next.
#[derive(Clone, Debug)]
enum Action {
    /// A message: of which flow and question, and whether the question is left out.
    Send { ask: Ask, is_response: bool, bare: bool },
    /// Time passes, or steps back.
    Pass(i64),
    /// Time passes and everything due is asked for.
    Wake(i64),
}

/// A message that waits, as the model sees it.
#[derive(Clone, Debug)]
struct Waiting {
    kind: Kind,
    ask: Ask,
    /// The question without case; `None` when the message has none.
    question: Option<Vec<u8>>,
    part: Part,
    since: i64,
    retransmits: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Outstanding,
    Answered,
    Held,
}

/// The contract, word by word.
struct Model {
    config: PairingConfig,
    now: i64,
    /// In the order in which their time began.
    waiting: Vec<Waiting>,
    seen: Vec<Seen>,
    evicted: [u64; 3],
}

impl Model {
    fn new(config: PairingConfig) -> Self {
        Self { config, now: i64::MIN, waiting: Vec::new(), seen: Vec::new(), evicted: [0; 3] }
    }

    fn advance(&mut self, now: i64) {
        self.now = self.now.max(now);
        while let Some(index) = (0..self.waiting.len())
            .filter(|&index| self.is_over(&self.waiting[index]))
            .min_by_key(|&index| self.waiting[index].since)
        {
            let waiting = self.waiting.remove(index);
            self.end_alone(waiting);
        }
    }

    fn is_over(&self, waiting: &Waiting) -> bool {
        let limit = match waiting.kind {
            Kind::Outstanding => self.config.query_timeout,
            Kind::Answered => self.config.duplicate_window,
            Kind::Held => self.config.skew_timeout,
        };
        self.now - waiting.since > limit
    }

    fn end_alone(&mut self, waiting: Waiting) {
        match waiting.kind {
            Kind::Outstanding => self.end("unanswered", &waiting.ask, Some(&waiting), None),
            Kind::Held => self.end("orphan", &waiting.ask, None, Some(waiting.part.clone())),
            Kind::Answered => {}
        }
    }

    fn end(&mut self, status: &'static str, ask: &Ask, query: Option<&Waiting>, response: Option<Part>) {
        self.seen.push(Seen {
            status,
            client: (ask.client, ask.client_port),
            server: (ask.server, 53),
            transport: ask.transport.name(),
            vlan: query.map_or(ask.vlan, |query| query.ask.vlan).bits(),
            query: query.map(|query| query.part.clone()),
            response,
            retransmits: query.map_or(0, |query| if status == "duplicate" { 0 } else { query.retransmits }),
        });
    }

    fn same_flow(&self, mine: &Ask, theirs: &Ask) -> bool {
        (mine.client, mine.client_port, mine.server, mine.transport, mine.id, mine.opcode)
            == (theirs.client, theirs.client_port, theirs.server, theirs.transport, theirs.id, theirs.opcode)
            && (self.config.ignore_vlan || mine.vlan == theirs.vlan)
    }

    fn find(&self, kind: Kind, ask: &Ask, fits: impl Fn(&Option<Vec<u8>>) -> bool) -> Option<usize> {
        self.waiting
            .iter()
            .position(|waiting| waiting.kind == kind && self.same_flow(&waiting.ask, ask) && fits(&waiting.question))
    }

    fn find_last(&self, kind: Kind, ask: &Ask, fits: impl Fn(&Option<Vec<u8>>) -> bool) -> Option<usize> {
        self.waiting
            .iter()
            .rposition(|waiting| waiting.kind == kind && self.same_flow(&waiting.ask, ask) && fits(&waiting.question))
    }

    fn send(&mut self, now: i64, ask: &Ask, is_response: bool, bare: bool, part: Part) {
        self.advance(now);
        let question = (!bare).then(|| ask.question().to_ascii_lowercase());
        let arrived = Waiting { kind: Kind::Held, ask: ask.clone(), question, part, since: self.now, retransmits: 0 };
        if is_response { self.response(arrived) } else { self.query(arrived) }
    }

    fn query(&mut self, mut query: Waiting) {
        let same = |question: &Option<Vec<u8>>| *question == query.question;
        if let Some(index) = self.find(Kind::Outstanding, &query.ask, same) {
            self.waiting[index].retransmits += 1;
            return;
        }
        let mut status = "answered";
        while let Some(index) =
            self.find(Kind::Held, &query.ask, same).or_else(|| self.find(Kind::Held, &query.ask, Option::is_none))
        {
            let response = self.waiting.remove(index);
            self.end(status, &query.ask, Some(&query), Some(response.part));
            status = "duplicate";
        }
        query.kind = if status == "answered" { Kind::Outstanding } else { Kind::Answered };
        self.insert(query);
    }

    fn response(&mut self, response: Waiting) {
        let fits = |question: &Option<Vec<u8>>| response.question.is_none() || *question == response.question;
        if let Some(index) = self.find(Kind::Outstanding, &response.ask, fits) {
            let mut query = self.waiting.remove(index);
            self.end("answered", &response.ask, Some(&query), Some(response.part));
            query.kind = Kind::Answered;
            query.since = self.now;
            if self.config.duplicate_window > 0 {
                self.waiting.push(query);
            }
        } else if let Some(index) = self.find_last(Kind::Answered, &response.ask, fits) {
            let query = self.waiting[index].clone();
            self.end("duplicate", &response.ask, Some(&query), Some(response.part));
        } else if self.config.skew_timeout > 0 {
            self.insert(response);
        } else {
            self.end("orphan", &response.ask, None, Some(response.part));
        }
    }

    fn insert(&mut self, waiting: Waiting) {
        if waiting.kind == Kind::Answered && self.config.duplicate_window == 0 {
            return;
        }
        while self.waiting.len() >= self.config.max_messages {
            let of = |kind| self.waiting.iter().position(|waiting| waiting.kind == kind);
            let kinds = [Kind::Answered, Kind::Held, Kind::Outstanding];
            let (number, index) =
                (0..3).find_map(|number| Some((number, of(kinds[number])?))).expect("it is not empty");
            self.evicted[number] += 1;
            let oldest = self.waiting.remove(index);
            self.end_alone(oldest);
        }
        self.waiting.push(waiting);
    }

    fn finish(&mut self) {
        self.waiting.sort_by_key(|waiting| waiting.since);
        for waiting in std::mem::take(&mut self.waiting) {
            self.end_alone(waiting);
        }
    }
}

fn asks() -> impl Strategy<Value = Ask> {
    let names = prop::sample::select(vec!["", "a", "A", "b", "a@b", "a`b", "www.example", "WWW.eXample"]);
    (0..3u8, 0..2u16, 0..2u16, names, 0..2u16, prop::bool::weighted(0.1), prop::bool::weighted(0.1)).prop_map(
        |(client, port, id, qname, qtype, tagged, tcp)| {
            let mut ask = Ask { client_port: 40_000 + port, id, qtype: 1 + qtype, ..Ask::named(qname) };
            if client > 0 {
                ask.client = [192, 0, 2, client].into();
            }
            if tagged {
                ask.vlan = VlanTags::NONE.push(7).unwrap();
            }
            if tcp {
                ask.transport = Transport::Tcp;
            }
            ask
        },
    )
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    // Steps around every time-out there is, so that both sides of each are met often.
    let step = prop::sample::select(vec![
        0,
        1,
        MS,
        50 * MS,
        100 * MS,
        100 * MS + 1,
        SECOND,
        2 * SECOND,
        10 * SECOND,
        60 * SECOND,
    ]);
    let send = (asks(), any::<bool>(), prop::bool::weighted(0.15)).prop_map(|(ask, is_response, bare)| Action::Send {
        ask,
        is_response,
        bare,
    });
    let pass = step.clone().prop_map(Action::Pass);
    let back = step.clone().prop_map(|step| Action::Pass(-step));
    let wake = step.prop_map(Action::Wake);
    prop::collection::vec(prop_oneof![12 => send, 4 => pass, 1 => back, 1 => wake], 1..150)
}

fn configs() -> impl Strategy<Value = PairingConfig> {
    let windows = (prop::bool::weighted(0.9), prop::bool::weighted(0.9));
    (windows, any::<bool>(), prop_oneof![Just(1usize), Just(3), Just(1 << 20)]).prop_map(
        |((duplicates, skew), ignore_vlan, max_messages)| {
            let default = PairingConfig::default();
            PairingConfig {
                duplicate_window: if duplicates { default.duplicate_window } else { 0 },
                skew_timeout: if skew { default.skew_timeout } else { 0 },
                ignore_vlan,
                max_messages,
                ..default
            }
        },
    )
}

fn run(config: &PairingConfig, actions: &[Action]) -> Harness {
    let mut harness = Harness::new(config.clone());
    for action in actions {
        match action {
            Action::Send { ask, is_response, bare: false } => {
                harness.send(ask, *is_response, &ask.message(*is_response));
            }
            Action::Send { ask, is_response, bare: true } => {
                harness.send(ask, *is_response, &ask.with_questions(*is_response, 0, &[]));
            }
            Action::Pass(nanos) => harness.advance(*nanos),
            Action::Wake(nanos) => harness.wake_after(*nanos),
        }
    }
    harness.finish();
    harness
}

fn run_model(config: &PairingConfig, actions: &[Action]) -> Model {
    let mut model = Model::new(config.clone());
    let mut now = START;
    for action in actions {
        match action {
            Action::Send { ask, is_response, bare } => {
                let bytes = if *bare { ask.with_questions(*is_response, 0, &[]) } else { ask.message(*is_response) };
                let frame_len = 42 + bytes.len() as u32;
                model.send(now, ask, *is_response, *bare, (now, bytes, 0, frame_len));
            }
            Action::Pass(nanos) => now += nanos,
            Action::Wake(nanos) => {
                now += nanos;
                model.advance(now);
            }
        }
    }
    model.finish();
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_table_does_what_a_list_does(config in configs(), actions in actions()) {
        let mut harness = run(&config, &actions);
        let mut model = run_model(&config, &actions);
        let stats = harness.pairing.stats();
        prop_assert_eq!(model.evicted, [stats.evicted_answered, stats.evicted_responses, stats.evicted_queries]);
        let mut seen = harness.take();
        // Every table has a hash seed of its own, so the same order twice does not come of luck.
        prop_assert_eq!(&run(&config, &actions).take(), &seen);
        seen.sort();
        model.seen.sort();
        prop_assert_eq!(seen, model.seen);
    }
}

/// As many equal keys and as much growth as short sequences never have.
#[test]
fn a_long_run_does_what_a_list_does() {
    let mut state = 1u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let actions: Vec<_> = (0..6000)
        .map(|_| match random(10) {
            0 => Action::Pass(random(20) as i64 * MS),
            _ => {
                let mut ask = Ask { id: random(700) as u16, ..Ask::named(["a", "b", "c"][random(3) as usize]) };
                ask.client_port = 40_000 + random(2) as u16;
                Action::Send { ask, is_response: random(2) == 0, bare: random(20) == 0 }
            }
        })
        .collect();
    let config = PairingConfig { query_timeout: 40 * SECOND, skew_timeout: SECOND, ..PairingConfig::default() };
    let (mut seen, mut expected) = (run(&config, &actions).take(), run_model(&config, &actions).seen);
    seen.sort();
    expected.sort();
    assert!(seen == expected);
    assert!(
        ["answered", "unanswered", "orphan", "duplicate"]
            .iter()
            .all(|&status| seen.iter().any(|seen| seen.status == status))
    );
}
