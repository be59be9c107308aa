// SPDX-License-Identifier: BSD-2-Clause
#include "learn/proposal_text.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/address.h"
#include "policy/explain.h"
#include "policy/words.h"

static void decref(json_t **json)
{
	json_decref(*json);
}

static const char *format_flow(const struct kvg_evidence_flow *flow,
			       char ret[KVG_DESTINATION_STRLEN])
{
	struct kvg_destination destination = {.address = flow->address, .service = flow->service};

	return kvg_destination_format(&destination, ret);
}

/* Names of processes and hosts are the client's own bytes: they must not end a comment. */
static void print_foreign(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text >= ' ' && *text < 0x7f ? *text : '?', out);
}

static void print_finding(FILE *out, const struct kvg_evidence_flow *flow,
			  const struct kvg_finding *finding)
{
	char destination[KVG_DESTINATION_STRLEN];

	fprintf(out, "#   %-40s %8llu x", format_flow(flow, destination), flow->count);
	if (flow->process) {
		fputs(" by ", out);
		print_foreign(out, flow->process);
	}
	if (flow->name) {
		fputs(" for ", out);
		print_foreign(out, flow->name);
	}
	fprintf(out, ": %s\n", finding->because);
}

static void print_findings(FILE *out, const struct kvg_evidence *evidence,
			   const struct kvg_proposal *proposal, bool explained)
{
	for (size_t i = 0; i < proposal->count; i++) {
		if (proposal->findings[i].explained == explained)
			print_finding(out, &evidence->flows[i], &proposal->findings[i]);
	}
}

static void print_comments(FILE *out, const struct kvg_evidence *evidence,
			   const struct kvg_proposal *proposal)
{
	fprintf(out, "# From %llu records: %zu destinations, %zu of them explained.\n",
		evidence->records, proposal->count, proposal->count - proposal->open);
	print_findings(out, evidence, proposal, true);
	if (proposal->open || evidence->others_count)
		fputs("# Not explained; this profile refuses it:\n", out);
	print_findings(out, evidence, proposal, false);
	for (size_t i = 0; i < evidence->others_count; i++) {
		fprintf(out, "#   %llu x ", evidence->others[i].count);
		print_foreign(out, evidence->others[i].reason);
		fputs(": no profile lets that through\n", out);
	}
	for (size_t i = 0; i < proposal->notes.count; i++)
		fprintf(out, "# Note: %s.\n", proposal->notes.lines[i]);
}

/* "    KEY: [a, b]"; nothing if @list is empty */
static void print_list(FILE *out, const char *key, const json_t *list)
{
	size_t i;
	json_t *item;

	if (json_array_size(list) == 0)
		return;
	fprintf(out, "    %s: [", key);
	json_array_foreach(list, i, item)
		fprintf(out, strchr(json_string_value(item), ':') ? "%s\"%s\"" : "%s%s",
			i ? ", " : "", json_string_value(item));
	fputs("]\n", out);
}

static void print_allow(FILE *out, const json_t *list)
{
	size_t i;
	json_t *item;

	if (json_array_size(list) == 0)
		return;
	fputs("    allow:\n", out);
	json_array_foreach(list, i, item)
	{
		KVG_CLEANUP(kvg_freep) char *text = json_dumps(item, 0);

		if (text)
			fprintf(out, "      - %s\n", text);
	}
}

static json_t *words_of(unsigned int bits, const char *(*word)(unsigned int), unsigned int count)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < count; i++) {
		if (bits & 1U << i)
			json_array_append_new(list, json_string(word(i)));
	}
	return list;
}

static const char *function_word(unsigned int function)
{
	return kvg_function_word(function);
}

static const char *identity_word(unsigned int identity)
{
	return kvg_identity_word(identity);
}

static json_t *strings_of(char *const *strings, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(strings[i]));
	return list;
}

static json_t *resolvers_of(const struct kvg_profile *profile)
{
	char text[KVG_PREFIX_STRLEN];
	json_t *list = json_array();

	if (profile->auto_resolvers)
		json_array_append_new(list, json_string("auto"));
	for (size_t i = 0; i < profile->resolvers_count; i++)
		json_array_append_new(
			list, json_string(kvg_address_format(&profile->resolvers[i], text)));
	if (json_array_size(list) == 0)
		json_array_append_new(list, json_string("none"));
	return list;
}

