/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Downloads range documents, judges them, and puts them into use.
 *
 * Service tags: a details page links to the newest document, whose name holds its date. Where the page
 * says nothing, the constant path below which documents have been for years is asked, day by day
 * backwards. Microsoft 365 endpoints: a version is asked for, and the document if it is another one.
 */
#ifndef KVG_RANGES_FETCH_H
#define KVG_RANGES_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/digest.h"
#include "ranges/document.h"
#include "ranges/guard.h"
#include "ranges/http.h"
#include "ranges/store.h"

struct kvg_fetch;

/**
 * struct kvg_fetch_source - where the documents of a cloud come from; https
 * @cloud:        whose
 * @service_tags: a details page, or the document itself; NULL: not fetched
 * @fallback:     what "/ServiceTags_<Cloud>_<date>.json" goes behind; NULL: none
 * @m365:         what "/version/<instance>" and "/endpoints/<instance>" go behind; NULL: not fetched
 */
struct kvg_fetch_source {
	enum kvg_cloud cloud;
	const char *service_tags;
	const char *fallback;
	const char *m365;
};

/** kvg_fetch_default_source() - Microsoft's own; static strings */
struct kvg_fetch_source kvg_fetch_default_source(enum kvg_cloud cloud);

/**
 * struct kvg_fetch_options - how
 * @http:               of every request
 * @directory:          of the store
 * @state_dir:          this machine's client id is kept there; made where it is missing
 * @max_shrink_percent: see struct kvg_guard
 * @grace_s:            see kvg_store_put()
 * @now:                ask although the server was asked an hour ago, or wants to be left alone
 * @needs:              adds what is needed of a cloud's documents of a kind; @document is the one in
 *                      use, or, where there is none, the new one; 0 or -ENOMEM
 * @data:               for @needs
 */
struct kvg_fetch_options {
	struct kvg_http_options http;
	const char *directory;
	const char *state_dir;
	unsigned int max_shrink_percent;
	unsigned long grace_s;
	bool now;
	int (*needs)(void *data, const struct kvg_document *document, struct kvg_guard_needs *ret);
	void *data;
};

/* X(enumerator, word) */
#define KVG_FETCH_RESULTS(X)      \
	X(UNCHANGED, "unchanged") \
	X(UPDATED, "updated")     \
	X(REFUSED, "refused")     \
	X(WAITING, "waiting")     \
	X(FAILED, "failed")

enum kvg_fetch_result {
#define X(name, word) KVG_FETCH_##name,
	KVG_FETCH_RESULTS(X)
#undef X
		KVG_FETCH_RESULT_COUNT
};

/** kvg_fetch_result_word() - "unchanged", ... */
const char *kvg_fetch_result_word(enum kvg_fetch_result result);

#define KVG_FETCH_SENTENCE_LEN 1024

/**
 * struct kvg_fetch_report - what came of one document; strings owned
 * @result:        in a word; the first two are good
 * @file:          the document that this is about; NULL if none was found
 * @replaced:      the one that it replaced or would have; NULL if none
 * @url:           where it came from; NULL if nowhere
 * @change_number: of it
 * @digest:        of it
 * @sentence:      why, and what to do; "" if there is nothing to say. No period
 * @needs:         what the changes are about
 * @changes:       of each need; NULL unless updated or refused
 */
struct kvg_fetch_report {
	enum kvg_document_kind kind;
	enum kvg_cloud cloud;
	enum kvg_fetch_result result;
	char *file;
	char *replaced;
	char *url;
	unsigned long change_number;
	unsigned char digest[KVG_DIGEST_BYTES];
	char sentence[KVG_FETCH_SENTENCE_LEN];
	struct kvg_guard_needs needs;
	struct kvg_guard_change *changes;
};

/** kvg_fetch_report_done() - free what it holds */
void kvg_fetch_report_done(struct kvg_fetch_report *report);

/**
 * kvg_fetch_open() - open the store
 * @options:     must outlive @ret
 * @ret:         for kvg_fetch_close(); untouched on failure
 * @reterr_diag: why not
 *
 * libcurl is loaded when the first document is fetched.
 *
 * Return: 0, or a negative errno as of kvg_store_open()
 */
int kvg_fetch_open(const struct kvg_fetch_options *options, struct kvg_fetch **ret,
		   struct kvg_diag *reterr_diag);

/**
 * kvg_fetch_document() - look for a newer document, and put it into use
 * @fetch:      opened
 * @source:     where from
 * @kind:       which
 * @ret_report: zeroed before; done by the caller
 *
 * Blocks.
 */
void kvg_fetch_document(struct kvg_fetch *fetch, const struct kvg_fetch_source *source,
			enum kvg_document_kind kind, struct kvg_fetch_report *ret_report);

/**
 * kvg_fetch_accept() - put into use what was refused, for a person has looked at it
 * @fetch:      opened
 * @kind:       which
 * @cloud:      whose
 * @ret_report: zeroed before; done by the caller
 *
 * It is judged again, by what is in use now; what no person may decide stays refused.
 *
 * Return: true, or false if nothing of the kind was refused: then there is no report
 */
bool kvg_fetch_accept(struct kvg_fetch *fetch, enum kvg_document_kind kind, enum kvg_cloud cloud,
		      struct kvg_fetch_report *ret_report);

/** kvg_fetch_save() - remember for the next time; Return: 0, or a negative errno */
int kvg_fetch_save(struct kvg_fetch *fetch);

/** kvg_fetch_close() - end it; NULL is fine; Return: NULL */
struct kvg_fetch *kvg_fetch_close(struct kvg_fetch *fetch);

/** kvg_fetch_closep() - for KVG_CLEANUP */
void kvg_fetch_closep(struct kvg_fetch **fetch);

#endif
