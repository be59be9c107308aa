// SPDX-License-Identifier: BSD-2-Clause
#include "audit/line_words.h"

#include <stdbool.h>
#include <string.h>

#include "audit/lines.h"
#include "policy/words.h"

void kvg_line_words_clean(const char *text, char *ret, size_t size)
{
	size_t i = 0;

	for (; text && text[i] && i + 1 < size; i++)
		ret[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
	ret[i] = '\0';
}

static bool is_hook(const json_t *line, const char *word)
{
	const char *hook = kvg_line_text(line, "kvgate.hook");

	return hook && strcmp(hook, word) == 0;
}

/* "tcp", "ip/132", "packet", "" */
static void put_protocol(const json_t *line, char *ret, size_t size)
{
	const char *transport = kvg_line_text(line, "network.transport");
	const char *number = kvg_line_text(line, "network.iana_number");
	const char *type = kvg_line_text(line, "network.type");

	if (transport)
		snprintf(ret, size, "%s ", transport);
	else if (number)
		snprintf(ret, size, "ip/%s ", number);
	else if (type && is_hook(line, kvg_hook_word(KVG_HOOK_SOCK_CREATE)))
		snprintf(ret, size, "%s ", type);
	else
		*ret = '\0';
}

void kvg_line_words_flow(const json_t *line, char *ret, size_t size)
{
	const char *folded = kvg_line_text(line, "kvgate.folded");
	const char *ip = kvg_line_text(line, "destination.ip");
	long long port = kvg_line_number(line, "destination.port", 0);
	char protocol[32];

	put_protocol(line, protocol, sizeof(protocol));
	if (folded)
		snprintf(ret, size, "more %s than are told apart", folded);
	else if (!ip)
		snprintf(ret, size, "%s%s", protocol,
			 is_hook(line, kvg_hook_word(KVG_HOOK_SOCK_CREATE)) ? "socket" : "packet");
	else if (!port)
		snprintf(ret, size, "%s%s", protocol, ip);
	else
		snprintf(ret, size, strchr(ip, ':') ? "%s[%s]:%lld" : "%s%s:%lld", protocol, ip,
			 port);
}

/* One tag, or a list of them. */
void kvg_line_words_nearest(const json_t *line, char *ret, size_t size)
{
	const json_t *nearest = json_object_get(json_object_get(line, "kvgate"), "nearest");
	const json_t *from = json_object_get(nearest, "from");
	const char *prefix = json_string_value(json_object_get(nearest, "prefix"));
	const char *tag = json_string_value(json_is_array(from) ? json_array_get(from, 0) : from);

	if (prefix && tag)
		snprintf(ret, size, "%s of %s", prefix, tag);
	else
		snprintf(ret, size, "%s", prefix ? prefix : "");
}

static const char *verdict_of(const json_t *line)
{
	const char *action = kvg_line_text(line, "event.action");

	if (strcmp(action, "egress-refused") == 0)
		return "refused";
	if (strcmp(action, "egress-would-refuse") == 0)
		return "would refuse";
	if (strcmp(action, "connection-closed") == 0)
		return "closed";
	return strcmp(action, "records-lost") == 0 ? "lost" : action;
}

static void put_process(const json_t *line, char *ret, size_t size)
{
	const char *name = kvg_line_text(line, "process.name");
	long long pid = kvg_line_number(line, "process.pid", 0);
	char text[KVG_LINE_WORD_LEN];

	*ret = '\0';
	if (!pid)
		return;
	snprintf(text, sizeof(text), "%s[%lld]", name ? name : "", pid);
	kvg_line_words_clean(text, ret, size);
}

static void clean_of(const json_t *line, const char *path, char *ret, size_t size)
{
	kvg_line_words_clean(kvg_line_text(line, path), ret, size);
}

void kvg_line_words_read(const json_t *line, struct kvg_line_words *ret)
{
	char text[2 * KVG_LINE_WORD_LEN];

	*ret = (struct kvg_line_words){.count = kvg_line_number(line, "kvgate.count", 1)};
	clean_of(line, "@timestamp", ret->time, 20);
	strcat(ret->time, "Z");
	kvg_line_words_clean(verdict_of(line), ret->verdict, sizeof(ret->verdict));
	clean_of(line, "event.reason", ret->reason, sizeof(ret->reason));
	if (strcmp(ret->verdict, "lost") == 0) {
		ret->count = kvg_line_number(line, "kvgate.lost", 0);
		return;
	}
	kvg_line_words_flow(line, text, sizeof(text));
	kvg_line_words_clean(text, ret->flow, sizeof(ret->flow));
	kvg_line_words_nearest(line, text, sizeof(text));
	kvg_line_words_clean(text, ret->nearest, sizeof(ret->nearest));
	clean_of(line, "destination.domain", ret->domain, sizeof(ret->domain));
	clean_of(line, "kvgate.gate", ret->gate, sizeof(ret->gate));
	clean_of(line, "kvgate.profile", ret->profile, sizeof(ret->profile));
	put_process(line, ret->process, sizeof(ret->process));
}
