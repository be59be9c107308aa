/* SPDX-License-Identifier: BSD-2-Clause */
/* What the service manager is told; without one, nothing happens. The watchdog is sd-event's. */
#ifndef KVG_AGENT_NOTIFY_H
#define KVG_AGENT_NOTIFY_H

#include <stddef.h>

/** kvg_notify_ready() - started, or reloaded */
void kvg_notify_ready(void);

/** kvg_notify_reloading() - the configuration is being read; kvg_notify_ready() ends it */
void kvg_notify_reloading(void);

/** kvg_notify_stopping() - no more work is begun */
void kvg_notify_stopping(void);

/** kvg_notify_status() - the line of `systemctl status` */
void kvg_notify_status(size_t gates, size_t profiles, size_t problems);

#endif
