// SPDX-License-Identifier: BSD-2-Clause
#include "learn/propose.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "learn/published.h"
#include "policy/address.h"
#include "policy/catalogue.h"

#define DNS_PORT   53
#define HTTP_PORT  80
#define HTTPS_PORT 443
#define WIRESERVER "168.63.129.16"

#define CHOSEN_FUNCTIONS                                                     \
	(1U << KVG_FUNCTION_AUTHENTICATION | 1U << KVG_FUNCTION_MANAGEMENT | \
	 1U << KVG_FUNCTION_DATA)

struct job {
	struct kvg_evidence *evidence;
	const struct kvg_library *library;
	struct kvg_profile *profile;
	struct kvg_proposal *proposal;
};

typedef int (*explainer)(struct job *job, const struct kvg_evidence_flow *flow,
			 struct kvg_finding *finding);

static int find(struct kvg_finding *finding, bool explained, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first finding of a flow counts. Returns 1: this was one. */
static int find(struct kvg_finding *finding, bool explained, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&finding->because, format, args);
	va_end(args);
	if (r < 0) {
		finding->because = NULL;
		return -ENOMEM;
	}
	finding->explained = explained;
	return 1;
}

static bool is_service(const struct kvg_evidence_flow *flow, int protocol, __u16 port)
{
	return flow->service.protocol == protocol && flow->service.port == htons(port);
}

static bool is_address(const struct kvg_evidence_flow *flow, const char *text)
{
	char own[KVG_PREFIX_STRLEN];

	return strcmp(kvg_address_format(&flow->address, own), text) == 0;
}

static bool is_local(const struct kvg_evidence_flow *flow)
{
	enum kvg_address_kind kind = kvg_address_classify(&flow->address);

	return kind == KVG_ADDRESS_PRIVATE || kind == KVG_ADDRESS_LINK_LOCAL;
}

/* --- functions ------------------------------------------------------------------------------- */

/* Bit set of the functions whose tags hold the address. */
static unsigned int functions_of(const struct job *job, const struct kvg_evidence_flow *flow)
{
	size_t count;
	const struct kvg_catalogue_tag *tags = kvg_catalogue_tags(&count);
	unsigned int functions = 0;

	for (size_t i = 0; i < count; i++) {
		const struct kvg_document *document =
			job->library->documents[tags[i].kind][job->profile->cloud];
		const struct kvg_group *group;

		if (tags[i].cloud != job->profile->cloud || !document ||
		    !is_service(flow, IPPROTO_TCP, tags[i].port))
			continue;
		group = kvg_document_find(document, tags[i].name);
		if (group && kvg_published_holds(group, &flow->address))
			functions |= 1U << tags[i].function;
	}
	return functions;
}

static bool explains_all(const unsigned int *masks, size_t count, unsigned int functions)
{
	for (size_t i = 0; i < count; i++) {
		if (masks[i] && !(masks[i] & functions))
			return false;
	}
	return true;
}

/* Three functions have eight sets: the smallest that holds what is there and explains every flow. */
static unsigned int choose_functions(const unsigned int *masks, size_t count, unsigned int base)
{
	unsigned int best = CHOSEN_FUNCTIONS | base;

	for (unsigned int set = 0; set <= CHOSEN_FUNCTIONS; set++) {
		if ((set & ~CHOSEN_FUNCTIONS) || (base & CHOSEN_FUNCTIONS & ~set))
			continue;
		if (explains_all(masks, count, set) &&
		    __builtin_popcount(set) < __builtin_popcount(best & CHOSEN_FUNCTIONS))
			best = set | base;
	}
	return best;
}

