// SPDX-License-Identifier: BSD-2-Clause
/*
 * Documents that Microsoft published, in KVGATE_TEST_DATA (default ../shared/data), compiled and judged by
 * the kernel. What is in them is read here once more, with jansson and inet_pton() alone. They are not part
 * of this project: without them the tests skip.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/random.h"
#include "base/cleanup.h"
#include "kernel.h"
#include "packet.h"
#include "policy/compile.h"
#include "policy/words.h"

#define INSIDE_SAMPLES 3 /* of each prefix, beside its first and its last address */

static const struct {
	const char *word;
	enum kvg_cloud cloud;
	const char *file;
} clouds[] = {
	{"public", KVG_CLOUD_PUBLIC, "ServiceTags_Public_20251028.json"},
	{"usgov", KVG_CLOUD_USGOV, "ServiceTags_AzureGovernment_20260720.json"},
	{"china", KVG_CLOUD_CHINA, "ServiceTags_China_20260720.json"},
};

static const struct {
	const char *word;
	const char *tag;
} functions[] = {
	{"authentication", "AzureActiveDirectory"},
	{"management", "AzureResourceManager"},
	{"data", "AzureKeyVault"},
};

#define CLOUDS    KVG_ARRAY_SIZE(clouds)
#define FUNCTIONS KVG_ARRAY_SIZE(functions)

/* struct published - a prefix as the document has it; IPv4 in the first four bytes */
struct published {
	int family;
	unsigned int bits;
	unsigned char addr[16];
};

/* struct tag - all prefixes of one tag */
struct tag {
	struct published *prefixes;
	size_t count;
};

struct fixture {
	struct kvg_kernel *kernel;
	bool has_documents;
	json_t *json[CLOUDS];
	struct kvg_library libraries[CLOUDS];
};

static const char *data_folder(void)
{
	const char *folder = getenv("KVGATE_TEST_DATA");

	return folder ? folder : "../shared/data";
}

static int read_cloud(struct fixture *fixture, size_t cloud)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *fault = NULL;
	struct kvg_diag diag = {};
	int r;

	if (asprintf(&path, "%s/service-tags/%s", data_folder(), clouds[cloud].file) < 0)
		return -ENOMEM;
	fixture->json[cloud] = json_load_file(path, 0, NULL);
	if (!fixture->json[cloud])
		return -EINVAL;
	r = kvg_library_add(&fixture->libraries[cloud], path, &fault, &diag);
	if (r < 0)
		print_error("%s: %s\n", path, diag.msg);
	return r;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct kvg_kernel_sizes sizes = {0};
	int r = 0;

	*state = fixture;
	fixture->has_documents = access(data_folder(), R_OK) == 0;
	if (!fixture->has_documents)
		return 0;

	random_seed();
	for (size_t cloud = 0; r == 0 && cloud < CLOUDS; cloud++)
		r = read_cloud(fixture, cloud);
	return r < 0 ? r : kvg_kernel_open(&sizes, &fixture->kernel);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (size_t cloud = 0; cloud < CLOUDS; cloud++) {
		json_decref(fixture->json[cloud]);
		kvg_library_done(&fixture->libraries[cloud]);
	}
	kvg_kernel_close(fixture->kernel);
	free(fixture);
	return 0;
}

static struct fixture *fixture_of(void **state)
{
	struct fixture *fixture = *state;

	if (!fixture->has_documents) {
		print_message("SKIP: no published documents in \"%s\"\n", data_folder());
		skip();
	}
	return fixture;
}

static void tag_done(struct tag *tag)
{
	free(tag->prefixes);
}

static struct published read_prefix(const char *text)
{
	struct published ret = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	char addr[INET6_ADDRSTRLEN];

	assert_int_equal(sscanf(text, "%45[0-9a-fA-F.:]/%u", addr, &ret.bits), 2);
	assert_int_equal(inet_pton(ret.family, addr, ret.addr), 1);
	return ret;
}

