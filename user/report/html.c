// SPDX-License-Identifier: BSD-2-Clause
#include "report/html.h"

#include <stdbool.h>
#include <string.h>

static const char style[] =
	":root{color-scheme:light dark;--ink:#1c2330;--soft:#5a6472;--line:#d5dae1;--page:#fff;"
	"--card:#f5f7f9;--bar:#b3402f;--warn:#8a5a00}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#a0a9b6;--line:#39414d;"
	"--page:#14181e;--card:#1d232b;--bar:#ec8371;--warn:#e0b35a}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 "
	"system-ui,sans-serif}\n"
	"main{max-width:1100px;margin:0 auto;padding:24px 20px 48px}\n"
	"h1{font-size:26px;margin:0}h2{font-size:19px;margin:34px 0 8px}\n"
	"p{margin:6px 0}.soft{color:var(--soft)}\n"
	".sums{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0 0;padding:0;list-style:none}\n"
	".sums li{flex:1 1 140px;background:var(--card);border:1px solid var(--line);"
	"border-radius:6px;padding:10px 14px}\n"
	".sums b{display:block;font-size:22px;font-variant-numeric:tabular-nums}\n"
	".note{border-left:4px solid var(--warn);background:var(--card);padding:8px 14px;"
	"margin:12px 0}\n"
	".note ul{margin:4px 0;padding-left:20px}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}\n"
	"th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;"
	"border-bottom:1px solid var(--line)}\n"
	"th{color:var(--soft);font-weight:600;white-space:nowrap}\n"
	".num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	"td.name{overflow-wrap:break-word;max-width:280px}td "
	"small{color:var(--soft);display:block}\n"
	"svg{display:block;max-width:100%;height:auto}svg text{fill:var(--soft);"
	"font:12px system-ui,sans-serif}\n"
	".refused{fill:var(--bar)}.would{fill:url(#hatch);stroke:var(--bar)}\n"
	".hatch{stroke:var(--bar);stroke-width:2}.axis{stroke:var(--line)}\n"
	".time{white-space:nowrap}td "
	"svg{margin-top:6px;max-width:none}footer{margin-top:40px;color:var(--soft);font-size:13px}"
	"\n"
	"@media print{main{max-width:none}.note,.sums li{break-inside:avoid}}\n";

/* Of the character at @text: how many bytes it has, and its code point. */
static size_t decode(const unsigned char *text, unsigned int *ret)
{
	static const unsigned char firsts[] = {0x00, 0xc0, 0xe0, 0xf0};
	size_t len = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

	*ret = text[0] - firsts[len - 1];
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80) { /* no UTF-8: one byte of rubbish */
			*ret = 0xfffd;
			return 1;
		}
		*ret = *ret << 6 | (text[i] & 0x3f);
	}
	return len;
}

/* It does not show as itself: controls, and what turns the direction of writing or is not seen. */
static bool is_hidden(unsigned int c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       c == 0xfffd;
}

void kvg_html_text(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned int c;
	size_t len;

	for (; at && *at; at += len) {
		len = decode(at, &c);
		if (is_hidden(c))
			fprintf(out, "\\u%04x", c);
		else if (strchr("&<>\"'`", (int)c) && c < 0x80)
			fprintf(out, "&#%u;", c);
		else
			fwrite(at, 1, len, out);
	}
}

void kvg_html_number(FILE *out, __u64 number)
{
	if (number >= 1000) {
		kvg_html_number(out, number / 1000);
		fprintf(out, ",%03u", (unsigned int)(number % 1000));
	} else {
		fprintf(out, "%u", (unsigned int)number);
	}
}

void kvg_html_begin(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
	      out);
	kvg_html_text(out, title);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
}

void kvg_html_end(FILE *out)
{
	fputs("</main>\n</body>\n</html>\n", out);
}
