//! Queries and responses, put together.

mod key;
mod ring;
mod table;

use pdns_packet::dns::MAX_NAME_LEN;
use pdns_packet::frame::Flow;
use pdns_packet::time::Timestamp;

use crate::config::PairingConfig;
use crate::stats::PairingStats;
use crate::transaction::{Consumer, Observed, Status, Transaction, Transport};
use key::{FlowKey, QuestionKey};
use table::{State, Table, Wanted};

/// Pairs every response with its query.
///
/// A response belongs to the oldest outstanding query with the same client, server, ports, transport, VLANs, message id
/// and opcode that asks the same question; a response without a question, to the oldest with the rest. Time-outs are
/// exact in capture time: whatever is due is handed out before the next message is looked at.
///
/// When there are more messages than [`PairingConfig::max_messages`] or [`PairingConfig::max_bytes`] allow, the oldest
/// ends early: first a query already answered (its duplicates become orphans), then an outstanding query (as
/// unanswered), then a held response (as an orphan). Each is counted.
#[derive(Debug)]
pub struct Pairing {
    config: PairingConfig,
    table: Table,
    stats: PairingStats,
}

/// A message on its way into [`Pairing`].
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// From whom to whom.
    pub flow: &'a Flow,
    /// What carried it.
    pub transport: Transport,
    /// The message itself.
    pub observed: Observed<'a>,
}

impl Pairing {
    /// An empty table.
    pub fn new(config: PairingConfig) -> Self {
        Self { config, table: Table::new(), stats: PairingStats::default() }
    }

    /// Counters since the start.
    pub const fn stats(&self) -> &PairingStats {
        &self.stats
    }

    /// How many messages are waiting: outstanding queries, held responses, and queries kept to tell duplicates.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no message is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes one message at the time `now` of the clock.
    pub fn message(&mut self, now: Timestamp, arrival: &Arrival<'_>, out: &mut impl Consumer) {
        self.advance(now, out);
        let message = &arrival.observed.message;
        let mut buffer = [0; MAX_NAME_LEN + 4];
        let key = FlowKey::new(arrival.flow, arrival.transport, message.header(), self.config.ignore_vlan);
        let wanted = self.table.wanted(key, QuestionKey::of(message, &mut buffer));
        if message.header().is_response() {
            self.response(now, arrival, &wanted, out);
        } else {
            self.query(now, arrival, &wanted, out);
        }
    }

    /// Hands out everything that is due at `now`.
    pub fn advance(&mut self, now: Timestamp, out: &mut impl Consumer) {
        while let Some(index) = self.due(State::Held, now) {
            self.end_alone(index, out);
        }
        while let Some(index) = self.due(State::Outstanding, now) {
            self.end_alone(index, out);
        }
        while let Some(index) = self.due(State::Answered, now) {
            self.table.remove(index);
        }
    }

    /// The end of the capture: hands out everything that still waits.
    pub fn finish(&mut self, out: &mut impl Consumer) {
        self.advance(Timestamp::MAX, out);
    }

    fn query(&mut self, now: Timestamp, arrival: &Arrival<'_>, wanted: &Wanted<'_>, out: &mut impl Consumer) {
        self.stats.queries += 1;
        if let Some(index) = self.table.find(wanted, State::Outstanding) {
            self.stats.retransmissions += 1;
            self.table.entry_mut(index).retransmits += 1;
            return;
        }
        if let Some(index) = self.find_held(wanted) {
            return self.answer_from_held(now, arrival, wanted, index, out);
        }
        if let Some(index) = self.table.find(wanted, State::Answered) {
            self.table.remove(index);
        }
        let deadline = after(now, self.config.query_timeout);
        self.insert(arrival, wanted, State::Outstanding, deadline, out);
    }

    fn response(&mut self, now: Timestamp, arrival: &Arrival<'_>, wanted: &Wanted<'_>, out: &mut impl Consumer) {
        self.stats.responses += 1;
        if let Some(index) = self.find_query(wanted, State::Outstanding) {
            self.end(index, Status::Answered, arrival, out);
            if self.config.duplicate_window > 0 {
                self.table.change(index, State::Answered, after(now, self.config.duplicate_window));
            } else {
                self.table.remove(index);
            }
        } else if let Some(index) = self.find_query(wanted, State::Answered) {
            self.end(index, Status::Duplicate, arrival, out);
        } else if self.config.skew_timeout > 0 {
            let deadline = after(now, self.config.skew_timeout);
            self.insert(arrival, wanted, State::Held, deadline, out);
        } else {
            self.stats.count(Status::Orphan);
            out.transaction(&alone(arrival, Status::Orphan, wanted.key));
        }
    }

