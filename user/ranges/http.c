// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/version.h"
#include "ranges/curl.h"

#define CONNECT_S      15L
#define STALL_S        30L
#define STALL_BYTES    1024L /* a second */
#define REDIRECTIONS   5L    /* Microsoft's pages need two */
#define HEADER_MAX     512   /* an ETag or a date that is kept; a longer one is not */
#define FIRST_CAPACITY (64UL << 10)

/*
 * The bit masks of libcurl before 7.85 are understood by every later one, and those of 7.85 by none
 * before: so these, by their numbers, for newer headers call them deprecated.
 */
#define OPTION_PROTOCOLS       ((CURLoption)(CURLOPTTYPE_LONG + 181))
#define OPTION_REDIR_PROTOCOLS ((CURLoption)(CURLOPTTYPE_LONG + 182))

struct kvg_http {
	const struct kvg_curl *curl;
	CURL *handle;
	struct kvg_http_options options;
	char fault[CURL_ERROR_SIZE];
};

/* One request while it is under way. */
struct transfer {
	struct kvg_http_response *response;
	size_t capacity;
	size_t max_bytes;
	int error;
};

int kvg_http_open(const struct kvg_http_options *options, struct kvg_http **ret,
		  struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_http_closep) struct kvg_http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	r = kvg_curl_get(&http->curl, reterr_diag);
	if (r < 0)
		return r;

	http->options = *options;
	if (!http->options.timeout_s)
		http->options.timeout_s = KVG_HTTP_TIMEOUT_S;
	http->handle = http->curl->easy_init();
	if (!http->handle)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	*ret = KVG_TAKE_PTR(http);
	return 0;
}

struct kvg_http *kvg_http_close(struct kvg_http *http)
{
	if (http && http->handle)
		http->curl->easy_cleanup(http->handle);
	free(http);
	return NULL;
}

void kvg_http_closep(struct kvg_http **http)
{
	kvg_http_close(*http);
}

void kvg_http_response_done(struct kvg_http_response *response)
{
	free(response->body);
	free(response->url);
	free(response->etag);
	free(response->modified);
	*response = (struct kvg_http_response){0};
}

static int make_room(struct transfer *transfer, size_t size)
{
	size_t capacity = transfer->capacity ? transfer->capacity : FIRST_CAPACITY;
	char *body;

	while (capacity < size + 1)
		capacity *= 2;
	if (capacity == transfer->capacity)
		return 0;

	body = realloc(transfer->response->body, capacity);
	if (!body)
		return -ENOMEM;
	transfer->response->body = body;
	transfer->capacity = capacity;
	return 0;
}

/* What curl hands over is unpacked already: a small answer that unpacks to a large one ends here. */
static size_t on_body(char *data, size_t one, size_t count, void *user)
{
	struct transfer *transfer = user;
	struct kvg_http_response *response = transfer->response;
	size_t size = one * count;

	if (size > transfer->max_bytes || response->size > transfer->max_bytes - size)
		transfer->error = -EFBIG;
	else
		transfer->error = make_room(transfer, response->size + size);
	if (transfer->error)
		return 0;

	memcpy(response->body + response->size, data, size);
	response->size += size;
	response->body[response->size] = '\0';
	return size;
}

/* The value of the header line "@name: value\r\n", into @ret; too long a one is left out. */
static int take_header(const char *line, size_t size, const char *name, char **ret)
{
	size_t length = strlen(name);

	if (size <= length || strncasecmp(line, name, length) != 0 || line[length] != ':')
		return 0;

	line += length + 1;
	size -= length + 1;
	while (size && (*line == ' ' || *line == '\t')) {
		line++;
		size--;
	}
	while (size && strchr("\r\n \t", line[size - 1]))
		size--;

	free(*ret);
	*ret = NULL;
	if (size == 0 || size > HEADER_MAX || memchr(line, '\0', size))
		return 0;
	*ret = strndup(line, size);
	return *ret ? 0 : -ENOMEM;
}

static size_t on_header(char *data, size_t one, size_t count, void *user)
{
	struct transfer *transfer = user;
	struct kvg_http_response *response = transfer->response;
	size_t size = one * count;

	/* Of each answer on the way; what a redirection said does not hold for what it leads to. */
	if (size > 5 && strncasecmp(data, "HTTP/", 5) == 0) {
		free(response->etag);
		free(response->modified);
		response->etag = NULL;
		response->modified = NULL;
	}
	transfer->error = take_header(data, size, "ETag", &response->etag);
	if (transfer->error == 0)
		transfer->error = take_header(data, size, "Last-Modified", &response->modified);
	return transfer->error ? 0 : size;
}

struct setting {
	CURLoption option;
	long value;
};

static bool set_numbers(struct kvg_http *http)
{
	long timeout = (long)http->options.timeout_s;
	const struct setting settings[] = {
		{OPTION_PROTOCOLS, CURLPROTO_HTTPS},
		{OPTION_REDIR_PROTOCOLS, CURLPROTO_HTTPS},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		{CURLOPT_SSL_VERIFYPEER, 1},
		{CURLOPT_SSL_VERIFYHOST, 2},
		{CURLOPT_FOLLOWLOCATION, 1},
		{CURLOPT_MAXREDIRS, REDIRECTIONS},
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_TIMEOUT, timeout},
		{CURLOPT_CONNECTTIMEOUT, timeout < CONNECT_S ? timeout : CONNECT_S},
		{CURLOPT_LOW_SPEED_TIME, timeout < STALL_S ? timeout : STALL_S},
		{CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES},
	};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(settings); i++) {
		if (http->curl->setopt(http->handle, settings[i].option, settings[i].value) !=
		    CURLE_OK)
			return false;
	}
	return true;
}