/* The prefixes of the tag of exactly this id; none if there is no such tag. */
static struct tag read_tag(const json_t *document, const char *id)
{
	struct tag tag = {};
	json_t *value, *prefix;
	size_t i, j;

	json_array_foreach(json_object_get(document, "values"), i, value)
	{
		json_t *prefixes =
			json_object_get(json_object_get(value, "properties"), "addressPrefixes");

		if (strcmp(json_string_value(json_object_get(value, "id")), id) != 0)
			continue;
		tag.count = json_array_size(prefixes);
		tag.prefixes = calloc(tag.count, sizeof(*tag.prefixes));
		json_array_foreach(prefixes, j, prefix) tag.prefixes[j] =
			read_prefix(json_string_value(prefix));
	}
	return tag;
}

static unsigned int width(const struct published *prefix)
{
	return prefix->family == AF_INET ? 32 : 128;
}

static bool holds(const struct published *prefix, int family, const unsigned char *addr)
{
	unsigned int whole = prefix->bits / 8;
	unsigned int rest = prefix->bits % 8;

	if (prefix->family != family || memcmp(prefix->addr, addr, whole) != 0)
		return false;
	return !rest || (prefix->addr[whole] ^ addr[whole]) >> (8 - rest) == 0;
}

static bool tag_holds(const struct tag *tag, int family, const unsigned char *addr)
{
	for (size_t i = 0; i < tag->count; i++) {
		if (holds(&tag->prefixes[i], family, addr))
			return true;
	}
	return false;
}

/* Puts the policy of a cloud's function, or of some of its vaults, in force. */
static void enforce(struct fixture *fixture, size_t cloud, const char *words, const char *region)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	KVG_CLEANUP(kvg_profile_done) struct kvg_profile profile = {};
	struct kvg_diag diag = {};
	int r;

	assert_int_equal(kvg_profile_init(&profile, "test"), 0);
	assert_int_equal(kvg_profile_set_cloud(&profile, clouds[cloud].word, NULL), 0);
	assert_int_equal(kvg_profile_set_functions(&profile, words, NULL), 0);
	assert_int_equal(kvg_profile_add_resolver(&profile, "none", NULL), 0);
	profile.crl_hosts = false;
	if (region)
		assert_int_equal(kvg_profile_add_region(&profile, region, NULL), 0);

	r = kvg_compile(&profile, &fixture->libraries[cloud], &policy, NULL, &diag);
	if (r < 0)
		fail_msg("%s: %s", clouds[cloud].file, diag.msg);
	assert_int_equal(kvg_kernel_fill(fixture->kernel, policy, kvg_kernel_gate(fixture->kernel)),
			 0);
}

static enum kvg_reason judge(struct fixture *fixture, int family, const unsigned char *addr,
			     const char *service)
{
	struct kvg_packet_bytes packet;
	struct kvg_verdict verdict;
	char text[INET6_ADDRSTRLEN];
	unsigned int port = atoi(service + strlen("tcp/"));

	inet_ntop(family, addr, text, sizeof(text));
	if (service[0] == 't')
		kvg_packet_tcp(&packet, text, port);
	else
		kvg_packet_udp(&packet, text, port);
	assert_int_equal(kvg_kernel_run(fixture->kernel, packet.bytes, packet.size, &verdict), 0);
	assert_int_equal(verdict.passed, verdict.reason == KVG_REASON_ALLOWED);
	return verdict.reason;
}

static void expect(struct fixture *fixture, int family, const unsigned char *addr,
		   enum kvg_reason reason)
{
	enum kvg_reason said = judge(fixture, family, addr, "tcp/443");
	char text[INET6_ADDRSTRLEN];

	if (said != reason)
		fail_msg("%s: %s, not %s", inet_ntop(family, addr, text, sizeof(text)),
			 kvg_reason_word(said), kvg_reason_word(reason));
}

