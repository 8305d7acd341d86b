//! Queries and responses, put together.

mod answered;
mod guesses;
mod kept;
mod key;
mod ring;
mod table;
#[cfg(test)]
mod tests;

use pdns_packet::dns::Message;
use pdns_packet::frame::Flow;
use pdns_packet::time::Timestamp;

use crate::config::PairingConfig;
use crate::stats::PairingStats;
use crate::transaction::{Consumer, Observed, Status, Transaction, Transport};
use answered::Answered;
use kept::Kept;
use key::{FlowKey, QUESTION_BUFFER, QuestionKey};
use table::{Found, State, Table, Wanted};

/// Pairs every response with its query.
///
/// A response belongs to the oldest outstanding query with the same client, server, ports, transport, VLANs, message id
/// and opcode that asks the same question; a response without a question, to the oldest with the rest. Time-outs are
/// exact in capture time: whatever is due is handed out before the next message is looked at.
///
/// When there are more messages than [`PairingConfig::max_messages`] or [`PairingConfig::max_bytes`] allow, the oldest
/// ends early: first a query already answered (its duplicates become orphans), then a held response (as an orphan, which
/// it nearly always is: a flood of responses must not push queries out), then an outstanding query (as unanswered). Each
/// is counted.
#[derive(Debug)]
pub struct Pairing {
    config: PairingConfig,
    table: Table,
    answered: Answered,
    now: Timestamp,
    /// No deadline is before this moment.
    soonest: Timestamp,
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

/// What waits for a message.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'a> {
    wanted: Wanted<'a>,
    /// The oldest entry with its flow and question.
    found: Option<Found>,
}

impl Pairing {
    /// An empty table.
    pub fn new(mut config: PairingConfig) -> Self {
        // There is always room for one, and entries are numbered in 32 bits.
        config.max_messages = config.max_messages.clamp(1, u32::MAX as usize);
        Self {
            table: Table::new(config.max_messages),
            config,
            answered: Answered::new(),
            now: Timestamp::from_nanos(i64::MIN),
            soonest: Timestamp::MAX,
            stats: PairingStats::default(),
        }
    }

    /// Counters since the start.
    pub const fn stats(&self) -> &PairingStats {
        &self.stats
    }

    /// How many messages are waiting: outstanding queries, held responses, and queries kept to tell duplicates, these up to a
    /// 32nd of their time longer than they serve.
    pub fn len(&self) -> usize {
        self.table.len() + self.answered.len()
    }

    /// Whether no message is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of messages are waiting.
    pub const fn held_bytes(&self) -> usize {
        self.table.bytes() + self.answered.bytes()
    }

    /// Takes one message at the time `now` of the clock, which does not run backwards: an earlier one than the last
    /// counts as the last.
    pub fn message(&mut self, now: Timestamp, arrival: &Arrival<'_>, out: &mut impl Consumer) {
        self.advance(now, out);
        let Arrival { flow, transport, observed } = arrival;
        match &self.look_up(flow, *transport, observed.message) {
            Some(sought) => self.pair(arrival, sought, out),
            None => self.pair_compressed(arrival, out),
        }
    }

