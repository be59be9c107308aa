// SPDX-License-Identifier: BSD-2-Clause
/* The words of services: "tcp/443". */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/profile.h"

#define PORT_MAX_LEN 5

/* Decimal, no sign, no leading zero; 0 if it is no port. */
static unsigned int parse_port(const char *text)
{
	unsigned int port = 0;
	size_t length = strlen(text);

	if (length == 0 || length > PORT_MAX_LEN || text[0] == '0')
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = 10 * port + (unsigned int)(text[i] - '0');
	}
	return port <= 65535 ? port : 0;
}

int kvg_service_parse(const char *text, struct kvg_service *ret, struct kvg_diag *reterr_diag)
{
	__u8 protocol = 0;
	unsigned int port = 0;

	if (strncmp(text, "tcp/", 4) == 0)
		protocol = IPPROTO_TCP;
	else if (strncmp(text, "udp/", 4) == 0)
		protocol = IPPROTO_UDP;

	if (protocol)
		port = parse_port(text + 4);
	if (!port)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "bad service '%s': expected tcp/PORT or udp/PORT, ports 1 to "
				    "65535",
				    text);

	*ret = (struct kvg_service){.protocol = protocol, .port = htons((__u16)port)};
	return 0;
}

const char *kvg_service_format(const struct kvg_service *service, char ret[KVG_SERVICE_STRLEN])
{
	snprintf(ret, KVG_SERVICE_STRLEN, "%s/%u", service->protocol == IPPROTO_TCP ? "tcp" : "udp",
		 ntohs(service->port));
	return ret;
}
