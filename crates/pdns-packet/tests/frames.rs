//! Decodes the real captures of the shared corpus and holds the UDP datagrams found against the oracle's lines.
//!
//! The corpus is not part of the repository: it is looked for beside it, or where `PDNS_CORPUS` says.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pdns_packet::frame::{Decoder, Discard, Fragment, LinkType, Packet, Ports};

/// Source, destination, source port, destination port, VLAN ids.
type Way = (IpAddr, IpAddr, u16, u16, Vec<u16>);

/// How often each way was gone.
type Count = BTreeMap<Way, usize>;

#[test]
fn datagrams_of_the_corpus_are_those_of_the_oracle() {
    let Some(corpus) = corpus() else {
        println!("skipped: no corpus (PDNS_CORPUS)");
        return;
    };
    let mut wrong = String::new();
    let (mut captures, mut datagrams) = (0, 0);
    for path in captures_in(&corpus) {
        let name = path.strip_prefix(&corpus).unwrap().to_string_lossy().into_owned();
        let oracle = corpus.join("oracle").join(format!("{}.tsv", name.replace('/', "__")));
        let (Some(frames), Ok(oracle)) = (Frames::read(&path), fs::read(oracle)) else {
            continue;
        };
        captures += 1;
        let (found, expected) = (decode(&frames), expected(&String::from_utf8_lossy(&oracle)));
        datagrams += found.values().sum::<usize>();
        if found != expected {
            wrong += &format!("{name}\n{}", difference(&found, &expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    println!("{captures} captures, {datagrams} datagrams");
    assert!(captures > 0 && datagrams > 0);
}

/// What the decoder finds in a capture, fragments put together.
fn decode(frames: &Frames) -> Count {
    let decoder = Decoder::new(Ports::of(&[53]));
    let mut found = Count::new();
    let mut fragments: BTreeMap<_, Vec<Fragment<'_>>> = BTreeMap::new();
    for (frame, wire_len) in frames.iter() {
        match decoder.decode(frames.link, frame, wire_len) {
            Ok(Packet::Fragment(part)) => {
                let key = (part.src, part.dst, part.id, part.protocol);
                let parts = fragments.entry(key).or_default();
                parts.push(part);
                if let Some(whole) = join(parts) {
                    let packet = decoder.decode_payload(part.src, part.dst, part.vlan, part.protocol, &whole);
                    count(&mut found, packet);
                    fragments.remove(&key);
                }
            }
            packet => count(&mut found, packet),
        }
    }
    found
}

/// Counts a datagram that holds something.
fn count(found: &mut Count, packet: Result<Packet<'_>, Discard>) {
    assert_ne!(packet, Err(Discard::LinkType));
    if let Ok(Packet::Udp { flow, payload, .. }) = packet
        && !payload.is_empty()
    {
        let way = (flow.src, flow.dst, flow.src_port, flow.dst_port, flow.vlan.iter().collect());
        *found.entry(way).or_default() += 1;
    }
}

/// The payload of a packet once all of its fragments are there.
fn join(parts: &mut [Fragment<'_>]) -> Option<Vec<u8>> {
    parts.sort_by_key(|part| part.offset);
    let mut whole = Vec::new();
    for part in &*parts {
        let have = whole.len().checked_sub(usize::from(part.offset))?;
        whole.extend(part.payload.get(have..).unwrap_or_default());
    }
    parts.iter().any(|part| !part.more).then_some(whole)
}

/// The oracle's UDP messages on port 53, but for those quoted in ICMP errors.
fn expected(oracle: &str) -> Count {
    let mut lines = oracle.split('\n').map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = |name: &str| header.iter().position(|cell| *cell == name).unwrap();
    let names = ["src", "dst", "sport", "dport", "vlan", "proto", "in_icmp"];
    let [src, dst, sport, dport, vlan, proto, in_icmp] = names.map(column);
    let mut count = Count::new();
    for cells in lines.filter(|cells| cells.len() == header.len()) {
        let ports = [cells[sport], cells[dport]];
        if cells[proto] != "udp" || cells[in_icmp] == "1" || !ports.contains(&"53") {
            continue;
        }
        let [src, dst] = [cells[src], cells[dst]].map(|text| text.parse().unwrap());
        let [sport, dport] = ports.map(|text| text.parse().unwrap());
        let vlan = cells[vlan].split(',').filter(|id| !id.is_empty()).map(|id| id.parse().unwrap());
        *count.entry((src, dst, sport, dport, vlan.collect())).or_default() += 1;
    }
    count
}

/// The ways whose counts differ, a line each.
fn difference(found: &Count, expected: &Count) -> String {
    let mut text = String::new();
    for way in found.keys().chain(expected.keys().filter(|way| !found.contains_key(*way))) {
        let (ours, theirs) = (found.get(way).unwrap_or(&0), expected.get(way).unwrap_or(&0));
        if ours != theirs {
            text += &format!("    {way:?}: {ours}, oracle {theirs}\n");
        }
    }
    text
}

/// The frames of a classic capture file.
struct Frames {
    /// The whole file.
    bytes: Vec<u8>,
    /// Its numbers are big-endian.
    big_endian: bool,
    /// Its link type.
    link: LinkType,
}

impl Frames {
    /// The file at `path`, unless it is in another format.
    fn read(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let big_endian = match bytes.first_chunk()? {
            [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => true,
            [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => false,
            _ => return None,
        };
        let mut frames = Self { bytes, big_endian, link: LinkType(0) };
        frames.link = LinkType(frames.number(20)? as u16);
        Some(frames)
    }

    /// The number at `at`.
    fn number(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) } as usize)
    }

    /// Each frame, with its length on the wire.
    fn iter(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let mut at = 24;
        std::iter::from_fn(move || {
            let (captured, wire) = (self.number(at + 8)?, self.number(at + 12)?);
            let frame = self.bytes.get(at + 16..)?.get(..captured)?;
            at += 16 + captured;
            Some((frame, wire))
        })
    }
}

/// Where the corpus is, if it is anywhere.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let path = std::env::var_os("PDNS_CORPUS").map_or(beside, PathBuf::from);
    path.join("oracle").is_dir().then_some(path)
}

/// All files one folder below `corpus`, in order.
fn captures_in(corpus: &Path) -> Vec<PathBuf> {
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = entries(corpus).flat_map(|folder| entries(&folder).collect::<Vec<_>>()).collect();
    paths.sort();
    paths
}
