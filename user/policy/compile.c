// SPDX-License-Identifier: BSD-2-Clause
#include "policy/compile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/address.h"
#include "policy/hosts.h"
#include "policy/regions.h"

#define DNS_PORT  53
#define HTTP_PORT 80
#define FROM_LEN  512 /* bytes; a longer note of an extra is cut */

struct job {
	const struct kvg_profile *profile;
	const struct kvg_library *library;
	struct kvg_policy *policy;
	struct kvg_permit *permits;
	size_t permits_count;
	size_t permits_allocated;
	char **strings; /* what permits[].from points to, where nobody else owns it */
	size_t strings_count;
	struct kvg_notes *notes;
	struct kvg_diag *diag;
};

static void job_done(struct job *job)
{
	for (size_t i = 0; i < job->strings_count; i++)
		free(job->strings[i]);
	free(job->strings);
	free(job->permits);
	kvg_policy_free(job->policy);
}

static struct kvg_service make_service(__u8 protocol, __u16 port)
{
	return (struct kvg_service){.protocol = protocol, .port = htons(port)};
}

/* A copy of "@prefix@name" that lives as long as the job; NULL if there is no memory. */
static const char *make_from(struct job *job, const char *prefix, const char *name)
{
	char **strings;
	char *from = NULL;

	strings = reallocarray(job->strings, job->strings_count + 1, sizeof(*strings));
	if (!strings)
		return NULL;
	job->strings = strings;

	if (asprintf(&from, "%s%.*s", prefix, FROM_LEN, name) < 0)
		return NULL;
	strings[job->strings_count++] = from;
	return from;
}

static int permit(struct job *job, const struct kvg_prefix *prefix,
		  const struct kvg_service *service, const char *from)
{
	if (!from)
		return -ENOMEM;

	if (job->permits_count == job->permits_allocated) {
		size_t more = 2 * job->permits_allocated + 256;
		struct kvg_permit *permits = reallocarray(job->permits, more, sizeof(*permits));

		if (!permits)
			return -ENOMEM;
		job->permits = permits;
		job->permits_allocated = more;
	}

	job->permits[job->permits_count++] =
		(struct kvg_permit){.prefix = *prefix, .service = *service, .from = from};
	return 0;
}

static int permit_group(struct job *job, const struct kvg_document *document,
			const struct kvg_group *group, const struct kvg_service *service,
			const char *from)
{
	int r = 0;

	if (group->count == 0)
		return kvg_diag_set(job->diag, -ENOENT, "'%s' of '%s' has no prefixes", group->name,
				    document->file);
	for (size_t i = 0; i < group->count && r == 0; i++)
		r = permit(job, &group->prefixes[i], service, from);
	return r;
}

/* The document of the profile's cloud; NULL where there is none. */
static const struct kvg_document *find_document(const struct job *job, enum kvg_document_kind kind)
{
	return job->library->documents[kind][job->profile->cloud];
}

static int unknown_region(struct job *job, const struct kvg_document *document, const char *tag,
			  const char *region)
{
	int r = kvg_regions_note_known(document, tag, job->notes);

	if (r < 0)
		return r;
	return kvg_diag_set(job->diag, -EINVAL,
			    "unknown region '%s': '%s' has no such part of %s, see the list",
			    region, document->file, tag);
}

static int permit_regions(struct job *job, const struct kvg_document *document,
			  const struct kvg_group *tag, const struct kvg_service *service)
{
	size_t homeless = kvg_regions_count_homeless(document, tag);
	int r = 0;

	for (size_t i = 0; i < job->profile->regions_count && r == 0; i++) {
		const char *region = job->profile->regions[i];
		const struct kvg_group *group = kvg_regions_find(document, tag->name, region);

		if (!group)
			return unknown_region(job, document, tag->name, region);
		r = permit_group(job, document, group, service, group->name);
	}
	if (r < 0 || homeless == 0)
		return r;
	return kvg_notes_add(job->notes,
			     "%zu of the %zu prefixes of %s have no region and are left out",
			     homeless, tag->count, tag->name);
}

static int missing_document(const struct job *job, const struct kvg_catalogue_tag *row)
{
	const char *cloud = kvg_cloud_tags_name(row->cloud);

	return kvg_diag_set(job->diag, -ENOENT,
			    "no service tags of the cloud '%s' for %s: give "
			    "ServiceTags_%s_<date>.json by --ranges",
			    kvg_cloud_word(row->cloud), kvg_function_word(row->function), cloud);
}

