// SPDX-License-Identifier: BSD-2-Clause
/* A policy as text: the JSON document, one rule a line. policy_lines.c reads what is written here. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/policy.h"
#include "policy/profile.h"

struct text {
	char *data;
	size_t size;
	FILE *file;
};

static int text_open(struct text *text)
{
	*text = (struct text){0};
	text->file = open_memstream(&text->data, &text->size);
	return text->file ? 0 : -ENOMEM;
}

/* Give the text away, if all of it could be written. */
static int text_close(struct text *text, char **ret, size_t *ret_size)
{
	int failed = ferror(text->file);

	if (fclose(text->file) != 0 || failed) {
		free(text->data);
		return -ENOMEM;
	}
	*ret = text->data;
	*ret_size = text->size;
	return 0;
}

static void write_services(FILE *file, const struct kvg_policy *policy, __u32 services,
			   const char *before, const char *between)
{
	char word[KVG_SERVICE_STRLEN];

	for (size_t i = 0; i < policy->services_count; i++) {
		if (!(services & 1U << i))
			continue;
		fputs_unlocked(before, file);
		fputs_unlocked(kvg_service_format(&policy->services[i], word), file);
		before = between;
	}
}

/* A file's name may be any bytes, a JSON string may not: what is not ASCII becomes '?'. */
static json_t *make_string(const char *string)
{
	KVG_CLEANUP(kvg_freep) char *copy = NULL;
	json_t *value = json_string(string);

	if (value)
		return value;

	copy = strdup(string);
	for (char *c = copy; c && *c; c++) {
		if (*c & 0x80)
			*c = '?';
	}
	return copy ? json_string(copy) : NULL;
}

/* Nothing in it that JSON writes in another way. */
static bool is_plain(const char *string)
{
	for (const char *c = string; *c; c++) {
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			return false;
	}
	return true;
}

/* Tens of thousands of names in a policy, and nearly all of them plain. */
static int write_string(FILE *file, const char *string)
{
	json_t *value;
	int r;

	if (is_plain(string)) {
		putc_unlocked('"', file);
		fputs_unlocked(string, file);
		putc_unlocked('"', file);
		return 0;
	}
	value = make_string(string);
	r = value ? json_dumpf(value, file, JSON_ENCODE_ANY) : -1;
	json_decref(value);
	return r < 0 ? -ENOMEM : 0;
}

static int write_head(FILE *file, const struct kvg_policy *policy)
{
	int r;

	fputs("{\n  \"kvgate_policy\": 1,\n  \"profile\": ", file);
	r = write_string(file, policy->profile);
	fprintf(file,
		",\n  \"cloud\": \"%s\",\n  \"mode\": \"%s\",\n  \"inbound\": \"%s\",\n"
		"  \"sources\": [",
		kvg_cloud_word(policy->cloud), kvg_mode_word(policy->mode),
		kvg_inbound_word(policy->inbound));
	return r;
}

static int write_source(FILE *file, const struct kvg_source *source)
{
	char hex[KVG_DIGEST_HEX_LEN];
	int r;

	kvg_digest_format(source->sha256, hex);
	fprintf(file, "{ \"kind\": \"%s\", \"file\": ", kvg_document_kind_word(source->kind));
	r = write_string(file, source->file);
	fprintf(file, ", \"cloud\": \"%s\", \"change_number\": %lu, \"sha256\": \"%s\" }",
		kvg_cloud_tags_name(source->cloud), source->change_number, hex);
	return r;
}

static int write_rule(FILE *file, const struct kvg_policy *policy, const struct kvg_rule *rule)
{
	char word[KVG_PREFIX_STRLEN];
	int r = 0;

	fputs_unlocked("{ \"prefix\": \"", file);
	fputs_unlocked(kvg_prefix_format(&rule->prefix, word), file);
	fputs_unlocked("\", \"allow\": [", file);
	write_services(file, policy, rule->services, "\"", "\", \"");
	fputs_unlocked("\"], \"from\": [", file);
	for (size_t i = 0; i < rule->from_count && r == 0; i++) {
		fputs_unlocked(i ? ", " : "", file);
		r = write_string(file, rule->from[i]);
	}
	fputs_unlocked("] }", file);
	return r;
}

static int write_host(FILE *file, const struct kvg_policy_host *host)
{
	char word[KVG_SERVICE_STRLEN];
	int r;

	fputs("{ \"name\": ", file);
	r = write_string(file, host->name);
	fprintf(file, ", \"allow\": [\"%s\"], \"function\": \"%s\"%s }",
		kvg_service_format(&host->service, word), kvg_function_word(host->function),
		host->ranged ? "" : ", \"ranged\": false");
	return r;
}

static const char *separator(size_t i)
{
	return i ? ",\n    " : "\n    ";
}

static const char *list_end(size_t count)
{
	return count ? "\n  ]" : "]";
}

static int write_body(FILE *file, const struct kvg_policy *policy)
{
	int r = 0;

	for (size_t i = 0; i < policy->sources_count && r == 0; i++) {
		fputs(separator(i), file);
		r = write_source(file, &policy->sources[i]);
	}
	fprintf(file, "%s,\n  \"rules\": [", list_end(policy->sources_count));

	for (size_t i = 0; i < policy->rules_count && r == 0; i++) {
		fputs_unlocked(separator(i), file);
		r = write_rule(file, policy, &policy->rules[i]);
	}
	fprintf(file, "%s,\n  \"hosts\": [", list_end(policy->rules_count));

	for (size_t i = 0; i < policy->hosts_count && r == 0; i++) {
		fputs(separator(i), file);
		r = write_host(file, &policy->hosts[i]);
	}
	fputs(list_end(policy->hosts_count), file);
	return r;
}

int kvg_policy_write(const struct kvg_policy *policy, char **ret, size_t *ret_size)
{
	char hex[KVG_DIGEST_HEX_LEN];
	struct text text;
	int r;

	r = text_open(&text);
	if (r < 0)
		return r;

	r = write_head(text.file, policy);
	if (r == 0)
		r = write_body(text.file, policy);
	kvg_digest_format(policy->digest, hex);
	fprintf(text.file, ",\n  \"digest\": \"sha256:%s\"\n}\n", hex);

	if (r < 0) {
		fclose(text.file);
		free(text.data);
		return r;
	}
	return text_close(&text, ret, ret_size);
}
