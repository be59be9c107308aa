// SPDX-License-Identifier: BSD-2-Clause
#include "agent/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

/* A timer that is a little late saves a wake-up; a burst of cgroups does not notice. */
#define TIMER_ACCURACY_US 1000

static const bool unhealthy[] = {
#define X(name, is_unhealthy) is_unhealthy,
	KVG_FAULTS(X)
#undef X
};

bool kvg_agent_is_problem(enum kvg_fault fault)
{
	return unhealthy[fault];
}

void kvg_agent_fault(struct kvg_agent *agent, enum kvg_fault fault, const char *format, ...)
{
	struct kvg_diag *known = &agent->faults[fault];
	char text[sizeof(known->msg)];
	struct kvg_diag news = {};
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kvg_diag_set(&news, 0, "%s", text);
	if (strcmp(news.msg, known->msg) == 0)
		return;
	*known = news;
	kvg_log_error("%s", known->msg);
}

void kvg_agent_mended(struct kvg_agent *agent, enum kvg_fault fault)
{
	agent->faults[fault] = (struct kvg_diag){};
}

unsigned long long kvg_agent_now_us(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

void kvg_agent_arm(struct kvg_agent *agent, sd_event_source **source, unsigned long ms,
		   sd_event_time_handler_t handler)
{
	int r = 0;

	if (*source) {
		r = sd_event_source_set_time_relative(*source, ms * 1000ULL);
		if (r >= 0)
			r = sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
	} else {
		r = sd_event_add_time_relative(agent->event, source, CLOCK_MONOTONIC, ms * 1000ULL,
					       TIMER_ACCURACY_US, handler, agent);
	}
	if (r < 0)
		kvg_agent_fault(agent, KVG_FAULT_MEMORY, "a timer cannot be set: %s", strerror(-r));
}
