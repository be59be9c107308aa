/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl, loaded when it is needed. It brings 25 libraries that cost each start of every command
 * some 10 ms, and only `fetch` needs it.
 */
#ifndef KVG_RANGES_CURL_H
#define KVG_RANGES_CURL_H

/* Nothing goes through curl.h's macros, which would take the fields below for its functions. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/diag.h"

/* X(field, symbol) */
#define KVG_CURL_SYMBOLS(X)                    \
	X(global_init, curl_global_init)       \
	X(easy_init, curl_easy_init)           \
	X(easy_cleanup, curl_easy_cleanup)     \
	X(easy_reset, curl_easy_reset)         \
	X(easy_perform, curl_easy_perform)     \
	X(easy_strerror, curl_easy_strerror)   \
	X(setopt, curl_easy_setopt)            \
	X(getinfo, curl_easy_getinfo)          \
	X(slist_append, curl_slist_append)     \
	X(slist_free_all, curl_slist_free_all) \
	X(url, curl_url)                       \
	X(url_cleanup, curl_url_cleanup)       \
	X(url_set, curl_url_set)               \
	X(url_get, curl_url_get)               \
	X(free, curl_free)

/** struct kvg_curl - its functions */
struct kvg_curl {
#define X(field, symbol) __typeof__(&(symbol)) field;
	KVG_CURL_SYMBOLS(X)
#undef X
};

/**
 * kvg_curl_get() - load libcurl, once
 * @ret:         its functions, static
 * @reterr_diag: which package is missing
 *
 * Return: 0, or -ENOPKG
 */
int kvg_curl_get(const struct kvg_curl **ret, struct kvg_diag *reterr_diag);

#endif