static int permit_tag(struct job *job, const struct kvg_catalogue_tag *row)
{
	const struct kvg_document *document = find_document(job, row->kind);
	struct kvg_service service = make_service(IPPROTO_TCP, row->port);
	const struct kvg_group *group;

	if (!document)
		return row->kind == KVG_DOCUMENT_KIND_M365 ? 0 : missing_document(job, row);

	group = kvg_document_find(document, row->name);
	if (!group)
		return kvg_diag_set(job->diag, -ENOENT, "'%s' has no '%s', which %s needs",
				    document->file, row->name, kvg_function_word(row->function));

	if (row->kind == KVG_DOCUMENT_KIND_M365)
		return permit_group(job, document, group, &service,
				    make_from(job, "m365:", row->name));
	if (row->regional && job->profile->regions_count)
		return permit_regions(job, document, group, &service);
	return permit_group(job, document, group, &service, group->name);
}

static int permit_tags(struct job *job)
{
	size_t count;
	const struct kvg_catalogue_tag *rows = kvg_catalogue_tags(&count);
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		if (rows[i].cloud == job->profile->cloud &&
		    job->profile->functions & 1U << rows[i].function)
			r = permit_tag(job, &rows[i]);
	}
	return r;
}

static int permit_crl_tag(struct job *job, const char *name)
{
	const struct kvg_document *document = find_document(job, KVG_DOCUMENT_KIND_SERVICE_TAGS);
	struct kvg_service service = make_service(IPPROTO_TCP, HTTP_PORT);
	const struct kvg_group *group = document ? kvg_document_find(document, name) : NULL;

	if (!group)
		return kvg_diag_set(job->diag, -EINVAL, "unknown CRL tag '%s': '%s' has no such id",
				    name, document ? document->file : "no document");
	return permit_group(job, document, group, &service, make_from(job, "crl:", name));
}

static int permit_crl(struct job *job)
{
	const struct kvg_profile *profile = job->profile;
	struct kvg_service service = make_service(IPPROTO_TCP, HTTP_PORT);
	int r = 0;

	for (size_t i = 0; i < profile->crl_prefixes_count && r == 0; i++)
		r = permit(job, &profile->crl_prefixes[i], &service, "crl");
	for (size_t i = 0; i < profile->crl_tags_count && r == 0; i++)
		r = permit_crl_tag(job, profile->crl_tags[i]);
	return r;
}

static int permit_resolver(struct job *job, const struct kvg_prefix *address)
{
	struct kvg_service udp = make_service(IPPROTO_UDP, DNS_PORT);
	struct kvg_service tcp = make_service(IPPROTO_TCP, DNS_PORT);
	char text[KVG_PREFIX_STRLEN];
	int r;

	if (kvg_address_classify(address) == KVG_ADDRESS_LOOPBACK)
		return kvg_notes_add(job->notes,
				     "resolver %s is loopback, which is always reachable: no rule "
				     "is needed",
				     kvg_address_format(address, text));

	r = permit(job, address, &udp, "resolver");
	return r < 0 ? r : permit(job, address, &tcp, "resolver");
}

static int permit_allow(struct job *job, const struct kvg_allow *allow)
{
	char prefix[KVG_PREFIX_STRLEN];
	char service[KVG_SERVICE_STRLEN];
	int r = 0;

	if (!kvg_prefix_is_publishable(&allow->prefix))
		r = kvg_notes_add(job->notes,
				  "the extra %s %s is wider than anything that was ever published",
				  kvg_prefix_format(&allow->prefix, prefix),
				  kvg_service_format(&allow->service, service));
	if (r < 0)
		return r;
	return permit(job, &allow->prefix, &allow->service,
		      allow->note ? make_from(job, "allow: ", allow->note) : "allow");
}

static int permit_resolved(struct job *job, const struct kvg_resolved *resolved)
{
	return permit(job, &resolved->address, &resolved->service,
		      make_from(job, "dns:", resolved->name));
}

static int permit_managed_identity(struct job *job)
{
	struct kvg_service service = make_service(IPPROTO_TCP, HTTP_PORT);
	struct kvg_prefix imds;
	int r;

	if (!(job->profile->identities & 1U << KVG_IDENTITY_MANAGED))
		return 0;

	r = kvg_prefix_parse(KVG_IMDS_PREFIX, &imds, NULL);
	return r < 0 ? r : permit(job, &imds, &service, "managed-identity");
}

/* What the person, and not a document, asked for. */
static int permit_own(struct job *job)
{
	const struct kvg_profile *profile = job->profile;
	int r;

	r = permit_managed_identity(job);
	for (size_t i = 0; i < profile->resolvers_count && r == 0; i++)
		r = permit_resolver(job, &profile->resolvers[i]);
	for (size_t i = 0; i < profile->allow_count && r == 0; i++)
		r = permit_allow(job, &profile->allow[i]);
	for (size_t i = 0; i < profile->resolved_count && r == 0; i++)
		r = permit_resolved(job, &profile->resolved[i]);
	for (size_t i = 0; i < profile->kept_count && r == 0; i++)
		r = permit(job, &profile->kept[i].prefix, &profile->kept[i].service,
			   profile->kept[i].from);
	return r;
}

