// SPDX-License-Identifier: BSD-2-Clause
#include "gate/kernel_btf.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "base/cleanup.h"

/* More than any kernel's; what is longer is no BTF. */
#define SECTION_BYTES_MAX (256U << 20)

static long header_bytes(const struct btf_header *header)
{
	return header->hdr_len;
}

static int read_header(FILE *file, struct btf_header *ret)
{
	if (fread(ret, sizeof(*ret), 1, file) != 1 || ret->magic != BTF_MAGIC ||
	    ret->hdr_len < sizeof(*ret) || ret->type_len > SECTION_BYTES_MAX ||
	    ret->str_len > SECTION_BYTES_MAX || ret->type_off > SECTION_BYTES_MAX ||
	    ret->str_off > SECTION_BYTES_MAX)
		return -EPROTO;
	return 0;
}

/* @ret: offset of the name among the strings, each of which ends, and stands once */
static int find_string(FILE *file, const struct btf_header *header, const char *name, __u32 *ret)
{
	KVG_CLEANUP(kvg_freep) char *strings = malloc(header->str_len + 1);
	size_t size = strlen(name) + 1;
	const char *found;

	if (!strings)
		return -ENOMEM;
	if (fseek(file, header_bytes(header) + header->str_off, SEEK_SET) < 0 ||
	    fread(strings, 1, header->str_len, file) != header->str_len)
		return -EPROTO;

	found = strings;
	while ((found = memmem(found, strings + header->str_len - found, name, size))) {
		if (found > strings && !found[-1]) {
			*ret = found - strings;
			return 0;
		}
		found++;
	}
	return -ENOENT;
}

/* Bytes that follow a type's common part, Documentation/bpf/btf.rst; negative for a kind that is new. */
static long extra_bytes(__u32 info)
{
	long count = BTF_INFO_VLEN(info);

	switch (BTF_INFO_KIND(info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return count * (long)sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return count * (long)sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return count * (long)sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return count * (long)sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return count * (long)sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	default:
		return -EPROTO;
	}
}

/* Ids are counted from 1, in the order in which the types stand. */
static int find_type(FILE *file, const struct btf_header *header, __u32 name_off, __u32 *ret)
{
	long left = header->type_len;

	if (fseek(file, header_bytes(header) + header->type_off, SEEK_SET) < 0)
		return -EPROTO;
	for (__u32 id = 1; left > 0; id++) {
		char skipped[4096];
		struct btf_type type;
		long extra;

		if (fread(&type, sizeof(type), 1, file) != 1)
			return -EPROTO;
		if (type.name_off == name_off && BTF_INFO_KIND(type.info) == BTF_KIND_FUNC) {
			*ret = id;
			return 0;
		}
		extra = extra_bytes(type.info);
		if (extra < 0)
			return extra;
		left -= (long)sizeof(type) + extra;
		for (size_t part; extra > 0; extra -= (long)part) {
			part = (size_t)extra < sizeof(skipped) ? (size_t)extra : sizeof(skipped);
			if (fread(skipped, 1, part, file) != part)
				return -EPROTO;
		}
	}
	return -ENOENT;
}

int kvg_kernel_btf_find_function(const char *path, const char *name, __u32 *ret)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen(path, "re");
	struct btf_header header;
	__u32 name_off = 0;
	int r;

	if (!file)
		return -errno;
	r = read_header(file, &header);
	if (r == 0)
		r = find_string(file, &header, name, &name_off);
	return r < 0 ? r : find_type(file, &header, name_off, ret);
}