static void expect_neighbour(struct fixture *fixture, const struct tag *tag, int family,
			     const unsigned char *addr)
{
	expect(fixture, family, addr,
	       tag_holds(tag, family, addr) ? KVG_REASON_ALLOWED : KVG_REASON_DESTINATION);
}

/* One more (or less); false at the end of the address space. */
static bool step(unsigned char *addr, unsigned int bits, int by)
{
	for (unsigned int i = bits / 8; i-- > 0;) {
		addr[i] += by;
		if (addr[i] != (by > 0 ? 0 : 255))
			return true;
	}
	return false;
}

/* Sets the bits behind the prefix as @pick says: none, all, or any. */
static void fill_host(const struct published *prefix, unsigned char addr[16], bool (*pick)(void))
{
	memcpy(addr, prefix->addr, 16);
	for (unsigned int i = prefix->bits; i < width(prefix); i++) {
		if (pick())
			addr[i / 8] |= 0x80 >> i % 8;
	}
}

static bool none(void)
{
	return false;
}

static bool all(void)
{
	return true;
}

static bool any(void)
{
	return random_below(2);
}

static void expect_inside_and_beside(struct fixture *fixture, const struct tag *tag,
				     const struct published *prefix)
{
	int family = prefix->family;
	unsigned char addr[16];

	for (int i = 0; i < INSIDE_SAMPLES; i++) {
		fill_host(prefix, addr, any);
		expect(fixture, family, addr, KVG_REASON_ALLOWED);
	}
	fill_host(prefix, addr, none);
	expect(fixture, family, addr, KVG_REASON_ALLOWED);
	if (step(addr, width(prefix), -1))
		expect_neighbour(fixture, tag, family, addr);
	fill_host(prefix, addr, all);
	expect(fixture, family, addr, KVG_REASON_ALLOWED);
	if (step(addr, width(prefix), 1))
		expect_neighbour(fixture, tag, family, addr);
}

static void every_function_opens_its_tag_to_the_edge_and_no_further(void **state)
{
	struct fixture *fixture = fixture_of(state);

	for (size_t i = 0; i < CLOUDS * FUNCTIONS; i++) {
		size_t cloud = i / FUNCTIONS, function = i % FUNCTIONS;
		KVG_CLEANUP(tag_done) struct tag tag = {};

		tag = read_tag(fixture->json[cloud], functions[function].tag);
		assert_true(tag.count > 0);
		enforce(fixture, cloud, functions[function].word, NULL);
		for (size_t j = 0; j < tag.count; j++)
			expect_inside_and_beside(fixture, &tag, &tag.prefixes[j]);
	}
}

static void every_prefix_gets_tcp_443_and_nothing_else(void **state)
{
	struct fixture *fixture = fixture_of(state);

	for (size_t i = 0; i < CLOUDS * FUNCTIONS; i++) {
		size_t cloud = i / FUNCTIONS;
		KVG_CLEANUP(tag_done) struct tag tag = {};

		tag = read_tag(fixture->json[cloud], functions[i % FUNCTIONS].tag);
		enforce(fixture, cloud, "authentication,management,data", NULL);
		for (size_t j = 0; j < tag.count; j++) {
			const struct published *prefix = &tag.prefixes[j];

			expect(fixture, prefix->family, prefix->addr, KVG_REASON_ALLOWED);
			assert_int_equal(judge(fixture, prefix->family, prefix->addr, "tcp/80"),
					 KVG_REASON_PORT);
			assert_int_equal(judge(fixture, prefix->family, prefix->addr, "udp/443"),
					 KVG_REASON_PROTOCOL);
		}
	}
}

