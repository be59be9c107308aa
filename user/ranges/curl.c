// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

#include "base/cleanup.h"

#define LIBRARY "libcurl.so.4"

/* dlsym(3) gives objects' addresses; POSIX says that they fit functions. */
static bool find(void *library, const char *name, void *function)
{
	void *address = dlsym(library, name);

	*(void **)function = address;
	return address;
}

int kvg_curl_get(const struct kvg_curl **ret, struct kvg_diag *reterr_diag)
{
	static struct kvg_curl curl;
	static bool loaded;
	bool complete = true;
	void *library;

	if (loaded) {
		*ret = &curl;
		return 0;
	}

	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return kvg_diag_set(reterr_diag, -ENOPKG,
				    "libcurl is missing (%s): install libcurl4 (Fedora: libcurl)",
				    dlerror());

#define X(field, symbol) complete &= find(library, #symbol, &curl.field);
	KVG_CURL_SYMBOLS(X)
#undef X
	if (!complete || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		dlclose(library);
		return kvg_diag_set(reterr_diag, -ENOPKG,
				    "this %s is too old: kvgate needs libcurl 7.66 or later",
				    LIBRARY);
	}

	loaded = true;
	*ret = &curl;
	return 0;
}