static int learn_functions(struct job *job)
{
	const struct kvg_evidence *evidence = job->evidence;
	KVG_CLEANUP(kvg_freep)
	unsigned int *masks = calloc(evidence->flows_count + 1, sizeof(*masks));

	if (!masks)
		return -ENOMEM;
	for (size_t i = 0; i < evidence->flows_count; i++)
		masks[i] = functions_of(job, &evidence->flows[i]);
	job->profile->given &= ~KVG_PROFILE_NO_FUNCTION;
	job->profile->functions =
		choose_functions(masks, evidence->flows_count, job->profile->functions);
	if (job->profile->functions & 1U << KVG_FUNCTION_AUTHENTICATION &&
	    !job->profile->identities)
		job->profile->identities = 1U << KVG_IDENTITY_WORK;
	return 0;
}

static const char *tag_of(const struct job *job, enum kvg_function function,
			  const struct kvg_evidence_flow *flow)
{
	size_t count;
	const struct kvg_catalogue_tag *tags = kvg_catalogue_tags(&count);

	for (size_t i = 0; i < count; i++) {
		const struct kvg_document *document =
			job->library->documents[tags[i].kind][job->profile->cloud];
		const struct kvg_group *group =
			document ? kvg_document_find(document, tags[i].name) : NULL;

		if (tags[i].cloud == job->profile->cloud && tags[i].function == function && group &&
		    kvg_published_holds(group, &flow->address))
			return tags[i].kind == KVG_DOCUMENT_KIND_M365
				       ? "the identity set of Microsoft 365"
				       : tags[i].name;
	}
	return NULL;
}

static int explain_function(struct job *job, const struct kvg_evidence_flow *flow,
			    struct kvg_finding *finding)
{
	unsigned int mask = functions_of(job, flow) & job->profile->functions;
	const struct kvg_group *region;
	enum kvg_function function;
	const char *tag;

	if (!mask)
		return 0;
	function = __builtin_ctz(mask);
	tag = tag_of(job, function, flow);
	region = kvg_published_region(job->library, job->profile->cloud, tag, &flow->address);
	return find(finding, true, "%s (%s)", region ? region->name : tag,
		    kvg_function_word(function));
}

/* --- regions --------------------------------------------------------------------------------- */

static bool has_region(const struct kvg_profile *profile, const char *suffix, const char *region)
{
	for (size_t i = 0; i < profile->regions_count; i++) {
		if (strcasecmp(profile->regions[i], suffix) == 0 ||
		    strcasecmp(profile->regions[i], region) == 0)
			return true;
	}
	return false;
}

static void drop_regions(struct kvg_profile *profile)
{
	for (size_t i = 0; i < profile->regions_count; i++)
		free(profile->regions[i]);
	free(profile->regions);
	profile->regions = NULL;
	profile->regions_count = 0;
}

/* Only a vault of no region, which only the whole tag holds, keeps the profile from being narrowed. */
static int learn_regions(struct job *job)
{
	const unsigned int data = 1U << KVG_FUNCTION_DATA;
	struct kvg_profile *profile = job->profile;
	int r = 0;

	for (size_t i = 0; i < job->evidence->flows_count && r == 0; i++) {
		const struct kvg_evidence_flow *flow = &job->evidence->flows[i];
		const struct kvg_group *group;

		if ((functions_of(job, flow) & profile->functions) != data)
			continue;
		group = kvg_published_region(job->library, profile->cloud, "AzureKeyVault",
					     &flow->address);
		if (!group) {
			drop_regions(profile);
			return kvg_notes_add(&job->proposal->notes,
					     "a vault was asked for at an address that no region "
					     "publishes: regions stay open");
		}
		if (!has_region(profile, strchr(group->name, '.') + 1, group->region))
			r = kvg_profile_add_region(profile, group->region, NULL);
	}
	return r;
}

/* --- what needs no range --------------------------------------------------------------------- */

static bool has_resolver(const struct kvg_profile *profile, const struct kvg_prefix *address)
{
	for (size_t i = 0; i < profile->resolvers_count; i++) {
		if (kvg_prefix_compare(&profile->resolvers[i], address) == 0)
			return true;
	}
	return false;
}

/* DNS to anywhere is the oldest way out: a public resolver is for a person to name. */
static int explain_dns(struct job *job, const struct kvg_evidence_flow *flow,
		       struct kvg_finding *finding)
{
	char text[KVG_PREFIX_STRLEN];
	int r = 0;