static void one_function_does_not_open_another(void **state)
{
	struct fixture *fixture = fixture_of(state);

	for (size_t i = 0; i < CLOUDS * FUNCTIONS; i++) {
		size_t cloud = i / FUNCTIONS, function = i % FUNCTIONS;
		KVG_CLEANUP(tag_done) struct tag own = {};

		own = read_tag(fixture->json[cloud], functions[function].tag);
		enforce(fixture, cloud, functions[function].word, NULL);
		for (size_t other = 0; other < FUNCTIONS; other++) {
			KVG_CLEANUP(tag_done) struct tag tag = {};

			tag = read_tag(fixture->json[cloud], functions[other].tag);
			for (size_t j = 0; j < tag.count; j++)
				expect_neighbour(fixture, &own, tag.prefixes[j].family,
						 tag.prefixes[j].addr);
		}
	}
}

static void one_cloud_does_not_open_another(void **state)
{
	struct fixture *fixture = fixture_of(state);

	for (size_t i = 0; i < CLOUDS * CLOUDS; i++) {
		size_t cloud = i / CLOUDS, other = i % CLOUDS;

		if (cloud == other)
			continue;
		enforce(fixture, cloud, "authentication,management,data", NULL);
		for (size_t function = 0; function < FUNCTIONS; function++) {
			KVG_CLEANUP(tag_done) struct tag tag = {};

			tag = read_tag(fixture->json[other], functions[function].tag);
			for (size_t j = 0; j < tag.count; j++)
				expect(fixture, tag.prefixes[j].family, tag.prefixes[j].addr,
				       KVG_REASON_DESTINATION);
		}
	}
}

static void counts_of_every_tag_are_the_documents(void **state)
{
	struct fixture *fixture = fixture_of(state);

	for (size_t cloud = 0; cloud < CLOUDS; cloud++) {
		const struct kvg_document *document =
			fixture->libraries[cloud]
				.documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][clouds[cloud].cloud];
		json_t *values = json_object_get(fixture->json[cloud], "values");
		json_t *value;
		size_t i;

		assert_int_equal(document->groups_count, json_array_size(values));
		json_array_foreach(values, i, value)
		{
			const char *id = json_string_value(json_object_get(value, "id"));
			const struct kvg_group *group = kvg_document_find(document, id);
			json_t *prefixes = json_object_get(json_object_get(value, "properties"),
							   "addressPrefixes");

			assert_non_null(group);
			assert_int_equal(group->count, json_array_size(prefixes));
		}
	}
}

static void expect_region(struct fixture *fixture, size_t cloud, const struct tag *vaults,
			  const char *id)
{
	KVG_CLEANUP(tag_done) struct tag own = read_tag(fixture->json[cloud], id);

	enforce(fixture, cloud, "data", strchr(id, '.') + 1);
	for (size_t i = 0; i < vaults->count; i++)
		expect_neighbour(fixture, &own, vaults->prefixes[i].family,
				 vaults->prefixes[i].addr);
}

static void every_region_opens_its_own_vaults_alone(void **state)
{
	struct fixture *fixture = fixture_of(state);

	for (size_t cloud = 0; cloud < CLOUDS; cloud++) {
		KVG_CLEANUP(tag_done) struct tag vaults = {};
		json_t *value;
		size_t i;

		vaults = read_tag(fixture->json[cloud], "AzureKeyVault");
		json_array_foreach(json_object_get(fixture->json[cloud], "values"), i, value)
		{
			const char *id = json_string_value(json_object_get(value, "id"));

			if (strncmp(id, "AzureKeyVault.", strlen("AzureKeyVault.")) == 0)
				expect_region(fixture, cloud, &vaults, id);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_of_every_tag_are_the_documents),
		cmocka_unit_test(every_function_opens_its_tag_to_the_edge_and_no_further),
		cmocka_unit_test(every_prefix_gets_tcp_443_and_nothing_else),
		cmocka_unit_test(one_function_does_not_open_another),
		cmocka_unit_test(one_cloud_does_not_open_another),
		cmocka_unit_test(every_region_opens_its_own_vaults_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
