/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of bpffs: the layout that set.h shows. */
#ifndef KVG_GATE_PINS_H
#define KVG_GATE_PINS_H

#include "base/diag.h"

/** kvg_pins_make_root() - make @bpffs_dir if it is missing; -ENODEV if that is not in a bpffs */
int kvg_pins_make_root(const char *bpffs_dir, struct kvg_diag *reterr_diag);

/** kvg_pins_make_folders() - a set's folder and what belongs in it; 0 or a negative errno */
int kvg_pins_make_folders(const char *set_path);

/** kvg_pins_make_folder() - <set_path>/<folder>, if it is missing; 0 or a negative errno */
int kvg_pins_make_folder(const char *set_path, const char *folder);

/** kvg_pins_put() - pin @fd as <set_path>/<folder>/<name>; missing folders are made; 0 or -errno */
int kvg_pins_put(const char *set_path, const char *folder, const char *name, int fd);

/**
 * kvg_pins_replace() - pin @fd as <set_path>/<folder>/<name> in place of what is there, if anything, at once
 * @set_path: the set
 * @folder:   in it, there already
 * @name:     of the pin; "<name>-new" is used, too
 * @fd:       what to pin
 *
 * Return: 0, or a negative errno
 */
int kvg_pins_replace(const char *set_path, const char *folder, const char *name, int fd);

/** kvg_pins_get() - open <set_path>/<folder>/<name>; a descriptor, or a negative errno */
int kvg_pins_get(const char *set_path, const char *folder, const char *name);

/** kvg_pins_drop() - remove <set_path>/<folder>/<name>; 0, also if there is none, or a negative errno */
int kvg_pins_drop(const char *set_path, const char *folder, const char *name);

/** kvg_pins_list_folders() - folders in @path, sorted, NULL-terminated, all the caller's; 0 or -errno */
int kvg_pins_list_folders(const char *path, char ***ret);

/** kvg_pins_detach_links() - detach every link pinned in <set_path>/<folder>; pins stay */
void kvg_pins_detach_links(const char *set_path, const char *folder);

/** kvg_pins_remove_tree() - a folder and all below it; 0, -ENOENT, or another negative errno */
int kvg_pins_remove_tree(const char *path);

#endif
