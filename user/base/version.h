/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KVG_BASE_VERSION_H
#define KVG_BASE_VERSION_H

#define KVG_VERSION "0.1.0"

#endif
