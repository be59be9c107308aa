/* SPDX-License-Identifier: BSD-2-Clause */
/* Why an input was refused. Parsers are silent; the command that called them prints this once. */
#ifndef KVG_BASE_DIAG_H
#define KVG_BASE_DIAG_H

/**
 * struct kvg_diag - why an input was refused; written on failure only
 * @line:   1-based; 0 if the fault has no place
 * @column: 1-based; 0 if it has none
 * @msg:    one sentence that names the element; no newline, no trailing period, no file name
 */
struct kvg_diag {
	unsigned int line;
	unsigned int column;
	char msg[256];
};

/**
 * kvg_diag_set() - say what is wrong, and hand on the error
 * @diag:  where to; NULL if nobody wants to know
 * @error: negative errno to return
 * @format: as printf(3); what does not fit is cut at a character's end
 *
 * Control characters of the input are written as '?', so that a message stays one line.
 *
 * Return: @error
 */
int kvg_diag_set(struct kvg_diag *diag, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * kvg_diag_set_at() - as kvg_diag_set(), with a place
 * @diag:   where to; NULL if nobody wants to know
 * @error:  negative errno to return
 * @line:   1-based, 0 for none
 * @column: 1-based, 0 for none
 * @format: as printf(3)
 *
 * Return: @error
 */
int kvg_diag_set_at(struct kvg_diag *diag, int error, unsigned int line, unsigned int column,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
