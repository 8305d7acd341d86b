//! The options: the one place where their names, defaults and values are written down.
//!
//! Data only, so that the integration tests can include this file and try every option on the real program.

/// An option with all its spellings.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The flag, without its dashes. With underscores it is the key in the configuration file.
    pub flag: &'static str,
    /// gopassivedns's spellings of the flag, where they are others.
    pub old: &'static [&'static str],
    /// The name in the environment and in `.env`; `None` for what only makes sense on the command line.
    pub env: Option<&'static str>,
    /// Whether the configuration file may set it.
    pub in_file: bool,
    pub kind: Kind,
    /// What stands for the value in the help text.
    pub metavar: &'static str,
    pub default: Fallback,
    /// Whether the value is never printed.
    pub secret: bool,
    pub group: &'static str,
    pub help: &'static str,
    /// What the long help adds.
    pub more: &'static str,
    /// Two different values that are accepted: what tests try each option with.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests try"))]
    pub examples: [&'static str; 2],
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Switch,
    Number {
        min: u64,
        max: u64,
    },
    /// A time.
    Time,
    /// A time longer than nothing. gopassivedns wanted it negative, so a sign is taken and ignored.
    Timeout,
    /// A time longer than nothing; a bare number is seconds.
    Seconds,
    Text,
    /// A capture filter: text of which the empty one means something.
    Filter,
    Path,
    /// File names; a comma is part of a name.
    Paths,
    Choice(&'static [&'static str]),
    Choices(&'static [&'static str]),
    Ports,
    Interfaces,
    /// A host with or without a port.
    Host,
    Hosts,
    /// An IP address with a port.
    Address,
    /// Headers of HTTP; a comma is part of a header.
    Headers,
}

