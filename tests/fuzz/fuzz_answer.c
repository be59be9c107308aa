// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a name server answers, or whoever speaks in its name. Claims, on any bytes:
 *   - what is read has a name that is neither empty nor of bytes that a terminal or a browser takes for
 *     more than text, and at least one address, at most as many as there is room for;
 *   - a refusal is -EBADMSG;
 *   - what was learned from it is found by its gate, and by no other.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/domains.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int kept)
{
	if (!kept)
		abort();
}

static void check_name(const char *name)
{
	check(name[0] && strlen(name) < KVG_DOMAIN_LEN);
	check(name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.?")] == '\0');
}

static void check_learned(const struct kvg_answer_names *names)
{
	KVG_CLEANUP(kvg_domains_closep) struct kvg_domains *domains = NULL;

	check(kvg_domains_open(&domains) == 0);
	kvg_domains_learn(domains, 1, names, 0);
	check(kvg_domains_count(domains) >= 1 && kvg_domains_count(domains) <= names->count);
	for (size_t i = 0; i < names->count; i++) {
		const char *found = kvg_domains_find(domains, 1, names->addresses[i].addr, 0);

		check(found && strcmp(found, names->name) == 0);
		check(!kvg_domains_find(domains, 2, names->addresses[i].addr, 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvg_answer_names names;
	int r = kvg_answer_parse(data, size, &names);

	if (r < 0) {
		check(r == -EBADMSG);
		return 0;
	}
	check(names.count >= 1 && names.count <= KVG_ANSWER_ADDRESSES_MAX);
	check_name(names.name);
	check_learned(&names);
	return 0;
}
