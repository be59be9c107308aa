/* SPDX-License-Identifier: BSD-2-Clause */
/* A proposal, written down: YAML that is a configuration as it stands, or JSON. */
#ifndef KVG_LEARN_PROPOSAL_TEXT_H
#define KVG_LEARN_PROPOSAL_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "learn/propose.h"

/**
 * kvg_proposal_print() - the profile as YAML, and what was found as comments before it
 * @out:      where to
 * @evidence: as of kvg_propose()
 * @proposal: the findings
 * @profile:  the proposed one
 */
void kvg_proposal_print(FILE *out, const struct kvg_evidence *evidence,
			const struct kvg_proposal *proposal, const struct kvg_profile *profile);

/** kvg_proposal_to_json() - the same for programs; NULL without memory */
json_t *kvg_proposal_to_json(const struct kvg_evidence *evidence,
			     const struct kvg_proposal *proposal,
			     const struct kvg_profile *profile);

#endif