static json_t *allow_of(const struct kvg_profile *profile)
{
	json_t *list = json_array();

	for (size_t i = 0; i < profile->allow_count; i++) {
		const struct kvg_allow *allow = &profile->allow[i];
		char prefix[KVG_PREFIX_STRLEN];
		char service[KVG_SERVICE_STRLEN];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s*}", "prefix",
						      kvg_prefix_format(&allow->prefix, prefix),
						      "service",
						      kvg_service_format(&allow->service, service),
						      "note", allow->note));
	}
	return list;
}

static json_t *crl_of(const struct kvg_profile *profile)
{
	json_t *prefixes = json_array();
	char text[KVG_PREFIX_STRLEN];

	for (size_t i = 0; i < profile->crl_prefixes_count; i++)
		json_array_append_new(
			prefixes, json_string(kvg_prefix_format(&profile->crl_prefixes[i], text)));
	return json_pack("{s:s, s:o, s:o}", "hosts", profile->crl_hosts ? "catalogue" : "none",
			 "prefixes", prefixes, "tags",
			 strings_of(profile->crl_tags, profile->crl_tags_count));
}

/* The keys of the configuration. */
static json_t *profile_to_json(const struct kvg_profile *profile)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "name",
			 profile->name, "cloud", kvg_cloud_word(profile->cloud), "functions",
			 words_of(profile->functions, function_word, KVG_FUNCTION_CRL), "identity",
			 words_of(profile->identities, identity_word, KVG_IDENTITY_COUNT),
			 "adfs_hosts", strings_of(profile->adfs_hosts, profile->adfs_hosts_count),
			 "regions", strings_of(profile->regions, profile->regions_count),
			 "resolvers", resolvers_of(profile), "allow", allow_of(profile), "crl",
			 crl_of(profile), "inbound", kvg_inbound_word(profile->inbound), "mode",
			 "enforce");
}

static void print_crl(FILE *out, const json_t *crl)
{
	KVG_CLEANUP(kvg_freep) char *text = json_dumps(crl, JSON_PRESERVE_ORDER);

	if (text)
		fprintf(out, "    crl: %s\n", text);
}

void kvg_proposal_print(FILE *out, const struct kvg_evidence *evidence,
			const struct kvg_proposal *proposal, const struct kvg_profile *profile)
{
	static const char *const lists[] = {"functions", "identity", "adfs_hosts", "regions",
					    "resolvers"};
	KVG_CLEANUP(decref) json_t *json = profile_to_json(profile);

	print_comments(out, evidence, proposal);
	if (!profile->functions)
		return;
	fprintf(out, "profiles:\n  - name: %s\n    cloud: %s\n", profile->name,
		kvg_cloud_word(profile->cloud));
	for (size_t i = 0; i < KVG_ARRAY_SIZE(lists); i++)
		print_list(out, lists[i], json_object_get(json, lists[i]));
	print_allow(out, json_object_get(json, "allow"));
	print_crl(out, json_object_get(json, "crl"));
	fprintf(out, "    inbound: %s\n    mode: enforce\n", kvg_inbound_word(profile->inbound));
}

static json_t *finding_to_json(const struct kvg_evidence_flow *flow,
			       const struct kvg_finding *finding)
{
	char destination[KVG_DESTINATION_STRLEN];

	return json_pack("{s:s, s:I, s:s*, s:s*, s:b, s:s}", "destination",
			 format_flow(flow, destination), "count", (json_int_t)flow->count, "domain",
			 flow->name, "process", flow->process, "explained", finding->explained,
			 "because", finding->because);
}

json_t *kvg_proposal_to_json(const struct kvg_evidence *evidence,
			     const struct kvg_proposal *proposal, const struct kvg_profile *profile)
{
	json_t *findings = json_array();
	json_t *others = json_object();

	for (size_t i = 0; i < proposal->count; i++)
		json_array_append_new(findings,
				      finding_to_json(&evidence->flows[i], &proposal->findings[i]));
	for (size_t i = 0; i < evidence->others_count; i++)
		json_object_set_new(others, evidence->others[i].reason,
				    json_integer(evidence->others[i].count));
	return json_pack("{s:o?, s:o, s:o, s:o, s:I}", "profile",
			 profile->functions ? profile_to_json(profile) : NULL, "findings", findings,
			 "others", others, "notes",
			 strings_of(proposal->notes.lines, proposal->notes.count), "records",
			 (json_int_t)evidence->records);
}
