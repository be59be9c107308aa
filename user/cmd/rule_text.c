// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/rule_text.h"

#include <string.h>

#include "policy/profile.h"

const char *kvg_rule_services(const struct kvg_policy *policy, const struct kvg_rule *rule,
			      char ret[KVG_RULE_SERVICES_STRLEN])
{
	char service[KVG_SERVICE_STRLEN];

	ret[0] = '\0';
	for (size_t i = 0; i < policy->services_count; i++) {
		if (!(rule->services & 1U << i))
			continue;
		if (*ret)
			strcat(ret, " ");
		strcat(ret, kvg_service_format(&policy->services[i], service));
	}
	return ret;
}

json_t *kvg_rule_to_json(const struct kvg_policy *policy, const struct kvg_rule *rule)
{
	char prefix[KVG_PREFIX_STRLEN];
	char service[KVG_SERVICE_STRLEN];
	json_t *allow;
	json_t *from;

	if (!rule)
		return json_null();

	allow = json_array();
	for (size_t i = 0; i < policy->services_count; i++) {
		if (rule->services & 1U << i)
			json_array_append_new(allow, json_string(kvg_service_format(
							     &policy->services[i], service)));
	}

	from = json_array();
	for (size_t i = 0; i < rule->from_count; i++)
		json_array_append_new(from, json_string(rule->from[i]));
	return json_pack("{s:s, s:o, s:o}", "prefix", kvg_prefix_format(&rule->prefix, prefix),
			 "allow", allow, "from", from);
}
