/*
 * A stand-in for libpfring: the functions that are used, with the signatures and structures of its public headers.
 *
 * The device's name says how it behaves and where it notes what it is asked to do: BEHAVIOUR:PATH. A ring has four frames, or
 * every second one of them when it is in a cluster. What comes then depends on the behaviour:
 *
 *   quiet   nothing
 *   blind   nothing, and it has no descriptor
 *   fail    an error
 *   closed  it cannot be opened at all
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct pfring_pkthdr {
	struct timeval ts;
	uint32_t caplen;
	uint32_t len;
	struct {
		uint64_t timestamp_ns;
		uint32_t flags;
		uint8_t rx_direction;
		int32_t if_index;
		uint32_t pkt_hash;
		uint8_t rest[200];
	} extended_hdr;
};

typedef struct {
	uint64_t recv;
	uint64_t drop;
	uint64_t shunt;
} pfring_stat;

typedef struct {
	char behaviour[16];
	FILE *log;
	int pipe[2];
	int enabled, empty;
	unsigned next, step;
	uint64_t received;
	uint8_t frame[64];
} pfring;

static unsigned members;

pfring *pfring_open(const char *device, uint32_t caplen, uint32_t flags)
{
	const char *colon = strchr(device, ':');
	pfring *ring = calloc(1, sizeof *ring);
	memcpy(ring->behaviour, device, colon - device);
	if (strcmp(ring->behaviour, "closed") == 0) {
		free(ring);
		return NULL;
	}
	ring->log = fopen(colon + 1, "a");
	fprintf(ring->log, "open %u %u\n", caplen, flags);
	fflush(ring->log);
	ring->step = 1;
	if (pipe(ring->pipe) != 0 || write(ring->pipe[1], "x", 1) != 1)
		abort();
	return ring;
}

void pfring_close(pfring *ring)
{
	fprintf(ring->log, "close\n");
	fclose(ring->log);
	close(ring->pipe[0]);
	close(ring->pipe[1]);
	free(ring);
}

int pfring_set_application_name(pfring *ring, char *name)
{
	fprintf(ring->log, "name %s\n", name);
	return 0;
}

int pfring_set_bpf_filter(pfring *ring, char *filter)
{
	fprintf(ring->log, "filter %s\n", filter);
	fflush(ring->log);
	return strcmp(filter, "nonsense") == 0 ? -2 : 0;
}

int pfring_set_cluster(pfring *ring, unsigned id, int type)
{
	fprintf(ring->log, "cluster %u\n", (unsigned)type);
	ring->next = members++ % 2;
	ring->step = 2;
	return id == 0 ? -1 : 0;
}

int pfring_enable_ring(pfring *ring)
{
	fprintf(ring->log, "enable\n");
	fflush(ring->log);
	ring->enabled = 1;
	return 0;
}

int pfring_get_selectable_fd(pfring *ring)
{
	return strcmp(ring->behaviour, "blind") == 0 ? -1 : ring->pipe[0];
}

int pfring_poll(pfring *ring, unsigned milliseconds)
{
	if (ring->next < 4)
		return 1;
	usleep(milliseconds * 1000);
	return 0;
}

int pfring_recv(pfring *ring, uint8_t **buffer, unsigned length, struct pfring_pkthdr *header, uint8_t wait)
{
	if (!ring->enabled || length != 0 || wait != 0)
		return -12;
	if (ring->next >= 4) {
		char byte;
		/* Not readable any more. */
		if (!ring->empty && read(ring->pipe[0], &byte, 1) == 1)
			ring->empty = 1;
		return strcmp(ring->behaviour, "fail") == 0 ? -1 : 0;
	}
	memset(header, 0xa5, sizeof *header);
	memset(ring->frame, (int)ring->next, sizeof ring->frame);
	header->ts.tv_sec = 1600000000 + ring->next;
	header->ts.tv_usec = 123456;
	/* The last has no time of its own, as with drivers that know none. */
	header->extended_hdr.timestamp_ns = ring->next == 3 ? 0 : (1600000000 + ring->next) * 1000000000ULL + 123456789;
	header->caplen = sizeof ring->frame;
	header->len = 90;
	*buffer = ring->frame;
	ring->next += ring->step;
	ring->received++;
	return 1;
}

int pfring_stats(pfring *ring, pfring_stat *stats)
{
	stats->recv = ring->received;
	stats->drop = 2 * ring->received;
	return 0;
}