    /// Looks for what waits with the question of a message, whose records need not have been read. `None` when the question
    /// is compressed.
    #[inline]
    pub(crate) fn look_up<'a>(&self, flow: &Flow, transport: Transport, message: &Message<'a>) -> Option<Sought<'a>> {
        let question = QuestionKey::of(message)?;
        let key = FlowKey::new(flow, transport, message.header(), self.config.ignore_vlan);
        if message.header().is_response()
            && let Some((wanted, found)) = self.table.guess(key, question)
        {
            return Some(Sought { found: Some(found), wanted });
        }
        Some(self.seek(key, question))
    }

    #[inline]
    fn seek<'a>(&self, key: FlowKey, question: QuestionKey<'a>) -> Sought<'a> {
        let wanted = self.table.wanted(key, question);
        Sought { found: self.table.find(&wanted), wanted }
    }

    /// Takes a message that has a compressed question.
    #[cold]
    pub(crate) fn pair_compressed(&mut self, arrival: &Arrival<'_>, out: &mut impl Consumer) {
        let Arrival { flow, transport, observed } = arrival;
        let key = FlowKey::new(flow, *transport, observed.message.header(), self.config.ignore_vlan);
        let mut buffer = [0; QUESTION_BUFFER];
        let sought = self.seek(key, QuestionKey::uncompressed(observed.message, &mut buffer));
        self.pair(arrival, &sought, out);
    }

    /// Hands out everything that is due at `now`, in the order of the deadlines.
    #[inline]
    pub fn advance(&mut self, now: Timestamp, out: &mut impl Consumer) {
        self.now = self.now.max(now);
        if self.now >= self.soonest {
            self.expire(self.now, out);
        }
    }

    /// The end of the capture: hands out everything that still waits.
    pub fn finish(&mut self, out: &mut impl Consumer) {
        self.expire(Timestamp::MAX, out);
    }

    #[inline(never)]
    fn expire(&mut self, now: Timestamp, out: &mut impl Consumer) {
        if self.answered_due() <= now {
            self.answered.expire(now);
        }
        self.soonest = loop {
            let Some((deadline, index)) = self.next_due() else { break Timestamp::MAX };
            if deadline > now {
                break deadline;
            }
            self.end_alone(index, out);
        };
        self.soonest = self.soonest.min(self.answered_due());
    }

    /// When the next answered queries are to be forgotten.
    fn answered_due(&self) -> Timestamp {
        self.answered.deadline().map_or(Timestamp::MAX, |deadline| self.forgotten(deadline))
    }

    /// When an answered query is forgotten that is found no more from `deadline` on: a little later, since to forget many
    /// at once costs less than one with every packet.
    const fn forgotten(&self, deadline: Timestamp) -> Timestamp {
        deadline.plus(self.config.duplicate_window / 32)
    }

    /// What has its deadline first, and when.
    fn next_due(&self) -> Option<(Timestamp, u32)> {
        let oldest = State::ALL.into_iter().filter_map(|state| self.table.oldest(state));
        oldest.map(|index| (self.table.entry(index).kept.deadline, index)).min_by_key(|&(deadline, _)| deadline)
    }

    /// Takes one message for which was [looked up](Self::look_up) what waits, after the clock was [set](Self::advance).
    pub(crate) fn pair(&mut self, arrival: &Arrival<'_>, sought: &Sought<'_>, out: &mut impl Consumer) {
        if arrival.observed.message.header().is_response() {
            self.response(arrival, sought, out);
        } else {
            self.query(arrival, sought, out);
        }
    }

    fn query(&mut self, arrival: &Arrival<'_>, &Sought { ref wanted, found }: &Sought<'_>, out: &mut impl Consumer) {
        self.stats.queries += 1;
        if let Some(found) = found
            && found.state == State::Outstanding
        {
            self.stats.retransmissions += 1;
            self.table.entry_mut(found.index).kept.retransmits += 1;
            return;
        }
        match self.find_held(wanted) {
            Some(found) => self.answer_from_held(arrival, wanted, found, out),
            None => self.insert(arrival, wanted, State::Outstanding, self.config.query_timeout, out),
        }
    }

    fn response(&mut self, arrival: &Arrival<'_>, &Sought { ref wanted, found }: &Sought<'_>, out: &mut impl Consumer) {
        self.stats.responses += 1;
        let found = if wanted.question.is_empty() { self.table.find_flow(wanted) } else { found };
        if let Some(found) = found.filter(|found| found.state == State::Outstanding) {
            return self.answer(found, arrival, out);
        }
        if let Some(found) = self.answered.find(wanted, self.now) {
            self.stats.count(Status::Duplicate);
            let query = found.observed();
            out.transaction(&Transaction {
                query: Some(&query),
                vlan: found.vlan,
                ..alone(arrival, Status::Duplicate)
            });
        } else if self.config.skew_timeout > 0 {
            self.insert(arrival, wanted, State::Held, self.config.skew_timeout, out);
        } else {
            self.stats.count(Status::Orphan);
            out.transaction(&alone(arrival, Status::Orphan));
        }
    }

    /// Ends an outstanding query with its response.
    fn answer(&mut self, found: Found, arrival: &Arrival<'_>, out: &mut impl Consumer) {
        let entry = self.table.entry(found.index);
        self.stats.count(Status::Answered);
        let Kept { vlan, retransmits, .. } = entry.kept;
        let message = entry.message();
        let query = message.as_ref().map(|message| entry.kept.observed(message));
        let query = query.as_ref();
        out.transaction(&Transaction { query, vlan, retransmits, ..alone(arrival, Status::Answered) });
        if self.config.duplicate_window > 0 {
            let deadline = after(self.now, self.config.duplicate_window);
            self.answered.push(&entry.kept, deadline, [entry.data(), &[]]);
            self.soonest = self.soonest.min(self.forgotten(deadline));
        }
        self.table.remove_found(found);
    }

    /// The held response that waits for a query: with its question, or with none.
    #[inline]
    fn find_held(&self, wanted: &Wanted<'_>) -> Option<Found> {
        self.table.oldest(State::Held)?;
        self.find_among_held(wanted)
    }

    #[inline(never)]
    fn find_among_held(&self, wanted: &Wanted<'_>) -> Option<Found> {
        let held = |found: Option<Found>| found.filter(|found| found.state == State::Held);
        held(self.table.find(wanted)).or_else(|| held(self.table.find_without_question(wanted)))
    }

    /// A query whose responses were seen first. The oldest with its question answers it, or else the oldest without
    /// any; the others are duplicates.
    fn answer_from_held(&mut self, arrival: &Arrival<'_>, wanted: &Wanted<'_>, first: Found, out: &mut impl Consumer) {
        let mut status = Status::Answered;
        let mut next = Some(first);
        while let Some(found) = next {
            let entry = self.table.entry(found.index);
            let message = entry.message();
            let response = message.as_ref().map(|message| entry.kept.observed(message));
            self.stats.count(status);
            out.transaction(&Transaction { response: response.as_ref(), ..alone(arrival, status) });
            self.table.remove_found(found);
            status = Status::Duplicate;
            next = self.find_held(wanted);
        }
        if self.config.duplicate_window > 0 {
            let observed = &arrival.observed;
            let data = wanted.data(observed.message);
            self.make_room(data[0].len() + data[1].len(), out);
            let deadline = after(self.now, self.config.duplicate_window);
            self.answered.push(&wanted.kept(arrival.flow.vlan, deadline, observed), deadline, data);
            self.soonest = self.soonest.min(self.forgotten(deadline));
        }
    }

    fn insert(
        &mut self,
        arrival: &Arrival<'_>,
        wanted: &Wanted<'_>,
        state: State,
        timeout: i64,
        out: &mut impl Consumer,
    ) {
        let data = wanted.data(arrival.observed.message);
        self.make_room(data[0].len() + data[1].len(), out);
        let deadline = after(self.now, timeout);
        self.soonest = self.soonest.min(deadline);
        self.table.insert(wanted, state, arrival.flow.vlan, deadline, &arrival.observed);
    }

    /// Ends the oldest until there is room for another message of so many bytes.
    #[inline]
    fn make_room(&mut self, bytes: usize, out: &mut impl Consumer) {
        if self.is_full(bytes) {
            self.answered.expire(self.now);
            self.evict(bytes, out);
        }
    }

    fn is_full(&self, bytes: usize) -> bool {
        self.len() >= self.config.max_messages || self.held_bytes() + bytes > self.config.max_bytes && !self.is_empty()
    }

    #[inline(never)]
    fn evict(&mut self, bytes: usize, out: &mut impl Consumer) {
        while self.is_full(bytes) {
            if self.answered.len() > 0 {
                self.stats.evicted_answered += 1;
                self.answered.pop();
            } else if let Some(index) = self.table.oldest(State::Held) {
                self.stats.evicted_responses += 1;
                self.end_alone(index, out);
            } else if let Some(index) = self.table.oldest(State::Outstanding) {
                self.stats.evicted_queries += 1;
                self.end_alone(index, out);
            }
        }
    }

    /// Ends what waits at `index` without its counterpart.
    fn end_alone(&mut self, index: u32, out: &mut impl Consumer) {
        let entry = self.table.entry(index);
        let message = entry.message();
        let observed = message.as_ref().map(|message| entry.kept.observed(message));
        let (status, query, response) = match entry.state {
            State::Held => (Status::Orphan, None, observed.as_ref()),
            State::Outstanding => (Status::Unanswered, observed.as_ref(), None),
        };
        let Kept { key, vlan, retransmits, .. } = &entry.kept;
        self.stats.count(status);
        out.transaction(&Transaction {
            status,
            client: key.client(),
            client_port: key.client_port(),
            server: key.server(),
            server_port: key.server_port(),
            transport: key.transport(),
            vlan: *vlan,
            query,
            response,
            retransmits: *retransmits,
        });
        self.table.remove(index);
    }
}

/// When a time-out that starts `now` has passed: a message that comes after exactly that time is still in time.
const fn after(now: Timestamp, timeout: i64) -> Timestamp {
    now.plus(timeout).plus(1)
}

/// The transaction that an arriving message would be without a counterpart.
#[inline]
fn alone<'a>(arrival: &'a Arrival<'a>, status: Status) -> Transaction<'a> {
    let Arrival { flow, transport, observed } = arrival;
    let ends = [(flow.src, flow.src_port), (flow.dst, flow.dst_port)];
    let (query, response, [client, server]) = if observed.message.header().is_response() {
        (None, Some(observed), [ends[1], ends[0]])
    } else {
        (Some(observed), None, ends)
    };
    Transaction {
        status,
        client: client.0,
        client_port: client.1,
        server: server.0,
        server_port: server.1,
        transport: *transport,
        vlan: flow.vlan,
        query,
        response,
        retransmits: 0,
    }
}
