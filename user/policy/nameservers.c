// SPDX-License-Identifier: BSD-2-Clause
/* `--resolver auto`: the "nameserver" lines of a resolv.conf. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "policy/address.h"
#include "policy/profile.h"

#define RESOLV_CONF_MAX_BYTES (64UL << 10) /* a real one has a dozen lines */

static int add_nameserver(struct kvg_profile *profile, const char *path, const char *text,
			  struct kvg_notes *notes)
{
	struct kvg_prefix address;
	struct kvg_prefix *resolvers;

	if (strchr(text, '%'))
		return kvg_notes_add(notes,
				     "nameserver %s of '%s' has a zone and is left out: a rule "
				     "cannot name an interface",
				     text, path);
	if (kvg_prefix_parse_address(text, &address, NULL) < 0)
		return kvg_notes_add(notes, "nameserver '%s' of '%s' is no address and is left out",
				     text, path);
	if (kvg_address_classify(&address) == KVG_ADDRESS_LOOPBACK)
		return kvg_notes_add(notes,
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

/* As resolv.conf(5): the keyword starts the line, white space, the address, whatever follows. */
static int read_line(struct kvg_profile *profile, const char *path, char *line,
		     struct kvg_notes *notes, bool *ret_found)
{
	static const char blank[] = " \t\r";
	char *keyword = strsep(&line, blank);
	char *text;

	if (!line || strcmp(keyword, "nameserver") != 0)
		return 0;

	text = line + strspn(line, blank);
	text[strcspn(text, blank)] = '\0';
	*ret_found = true;
	return add_nameserver(profile, path, text, notes);
}

int kvg_profile_add_nameservers(struct kvg_profile *profile, const char *path,
				struct kvg_notes *notes, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	bool found = false;
	size_t size;
	char *rest;
	char *line;
	int r;

	r = kvg_file_read(path, RESOLV_CONF_MAX_BYTES, &data, &size);
	if (r == -ENOENT)
		return kvg_notes_add(notes, "there is no '%s': no resolver is let through", path);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot read nameservers: %s", strerror(-r));

	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		r = read_line(profile, path, line, notes, &found);
		if (r < 0)
			return r;
	}

	if (!found)
		return kvg_notes_add(notes, "'%s' names no nameserver: no resolver is let through",
				     path);
	return 0;
}
