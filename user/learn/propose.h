/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest profile that lets through what a client was seen to ask for: functions, regions,
 * resolvers and extras, never a wider prefix than a tag. What a vault client has no business with is not
 * proposed, but said.
 */
#ifndef KVG_LEARN_PROPOSE_H
#define KVG_LEARN_PROPOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "learn/evidence.h"
#include "policy/profile.h"
#include "ranges/library.h"

/**
 * struct kvg_finding - what is thought of a flow of the evidence
 * @explained: the profile lets it through
 * @because:   "AzureKeyVault.WestEurope (data)", or why it is not proposed; owned
 */
struct kvg_finding {
	bool explained;
	char *because;
};

/**
 * struct kvg_proposal - findings to the evidence's flows, in their order
 * @findings: owned
 * @count:    how many
 * @open:     how many are not explained
 * @notes:    what a person should know of the profile as a whole
 */
struct kvg_proposal {
	struct kvg_finding *findings;
	size_t count;
	size_t open;
	struct kvg_notes notes;
};

/**
 * kvg_propose_start() - a profile that lets nothing through yet, for kvg_propose()
 * @profile: not initialised; done by the caller
 * @name:    of the profile
 * @cloud:   whose documents
 *
 * Return: 0, or -ENOMEM
 */
int kvg_propose_start(struct kvg_profile *profile, const char *name, enum kvg_cloud cloud);

/**
 * kvg_propose() - let the profile grow until it explains the evidence
 * @evidence:    is sorted
 * @library:     documents of the profile's cloud
 * @profile:     of kvg_propose_start(), or the one that was in force while the record was made: what it
 *               let through is in no record, and so it only grows
 * @ret:         zeroed before, for kvg_proposal_done()
 * @reterr_diag: why there is no proposal
 *
 * Of several functions whose tags hold the same addresses, the fewest that explain everything.
 *
 * Return: 0, -ENOENT no documents of the cloud, or -ENOMEM
 */
int kvg_propose(struct kvg_evidence *evidence, const struct kvg_library *library,
		struct kvg_profile *profile, struct kvg_proposal *ret,
		struct kvg_diag *reterr_diag);

/** kvg_proposal_done() - free what it holds; fine on a zeroed one */
void kvg_proposal_done(struct kvg_proposal *proposal);

#endif
