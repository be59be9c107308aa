/* SPDX-License-Identifier: BSD-2-Clause */
/* Documents from a string, for the tests of the readers. */
#ifndef KVG_TESTS_PARSE_H
#define KVG_TESTS_PARSE_H

#include <string.h>

#include "ranges/document.h"

#define TAG(name, region, prefixes)                                                               \
	"{\"name\":\"" name "\",\"id\":\"" name "\",\"properties\":{\"changeNumber\":1,"          \
	"\"region\":\"" region "\",\"regionId\":0,\"platform\":\"Azure\",\"systemService\":\"\"," \
	"\"addressPrefixes\":[" prefixes "],\"networkFeatures\":null}}"

#define TAGS_OF(cloud, values) \
	"{\"changeNumber\":375,\"cloud\":\"" cloud "\",\"values\":[" values "]}"

#define TAGS(values) TAGS_OF("Public", values)

#define SIGN_IN_SET                                                  \
	"{\"id\":56,\"serviceArea\":\"Common\","                     \
	"\"urls\":[\"*.test\",\"login.microsoftonline.com\"],"       \
	"\"ips\":[\"192.0.2.0/24\",\"2001:db8::/32\"],"              \
	"\"tcpPorts\":\"80,443\",\"expressRoute\":true,\"category\"" \
	":\"Allow\",\"required\":true}"

/** parse() - kvg_document_parse() of a string under the name "test.json" */
static inline int parse(const char *text, struct kvg_document **ret, struct kvg_diag *diag)
{
	return kvg_document_parse("folder/test.json", text, strlen(text), ret, diag);
}

/** parsed() - a document that must be sound, freed by the caller */
static inline struct kvg_document *parsed(const char *text)
{
	struct kvg_document *document = NULL;
	struct kvg_diag diag = {};

	if (parse(text, &document, &diag) < 0)
		fail_msg("refused: %s", diag.msg);
	assert_int_equal(kvg_document_check(document), 0);
	return document;
}

/** assert_refused() - with this error and exactly this message; nothing is returned */
static inline void assert_refused(const char *text, int error, const char *message)
{
	struct kvg_document *untouched = NULL;
	struct kvg_diag diag = {};

	assert_int_equal(parse(text, &untouched, &diag), error);
	assert_null(untouched);
	assert_string_equal(diag.msg, message);
}

#endif