	if (!is_service(flow, IPPROTO_UDP, DNS_PORT) && !is_service(flow, IPPROTO_TCP, DNS_PORT))
		return 0;
	if (has_resolver(job->profile, &flow->address))
		return find(finding, true, "resolver");
	if (!is_local(flow) && !is_address(flow, WIRESERVER))
		return find(finding, false,
			    "a public resolver: add it to `resolvers` only if the client is meant "
			    "to ask it, for data can leave in queries");

	kvg_address_format(&flow->address, text);
	r = kvg_profile_add_resolver(job->profile, text, NULL);
	return r < 0 ? r : find(finding, true, "resolver");
}

static int explain_platform(struct job *job, const struct kvg_evidence_flow *flow,
			    struct kvg_finding *finding)
{
	struct kvg_prefix imds;

	if (kvg_prefix_parse(KVG_IMDS_PREFIX, &imds, NULL) == 0 &&
	    kvg_prefix_compare(&imds, &flow->address) == 0 &&
	    is_service(flow, IPPROTO_TCP, HTTP_PORT)) {
		job->profile->identities |= 1U << KVG_IDENTITY_MANAGED;
		return find(finding, true, "managed identity");
	}
	if (is_address(flow, WIRESERVER))
		return find(finding, false,
			    "Azure's WireServer, which hands out credentials of the machine: no "
			    "business of a vault client");
	return 0;
}

static const struct kvg_catalogue_host *find_host(const struct job *job,
						  const struct kvg_evidence_flow *flow)
{
	size_t count;
	const struct kvg_catalogue_host *hosts = kvg_catalogue_hosts(&count);

	for (size_t i = 0; flow->name && i < count; i++) {
		if (hosts[i].cloud == job->profile->cloud && !hosts[i].ranged &&
		    is_service(flow, IPPROTO_TCP, hosts[i].port) &&
		    strcasecmp(hosts[i].name, flow->name) == 0)
			return &hosts[i];
	}
	return NULL;
}

/* Hosts without published ranges are known by the name that the client looked up. */
static int explain_name(struct job *job, const struct kvg_evidence_flow *flow,
			struct kvg_finding *finding)
{
	const struct kvg_catalogue_host *host = find_host(job, flow);

	if (!host)
		return 0;
	if (host->function == KVG_FUNCTION_CRL)
		job->profile->crl_hosts = true;
	else if (host->identities)
		job->profile->identities |= host->identities;
	else
		job->profile->functions |= 1U << host->function;
	return find(finding, true, "%s (%s)", host->name, kvg_function_word(host->function));
}

static bool has_allow(const struct kvg_profile *profile, const struct kvg_evidence_flow *flow)
{
	for (size_t i = 0; i < profile->allow_count; i++) {
		if (kvg_prefix_holds(&profile->allow[i].prefix, &flow->address) &&
		    memcmp(&profile->allow[i].service, &flow->service, sizeof(flow->service)) == 0)
			return true;
	}
	return false;
}

/* A vault behind a private endpoint has an address that nobody publishes. */
static int explain_private(struct job *job, const struct kvg_evidence_flow *flow,
			   struct kvg_finding *finding)
{
	char prefix[KVG_PREFIX_STRLEN];
	int r;

	if (has_allow(job->profile, flow))
		return find(finding, true, "allow");
	if (kvg_address_classify(&flow->address) != KVG_ADDRESS_PRIVATE)
		return 0;
	if (!is_service(flow, IPPROTO_TCP, HTTPS_PORT))
		return find(finding, false,
			    "a private address, and not TCP 443: `allow` it if "
			    "it is meant");

	r = kvg_profile_add_allow(job->profile, kvg_prefix_format(&flow->address, prefix),
				  "tcp/443", "private endpoint", NULL);
	return r < 0 ? r
		     : find(finding, true,
			    "a private address on TCP 443, taken for a private endpoint: look it "
			    "up");
}

