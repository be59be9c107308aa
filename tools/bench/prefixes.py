# SPDX-License-Identifier: BSD-2-Clause
"""The same prefixes for everybody: COUNT of each family, as lists for the peers and as a policy of kvgate's.

The policy grants tcp/443 and udp/443, the ports that the peers' rules hold.
"""
import json
import subprocess


def folder(place, count):
    path = place.scratch / "prefixes" / str(count)
    if path.exists():
        return path
    path.mkdir(parents=True)
    document = path / "ServiceTags_Public_20260101.json"
    with document.open("w", encoding="utf-8") as out:
        subprocess.run([place.here / "service_tags.py", str(2 * count)], stdout=out, check=True)
    values = json.loads(document.read_text(encoding="utf-8"))["values"]
    every = [prefix for value in values for prefix in value["properties"]["addressPrefixes"]]
    for family, colon in (("ipv4", False), ("ipv6", True)):
        (path / family).write_text("".join(f"{one}\n" for one in every if (":" in one) == colon),
                                   encoding="utf-8")
    subprocess.run([place.kvgate, "compile", "--cloud", "public", "--resolver", "none",
                    "--crl-hosts", "none", "--allow", "198.18.0.0/15=udp/443",
                    "--allow", "2001:db8::/32=udp/443", "--ranges", document,
                    "-o", path / "policy"], stderr=subprocess.DEVNULL, check=True)
    return path
