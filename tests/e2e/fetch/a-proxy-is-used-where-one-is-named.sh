#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The proxy of the configuration, or of the environment; TLS goes through it to the server's own
# certificate.
. "$(dirname "$0")/lib.sh"

start_with_old
cat >"$SCRATCH/proxy" <<'END'
import socket, sys, threading

def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    finally:
        b.close()

def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4096)
    print(head.split(b"\r\n")[0].decode(), "Proxy-Authorization" in head.decode(), flush=True)
    host, port = head.split()[1].decode().rsplit(":", 1)
    server = socket.create_connection((host, int(port)))
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)

listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
END
# shellcheck disable=SC2016
spawn bash -c 'exec python3 "$1" >"$2"' proxy "$SCRATCH/proxy" "$SCRATCH/proxied"
wait_for 10 grep -q ^port "$SCRATCH/proxied" || fail "the proxy does not start"
PROXY=127.0.0.1:$(awk '/^port/ { print $2 }' "$SCRATCH/proxied")
tunnels() { grep -c "^CONNECT 127.0.0.1:$PORT HTTP/1.1 $1" "$SCRATCH/proxied" || true; }

MORE="proxy: http://user:secret@$PROXY" configure
fetches 0
in_use "ServiceTags_Public_$NEW.json"
same "tunnels with the password" 1 "$(tunnels True)"

configure
https_proxy=http://$PROXY fetches 0
same "tunnels without" 1 "$(tunnels False)"
https_proxy=http://$PROXY no_proxy=127.0.0.1 fetches 0
same "tunnels without" 1 "$(tunnels False)"

# a proxy that is down: said, without its password
MORE="proxy: http://user:secret@127.0.0.1:1" configure
fetches 1
[[ $SAID != *secret* ]] || fail "the password is printed: $SAID"
holds "$SAID" "what is here stays in use"
