// SPDX-License-Identifier: BSD-2-Clause
#include "simulate/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "simulate/pcap.h"
#include "simulate/readers.h"

#define MAGIC_LEN 4

static const struct format {
	const char *word;
	const char *words;
} formats[] = {
#define X(name, word, words) {word, words},
	KVG_INPUT_FORMATS(X)
#undef X
};

const char *kvg_input_format_word(enum kvg_input_format format)
{
	return format < KVG_INPUT_FORMAT_COUNT ? formats[format].word : "unknown";
}

int kvg_input_format_parse(const char *word, enum kvg_input_format *ret,
			   struct kvg_diag *reterr_diag)
{
	for (size_t i = 0; i < KVG_INPUT_FORMAT_COUNT; i++) {
		if (strcmp(word, formats[i].word) == 0) {
			*ret = (enum kvg_input_format)i;
			return 0;
		}
	}
	return kvg_diag_set(reterr_diag, -EINVAL,
			    "unknown format '%s': expected auto, pcap, json, ss, nsg, vnet or aws",
			    word);
}

/* Seconds or nanoseconds in either order, modified (Kuznetzov), and pcapng. */
static bool is_capture(const char *data, size_t size)
{
	static const char magics[][MAGIC_LEN + 1] = {
		"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d",
		"\x34\xcd\xb2\xa1", "\xa1\xb2\xcd\x34", "\x0a\x0d\x0d\x0a",
	};

	for (size_t i = 0; size >= MAGIC_LEN && i < KVG_ARRAY_SIZE(magics); i++) {
		if (memcmp(data, magics[i], MAGIC_LEN) == 0)
			return true;
	}
	return false;
}

/* The first word, and of two that look alike another one, tell. */
static enum kvg_input_format guess_format(const char *data, size_t size)
{
	static const char *const ss_words[] = {"Netid",   "State", "Recv-Q", "ESTAB", "LISTEN",
					       "tcp",     "udp",   "SYN-",   "TIME-", "CLOSE",
					       "CLOSING", "FIN-",  "UNCONN", "LAST-"};
	size_t at = strspn(data, " \t\r\n");
	size_t line = strcspn(data + at, "\n");

	if (at == size || !data[at])
		return KVG_INPUT_AUTO;
	if (data[at] == '{' || data[at] == '[' || strncmp(data + at, "\xef\xbb\xbf", 3) == 0)
		return KVG_INPUT_JSON;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(ss_words); i++) {
		if (strncmp(data + at, ss_words[i], strlen(ss_words[i])) == 0)
			return KVG_INPUT_SS;
	}
	if (memmem(data + at, line, "srcaddr", 7) || memmem(data + at, line, " eni-", 5) ||
	    memmem(data + at, line, "NODATA", 6))
		return KVG_INPUT_AWS;
	return KVG_INPUT_AUTO;
}

static unsigned int shapes_of(enum kvg_input_format format)
{
	switch (format) {
	case KVG_INPUT_NSG:
		return KVG_SHAPE_NSG;
	case KVG_INPUT_VNET:
		return KVG_SHAPE_VNET;
	default:
		return KVG_SHAPE_FLOW | KVG_SHAPE_NSG | KVG_SHAPE_VNET;
	}
}

/* @data is NUL-terminated behind @size. */
static int read_text(const char *data, size_t size, enum kvg_input_format *format,
		     struct kvg_traffic *ret, struct kvg_diag *reterr_diag)
{
	if (size >= 2 && memcmp(data, "\x1f\x8b", 2) == 0)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "it is compressed: 'zcat FILE | kvgate simulate ... -'");
	if (*format == KVG_INPUT_AUTO)
		*format = guess_format(data, size);

	switch (*format) {
	case KVG_INPUT_SS:
		return kvg_ss_read(data, size, ret);
	case KVG_INPUT_AWS:
		return kvg_aws_read(data, size, ret);
	case KVG_INPUT_JSON:
	case KVG_INPUT_NSG:
	case KVG_INPUT_VNET:
		return kvg_json_read(data, size, shapes_of(*format), ret);
	default:
		return kvg_diag_set(reterr_diag, -EINVAL, "it is in no format that is known: %s",
				    size ? "say which with --format" : "it is empty");
	}
}

static int read_capture(FILE *file, enum kvg_input_format *format, struct kvg_traffic *ret,
			struct kvg_diag *reterr_diag)
{
	*format = KVG_INPUT_PCAP;
	return kvg_pcap_read(file, ret, reterr_diag);
}

static int check(int r, const struct kvg_traffic *traffic, struct kvg_diag *reterr_diag)
{
	if (r == -E2BIG)
		return kvg_diag_set(reterr_diag, r,
				    "more than %d flows: what came after record %llu was not read",
				    KVG_SEEN_MAX, (unsigned long long)traffic->records);
	if (r == -ENOMEM)
		return kvg_diag_set(reterr_diag, r, "not enough memory");
	return r;
}

int kvg_input_read_bytes(const char *data, size_t size, enum kvg_input_format *format,
			 struct kvg_traffic *ret, struct kvg_diag *reterr_diag)
{
	bool capture =
		*format == KVG_INPUT_AUTO ? is_capture(data, size) : *format == KVG_INPUT_PCAP;
	FILE *file;
	int r;

	if (!capture) {
		r = read_text(data, size, format, ret, reterr_diag);
	} else if (!size) {
		return kvg_diag_set(reterr_diag, -EINVAL, "no capture: it is empty");
	} else {
		file = fmemopen((void *)data, size, "r");
		if (!file)
			return kvg_diag_set(reterr_diag, -errno, "not enough memory");
		r = read_capture(file, format, ret, reterr_diag);
	}
	return check(r, ret, reterr_diag);
}

static bool begins_as_capture(FILE *file)
{
	char magic[MAGIC_LEN];
	size_t size = fread(magic, 1, sizeof(magic), file);

	return is_capture(magic, size);
}

/* A file that can be read again need not be in memory as a whole. */
static int read_regular(const char *path, enum kvg_input_format *format, bool *ret_done,
			struct kvg_traffic *ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen(path, "re");
	bool capture;

	*ret_done = true;
	if (!file)
		return kvg_diag_set(reterr_diag, -errno, "%s", strerror(errno));
	capture = begins_as_capture(file);
	rewind(file);
	if (*format == KVG_INPUT_PCAP || (*format == KVG_INPUT_AUTO && capture))
		return check(read_capture(KVG_TAKE_PTR(file), format, ret, reterr_diag), ret,
			     reterr_diag);
	*ret_done = false;
	return 0;
}

int kvg_input_read(const char *path, enum kvg_input_format *format, struct kvg_traffic *ret,
		   struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	bool done = false;
	struct stat st;
	size_t size;
	int r;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		r = read_regular(path, format, &done, ret, reterr_diag);
		if (r < 0 || done)
			return r;
	}
	r = kvg_file_read(path, KVG_INPUT_MAX_BYTES, &data, &size);
	if (r == -EFBIG)
		return kvg_diag_set(reterr_diag, r, "more than %lu MB: give it in parts",
				    KVG_INPUT_MAX_BYTES >> 20);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "%s", strerror(-r));
	return kvg_input_read_bytes(data, size, format, ret, reterr_diag);
}
