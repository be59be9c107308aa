// SPDX-License-Identifier: BSD-2-Clause
#include "policy/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/catalogue.h"

#define SIGN_IN_PORT 443

static bool is_chosen(const struct kvg_profile *profile, const struct kvg_catalogue_host *row)
{
	if (row->cloud != profile->cloud)
		return false;
	if (row->identities && !(row->identities & profile->identities))
		return false;
	if (row->function == KVG_FUNCTION_CRL)
		return profile->crl_hosts;
	return profile->functions & 1U << row->function;
}

int kvg_hosts_list(const struct kvg_profile *profile, struct kvg_policy_host **ret,
		   size_t *ret_count)
{
	size_t rows_count;
	const struct kvg_catalogue_host *rows = kvg_catalogue_hosts(&rows_count);
	struct kvg_policy_host *hosts;
	size_t count = 0;

	hosts = calloc(rows_count + profile->adfs_hosts_count, sizeof(*hosts));
	if (!hosts)
		return -ENOMEM;

	for (size_t i = 0; i < rows_count; i++) {
		if (!is_chosen(profile, &rows[i]))
			continue;
		hosts[count++] = (struct kvg_policy_host){
			.name = (char *)rows[i].name,
			.service = {.protocol = IPPROTO_TCP, .port = htons(rows[i].port)},
			.function = rows[i].function,
			.ranged = rows[i].ranged && profile->functions & 1U << rows[i].ranged_by,
		};
	}

	for (size_t i = 0; i < profile->adfs_hosts_count; i++) {
		hosts[count++] = (struct kvg_policy_host){
			.name = profile->adfs_hosts[i],
			.service = {.protocol = IPPROTO_TCP, .port = htons(SIGN_IN_PORT)},
			.function = KVG_FUNCTION_AUTHENTICATION,
		};
	}

	*ret = hosts;
	*ret_count = count;
	return 0;
}

bool kvg_hosts_is_resolved(const struct kvg_profile *profile, const struct kvg_policy_host *host)
{
	for (size_t i = 0; i < profile->resolved_count; i++) {
		const struct kvg_resolved *resolved = &profile->resolved[i];

		if (strcmp(resolved->name, host->name) == 0 &&
		    resolved->service.port == host->service.port)
			return true;
	}
	return false;
}