static bool set_texts(struct kvg_http *http, const struct kvg_http_request *request)
{
	const struct {
		CURLoption option;
		const char *value;
	} settings[] = {
		{CURLOPT_URL, request->url},
		{CURLOPT_USERAGENT, "kvgate/" KVG_VERSION},
		{CURLOPT_ACCEPT_ENCODING, "gzip, deflate"},
		{CURLOPT_PROXY, http->options.proxy},
		{CURLOPT_CAINFO, http->options.ca_file},
	};

	/* Two of them have a default of their own, which NULL would take away. */
	for (size_t i = 0; i < KVG_ARRAY_SIZE(settings); i++) {
		if (settings[i].value && http->curl->setopt(http->handle, settings[i].option,
							    settings[i].value) != CURLE_OK)
			return false;
	}
	return true;
}

static bool set_up(struct kvg_http *http, const struct kvg_http_request *request,
		   struct transfer *transfer, struct curl_slist *headers)
{
	const struct kvg_curl *curl = http->curl;
	CURL *handle = http->handle;

	curl->easy_reset(handle);
	http->fault[0] = '\0';
	return set_numbers(http) && set_texts(http, request) &&
	       curl->setopt(handle, CURLOPT_ERRORBUFFER, http->fault) == CURLE_OK &&
	       curl->setopt(handle, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl->setopt(handle, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
	       curl->setopt(handle, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl->setopt(handle, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
	       curl->setopt(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
}

static int add_header(const struct kvg_curl *curl, struct curl_slist **list, const char *name,
		      const char *value)
{
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	struct curl_slist *longer;

	if (!value)
		return 0;
	if (asprintf(&line, "%s: %s", name, value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	longer = curl->slist_append(*list, line);
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int to_errno(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_PARTIAL_FILE:
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_GOT_NOTHING:
		return -EPROTO;
	default:
		return -EIO;
	}
}

static int explain(const struct kvg_http *http, const struct kvg_http_request *request,
		   const struct transfer *transfer, CURLcode code, struct kvg_diag *diag)
{
	const char *why = http->fault[0] ? http->fault : http->curl->easy_strerror(code);

	if (transfer->error == -EFBIG)
		return kvg_diag_set(diag, -EFBIG, "'%s' sends more than %zu MiB", request->url,
				    request->max_bytes >> 20);
	if (transfer->error)
		return kvg_diag_set(diag, transfer->error, "out of memory");
	if (code == CURLE_UNSUPPORTED_PROTOCOL)
		return kvg_diag_set(diag, -EPROTO, "'%s' is not https, or leads to where it is not",
				    request->url);
	return kvg_diag_set(diag, to_errno(code), "'%s': %s", request->url, why);
}

static int finish(const struct kvg_http *http, struct kvg_http_response *response)
{
	curl_off_t retry_after = 0;
	char *url = NULL;

	http->curl->getinfo(http->handle, CURLINFO_RESPONSE_CODE, &response->status);
	http->curl->getinfo(http->handle, CURLINFO_RETRY_AFTER, &retry_after);
	http->curl->getinfo(http->handle, CURLINFO_EFFECTIVE_URL, &url);
	response->retry_after_s = retry_after > 0 ? (unsigned long)retry_after : 0;

	response->url = strdup(url ? url : "");
	if (!response->body)
		response->body = calloc(1, 1);
	return response->url && response->body ? 0 : -ENOMEM;
}

int kvg_http_get(struct kvg_http *http, const struct kvg_http_request *request,
		 struct kvg_http_response *ret, struct kvg_diag *reterr_diag)
{
	struct transfer transfer = {.response = ret, .max_bytes = request->max_bytes};
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	int r;

	r = add_header(http->curl, &headers, "If-None-Match", request->etag);
	if (r == 0)
		r = add_header(http->curl, &headers, "If-Modified-Since", request->modified);
	if (r == 0) {
		code = CURLE_UNKNOWN_OPTION;
		if (set_up(http, request, &transfer, headers))
			code = http->curl->easy_perform(http->handle);
	}

	if (code != CURLE_OK)
		r = explain(http, request, &transfer, code, reterr_diag);
	else if (finish(http, ret) < 0)
		r = kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	http->curl->slist_free_all(headers);
	return r;
}

/* A part of a URL; absolute, or relative to @base. */
static int take_part(const struct kvg_curl *curl, const char *base, const char *link,
		     CURLUPart part, char **ret)
{
	CURLU *url = curl->url();
	char *text = NULL;
	int r = -EINVAL;

	if (!url)
		return -ENOMEM;
	if ((!base || curl->url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK) &&
	    curl->url_set(url, CURLUPART_URL, link, 0) == CURLUE_OK &&
	    curl->url_get(url, part, &text, 0) == CURLUE_OK) {
		*ret = strdup(text);
		r = *ret ? 0 : -ENOMEM;
	}
	curl->free(text);
	curl->url_cleanup(url);
	return r;
}

int kvg_http_resolve(struct kvg_http *http, const char *base, const char *link, char **ret)
{
	KVG_CLEANUP(kvg_freep) char *url = NULL;
	int r;

	r = take_part(http->curl, base, link, CURLUPART_URL, &url);
	if (r < 0)
		return r;
	if (strncmp(url, "https://", 8) != 0)
		return -EPROTO;
	*ret = KVG_TAKE_PTR(url);
	return 0;
}

int kvg_http_host(struct kvg_http *http, const char *url, char **ret)
{
	return take_part(http->curl, NULL, url, CURLUPART_HOST, ret);
}
