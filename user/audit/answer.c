// SPDX-License-Identifier: BSD-2-Clause
#include "audit/answer.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Records of one answer that are looked at: addresses, and the names on the way to them. */
#define RECORDS_MAX (2 * KVG_ANSWER_ADDRESSES_MAX)

/* struct reading - where it is: @owner is the name whose records count, as libresolv writes it */
struct reading {
	ns_msg message;
	char owner[NS_MAXDNAME];
	struct kvg_answer_names *names;
};

/* A client may look up anything, and a record is read by people, in terminals and browsers. */
static int set_name(const char *name, char ret[KVG_DOMAIN_LEN])
{
	size_t len = strlen(name);

	if (len == 0 || len >= KVG_DOMAIN_LEN)
		return -EBADMSG;
	for (size_t i = 0; i <= len; i++) {
		unsigned char c = (unsigned char)name[i];

		ret[i] = !c || isalnum(c) || strchr("-_.", c) ? (char)tolower(c) : '?';
	}
	return 0;
}

static bool is_answer(const ns_msg *message)
{
	return ns_msg_getflag(*message, ns_f_qr) &&
	       ns_msg_getflag(*message, ns_f_opcode) == ns_o_query &&
	       ns_msg_getflag(*message, ns_f_rcode) == ns_r_noerror &&
	       ns_msg_count(*message, ns_s_qd) == 1;
}

static int read_question(struct reading *reading)
{
	ns_rr question;

	if (!is_answer(&reading->message) ||
	    ns_parserr(&reading->message, ns_s_qd, 0, &question) < 0 ||
	    ns_rr_class(question) != ns_c_in)
		return -EBADMSG;
	strcpy(reading->owner, ns_rr_name(question));
	return set_name(reading->owner, reading->names->name);
}

static void note_ttl(struct reading *reading, const ns_rr *record)
{
	if (ns_rr_ttl(*record) < reading->names->ttl_s)
		reading->names->ttl_s = ns_rr_ttl(*record);
}

/* The name goes by another one: that one's records are the answer. */
static int follow(struct reading *reading, const ns_rr *record)
{
	char name[NS_MAXDNAME];

	if (ns_name_uncompress(ns_msg_base(reading->message), ns_msg_end(reading->message),
			       ns_rr_rdata(*record), name, sizeof(name)) < 0)
		return -EBADMSG;
	strcpy(reading->owner, name);
	note_ttl(reading, record);
	return 0;
}

static int add_address(struct reading *reading, const ns_rr *record)
{
	struct kvg_answer_names *names = reading->names;
	size_t size = ns_rr_type(*record) == ns_t_a ? 4 : 16;
	__u8 *addr;

	if (ns_rr_rdlen(*record) != size)
		return -EBADMSG;
	if (names->count == KVG_ANSWER_ADDRESSES_MAX)
		return 0;
	addr = names->addresses[names->count++].addr;
	memset(addr, 0, 16);
	if (size == 4)
		addr[10] = addr[11] = 0xff;
	memcpy(addr + 16 - size, ns_rr_rdata(*record), size);
	note_ttl(reading, record);
	return 0;
}

static int read_record(struct reading *reading, const ns_rr *record)
{
	if (ns_rr_class(*record) != ns_c_in || strcasecmp(ns_rr_name(*record), reading->owner) != 0)
		return 0;
	switch (ns_rr_type(*record)) {
	case ns_t_cname:
		return follow(reading, record);
	case ns_t_a:
	case ns_t_aaaa:
		return add_address(reading, record);
	default:
		return 0;
	}
}

int kvg_answer_parse(const void *message, size_t size, struct kvg_answer_names *ret)
{
	struct reading reading = {.names = ret};
	int count, r;

	ret->count = 0;
	ret->ttl_s = ~(__u32)0;
	if (ns_initparse(message, (int)size, &reading.message) < 0)
		return -EBADMSG;
	r = read_question(&reading);
	count = r < 0 ? 0 : ns_msg_count(reading.message, ns_s_an);
	for (int i = 0; r == 0 && i < count && i < RECORDS_MAX; i++) {
		ns_rr record;

		r = ns_parserr(&reading.message, ns_s_an, i, &record) < 0
			    ? -EBADMSG
			    : read_record(&reading, &record);
	}
	return r == 0 && ret->count ? 0 : -EBADMSG;
}
