/* SPDX-License-Identifier: BSD-2-Clause */
/* A file, or standard input, of whatever format. */
#ifndef KVG_SIMULATE_INPUT_H
#define KVG_SIMULATE_INPUT_H

#include "simulate/traffic.h"

/* Lists of flows; captures may be as long as they like. */
#define KVG_INPUT_MAX_BYTES (512UL << 20)

/* X(enumerator, word, in words) */
#define KVG_INPUT_FORMATS(X)                      \
	X(AUTO, "auto", "a format that is known") \
	X(PCAP, "pcap", "a capture")              \
	X(JSON, "json", "JSON")                   \
	X(SS, "ss", "the output of ss")           \
	X(NSG, "nsg", "an NSG flow log")          \
	X(VNET, "vnet", "a VNet flow log")        \
	X(AWS, "aws", "a VPC flow log")

enum kvg_input_format {
#define X(name, word, words) KVG_INPUT_##name,
	KVG_INPUT_FORMATS(X)
#undef X
		KVG_INPUT_FORMAT_COUNT
};

/** kvg_input_format_word() - "pcap", ... */
const char *kvg_input_format_word(enum kvg_input_format format);

/** kvg_input_format_parse() - of the words; Return: 0, or -EINVAL with @reterr_diag */
int kvg_input_format_parse(const char *word, enum kvg_input_format *ret,
			   struct kvg_diag *reterr_diag);

/**
 * kvg_input_read() - read it, by its content if @format is KVG_INPUT_AUTO
 * @path:        "-" is standard input
 * @format:      what it shall be, and then what it was; "json" also for several kinds of JSON
 * @ret:         zeroed before, done by the caller; holds what could be read, on failure too
 * @reterr_diag: what is wrong with it as a whole
 *
 * Return: 0, or a negative errno
 */
int kvg_input_read(const char *path, enum kvg_input_format *format, struct kvg_traffic *ret,
		   struct kvg_diag *reterr_diag);

/** kvg_input_read_bytes() - the same, of bytes in memory */
int kvg_input_read_bytes(const char *data, size_t size, enum kvg_input_format *format,
			 struct kvg_traffic *ret, struct kvg_diag *reterr_diag);

#endif
