#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A wrong name, an expired certificate, an unknown CA, an old TLS, no TLS and a redirection to where
# there is none: nothing is taken.
. "$(dirname "$0")/lib.sh"

start_with_old
FILE=/files/ServiceTags_Public_$NEW.json
certificate wrong-name DNS:other.example 1
certificate expired DNS:localhost,IP:127.0.0.1 0
serve_web wrong-name && WRONG_NAME=$REPLY
serve_web expired && EXPIRED=$REPLY
serve_web good --old-tls && OLD_TLS=$REPLY
serve_web good --plain && PLAIN=$REPLY
# of a certificate that lasts no day at all, the second in which it was made must be over
expired() { ! openssl x509 -checkend 0 -noout -in "$SCRATCH/expired.pem"; }
wait_for 5 expired || fail "the certificate does not expire"

# refused_at URL PATTERN
refused_at() {
	URLS="service_tags: $1, m365: none" configure
	fetches 1
	holds "$SAID" "$2"
	old_stays
}

answers "/page file new-page" "/files file new.json"
refused_at "https://127.0.0.1:$WRONG_NAME/page" "subject name|alternative"
refused_at "https://127.0.0.1:$EXPIRED/page" "certificate has expired"
refused_at "https://127.0.0.1:$OLD_TLS/page" "protocol version|unsupported protocol|SSL"
refused_at "https://127.0.0.1:$PLAIN/page" "wrong version number|SSL"

# without the CA's certificate this server is a stranger
configure
sed -i '/ca_file/d' "$CONFIG"
fetches 1
holds "$SAID" "certificate"
old_stays

# redirections: to http never, to https as far as five steps
configure
: >"$WEB/asked"
answers "/page file new-page" "$FILE redirect http://127.0.0.1:$PLAIN/plain" "/plain file new.json"
fetches 1
holds "$SAID" "is not https, or leads to where it is not"
same "requests without TLS" 0 "$(asked "^/plain")"
old_stays
answers "/page redirect http://127.0.0.1:$PLAIN/plain" "/plain file new-page"
fetches 1
same "requests without TLS" 0 "$(asked "^/plain")"
answers "/page file new-page" "$FILE redirect $FILE"
fetches 1
holds "$SAID" "redirects"
old_stays

# http in the configuration is an error of the configuration
sed -i "s#https://127.0.0.1:$PORT/page#http://127.0.0.1:$PLAIN/page#" "$CONFIG"
fetches 2
holds "$SAID" "kvgate.yaml:[0-9]+:[0-9]+: bad value .*expected a URL of https, or none"

configure
answers "/page redirect $URL/moved" "/moved file new-page" "$FILE file new.json"
fetches 0
in_use "ServiceTags_Public_$NEW.json"
