// SPDX-License-Identifier: BSD-2-Clause
#include "policy/profile.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define REGION_MAX_LEN 64 /* bytes; the longest published one has 18 */
#define NAME_MAX_LEN   48 /* of profiles; see policy/variant.h */
#define HOST_MAX_LEN   253
#define LABEL_MAX_LEN  63

/* A zeroed new last element of an array of pointers or structures; NULL if there is no memory. */
#define APPEND(array, count)                                                                     \
	({                                                                                       \
		__typeof__(array) appended = reallocarray(array, (count) + 1, sizeof(*(array))); \
		if (appended) {                                                                  \
			(array) = appended;                                                      \
			appended += (count)++;                                                   \
			memset(appended, 0, sizeof(*appended));                                  \
		}                                                                                \
		appended;                                                                        \
	})

int kvg_profile_init(struct kvg_profile *profile, const char *name)
{
	*profile = (struct kvg_profile){
		.cloud = KVG_CLOUD_PUBLIC,
		.functions = 1U << KVG_FUNCTION_AUTHENTICATION | 1U << KVG_FUNCTION_MANAGEMENT |
			     1U << KVG_FUNCTION_DATA,
		.identities = 1U << KVG_IDENTITY_WORK,
		.auto_resolvers = true,
		.crl_hosts = true,
		.mode = KVG_MODE_ENFORCE,
		.inbound = KVG_INBOUND_ALLOW,
	};

	profile->name = strdup(name);
	return profile->name ? 0 : -ENOMEM;
}

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

void kvg_profile_done(struct kvg_profile *profile)
{
	for (size_t i = 0; i < profile->allow_count; i++)
		free(profile->allow[i].note);
	for (size_t i = 0; i < profile->kept_count; i++)
		free(profile->kept[i].from);

	kvg_profile_clear_resolved(profile);
	free_strings(profile->regions, profile->regions_count);
	free_strings(profile->adfs_hosts, profile->adfs_hosts_count);
	free_strings(profile->crl_tags, profile->crl_tags_count);
	free(profile->resolvers);
	free(profile->allow);
	free(profile->crl_prefixes);
	free(profile->kept);
	free(profile->name);
	*profile = (struct kvg_profile){0};
}

static int add_string(char ***strings, size_t *count, const char *text)
{
	char *copy = strdup(text);
	char **slot;

	if (!copy)
		return -ENOMEM;

	slot = APPEND(*strings, *count);
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = copy;
	return 0;
}

int kvg_profile_set_name(struct kvg_profile *profile, const char *text,
			 struct kvg_diag *reterr_diag)
{
	size_t length = strlen(text);
	char *copy;

	for (size_t i = 0; i < strlen(text); i++) {
		if (!isalnum((unsigned char)text[i]) && (i == 0 || !strchr("._-", text[i])))
			length = 0;
	}
	if (length == 0 || length > NAME_MAX_LEN)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "bad profile name '%s': expected up to 48 letters, digits and "
				    "._-, a letter or digit first",
				    text);

	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(profile->name);
	profile->name = copy;
	return 0;
}

int kvg_profile_set_cloud(struct kvg_profile *profile, const char *text,
			  struct kvg_diag *reterr_diag)
{
	enum kvg_cloud cloud;

	if (kvg_cloud_parse(text, &cloud) < 0)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "unknown cloud '%s': expected public, usgov or china", text);
	if (cloud == KVG_CLOUD_GERMANY)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "the cloud 'germany' was retired in March 2025: expected "
				    "public, usgov or china");

	profile->cloud = cloud;
	return 0;
}

int kvg_profile_add_function(struct kvg_profile *profile, const char *text,
			     struct kvg_diag *reterr_diag)
{
	if (strcmp(text, "none") == 0) {
		profile->given |= KVG_PROFILE_NO_FUNCTION;
		return 0;
	}
	for (enum kvg_function f = 0; f <= KVG_FUNCTION_DATA; f++) {
		if (strcmp(kvg_function_word(f), text) == 0) {
			profile->functions |= 1U << f;
			return 0;
		}
	}
	return kvg_diag_set(reterr_diag, -EINVAL,
			    "unknown function '%s': expected authentication, management or data",
			    text);
}

int kvg_profile_set_functions(struct kvg_profile *profile, const char *text,
			      struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *copy = strdup(text);
	char *rest = copy;
	char *word;
	int r;

	if (!copy)
		return -ENOMEM;

	profile->functions = 0;
	while ((word = strsep(&rest, ","))) {
		r = kvg_profile_add_function(profile, word, reterr_diag);
		if (r < 0)
			return r;
	}
	return 0;
}

