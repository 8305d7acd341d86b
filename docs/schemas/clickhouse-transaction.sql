-- Records of layout `transaction`. Rows that were sent twice have the same record_id; ReplacingMergeTree drops one when it
-- merges, and `SELECT ... FINAL` does at once.
CREATE TABLE dns_transactions
(
    record_id      FixedString(32),
    sensor         LowCardinality(String),
    status         LowCardinality(String),
    query_time     Nullable(DateTime64(9, 'UTC')),
    response_time  Nullable(DateTime64(9, 'UTC')),
    time           DateTime64(9, 'UTC') DEFAULT coalesce(response_time, query_time, toDateTime64(0, 9, 'UTC')),
    elapsed_ns     Nullable(Int64),
    client         String,
    client_port    UInt16,
    server         String,
    server_port    UInt16,
    transport      LowCardinality(String),
    vlan           Array(UInt16),
    id             UInt16,
    opcode         LowCardinality(String),
    rcode          LowCardinality(String),
    qname          String,
    qtype          LowCardinality(String),
    qclass         LowCardinality(String),
    questions      Array(Tuple(name String, type String, class String)),
    flags          Array(LowCardinality(String)),
    query_bytes    UInt32,
    response_bytes UInt32,
    retransmits    UInt32,
    answers        Array(Tuple(name String, type LowCardinality(String), class LowCardinality(String), ttl UInt32, rdata String)),
    authorities    Array(Tuple(name String, type LowCardinality(String), class LowCardinality(String), ttl UInt32, rdata String)),
    additionals    Array(Tuple(name String, type LowCardinality(String), class LowCardinality(String), ttl UInt32, rdata String)),
    edns           String,
    malformed      String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (qname, time, record_id)
TTL toDateTime(time) + INTERVAL 90 DAY;
