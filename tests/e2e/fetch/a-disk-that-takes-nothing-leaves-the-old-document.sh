#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A full disk and a folder that cannot be written to: the document in use stays whole and in use.
. "$(dirname "$0")/lib.sh"
need_root

start_with_old
FILE=/files/ServiceTags_Public_$NEW.json

# a small file system that has room for the old one only
small=$SCRATCH/small
mkdir "$small"
mount -t tmpfs -o size=64k,mode=755 "$SANDBOX" "$small"
on_exit umount "$small"
cp -r "$IN_USE" "$small/ranges"
IN_USE=$small/ranges
sed -i "2i\\  directory: $IN_USE" "$CONFIG"
python3 - "$WEB/new.json" <<'END'
import sys
text = open(sys.argv[1]).read()
open(sys.argv[1], "w").write(text + " " * 100000)
END
fetches 1
holds "$SAID" "cannot write .*No space left on device; what is here stays in use"
old_stays
# to the last byte: not even what was learned can be kept
dd if=/dev/zero of="$small/rest" bs=512 2>/dev/null || true
fetches 1
holds "$SAID" "No space left on device"
old_stays
rm "$small/rest"

# a document that is refused and cannot be kept aside is refused all the same
tags shrunk.json 2 AzureKeyVault=198.51.100.0/28
python3 - "$WEB/shrunk.json" <<'END'
import sys
text = open(sys.argv[1]).read()
open(sys.argv[1], "w").write(text + " " * 100000)
END
answers "/page file new-page" "$FILE file shrunk.json"
fetches 1
holds "$SAID" "is refused: .*it cannot be kept aside: No space left on device"
old_stays

# read-only
mount -o remount,ro "$small"
fetches 1
holds "$SAID" "Read-only file system"
old_stays
mount -o remount,rw,size=4m "$small"

# room again: all goes on by itself
answers "/page file new-page" "$FILE file new.json"
fetches 0
in_use "ServiceTags_Public_$NEW.json"
