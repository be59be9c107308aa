/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One GET by https, with every bound that a server could overstep. The server's certificate is
 * verified, TLS is 1.2 or later, and a redirection leads to https or nowhere.
 */
#ifndef KVG_RANGES_HTTP_H
#define KVG_RANGES_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct kvg_http;

#define KVG_HTTP_TIMEOUT_S 300 /* 4 MB in five minutes is a slow modem */

/**
 * struct kvg_http_options - the same for all requests
 * @proxy:     "http://proxy.example:3128"; NULL means what the environment says (https_proxy, no_proxy)
 * @ca_file:   certificates to trust, PEM; NULL means the system's
 * @timeout_s: for a request in all; 0 means KVG_HTTP_TIMEOUT_S. Less for its parts: connecting takes
 *             15 s at most, and 30 s pass with less than 1 KB/s at most
 *
 * The strings must outlive the session.
 */
struct kvg_http_options {
	const char *proxy;
	const char *ca_file;
	unsigned int timeout_s;
};

/**
 * struct kvg_http_request - what to get
 * @url:       https
 * @max_bytes: a longer answer is broken off; counted after it was unpacked
 * @etag:      of what is there already; NULL if nothing is
 * @modified:  its Last-Modified; NULL if there is none
 */
struct kvg_http_request {
	const char *url;
	size_t max_bytes;
	const char *etag;
	const char *modified;
};

/**
 * struct kvg_http_response - what came; freed by kvg_http_response_done()
 * @status:        200, 304, ...
 * @body:          NUL-terminated for convenience
 * @size:          bytes, the terminator not counted
 * @url:           where it came from in the end
 * @etag:          NULL if none
 * @modified:      Last-Modified as sent; NULL if none
 * @retry_after_s: Retry-After; 0 if none
 */
struct kvg_http_response {
	long status;
	char *body;
	size_t size;
	char *url;
	char *etag;
	char *modified;
	unsigned long retry_after_s;
};

/**
 * kvg_http_open() - a session: connections are used again
 * @options:     see above
 * @ret:         for kvg_http_close(); untouched on failure
 * @reterr_diag: why not
 *
 * Return: 0, or a negative errno: -ENOPKG libcurl is missing
 */
int kvg_http_open(const struct kvg_http_options *options, struct kvg_http **ret,
		  struct kvg_diag *reterr_diag);

/**
 * kvg_http_get() - do one request
 * @http:        session
 * @request:     see above
 * @ret:         zeroed before; done by the caller, also after a failure
 * @reterr_diag: what went wrong; names the host, never the proxy's password
 *
 * An answer is an answer, whatever its status: only 200 and 304 are what was wanted.
 *
 * Return: 0 with an answer, or a negative errno: -EFBIG longer than allowed, -EPROTO TLS or HTTP,
 * -ETIMEDOUT too slow, -ECONNREFUSED, -ENOMEM, -EIO
 */
int kvg_http_get(struct kvg_http *http, const struct kvg_http_request *request,
		 struct kvg_http_response *ret, struct kvg_diag *reterr_diag);

/** kvg_http_response_done() - free what it holds */
void kvg_http_response_done(struct kvg_http_response *response);

/**
 * kvg_http_resolve() - an absolute https URL
 * @http: session
 * @base: absolute
 * @link: absolute, or relative to @base
 * @ret:  freed by the caller with free(3)
 *
 * Return: 0, -EINVAL not a URL, -EPROTO not https, -ENOMEM
 */
int kvg_http_resolve(struct kvg_http *http, const char *base, const char *link, char **ret);

/** kvg_http_host() - the host that a URL names, freed by the caller with free(3); 0 or -EINVAL, -ENOMEM */
int kvg_http_host(struct kvg_http *http, const char *url, char **ret);

/** kvg_http_close() - end it; NULL is fine; Return: NULL */
struct kvg_http *kvg_http_close(struct kvg_http *http);

/** kvg_http_closep() - for KVG_CLEANUP */
void kvg_http_closep(struct kvg_http **http);

#endif
