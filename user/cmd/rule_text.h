/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule for people and for scripts. */
#ifndef KVG_CMD_RULE_TEXT_H
#define KVG_CMD_RULE_TEXT_H

#include <jansson.h>

#include "policy/policy.h"

#define KVG_RULE_SERVICES_STRLEN 320 /* KVG_SERVICES_MAX times "tcp/65535 " */

/** kvg_rule_services() - "tcp/443 udp/53" into @ret, which is also returned */
const char *kvg_rule_services(const struct kvg_policy *policy, const struct kvg_rule *rule,
			      char ret[KVG_RULE_SERVICES_STRLEN]);

/** kvg_rule_to_json() - as in a policy's "rules"; null for NULL; NULL if there is no memory */
json_t *kvg_rule_to_json(const struct kvg_policy *policy, const struct kvg_rule *rule);

#endif
