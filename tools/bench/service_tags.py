#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""service_tags.py COUNT: a made-up range document of that many prefixes."""
import json
import sys


def service_tags(count):
    """A document whose prefixes are half IPv4, half IPv6, none of them a neighbour of another."""
    half = count // 2
    prefixes = [f"198.{18 + (i >> 15)}.{(i >> 7) & 255}.{(i << 1) & 255}/32" for i in range(half)]
    prefixes += [f"2001:db8:{i >> 15:x}:{(i << 1) & 0xffff:x}::/64" for i in range(count - half)]
    parts = {"AzureActiveDirectory": prefixes[:1], "AzureResourceManager": prefixes[1:2],
             "AzureKeyVault": prefixes[2:]}
    return {"changeNumber": 1, "cloud": "Public", "values": [
        {"name": tag, "id": tag,
         "properties": {"changeNumber": 1, "region": "", "regionId": 0, "platform": "Azure",
                        "systemService": tag, "addressPrefixes": its, "networkFeatures": None}}
        for tag, its in parts.items()]}


json.dump(service_tags(int(sys.argv[1])), sys.stdout, indent=2)