int kvg_profile_add_identity(struct kvg_profile *profile, const char *text,
			     struct kvg_diag *reterr_diag)
{
	for (enum kvg_identity_kind i = 0; i < KVG_IDENTITY_COUNT; i++) {
		if (strcmp(kvg_identity_word(i), text) != 0)
			continue;
		if (!(profile->given & KVG_PROFILE_GIVEN_IDENTITY))
			profile->identities = 0;
		profile->given |= KVG_PROFILE_GIVEN_IDENTITY;
		profile->identities |= 1U << i;
		return 0;
	}
	return kvg_diag_set(reterr_diag, -EINVAL,
			    "unknown identity '%s': expected work, microsoft, adfs or managed",
			    text);
}

int kvg_profile_add_region(struct kvg_profile *profile, const char *text,
			   struct kvg_diag *reterr_diag)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]))
			length = 0;
	}
	if (length == 0 || length > REGION_MAX_LEN)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "bad region '%s': expected letters and digits, such as "
				    "westeurope",
				    text);
	return add_string(&profile->regions, &profile->regions_count, text);
}

static int add_prefix(struct kvg_prefix **prefixes, size_t *count, const struct kvg_prefix *prefix)
{
	struct kvg_prefix *slot = APPEND(*prefixes, *count);

	if (!slot)
		return -ENOMEM;
	*slot = *prefix;
	return 0;
}

/* "none" goes with nothing else; anything else replaces the default, which is auto. */
static int note_resolver(struct kvg_profile *profile, bool none, struct kvg_diag *reterr_diag)
{
	bool before = profile->given & KVG_PROFILE_GIVEN_RESOLVER;

	if (before && (none || profile->given & KVG_PROFILE_NO_RESOLVER))
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "resolver 'none' cannot go with another resolver");

	if (!before)
		profile->auto_resolvers = false;
	profile->given |= KVG_PROFILE_GIVEN_RESOLVER | (none ? KVG_PROFILE_NO_RESOLVER : 0);
	return 0;
}

int kvg_profile_add_resolver(struct kvg_profile *profile, const char *text,
			     struct kvg_diag *reterr_diag)
{
	bool none = strcmp(text, "none") == 0;
	struct kvg_prefix address;
	int r;

	if (none)
		return note_resolver(profile, true, reterr_diag);

	if (strcmp(text, "auto") == 0) {
		r = note_resolver(profile, false, reterr_diag);
		if (r == 0)
			profile->auto_resolvers = true;
		return r;
	}

	r = kvg_prefix_parse_address(text, &address, NULL);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r,
				    "bad resolver '%s': expected an IP address, none or auto",
				    text);

	r = note_resolver(profile, false, reterr_diag);
	if (r < 0)
		return r;
	return add_prefix(&profile->resolvers, &profile->resolvers_count, &address);
}

int kvg_profile_add_allow(struct kvg_profile *profile, const char *prefix, const char *service,
			  const char *note, struct kvg_diag *reterr_diag)
{
	struct kvg_allow allow = {0};
	struct kvg_allow *slot;
	int r;

	r = kvg_prefix_parse(prefix, &allow.prefix, reterr_diag);
	if (r < 0)
		return r;
	if (allow.prefix.bits == 0)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "'%s' holds every address and would open the gate: expected "
				    "the prefixes that the client needs",
				    prefix);
	r = kvg_service_parse(service, &allow.service, reterr_diag);
	if (r < 0)
		return r;

	for (const char *c = note; c && *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return kvg_diag_set(reterr_diag, -EINVAL,
					    "bad note '%s': expected one line of text", note);
	}
	if (note) {
		allow.note = strdup(note);
		if (!allow.note)
			return -ENOMEM;
	}
	slot = APPEND(profile->allow, profile->allow_count);
	if (!slot) {
		free(allow.note);
		return -ENOMEM;
	}
	*slot = allow;
	return 0;
}

static bool is_host_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_MAX_LEN || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)label[i]) && label[i] != '-')
			return false;
	}
	return true;
}

/* Letters, digits, hyphens; at least two labels; the last one no number, or it is an address. */
static bool is_host_name(const char *text)
{
	const char *label = text;
	const char *dot;

	if (strlen(text) > HOST_MAX_LEN || !strchr(text, '.'))
		return false;

	while ((dot = strchr(label, '.'))) {
		if (!is_host_label(label, (size_t)(dot - label)))
			return false;
		label = dot + 1;
	}
	return is_host_label(label, strlen(label)) && strspn(label, "0123456789") != strlen(label);
}

int kvg_profile_add_adfs_host(struct kvg_profile *profile, const char *text,
			      struct kvg_diag *reterr_diag)
{
	int r;