/* One note for the hosts of a function that nothing allows yet. */
static int note_unresolved(struct job *job, const struct kvg_policy_host *hosts, size_t count,
			   enum kvg_function function)
{
	char list[FROM_LEN] = "";
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (hosts[i].function != function || hosts[i].ranged ||
		    kvg_hosts_is_resolved(job->profile, &hosts[i]) || used >= sizeof(list))
			continue;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
					 hosts[i].name);
	}
	if (!used)
		return 0;
	return kvg_notes_add(
		job->notes,
		"no ranges are published for the %s hosts %s: nothing allows them "
		"until they are resolved (--resolve)",
		function == KVG_FUNCTION_CRL ? "CRL and OCSP" : kvg_function_word(function), list);
}

static int add_hosts(struct job *job)
{
	KVG_CLEANUP(kvg_freep) struct kvg_policy_host *hosts = NULL;
	size_t count;
	int r;

	r = kvg_hosts_list(job->profile, &hosts, &count);
	for (size_t i = 0; i < count && r == 0; i++)
		r = kvg_policy_add_host(job->policy, &hosts[i]);
	for (enum kvg_function f = 0; f <= KVG_FUNCTION_CRL && r == 0; f++)
		r = note_unresolved(job, hosts, count, f);

	if (r == 0 && job->profile->identities & 1U << KVG_IDENTITY_ADFS &&
	    job->profile->adfs_hosts_count == 0)
		r = kvg_notes_add(job->notes, "identity adfs without the names of AD FS hosts "
					      "(--adfs-host): nothing allows them");
	return r;
}

static bool is_extra(const char *from)
{
	return strcmp(from, "allow") == 0 || strncmp(from, "allow: ", 7) == 0;
}

/* Neighbouring prefixes of a forged document merge: look at what came out, not at what went in. */
static int check_width(const struct job *job, const struct kvg_rule *rule)
{
	char text[KVG_PREFIX_STRLEN];

	if (rule->prefix.bits == 0)
		return kvg_diag_set(job->diag, -ERANGE,
				    "together, %s and others hold every address: that would open "
				    "the gate",
				    rule->from[0]);
	if (kvg_prefix_is_publishable(&rule->prefix))
		return 0;

	for (size_t i = 0; i < rule->from_count; i++) {
		if (!is_extra(rule->from[i]))
			return kvg_diag_set(
				job->diag, -ERANGE,
				"the prefixes of '%s' add up to %s, wider than anything "
				"that was ever published",
				rule->from[i], kvg_prefix_format(&rule->prefix, text));
	}
	return 0;
}

static int make_rules(struct job *job)
{
	int r;

	r = kvg_policy_set_permits(job->policy, job->permits, job->permits_count, job->diag);
	for (size_t i = 0; i < job->policy->rules_count && r == 0; i++)
		r = check_width(job, &job->policy->rules[i]);
	if (r == 0 && job->policy->rules_count == 0)
		r = kvg_diag_set(job->diag, -ENOENT, "no rule at all: nothing would be allowed");
	return r;
}

static int add_source(struct job *job, enum kvg_document_kind kind)
{
	const struct kvg_document *document = find_document(job, kind);
	struct kvg_source source;

	if (!document)
		return 0;
	if (kind == KVG_DOCUMENT_KIND_M365 &&
	    !(job->profile->functions & 1U << KVG_FUNCTION_AUTHENTICATION))
		return 0;

	source = (struct kvg_source){
		.kind = document->kind,
		.cloud = document->cloud,
		.file = document->file,
		.change_number = document->change_number,
	};
	memcpy(source.sha256, document->digest, sizeof(source.sha256));
	return kvg_policy_add_source(job->policy, &source);
}

static int run(struct job *job)
{
	const struct kvg_profile *profile = job->profile;
	int r;

	r = kvg_profile_check(profile, job->diag);
	if (r == 0)
		r = kvg_policy_new(profile->name, profile->cloud, &job->policy);
	if (r < 0)
		return r;

	job->policy->mode = profile->mode;
	job->policy->inbound = profile->inbound;
	for (enum kvg_document_kind k = 0; k < KVG_DOCUMENT_KIND_COUNT && r == 0; k++)
		r = add_source(job, k);
	if (r == 0)
		r = permit_tags(job);
	if (r == 0)
		r = permit_crl(job);
	if (r == 0)
		r = permit_own(job);
	if (r == 0)
		r = add_hosts(job);
	return r < 0 ? r : make_rules(job);
}

int kvg_compile(const struct kvg_profile *profile, const struct kvg_library *library,
		struct kvg_policy **ret, struct kvg_notes *ret_notes, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(job_done)
	struct job job = {
		.profile = profile,
		.library = library,
		.notes = ret_notes,
		.diag = reterr_diag,
	};
	int r;

	r = run(&job);
	if (r == -ENOMEM)
		return kvg_diag_set(reterr_diag, r, "out of memory");
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(job.policy);
	return 0;
}
