// SPDX-License-Identifier: BSD-2-Clause
#include "simulate/pcap.h"

#include <pcap/pcap.h>
#include <pcap/sll.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <string.h>

#include "base/cleanup.h"
#include "simulate/packet.h"

#define VLAN_TAG  4
#define VLAN_MOST 4 /* tags on top of each other; two are usual where there is any */

#define ETHERTYPE_QINQ     0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100

/* struct frame - what is left of one to look at; @sent and @loopback as the link layer says */
struct frame {
	const __u8 *data;
	size_t size;
	size_t len;
	__u16 type; /* ethertype; 0: IP, as the version says */
	enum kvg_sent sent;
	bool loopback;
	bool cut; /* the capture kept too little to say */
};

static __u16 read16(const __u8 *at)
{
	return (__u16)(at[0] << 8 | at[1]);
}

static bool skip(struct frame *frame, size_t bytes)
{
	if (frame->size < bytes) {
		frame->cut = frame->size < frame->len;
		return false;
	}
	frame->data += bytes;
	frame->size -= bytes;
	frame->len -= bytes;
	return true;
}

/* lo has no addresses of its own: both are zero. */
static bool skip_ethernet(struct frame *frame)
{
	static const __u8 nobody[2 * ETH_ALEN];
	const __u8 *header = frame->data;

	if (!skip(frame, ETH_HLEN))
		return false;
	frame->loopback = memcmp(header, nobody, sizeof(nobody)) == 0;
	frame->type = read16(header + 12);
	return true;
}

static bool skip_raw(struct frame *frame)
{
	frame->type = 0;
	return true;
}

static void read_packet_type(struct frame *frame, unsigned int type, unsigned int hardware)
{
	frame->sent = type == LINUX_SLL_OUTGOING ? KVG_SENT_OUT
		      : type == LINUX_SLL_HOST   ? KVG_SENT_IN
						 : KVG_SENT_UNKNOWN;
	frame->loopback = hardware == ARPHRD_LOOPBACK;
}

static bool skip_cooked(struct frame *frame)
{
	const __u8 *header = frame->data;

	if (!skip(frame, SLL_HDR_LEN))
		return false;
	read_packet_type(frame, read16(header), read16(header + 2));
	frame->type = read16(header + 14);
	return true;
}

static bool skip_cooked2(struct frame *frame)
{
	const __u8 *header = frame->data;

	if (!skip(frame, SLL2_HDR_LEN))
		return false;
	read_packet_type(frame, header[10], read16(header + 8));
	frame->type = read16(header);
	return true;
}

/* Four bytes of family, in whatever order; the packet's version says the same. */
static bool skip_null(struct frame *frame)
{
	frame->type = 0;
	return skip(frame, 4);
}

static const struct link_layer {
	int type;
	bool (*skip)(struct frame *frame);
} layers[] = {
	{DLT_EN10MB, skip_ethernet},    {DLT_RAW, skip_raw},   {DLT_IPV4, skip_raw},
	{DLT_IPV6, skip_raw},           {DLT_NULL, skip_null}, {DLT_LOOP, skip_null},
	{DLT_LINUX_SLL, skip_cooked},
#ifdef DLT_LINUX_SLL2
	{DLT_LINUX_SLL2, skip_cooked2},
#endif
};

static bool skip_vlans(struct frame *frame)
{
	for (int i = 0; i < VLAN_MOST; i++) {
		const __u8 *tag = frame->data;

		if (frame->type != ETHERTYPE_VLAN && frame->type != ETHERTYPE_QINQ &&
		    frame->type != ETHERTYPE_QINQ_OLD)
			return true;
		if (!skip(frame, VLAN_TAG))
			return false;
		frame->type = read16(tag + 2);
	}
	return true;
}

static bool is_ip(const struct frame *frame)
{
	return !frame->type || frame->type == ETHERTYPE_IP || frame->type == ETHERTYPE_IPV6;
}

static int read_frame(const struct link_layer *layer, struct frame *frame,
		      struct kvg_traffic *traffic)
{
	struct kvg_seen seen;

	if (layer->skip(frame) && skip_vlans(frame)) {
		if (!is_ip(frame)) {
			traffic->foreign++;
			return 0;
		}
		if (kvg_packet_read(frame->data, frame->size, frame->len, &seen)) {
			seen.key.sent = frame->sent;
			seen.key.flow.loopback = frame->loopback && kvg_packet_is_inside(&seen.key);
			return kvg_traffic_add(traffic, &seen);
		}
		frame->cut = true;
	}
	if (frame->cut)
		kvg_traffic_unreadable(traffic, 0,
				       "packet %llu was captured too short to be judged: capture "
				       "128 bytes of each, or more",
				       (unsigned long long)(traffic->records + traffic->unreadable +
							    traffic->foreign + 1));
	else
		traffic->foreign++;
	return 0;
}

static int read_frames(pcap_t *pcap, const struct link_layer *layer, struct kvg_traffic *traffic)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int r;

	while ((r = pcap_next_ex(pcap, &header, &data)) == 1) {
		struct frame frame = {
			.data = data,
			.size = header->caplen,
			.len = header->len > header->caplen ? header->len : header->caplen,
		};

		r = read_frame(layer, &frame, traffic);
		if (r < 0)
			return r;
	}
	if (r == PCAP_ERROR)
		kvg_traffic_cut(traffic, 0,
				"the capture ends in the middle, after %llu packets: %s",
				(unsigned long long)(traffic->records + traffic->unreadable +
						     traffic->foreign),
				pcap_geterr(pcap));
	return 0;
}

static void closep(pcap_t **pcap)
{
	if (*pcap)
		pcap_close(*pcap);
}

static const struct link_layer *find_layer(int type)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(layers); i++) {
		if (layers[i].type == type)
			return &layers[i];
	}
	return NULL;
}

int kvg_pcap_read(FILE *file, struct kvg_traffic *ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(closep) pcap_t *pcap = NULL;
	const struct link_layer *layer;
	char error[PCAP_ERRBUF_SIZE] = "";
	const char *name;

	pcap = pcap_fopen_offline(file, error);
	if (!pcap) {
		fclose(file);
		return kvg_diag_set(reterr_diag, -EINVAL, "no capture: %s", error);
	}
	layer = find_layer(pcap_datalink(pcap));
	if (!layer) {
		name = pcap_datalink_val_to_name(pcap_datalink(pcap));
		return kvg_diag_set(reterr_diag, -EPROTONOSUPPORT,
				    "link type %s (%d) is not known: capture at an Ethernet "
				    "interface, or with 'tcpdump -i any'",
				    name ? name : "unknown", pcap_datalink(pcap));
	}
	return read_frames(pcap, layer, ret);
}
