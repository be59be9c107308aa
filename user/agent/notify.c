// SPDX-License-Identifier: BSD-2-Clause
#include "agent/notify.h"

#include <systemd/sd-daemon.h>
#include <time.h>

void kvg_notify_ready(void)
{
	sd_notify(0, "READY=1");
}

/* Type=notify-reload wants to know that it was this reload, and not the one before. */
void kvg_notify_reloading(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   now.tv_sec * 1000000ULL + now.tv_nsec / 1000);
}

void kvg_notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void kvg_notify_status(size_t gates, size_t profiles, size_t problems)
{
	if (problems)
		sd_notifyf(0, "STATUS=%zu gates of %zu profiles, UNHEALTHY: %zu problems", gates,
			   profiles, problems);
	else
		sd_notifyf(0, "STATUS=%zu gates of %zu profiles", gates, profiles);
}
