-- Records of layout `answer`. Rows that were sent twice have the same record_id; ReplacingMergeTree drops one when it
-- merges, and `SELECT ... FINAL` does at once.
CREATE TABLE dns_answers
(
    record_id FixedString(32),
    query_id  UInt16,
    rcode     Int16,
    q         String,
    qtype     LowCardinality(String),
    a         String,
    atype     LowCardinality(String),
    ttl       UInt32,
    dst       String,
    src       String,
    tstamp    DateTime64(9, 'UTC'),
    elapsed   Int64,
    sport     UInt16,
    level     LowCardinality(String),
    bytes     UInt32,
    protocol  LowCardinality(String),
    truncated Bool,
    aa        Bool,
    rd        Bool,
    ra        Bool,
    status    LowCardinality(String),
    sensor    LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(tstamp)
ORDER BY (q, tstamp, record_id)
TTL toDateTime(tstamp) + INTERVAL 90 DAY;