    /// The query in `state` that a response is for.
    fn find_query(&mut self, wanted: &Wanted<'_>, state: State) -> Option<u32> {
        if wanted.question.is_empty() { self.table.find_flow(wanted, state) } else { self.table.find(wanted, state) }
    }

    /// The held response that a query has been waited for by: with its question, or with none.
    fn find_held(&mut self, wanted: &Wanted<'_>) -> Option<u32> {
        self.table.oldest(State::Held)?;
        self.table.find(wanted, State::Held).or_else(|| self.table.find_without_question(wanted, State::Held))
    }

    /// A query whose responses were seen first: the oldest answers it, the others are duplicates.
    fn answer_from_held(
        &mut self,
        now: Timestamp,
        arrival: &Arrival<'_>,
        wanted: &Wanted<'_>,
        first: u32,
        out: &mut impl Consumer,
    ) {
        let mut status = Status::Answered;
        let mut next = Some(first);
        while let Some(index) = next {
            let response = self.table.entry(index).observed();
            let transaction = Transaction { response, ..alone(arrival, status, wanted.key) };
            self.stats.count(status);
            out.transaction(&transaction);
            self.table.remove(index);
            status = Status::Duplicate;
            next = self.find_held(wanted);
        }
        if self.config.duplicate_window > 0 {
            let deadline = after(now, self.config.duplicate_window);
            self.insert(arrival, wanted, State::Answered, deadline, out);
        }
    }

    fn insert(
        &mut self,
        arrival: &Arrival<'_>,
        wanted: &Wanted<'_>,
        state: State,
        deadline: Timestamp,
        out: &mut impl Consumer,
    ) {
        self.make_room(arrival.observed.message.bytes().len(), out);
        self.table.insert(wanted, state, arrival.flow.vlan, deadline, &arrival.observed);
    }

    fn make_room(&mut self, bytes: usize, out: &mut impl Consumer) {
        while self.table.len() >= self.config.max_messages.max(1)
            || self.table.bytes() + bytes > self.config.max_bytes && self.table.len() > 0
        {
            if let Some(index) = self.table.oldest(State::Answered) {
                self.stats.evicted_answered += 1;
                self.table.remove(index);
                continue;
            }
            let Some(index) = self.table.oldest(State::Outstanding).or_else(|| self.table.oldest(State::Held)) else {
                return;
            };
            match self.table.entry(index).state {
                State::Held => self.stats.evicted_responses += 1,
                _ => self.stats.evicted_queries += 1,
            }
            self.end_alone(index, out);
        }
    }

    fn due(&self, state: State, now: Timestamp) -> Option<u32> {
        self.table.oldest(state).filter(|&index| self.table.entry(index).deadline <= now)
    }

    /// Ends the query at `index` with the response that has arrived.
    fn end(&mut self, index: u32, status: Status, arrival: &Arrival<'_>, out: &mut impl Consumer) {
        self.stats.count(status);
        let entry = self.table.entry(index);
        let retransmits = if status == Status::Answered { entry.retransmits } else { 0 };
        out.transaction(&Transaction {
            query: entry.observed(),
            vlan: entry.vlan,
            retransmits,
            response: Some(arrival.observed),
            ..alone(arrival, status, entry.key)
        });
    }

    /// Ends what waits at `index` without its counterpart.
    fn end_alone(&mut self, index: u32, out: &mut impl Consumer) {
        let entry = self.table.entry(index);
        let held = entry.state == State::Held;
        let status = if held { Status::Orphan } else { Status::Unanswered };
        let (query, response) = if held { (None, entry.observed()) } else { (entry.observed(), None) };
        self.stats.count(status);
        out.transaction(&Transaction {
            status,
            client: entry.key.client,
            client_port: entry.key.client_port,
            server: entry.key.server,
            server_port: entry.key.server_port,
            transport: entry.key.transport,
            vlan: entry.vlan,
            query,
            response,
            retransmits: entry.retransmits,
        });
        self.table.remove(index);
    }
}

/// The transaction that an arriving message would be without a counterpart.
fn alone<'a>(arrival: &Arrival<'a>, status: Status, key: FlowKey) -> Transaction<'a> {
    let is_response = arrival.observed.message.header().is_response();
    Transaction {
        status,
        client: key.client,
        client_port: key.client_port,
        server: key.server,
        server_port: key.server_port,
        transport: key.transport,
        vlan: arrival.flow.vlan,
        query: (!is_response).then_some(arrival.observed),
        response: is_response.then_some(arrival.observed),
        retransmits: 0,
    }
}

/// When a time-out that starts now has passed: a message that comes after exactly that time is still in time.
fn after(now: Timestamp, nanos: i64) -> Timestamp {
    now.plus(nanos).plus(1)
}
