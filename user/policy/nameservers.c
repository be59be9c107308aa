// SPDX-License-Identifier: BSD-2-Clause
#include "policy/nameservers.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "policy/address.h"
#include "policy/profile.h"

/* As resolv.conf(5): the keyword starts the line, white space, the address, whatever follows. */
static const char *find_address(char *line)
{
	static const char blank[] = " \t\r";
	char *keyword = strsep(&line, blank);
	char *text;

	if (!line || strcmp(keyword, "nameserver") != 0)
		return NULL;
	text = line + strspn(line, blank);
	text[strcspn(text, blank)] = '\0';
	return text;
}

int kvg_nameservers_each(char *text, int (*take)(void *data, const char *address), void *data)
{
	int count = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *address = find_address(line);
		int r = address ? take(data, address) : 0;

		count += address != NULL;
		if (r)
			return r < 0 ? r : count;
	}
	return count;
}

/* struct reading - `--resolver auto`, on its way into a profile */
struct reading {
	struct kvg_profile *profile;
	const char *path;
	struct kvg_notes *notes;
};

static int add_nameserver(void *data, const char *text)
{
	const struct reading *reading = data;
	struct kvg_profile *profile = reading->profile;
	const char *path = reading->path;
	struct kvg_prefix address;
	struct kvg_prefix *resolvers;

	if (strchr(text, '%'))
		return kvg_notes_add(reading->notes,
				     "nameserver %s of '%s' has a zone and is left out: a rule "
				     "cannot name an interface",
				     text, path);
	if (kvg_prefix_parse_address(text, &address, NULL) < 0)
		return kvg_notes_add(reading->notes,
				     "nameserver '%s' of '%s' is no address and is left out", text,
				     path);
	if (kvg_address_classify(&address) == KVG_ADDRESS_LOOPBACK)
		return kvg_notes_add(reading->notes,
				     "nameserver %s of '%s' is loopback, which is always "
				     "reachable: no rule is needed",
				     text, path);

	resolvers =
		reallocarray(profile->resolvers, profile->resolvers_count + 1, sizeof(*resolvers));
	if (!resolvers)
		return -ENOMEM;
	resolvers[profile->resolvers_count++] = address;
	profile->resolvers = resolvers;
	return 0;
}

int kvg_profile_add_nameservers(struct kvg_profile *profile, const char *path,
				struct kvg_notes *notes, struct kvg_diag *reterr_diag)
{
	struct reading reading = {.profile = profile, .path = path, .notes = notes};
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;
	int r;

	r = kvg_file_read(path, KVG_RESOLV_CONF_MAX_BYTES, &data, &size);
	if (r == -ENOENT)
		return kvg_notes_add(notes, "there is no '%s': no resolver is let through", path);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot read nameservers: %s", strerror(-r));

	r = kvg_nameservers_each(data, add_nameserver, &reading);
	if (r == 0)
		return kvg_notes_add(notes, "'%s' names no nameserver: no resolver is let through",
				     path);
	return r < 0 ? r : 0;
}