/// What holds where nothing is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// Nothing at all.
    Unset,
    /// A value, as one would type it.
    Value(&'static str),
    /// What these words say.
    Words(&'static str),
}

impl Spec {
    const fn new(group: &'static str, flag: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            flag,
            old: &[],
            env: None,
            in_file: true,
            kind,
            metavar: "BOOL",
            default: Fallback::Unset,
            secret: false,
            group,
            help,
            more: "",
            examples: ["true", "false"],
        }
    }

    /// A switch, off unless it is turned on.
    const fn switch(group: &'static str, flag: &'static str, env: &'static str, help: &'static str) -> Self {
        Self { env: Some(env), default: Fallback::Value("false"), ..Self::new(group, flag, Kind::Switch, help) }
    }

    const fn old(self, old: &'static [&'static str]) -> Self {
        Self { old, ..self }
    }

    const fn env(self, env: &'static str) -> Self {
        Self { env: Some(env), ..self }
    }

    const fn default(self, value: &'static str) -> Self {
        Self { default: Fallback::Value(value), ..self }
    }

    const fn without(self, words: &'static str) -> Self {
        Self { default: Fallback::Words(words), ..self }
    }

    const fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    const fn values(self, metavar: &'static str, examples: [&'static str; 2]) -> Self {
        Self { metavar, examples, ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn not_in_file(self) -> Self {
        Self { in_file: false, ..self }
    }

    /// The key in the configuration file, for options that it may set.
    pub(crate) fn key(&self) -> String {
        self.flag.replace('-', "_")
    }
}

/// The statuses that a transaction can have.
pub(crate) const STATUSES: &[&str] = &["answered", "unanswered", "orphan", "duplicate"];

/// The record layouts.
pub(crate) const FORMATS: &[&str] = &["answer", "transaction"];

/// What frames are dealt out to workers by.
pub(crate) const FANOUTS: &[&str] = &["hosts", "flows"];

/// What happens when a queue is full.
const WHEN_FULL: &[&str] = &["block", "drop", "spool"];

/// How batches for Kafka can be compressed, by the names that Kafka's own producer has.
pub(crate) const COMPRESSIONS: &[&str] = &["none", "gzip", "snappy", "lz4", "zstd"];

/// Which partition of a topic a record can go to.
pub(crate) const PARTITIONERS: &[&str] = &["client", "round-robin"];

/// How a password can be proved to Kafka.
pub(crate) const MECHANISMS: &[&str] = &["plain", "scram-sha-256", "scram-sha-512"];

/// How syslog is spoken to another host.
const SYSLOG_PROTOCOLS: &[&str] = &["udp", "tcp", "tls"];

/// What receivers by HTTP understand.
const HTTP_PROTOCOLS: &[&str] = &["elasticsearch", "clickhouse", "lines"];

/// The facilities of syslog, RFC 5424 section 6.2.1, by the names that gopassivedns takes.
const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "local0",
    "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

/// The severities of syslog, RFC 5424 section 6.2.1, by the names that gopassivedns takes.
const PRIORITIES: &[&str] = &["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

const INPUT: &str = "Input";
const DNS: &str = "DNS";
const RECORDS: &str = "Records";
const QUEUE: &str = "Queues";
const LOG_FILE: &str = "Log file";
const KAFKA: &str = "Kafka";
const FLUENTD: &str = "Fluentd";
const SYSLOG: &str = "Syslog";
const HTTP: &str = "HTTP";
const METRICS: &str = "Metrics";
const PROCESS: &str = "Process";
const CONFIGURATION: &str = "Configuration";

/// All options, in the order in which they are listed.
pub(crate) static OPTIONS: &[Spec] = &[
    Spec::new(INPUT, "dev", Kind::Interfaces, "Interface to capture from; repeat or list for more, `any` for all")
        .env("PDNS_DEV")
        .values("INTERFACE", ["eth0", "eth1,eth2"])
        .more("Either interfaces or capture files have to be given."),
    Spec::new(
        INPUT,
        "pcap",
        Kind::Paths,
        "Capture file to read, `-` for standard input; repeat for more. pcap or pcapng, plain, gzip or zstd",
    )
    .env("PDNS_PCAP_FILE")
    .values("FILE", ["one.pcap", "a,b.pcap"])
    .more(
        "The format is recognised by content. Several files are read as one run, in the order given. A comma is part \
         of a file's name; PDNS_PCAP_FILE names one file.",
    ),
    Spec::new(INPUT, "bpf", Kind::Filter, "Capture filter in libpcap's language; '' is none")
        .env("PDNS_BPF")
        .without("live: port 53, tagged or not, and fragments; files: none")
        .values("FILTER", ["udp port 53", "port 53 or vlan"])
        .more("A filter is used exactly as given, on frames as they are."),
    Spec::new(
        INPUT,
        "snaplen",
        Kind::Number { min: 64, max: u32::MAX as u64 },
        "Use only the first BYTES of each frame",
    )
    .env("PDNS_SNAPLEN")
    .without("live: 65535; files: all that was captured")
    .values("BYTES", ["4096", "1500"]),
    Spec::new(
        INPUT,
        "buffer-size",
        Kind::Number { min: 1, max: 16_384 },
        "Memory of each worker's ring of captured frames, in MiB",
    )
    .env("PDNS_BUFFER_SIZE")
    .default("32")
    .values("MIB", ["64", "256"]),
    Spec::new(
        INPUT,
        "fanout",
        Kind::Choice(FANOUTS),
        "What frames are dealt out to live workers by: the addresses of both hosts, or addresses and ports",
    )
    .env("PDNS_FANOUT")
    .default("hosts")
    .values("KIND", ["flows", "hosts"])
    .more(
        "By hosts, fragments and tunnels come to the worker of the rest of their traffic. By flows, traffic between a \
         single pair of hosts is spread as well, but not IPv6 fragments, nor tunnels whose ports differ by direction.",
    ),
    Spec::switch(INPUT, "promisc", "PDNS_PROMISC", "Capture frames that are not for this host, too").default("true"),
    Spec::switch(INPUT, "pfring", "PDNS_PFRING", "Capture by PF_RING"),
    Spec::new(DNS, "ports", Kind::Ports, "UDP and TCP ports that are DNS, as a list")
        .env("PDNS_PORTS")
        .without("53; any port when --bpf is given")
        .values("PORTS", ["5353", "53,853"]),
    Spec::new(DNS, "gc-age", Kind::Timeout, "How long a query waits for its response, such as 30s or 1m")
        .old(&["gc_age"])
        .env("PDNS_GC_AGE")
        .default("1m")
        .values("TIME", ["30s", "-2m"])
        .more("gopassivedns wanted this negative; a sign is ignored."),
    Spec::new(DNS, "gc-interval", Kind::Timeout, "Accepted for gopassivedns's sake: expiry is exact")
        .old(&["gc_interval"])
        .env("PDNS_GC_INTERVAL")
        .default("3m")
        .values("TIME", ["1m", "90s"]),
    Spec::new(
        DNS,
        "duplicate-window",
        Kind::Time,
        "How long after its answer further responses to a query are duplicates",
    )
    .env("PDNS_DUPLICATE_WINDOW")
    .default("2s")
    .values("TIME", ["5s", "500ms"]),
    Spec::switch(
        DNS,
        "ignore-vlan",
        "PDNS_IGNORE_VLAN",
        "Pair queries and responses whatever their VLAN ids: some mirrors tag the two directions differently",
    ),
    Spec::new(
        RECORDS,
        "format",
        Kind::Choice(FORMATS),
        "What the records look like: a line for each answer, or for each transaction",
    )
    .env("PDNS_FORMAT")
    .default("answer")
    .values("LAYOUT", ["transaction", "answer"]),
    Spec::new(RECORDS, "statuses", Kind::Choices(STATUSES), "Statuses that are written; the others are still counted")
        .env("PDNS_STATUSES")
        .default("answered,unanswered,orphan,duplicate")
        .values("STATUSES", ["answered", "orphan,unanswered"]),
    Spec::new(RECORDS, "name", Kind::Text, "Name of this sensor in records and metrics")
        .env("PDNS_NAME")
        .without("the host name")
        .values("NAME", ["sensor-1", "007"]),
    Spec::switch(RECORDS, "quiet", "PDNS_QUIET", "Write no records to standard output"),
    Spec::new(
        RECORDS,
        "drain-timeout",
        Kind::Timeout,
        "How long records that still wait may take to be delivered at the end",
    )
    .env("PDNS_DRAIN_TIMEOUT")
    .default("10s")
    .values("TIME", ["30s", "1m"])
    .more("What is left then goes to the spool, or is dropped and counted."),
    Spec::new(QUEUE, "when-full", Kind::Choice(WHEN_FULL), "What happens when the queue of a sink is full")
        .env("PDNS_WHEN_FULL")
        .without("live: drop; files: block")
        .values("POLICY", ["block", "drop"])
        .more(
            "block has the capture wait, so that nothing is lost of files; drop drops the newest records and counts them; spool \
             is drop for when the spool of --spool-dir is full, too.",
        ),
    Spec::new(QUEUE, "queue-size", Kind::Number { min: 1, max: 65_536 }, "Memory of the queue of each sink, in MiB")
        .env("PDNS_QUEUE_SIZE")
        .default("64")
        .values("MIB", ["16", "256"]),
    Spec::new(QUEUE, "retry-max", Kind::Timeout, "The longest pause between tries of a sink that fails")
        .env("PDNS_RETRY_MAX")
        .default("30s")
        .values("TIME", ["10s", "2m"]),
    Spec::new(QUEUE, "dead-letters", Kind::Path, "Keep records that a receiver refuses in FILE, as lines of JSON")
        .env("PDNS_DEAD_LETTERS")
        .values("FILE", ["/var/lib/pdns/refused.jsonl", "refused.jsonl"]),
    Spec::new(QUEUE, "spool-dir", Kind::Path, "Keep records on disk for which a queue has no room, in a folder of FOLDER for each sink")
        .env("PDNS_SPOOL_DIR")
        .values("FOLDER", ["/var/spool/pdns", "spool"])
        .more("Not for standard output and the log file, unless their [[sink]] table says so."),
    Spec::new(QUEUE, "spool-size", Kind::Number { min: 1, max: 16_777_216 }, "Size of each spool, in MiB")
        .env("PDNS_SPOOL_SIZE")
        .default("1024")
        .values("MIB", ["100", "10240"]),
    Spec::new(QUEUE, "spool-sync", Kind::Text, "When spooled records are synced to the device: always, never, or a time")
        .env("PDNS_SPOOL_SYNC")
        .default("always")
        .values("WHEN", ["1s", "never"]),
    Spec::switch(QUEUE, "spool-always", "PDNS_SPOOL_ALWAYS", "Send all records by way of the spool, so that none is lost when the program is killed"),
    Spec::new(LOG_FILE, "logfile", Kind::Path, "Write records to FILE, too")
        .env("PDNS_LOG_FILE")
        .values("FILE", ["/var/log/pdns.log", "dns log"]),
    Spec::new(
        LOG_FILE,
        "log-max-age",
        Kind::Number { min: 0, max: 36_500 },
        "Delete old log files after so many days; 0 is never",
    )
    .old(&["logMaxAge"])
    .env("PDNS_LOG_AGE")
    .default("28")
    .values("DAYS", ["7", "9"]),
    Spec::new(
        LOG_FILE,
        "log-max-backups",
        Kind::Number { min: 0, max: 1_000_000 },
        "Keep so many old log files; 0 is all",
    )
    .old(&["logMaxBackups"])
    .env("PDNS_LOG_BACKUP")
    .default("3")
    .values("N", ["5", "10"]),
    Spec::new(
        LOG_FILE,
        "log-max-size",
        Kind::Number { min: 0, max: 1_000_000 },
        "Begin a new log file after so many megabytes; 0 is 100",
    )
    .old(&["logMaxSize"])
    .env("PDNS_LOG_SIZE")
    .default("100")
    .values("MB", ["50", "500"]),
    Spec::switch(LOG_FILE, "log-compress", "PDNS_LOG_COMPRESS", "Compress old log files by gzip").old(&["logCompress"]),
    Spec::new(KAFKA, "kafka-brokers", Kind::Hosts, "Kafka brokers to begin with, as a list of HOST:PORT")
        .old(&["kafka_brokers"])
        .env("PDNS_KAFKA_PEERS")
        .values("BROKERS", ["kafka:9092", "10.0.0.1:9092,[2001:db8::1]:9093"]),
    Spec::new(KAFKA, "kafka-topic", Kind::Text, "Kafka topic of the records")
        .old(&["kafka_topic"])
        .env("PDNS_KAFKA_TOPIC")
        .values("TOPIC", ["dns", "1.0"]),
    Spec::new(
        KAFKA,
        "kafka-flush-freq",
        Kind::Number { min: 0, max: 3_600_000 },
        "Send to Kafka after so many milliseconds at the latest",
    )
    .old(&["kafka_flush_freq"])
    .env("PDNS_KAFKA_FLUSH_FREQ")
    .default("1000")
    .values("MS", ["500", "250"]),
    Spec::switch(KAFKA, "kafka-avro", "PDNS_KAFKA_AVRO", "Send Avro single objects to Kafka, not JSON")
        .old(&["kafka_avro"]),
    Spec::new(KAFKA, "kafka-compression", Kind::Choice(COMPRESSIONS), "How batches for Kafka are compressed")
        .env("PDNS_KAFKA_COMPRESSION")
        .default("zstd")
        .values("CODEC", ["lz4", "none"])
        .more("zstd needs brokers of version 2.1 or later."),
    Spec::new(KAFKA, "kafka-partitioner", Kind::Choice(PARTITIONERS), "Which partition of the topic a record goes to")
        .env("PDNS_KAFKA_PARTITIONER")
        .default("client")
        .values("HOW", ["round-robin", "client"])
        .more(
            "client: the client's address is the record's key, and its hash tells the partition as in Kafka's own producer, \
             so that one client's records stay in order. round-robin: no key, each batch goes to the next partition.",
        ),
    Spec::new(
        KAFKA,
        "kafka-batch-bytes",
        Kind::Number { min: 10_000, max: 100_000_000 },
        "How large a batch for Kafka may be before compression",
    )
    .env("PDNS_KAFKA_BATCH_BYTES")
    .default("1000000")
    .values("BYTES", ["200000", "8000000"])
    .more("Brokers take 1 MiB after compression unless their message.max.bytes says otherwise."),
    Spec::new(
        KAFKA,
        "kafka-in-flight",
        Kind::Number { min: 1, max: 1000 },
        "How many batches may be under way to Kafka at once",
    )
    .env("PDNS_KAFKA_IN_FLIGHT")
    .default("5")
    .values("BATCHES", ["1", "20"])
    .more("With 1 the order of a client's records holds through failures, too."),
    Spec::new(KAFKA, "kafka-timeout", Kind::Seconds, "How long Kafka may take for a batch before the connection is given up")
        .env("PDNS_KAFKA_TIMEOUT")
        .default("30s")
        .values("TIME", ["10s", "60"]),
    Spec::switch(KAFKA, "kafka-tls", "PDNS_KAFKA_TLS", "Speak TLS to Kafka; the files below ask for it, too"),
    Spec::new(KAFKA, "kafka-tls-ca", Kind::Path, "Certificates of the authorities that sign Kafka's, in PEM format")
        .env("PDNS_KAFKA_TLS_CA")
        .without("the system's")
        .values("FILE", ["/etc/pdns-sensor/ca.pem", "ca.crt"]),
    Spec::new(KAFKA, "kafka-tls-cert", Kind::Path, "Certificate to show to Kafka, with those between, in PEM format")
        .env("PDNS_KAFKA_TLS_CERT")
        .values("FILE", ["/etc/pdns-sensor/sensor.pem", "sensor.crt"]),
    Spec::new(KAFKA, "kafka-tls-key", Kind::Path, "Private key of that certificate, not encrypted, in PEM format")
        .env("PDNS_KAFKA_TLS_KEY")
        .values("FILE", ["/etc/pdns-sensor/sensor-key.pem", "sensor.key"]),
    Spec::new(KAFKA, "kafka-sasl-mechanism", Kind::Choice(MECHANISMS), "How the password is proved to Kafka")
        .env("PDNS_KAFKA_SASL_MECHANISM")
        .default("plain")
        .values("MECHANISM", ["scram-sha-256", "scram-sha-512"])
        .more("plain sends the password as it is, so it is for TLS only."),
    Spec::new(KAFKA, "kafka-username", Kind::Text, "Name to log in to Kafka with")
        .env("PDNS_KAFKA_USERNAME")
        .values("NAME", ["sensor", "o'brien"]),
    Spec::new(KAFKA, "kafka-password", Kind::Text, "Password to log in to Kafka with; better in a file than here")
        .env("PDNS_KAFKA_PASSWORD")
        .secret()
        .values("PASSWORD", ["007", "two words"]),
    Spec::new(FLUENTD, "fluentd-socket", Kind::Path, "Unix socket of a Fluentd to send records to")
        .old(&["fluentd_socket"])
        .env("PDNS_FLUENTD_SOCKET")
        .values("SOCKET", ["/run/fluentd.sock", "fluentd.sock"]),
    Spec::new(FLUENTD, "fluentd-address", Kind::Host, "HOST:PORT of a Fluentd to send records to")
        .env("PDNS_FLUENTD_ADDRESS")
        .values("HOST", ["fluentd:24224", "10.0.0.1"]),
    Spec::new(FLUENTD, "fluentd-tag", Kind::Text, "Tag of the records in Fluentd")
        .env("PDNS_FLUENTD_TAG")
        .without("NAME.service")
        .values("TAG", ["dns", "dns.records"]),
    Spec::new(FLUENTD, "fluentd-compress", Kind::Switch, "Compress what goes to Fluentd by gzip")
        .env("PDNS_FLUENTD_COMPRESS")
        .without("on by --fluentd-address, off by --fluentd-socket"),
    Spec::new(FLUENTD, "fluentd-timeout", Kind::Seconds, "How long Fluentd may take to acknowledge a batch")
        .env("PDNS_FLUENTD_TIMEOUT")
        .default("30s")
        .values("TIME", ["10s", "60"]),
    Spec::new(SYSLOG, "syslog-facility", Kind::Choice(FACILITIES), "Send records to syslog with this facility")
        .old(&["syslog_facility"])
        .env("PDNS_SYSLOG_FACILITY")
        .values("FACILITY", ["local0", "daemon"])
        .more("A priority has to be given as well."),
    Spec::new(SYSLOG, "syslog-priority", Kind::Choice(PRIORITIES), "Priority of the records in syslog")
        .old(&["syslog_priority"])
        .env("PDNS_SYSLOG_PRIORITY")
        .values("PRIORITY", ["info", "notice"])
        .more("It is also the `level` of each record."),
    Spec::new(SYSLOG, "syslog-address", Kind::Host, "HOST:PORT of the syslog, which is on this host otherwise")
        .env("PDNS_SYSLOG_ADDRESS")
        .values("HOST", ["log.example.net", "10.0.0.1:6514"]),
    Spec::new(SYSLOG, "syslog-protocol", Kind::Choice(SYSLOG_PROTOCOLS), "How the syslog at the address is spoken to")
        .env("PDNS_SYSLOG_PROTOCOL")
        .default("udp")
        .values("PROTOCOL", ["tls", "tcp"])
        .more("Messages are those of RFC 5424, over TCP and TLS with their lengths before them."),
    Spec::new(SYSLOG, "syslog-socket", Kind::Path, "Unix socket of the syslog on this host")
        .env("PDNS_SYSLOG_SOCKET")
        .without("the first of /dev/log, /var/run/syslog, /var/run/log")
        .values("SOCKET", ["/dev/log", "/run/log.sock"]),
    Spec::new(SYSLOG, "syslog-app-name", Kind::Text, "Program that the records are from in syslog")
        .env("PDNS_SYSLOG_APP_NAME")
        .default("pdns-sensor")
        .values("NAME", ["dns", "gopassivedns"]),
    Spec::new(
        SYSLOG,
        "syslog-max-bytes",
        Kind::Number { min: 480, max: 1_000_000 },
        "How long a message to syslog may be; longer records are cut",
    )
    .env("PDNS_SYSLOG_MAX_BYTES")
    .default("8000")
    .values("BYTES", ["2048", "65000"])
    .more("rsyslog cuts at 8 KiB without a word unless its maxMessageSize says otherwise."),
    Spec::new(SYSLOG, "syslog-tls-ca", Kind::Path, "Certificates of the authorities that sign the syslog's, in PEM format")
        .env("PDNS_SYSLOG_TLS_CA")
        .without("the system's")
        .values("FILE", ["/etc/pdns-sensor/ca.pem", "ca.crt"]),
    Spec::new(SYSLOG, "syslog-tls-cert", Kind::Path, "Certificate to show to the syslog, with those between, in PEM format")
        .env("PDNS_SYSLOG_TLS_CERT")
        .values("FILE", ["/etc/pdns-sensor/sensor.pem", "sensor.crt"]),
    Spec::new(SYSLOG, "syslog-tls-key", Kind::Path, "Private key of that certificate, not encrypted, in PEM format")
        .env("PDNS_SYSLOG_TLS_KEY")
        .values("FILE", ["/etc/pdns-sensor/sensor-key.pem", "sensor.key"]),
    Spec::new(HTTP, "http-url", Kind::Text, "URL to post records to")
        .env("PDNS_HTTP_URL")
        .values("URL", ["https://es.example.net:9200", "http://10.0.0.1:8123"]),
    Spec::new(HTTP, "http-protocol", Kind::Choice(HTTP_PROTOCOLS), "What the server at the URL understands")
        .env("PDNS_HTTP_PROTOCOL")
        .default("lines")
        .values("PROTOCOL", ["elasticsearch", "clickhouse"])
        .more(
            "elasticsearch: the _bulk of Elasticsearch and OpenSearch. clickhouse: ClickHouse's JSONEachRow. lines: whatever \
             takes lines, or what --http-record makes of them.",
        ),
    Spec::new(HTTP, "http-index", Kind::Text, "Index or data stream of Elasticsearch; {date} in it is the record's day")
        .env("PDNS_HTTP_INDEX")
        .values("INDEX", ["dns", "dns-{date}"]),
    Spec::new(HTTP, "http-table", Kind::Text, "Table of ClickHouse, as TABLE or DATABASE.TABLE")
        .env("PDNS_HTTP_TABLE")
        .values("TABLE", ["dns_answers", "logs.dns"]),
    Spec::new(HTTP, "http-record", Kind::Text, "What a record looks like in a body, for a server that takes no lines")
        .env("PDNS_HTTP_RECORD")
        .default("{json}")
        .values("TEMPLATE", ["{seconds} {json}", "<{text}>"])
        .more(
            "{json} stands for the record, {text} for the same inside a JSON string, {seconds} and {nanos} for its time, {id} \
             for its id, {client} for the client's address.",
        ),
    Spec::new(HTTP, "http-before", Kind::Text, "What a body begins with")
        .env("PDNS_HTTP_BEFORE")
        .values("TEXT", ["[", "("]),
    Spec::new(HTTP, "http-between", Kind::Text, "What stands between two records of a body; \\n is a line feed")
        .env("PDNS_HTTP_BETWEEN")
        .default("\\n")
        .values("TEXT", [",", ";"]),
    Spec::new(HTTP, "http-after", Kind::Text, "What a body ends with; \\n is a line feed")
        .env("PDNS_HTTP_AFTER")
        .default("\\n")
        .values("TEXT", ["]", ")"]),
    Spec::new(HTTP, "http-header", Kind::Headers, "Header of every request, as NAME: VALUE; repeat for more")
        .env("PDNS_HTTP_HEADER")
        .values("HEADER", ["X-Scope-OrgID: dns", "X-Tags: a,b"]),
    Spec::new(HTTP, "http-authorization", Kind::Text, "Authorization header, such as `Bearer TOKEN`; better in a file than here")
        .env("PDNS_HTTP_AUTHORIZATION")
        .secret()
        .values("VALUE", ["Bearer abc", "ApiKey abc"]),
    Spec::new(HTTP, "http-username", Kind::Text, "Name to log in with")
        .env("PDNS_HTTP_USERNAME")
        .values("NAME", ["sensor", "o'brien"]),
    Spec::new(HTTP, "http-password", Kind::Text, "Password to log in with; better in a file than here")
        .env("PDNS_HTTP_PASSWORD")
        .secret()
        .values("PASSWORD", ["007", "two words"]),
    Spec::switch(HTTP, "http-compress", "PDNS_HTTP_COMPRESS", "Compress bodies by gzip").default("true"),
    Spec::new(HTTP, "http-timeout", Kind::Seconds, "How long a request may take, to the end of the response")
        .env("PDNS_HTTP_TIMEOUT")
        .default("30s")
        .values("TIME", ["10s", "60"]),
    Spec::new(
        HTTP,
        "http-batch-bytes",
        Kind::Number { min: 10_000, max: 100_000_000 },
        "How many bytes of records a request may have, before compression",
    )
    .env("PDNS_HTTP_BATCH_BYTES")
    .default("2000000")
    .values("BYTES", ["200000", "8000000"]),
    Spec::new(HTTP, "http-tls-ca", Kind::Path, "Certificates of the authorities that sign the server's, in PEM format")
        .env("PDNS_HTTP_TLS_CA")
        .without("the system's")
        .values("FILE", ["/etc/pdns-sensor/ca.pem", "ca.crt"]),
    Spec::new(HTTP, "http-tls-cert", Kind::Path, "Certificate to show to the server, with those between, in PEM format")
        .env("PDNS_HTTP_TLS_CERT")
        .values("FILE", ["/etc/pdns-sensor/sensor.pem", "sensor.crt"]),
    Spec::new(HTTP, "http-tls-key", Kind::Path, "Private key of that certificate, not encrypted, in PEM format")
        .env("PDNS_HTTP_TLS_KEY")
        .values("FILE", ["/etc/pdns-sensor/sensor-key.pem", "sensor.key"]),
    Spec::new(METRICS, "statsd-host", Kind::Host, "Send metrics to the statsd at HOST:PORT")
        .old(&["statsd_host"])
        .env("PDNS_STATSD_HOST")
        .values("HOST", ["localhost:8125", "10.0.0.1"]),
    Spec::new(METRICS, "statsd-interval", Kind::Seconds, "Seconds between sends to statsd, or a time such as 1m")
        .old(&["statsd_interval"])
        .env("PDNS_STATSD_INTERVAL")
        .default("5")
        .values("TIME", ["10", "1m"]),
    Spec::new(METRICS, "statsd-prefix", Kind::Text, "What the names of metrics in statsd begin with")
        .old(&["statsd_prefix"])
        .env("PDNS_STATSD_PREFIX")
        .default("gopassivedns")
        .values("PREFIX", ["dns", "a.b"]),
    Spec::new(METRICS, "metrics-listen", Kind::Address, "Serve metrics for Prometheus on ADDRESS:PORT")
        .env("PDNS_METRICS_LISTEN")
        .values("ADDRESS", ["127.0.0.1:9553", "[::1]:9553"]),
    Spec::new(
        METRICS,
        "stats",
        Kind::Path,
        "Write the account of frames, messages and records to FILE at the end, as a JSON object",
    )
    .env("PDNS_STATS")
    .values("FILE", ["stats.json", "/tmp/stats.json"]),
    Spec::new(
        PROCESS,
        "numprocs",
        Kind::Number { min: 1, max: 1024 },
        "Worker threads; 1 does everything in one thread",
    )
    .env("PDNS_THREADS")
    .without("the machine's cores")
    .values("N", ["3", "7"]),
    Spec::new(PROCESS, "user", Kind::Text, "Continue as USER once the capture is open")
        .env("PDNS_USER")
        .values("USER", ["nobody", "65534"]),
    Spec::new(PROCESS, "group", Kind::Text, "Continue in GROUP once the capture is open")
        .env("PDNS_GROUP")
        .without("the user's own")
        .values("GROUP", ["nogroup", "65534"]),
    Spec::new(PROCESS, "chroot", Kind::Path, "Make FOLDER the root of the file system once the capture is open")
        .env("PDNS_CHROOT")
        .values("FOLDER", ["/var/empty", "/run/pdns"]),
    Spec::switch(
        PROCESS,
        "keep-net-raw",
        "PDNS_KEEP_NET_RAW",
        "Keep CAP_NET_RAW, to capture again from an interface that was removed and made anew",
    ),
    Spec::switch(PROCESS, "no-sandbox", "PDNS_NO_SANDBOX", "Restrict neither files nor system calls after the start"),
    Spec::new(PROCESS, "cpuprofile", Kind::Path, "Write a CPU profile to FILE, in pprof's format")
        .env("PDNS_PROFILE_FILE")
        .values("FILE", ["cpu.pprof", "/tmp/cpu.pprof"]),
    Spec::switch(PROCESS, "debug", "PDNS_DEBUG", "Log what is done, to standard error"),
    Spec::new(CONFIGURATION, "config", Kind::Path, "Read settings from FILE, in TOML")
        .env("PDNS_CONFIG")
        .not_in_file()
        .values("FILE", ["pdns.toml", "/etc/pdns.toml"])
        .more(
            "Its keys are the flags with underscores, as in log_max_age. What is given on the command line, in a file \
             .env in the working directory, or in the environment goes before it.",
        ),
    Spec::new(CONFIGURATION, "check-config", Kind::Switch, "Say what is wrong with the settings, and do not start")
        .default("false")
        .not_in_file(),
    Spec::new(
        CONFIGURATION,
        "test-sinks",
        Kind::Switch,
        "Send one marked record to each sink, say what happened, and do not start",
    )
    .default("false")
    .not_in_file(),
    Spec::new(
        CONFIGURATION,
        "print-config",
        Kind::Switch,
        "Print the settings as a configuration file, with where each comes from, and do not start",
    )
    .default("false")
    .not_in_file(),
];