	if (!is_host_name(text))
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "bad host name '%s': expected a name such as adfs.example.com",
				    text);

	r = add_string(&profile->adfs_hosts, &profile->adfs_hosts_count, text);
	if (r < 0)
		return r;

	for (char *c = profile->adfs_hosts[profile->adfs_hosts_count - 1]; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return 0;
}

int kvg_profile_set_crl_hosts(struct kvg_profile *profile, const char *text,
			      struct kvg_diag *reterr_diag)
{
	bool catalogue = strcmp(text, "catalogue") == 0;

	if (!catalogue && strcmp(text, "none") != 0)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "bad CRL hosts '%s': expected catalogue or none", text);
	profile->crl_hosts = catalogue;
	return 0;
}

int kvg_profile_set_private_names(struct kvg_profile *profile, const char *text,
				  struct kvg_diag *reterr_diag)
{
	bool allow = strcmp(text, "allow") == 0;

	if (!allow && strcmp(text, "refuse") != 0)
		return kvg_diag_set(
			reterr_diag, -EINVAL,
			"bad word '%s' for private addresses of names: expected allow or "
			"refuse",
			text);
	profile->private_names = allow;
	return 0;
}

int kvg_profile_add_crl_prefix(struct kvg_profile *profile, const char *text,
			       struct kvg_diag *reterr_diag)
{
	struct kvg_prefix prefix;
	int r;

	r = kvg_prefix_parse(text, &prefix, reterr_diag);
	if (r < 0)
		return r;
	if (!kvg_prefix_is_publishable(&prefix))
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "CRL prefix '%s' is wider than any that was ever published: "
				    "expected IPv4 /8 or longer, IPv6 /16 or longer",
				    text);
	return add_prefix(&profile->crl_prefixes, &profile->crl_prefixes_count, &prefix);
}

int kvg_profile_add_crl_tag(struct kvg_profile *profile, const char *text,
			    struct kvg_diag *reterr_diag)
{
	if (!*text)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "empty CRL tag: expected the id of a service tag");
	return add_string(&profile->crl_tags, &profile->crl_tags_count, text);
}

int kvg_profile_set_mode(struct kvg_profile *profile, const char *text,
			 struct kvg_diag *reterr_diag)
{
	if (kvg_mode_parse(text, &profile->mode) < 0)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "unknown mode '%s': expected enforce or audit", text);
	return 0;
}

int kvg_profile_set_inbound(struct kvg_profile *profile, const char *text,
			    struct kvg_diag *reterr_diag)
{
	if (kvg_inbound_parse(text, &profile->inbound) < 0)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "bad inbound '%s': expected allow or deny", text);
	return 0;
}

int kvg_profile_add_resolved(struct kvg_profile *profile, const char *name,
			     const struct kvg_prefix *address, const struct kvg_service *service)
{
	char *copy = strdup(name);
	struct kvg_resolved *slot;

	if (!copy)
		return -ENOMEM;

	slot = APPEND(profile->resolved, profile->resolved_count);
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = (struct kvg_resolved){.name = copy, .address = *address, .service = *service};
	return 0;
}

void kvg_profile_clear_resolved(struct kvg_profile *profile)
{
	for (size_t i = 0; i < profile->resolved_count; i++)
		free(profile->resolved[i].name);
	free(profile->resolved);
	profile->resolved = NULL;
	profile->resolved_count = 0;
}

int kvg_profile_add_kept(struct kvg_profile *profile, const struct kvg_kept *kept)
{
	char *copy = strdup(kept->from);
	struct kvg_kept *slot;

	if (!copy)
		return -ENOMEM;

	slot = APPEND(profile->kept, profile->kept_count);
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = (struct kvg_kept){
		.from = copy,
		.prefix = kept->prefix,
		.service = kept->service,
	};
	return 0;
}

int kvg_profile_check(const struct kvg_profile *profile, struct kvg_diag *reterr_diag)
{
	bool adfs = profile->identities & 1U << KVG_IDENTITY_ADFS;
	bool none = profile->given & KVG_PROFILE_NO_FUNCTION;

	if (none && (profile->functions || profile->mode != KVG_MODE_AUDIT))
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "function none stands alone, and in mode audit: it lets the "
				    "record show all that a client needs");
	if (!profile->functions && !none)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "no function: expected authentication, management or data");
	if (profile->adfs_hosts_count && !adfs)
		return kvg_diag_set(reterr_diag, -EINVAL, "AD FS host '%s' without identity adfs",
				    profile->adfs_hosts[0]);
	if (profile->regions_count && !(profile->functions & 1U << KVG_FUNCTION_DATA))
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "region '%s' without function data: only Key Vault's own "
				    "prefixes are regional",
				    profile->regions[0]);
	return 0;
}
