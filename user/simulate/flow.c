// SPDX-License-Identifier: BSD-2-Clause
/*
 * A flow in words of the Elastic Common Schema, such as a line of kvgate's own record:
 *
 *	{"source":{"ip":"10.0.0.4","port":40312},"destination":{"ip":"192.0.2.1","port":443},
 *	 "network":{"transport":"tcp","direction":"egress"},"process":{"name":"curl"}}
 *
 * Only the destination must be there. The source opened it; ingress means that it is not the client.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/words.h"
#include "simulate/readers.h"
#include "simulate/text.h"

static int read_end(const json_t *end, struct kvg_word *ret_address, __be16 *ret_port)
{
	json_t *ip = json_object_get(end, "ip");
	json_t *port = json_object_get(end, "port");

	if (!ip)
		ip = json_object_get(end, "address");
	if (!json_is_string(ip) || (port && !json_is_integer(port)) ||
	    json_integer_value(port) < 0 || json_integer_value(port) > 65535)
		return -EINVAL;
	*ret_address = (struct kvg_word){json_string_value(ip), json_string_length(ip)};
	*ret_port = htons((__u16)json_integer_value(port));
	return 0;
}

static int read_ends(const json_t *record, struct kvg_seen_key *ret)
{
	json_t *source = json_object_get(record, "source");
	struct kvg_word from, to;

	if (read_end(json_object_get(record, "destination"), &to, &ret->flow.dport) < 0)
		return -EINVAL;
	if (source)
		return read_end(source, &from, &ret->sport) < 0 ? -EINVAL
								: kvg_text_ends(&from, &to, ret);

	if (kvg_text_address(&to, ret->flow.daddr, &ret->flow.family) < 0)
		return -EINVAL;
	return 0;
}

static int read_protocol(const json_t *network, __u16 *ret)
{
	json_t *transport = json_object_get(network, "transport");
	const char *number = json_string_value(json_object_get(network, "iana_number"));
	__u64 protocol = IPPROTO_TCP;

	if (number) {
		struct kvg_word word = {number, strlen(number)};

		if (kvg_text_number(&word, 255, &protocol) < 0)
			return -EINVAL;
	} else if (transport) {
		const char *text = json_string_value(transport);

		for (protocol = 0; text && protocol <= 255; protocol++) {
			const char *known = kvg_protocol_word((unsigned int)protocol);

			if (known && strcmp(known, text) == 0)
				break;
		}
		if (!text || protocol > 255)
			return -EINVAL;
	}
	*ret = (__u16)protocol;
	return 0;
}

static bool is_inbound(const json_t *network)
{
	const char *direction = json_string_value(json_object_get(network, "direction"));

	return direction &&
	       (strcmp(direction, "ingress") == 0 || strcmp(direction, "inbound") == 0);
}

static void read_counts(const json_t *record, bool inbound, struct kvg_seen *ret)
{
	json_t *end = json_object_get(record, inbound ? "destination" : "source");
	json_t *packets = json_object_get(end, "packets");
	json_t *bytes = json_object_get(end, "bytes");
	json_t *count = json_object_get(json_object_get(record, "kvgate"), "count");

	if (!packets && !inbound)
		packets = count;
	if (json_integer_value(packets) > 0)
		ret->packets = (__u64)json_integer_value(packets);
	if (json_integer_value(bytes) > 0)
		ret->bytes = (__u64)json_integer_value(bytes);
}

static void read_process(const json_t *record, struct kvg_seen *ret)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(record, "process"), "name"));

	if (name)
		memcpy(ret->process, name, strnlen(name, sizeof(ret->process) - 1));
}

static int read_flow(const json_t *record, struct kvg_seen *ret)
{
	json_t *network = json_object_get(record, "network");
	struct kvg_flow *flow = &ret->key.flow;
	bool inbound = is_inbound(network);

	*ret = (struct kvg_seen){.key.sent = KVG_SENT_OUT};
	if (read_ends(record, &ret->key) < 0 || read_protocol(network, &flow->protocol) < 0)
		return -EINVAL;

	if (flow->protocol == IPPROTO_TCP)
		ret->signs = inbound ? KVG_SIGN_ANSWERS : KVG_SIGN_OPENS;
	else if (flow->protocol != IPPROTO_UDP)
		flow->dport = ret->key.sport = 0;
	if (inbound)
		kvg_text_turn(&ret->key);
	read_counts(record, inbound, ret);
	read_process(record, ret);
	return 0;
}

int kvg_flow_read_record(const json_t *record, unsigned int line, struct kvg_traffic *traffic)
{
	struct kvg_seen seen;

	/* kvgate's record of a socket that was never made, or of lost lines */
	if (!json_object_get(record, "destination") && json_object_get(record, "event")) {
		traffic->foreign++;
		return 0;
	}
	if (read_flow(record, &seen) < 0) {
		kvg_traffic_unreadable(traffic, line,
				       "no flow: \"destination\" needs \"ip\" and \"port\", "
				       "\"source\" the same if it is there, and "
				       "\"network.transport\" a known protocol");
		return 0;
	}
	return kvg_traffic_add(traffic, &seen);
}
