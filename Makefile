# Thin calls of cargo. Every target installs what it needs and is missing: system packages by apt, tools by cargo.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BINARY ?= target/release/pdns-sensor
STAMP ?= target/release/dns-stamp
CARGO ?= cargo

.DEFAULT_GOAL := build
.PHONY: build install install-sensor install-stamp uninstall uninstall-sensor uninstall-stamp demo test lint fmt bench bench-micro bench-sinks bench-live bench-flood soak fuzz fixtures clean deps

# libpcap compiles capture filters; its headers are needed to build.
deps:
	@.ci/packages libpcap-dev

build: deps
	$(CARGO) build --release --locked --bin pdns-sensor --bin dns-stamp

# The binaries, the man page, the units, the examples and the docs. Settings that are there already are left as they are.
DATA := $(DESTDIR)$(PREFIX)/share/doc/pdns-sensor
UNIT := $(DESTDIR)$(PREFIX)/lib/systemd/system/pdns-sensor.service
SETTINGS := $(DESTDIR)$(SYSCONFDIR)/pdns-sensor/pdns-sensor.env
install: install-sensor install-stamp

install-sensor: build
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/pdns-sensor
	install -D -m 0644 dist/pdns-sensor.8 $(DESTDIR)$(PREFIX)/share/man/man8/pdns-sensor.8
	install -d $(dir $(UNIT))
	sed -e 's|=/usr/local/|=$(PREFIX)/|' -e 's|=/etc/|=$(SYSCONFDIR)/|' dist/pdns-sensor.service >$(UNIT)
	install -D -m 0644 -t $(DATA)/examples dist/pdns-sensor.env dist/pdns-sensor.logrotate
	install -D -m 0644 -t $(DATA) README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT docs/*.md
	# A password may come to stand in it.
	[ -e $(SETTINGS) ] || install -D -m 0600 dist/pdns-sensor.env $(SETTINGS)

# dns-stamp: the binary, its units and its user, and examples for Prometheus, Grafana and cron.
STAMP_UNITS := $(DESTDIR)$(PREFIX)/lib/systemd/system
STAMP_SETTINGS := $(DESTDIR)$(SYSCONFDIR)/dns-stamp/dns-stamp.toml
STAMP_EXAMPLES := prometheus.yml dns-stamp.rules.yml grafana-dashboard.json dns-stamp.toml dns-stamp.cron
install-stamp: build
	install -D -m 0755 $(STAMP) $(DESTDIR)$(PREFIX)/bin/dns-stamp
	install -D -m 0644 dist/dns-stamp/dns-stamp.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/dns-stamp.conf
	install -d $(STAMP_UNITS)
	for unit in dns-stamp.service dns-stamp-inject.service dns-stamp-inject.timer; do \
	    sed -e 's|/usr/local/|$(PREFIX)/|' -e 's|/etc/|$(SYSCONFDIR)/|' dist/dns-stamp/$$unit >$(STAMP_UNITS)/$$unit; done
	install -D -m 0644 -t $(DATA)/examples/dns-stamp $(addprefix dist/dns-stamp/,$(STAMP_EXAMPLES))
	[ -e $(STAMP_SETTINGS) ] || install -D -m 0644 dist/dns-stamp/dns-stamp.toml $(STAMP_SETTINGS)

# All of it but settings that were changed.
uninstall: uninstall-sensor uninstall-stamp

uninstall-stamp:
	rm -f $(DESTDIR)$(PREFIX)/bin/dns-stamp $(DESTDIR)$(PREFIX)/lib/sysusers.d/dns-stamp.conf
	rm -f $(addprefix $(STAMP_UNITS)/,dns-stamp.service dns-stamp-inject.service dns-stamp-inject.timer)
	rm -rf $(DATA)/examples/dns-stamp
	! cmp -s dist/dns-stamp/dns-stamp.toml $(STAMP_SETTINGS) || rm $(STAMP_SETTINGS)
	! [ -d $(dir $(STAMP_SETTINGS)) ] || rmdir --ignore-fail-on-non-empty $(dir $(STAMP_SETTINGS))

uninstall-sensor:
	rm -f $(DESTDIR)$(PREFIX)/bin/pdns-sensor $(DESTDIR)$(PREFIX)/share/man/man8/pdns-sensor.8 $(UNIT)
	rm -rf $(DATA)
	! cmp -s dist/pdns-sensor.env $(SETTINGS) || rm $(SETTINGS)
	! [ -d $(dir $(SETTINGS)) ] || rmdir --ignore-fail-on-non-empty $(dir $(SETTINGS))

demo: build
	@echo
	@echo '$$ pdns-sensor --name demo --pcap fixtures/captures/demo/input.pcap'
	@target/release/pdns-sensor --name demo --numprocs 1 --pcap fixtures/captures/demo/input.pcap
	@echo
	@echo '$$ pdns-sensor --name demo --format transaction --pcap fixtures/captures/demo/input.pcap'
	@target/release/pdns-sensor --name demo --numprocs 1 --format transaction --pcap fixtures/captures/demo/input.pcap

# What others can depend on, as a package.
LIBRARIES := pdns-packet pdns-track pdns-record pdns-capture pdns-sink dns-replication

# Run as root, so that nothing is skipped: PDNS_REQUIRE_RIGS makes a test that would skip fail instead.
test: lint
	@.ci/packages iproute2 gcc python3 python3-venv systemd
	@.ci/packages bind9 bind9-dnsutils knot pdns-server pdns-backend-sqlite3 sqlite3 krb5-kdc krb5-admin-server krb5-user faketime
	@.ci/packages samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind
	@.ci/packages prometheus curl openssl logrotate
	@command -v npm >/dev/null || .ci/packages nodejs npm
	@.ci/packages dnsperf knot ethtool
	@.ci/packages rsyslog rsyslog-gnutls clickhouse-server
	@command -v javac >/dev/null || .ci/packages default-jdk-headless
	@command -v mvn >/dev/null || .ci/packages maven
	@command -v go >/dev/null || .ci/packages golang-go
	PDNS_REQUIRE_RIGS=$$([ "$$(id -u)" = 0 ] && echo 1) $(CARGO) test --workspace --locked
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked
	$(CARGO) package --no-verify --allow-dirty --locked $(LIBRARIES:%=-p %)
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check bans licenses sources

lint: deps
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

fmt:
	$(CARGO) fmt --all

# Speed and memory against tcpdump, on a workload made here. See docs/performance.md.
bench: deps
	@.ci/packages tcpdump
	$(CARGO) build --release --locked --bin pdns-sensor
	$(CARGO) run --release --locked -p pdns-bench --bin bench

# The hot functions of each crate alone. See docs/performance.md.
bench-micro: deps
	$(CARGO) bench --locked $(addprefix -p ,pdns-packet pdns-track pdns-record pdns-capture pdns-sink dns-replication) --features dns-replication/fuzz --bench '*' -- $(MICRO)

# Loss by rate on a virtual interface, with records to a file and to Kafka, as root. See docs/performance.md.
bench-live: deps
	@.ci/packages iproute2 tcpreplay python3 python3-venv
	@command -v javac >/dev/null || .ci/packages default-jdk-headless
	@command -v mvn >/dev/null || .ci/packages maven
	$(CARGO) build --release --locked --bin pdns-sensor
	$(CARGO) run --release --locked -p pdns-bench --bin bench -- live --json target/bench-live.json

# Memory, losses and time under hostile traffic. See docs/hostile-input.md.
bench-flood: deps
	$(CARGO) build --release --locked --bin pdns-sensor
	$(CARGO) run --release --locked -p pdns-bench --bin bench -- flood

# How fast sinks are, and whether they lose anything when all around them fails. See docs/performance.md.
bench-sinks: deps
	@.ci/packages python3 python3-venv clickhouse-server
	@command -v npm >/dev/null || .ci/packages nodejs npm
	@command -v javac >/dev/null || .ci/packages default-jdk-headless
	@command -v mvn >/dev/null || .ci/packages maven
	$(CARGO) build --release --locked --bin pdns-sensor
	$(CARGO) run --release --locked -p pdns-chaos --bin bench-sinks

# Mixed live traffic for an hour while everything around the sensor is disturbed, as root. See docs/reliability.md.
SOAK_MINUTES ?= 60
soak: deps
	@.ci/packages iproute2 python3 python3-venv rsyslog util-linux
	@command -v npm >/dev/null || .ci/packages nodejs npm
	@command -v javac >/dev/null || .ci/packages default-jdk-headless
	@command -v mvn >/dev/null || .ci/packages maven
	$(CARGO) build --release --locked --bin pdns-sensor
	$(CARGO) run --release --locked -p pdns-soak --bin soak -- --minutes $(SOAK_MINUTES)

# Every parser against hostile input. See docs/fuzzing.md.
fuzz: deps
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) FUZZ_JOBS=$(or $(FUZZ_JOBS),2) fixtures/fuzz/run

# Writes the captures under fixtures/captures anew; a test compares them.
fixtures:
	$(CARGO) run --release --locked -p pdns-fixtures --bin make-fixtures

clean:
	$(CARGO) clean