static int explain_rest(struct job *job, const struct kvg_evidence_flow *flow,
			struct kvg_finding *finding)
{
	const struct kvg_group *group =
		kvg_published_smallest(job->library, job->profile->cloud, &flow->address);

	if (is_service(flow, IPPROTO_TCP, HTTP_PORT))
		return find(finding, false,
			    "TCP 80%s%s: if it is a CRL or OCSP server, name it in `crl`",
			    group ? " to " : "", group ? group->name : "");
	if (group)
		return find(finding, false, "published as %s, which no vault client needs",
			    group->name);
	return find(finding, false, "no document publishes it");
}

static const explainer explainers[] = {explain_function, explain_dns,     explain_platform,
				       explain_name,     explain_private, explain_rest};

static int explain_flow(struct job *job, size_t i)
{
	struct kvg_finding *finding = &job->proposal->findings[i];
	int r = 0;

	for (size_t e = 0; e < KVG_ARRAY_SIZE(explainers) && r == 0; e++)
		r = explainers[e](job, &job->evidence->flows[i], finding);
	if (r < 0)
		return r;
	job->proposal->open += !finding->explained;
	return 0;
}

/* --- the profile as a whole ------------------------------------------------------------------ */

static int add_notes(struct job *job, bool had_crl)
{
	struct kvg_profile *profile = job->profile;
	struct kvg_notes *notes = &job->proposal->notes;
	int r = 0;

	if (!profile->crl_hosts && !had_crl)
		r = kvg_notes_add(notes, "no CRL or OCSP look-up was seen; they are rare: `hosts: "
					 "catalogue` lets them through");
	if (r == 0 && profile->resolvers_count == 0 && !profile->auto_resolvers)
		r = kvg_notes_add(notes, "no DNS query was seen: the client may ask a resolver on "
					 "loopback, or none at all");
	if (r == 0 && job->evidence->left_out)
		r = kvg_notes_add(notes,
				  "%llu attempts at more than %d destinations were left out: that "
				  "is a scan, not a client",
				  job->evidence->left_out, KVG_EVIDENCE_FLOWS_MAX);
	return r;
}

int kvg_propose_start(struct kvg_profile *profile, const char *name, enum kvg_cloud cloud)
{
	int r = kvg_profile_init(profile, name);

	profile->cloud = cloud;
	profile->functions = 0;
	profile->identities = 0;
	profile->auto_resolvers = false;
	profile->crl_hosts = false;
	return r;
}

int kvg_propose(struct kvg_evidence *evidence, const struct kvg_library *library,
		struct kvg_profile *profile, struct kvg_proposal *ret, struct kvg_diag *reterr_diag)
{
	struct job job = {evidence, library, profile, ret};
	bool had_crl = profile->crl_hosts;
	int r;

	if (!library->documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][profile->cloud])
		return kvg_diag_set(reterr_diag, -ENOENT,
				    "no service tags of the cloud '%s': give them by --ranges",
				    kvg_cloud_word(profile->cloud));

	kvg_evidence_sort(evidence);
	ret->findings = calloc(evidence->flows_count + 1, sizeof(*ret->findings));
	ret->count = evidence->flows_count;
	r = ret->findings ? learn_functions(&job) : -ENOMEM;
	if (r == 0)
		r = learn_regions(&job);
	for (size_t i = 0; i < evidence->flows_count && r == 0; i++)
		r = explain_flow(&job, i);
	if (r == 0)
		r = add_notes(&job, had_crl);
	if (profile->identities == 0)
		profile->identities = 1U << KVG_IDENTITY_WORK;
	return r < 0 ? kvg_diag_set(reterr_diag, r, "out of memory") : 0;
}

void kvg_proposal_done(struct kvg_proposal *proposal)
{
	for (size_t i = 0; i < proposal->count && proposal->findings; i++)
		free(proposal->findings[i].because);
	free(proposal->findings);
	kvg_notes_done(&proposal->notes);
	*proposal = (struct kvg_proposal){0};
}
