# resume.sh BANYAN SOURCE CLOCK: a TLS session is kept in both stores, sealed: it outlives restarts of both programs and eight
# months without a link, on either clock.
. "$2/tests/e2e/lib.sh"
clock=$1
later=$(($(date +%s) + 8 * 30 * 86400))
# bytes: what the last sync --json put on the link, both ways.
bytes() { sed -n 's/.*"bytes_sent": *\([0-9]*\), *"bytes_received": *\([0-9]*\).*/\1 \2/p' "$W/out" | awk '{ print $1 + $2 }'; }
cold() {
	expect 0 "" b sync "$W/one" --json
	n=$(bytes)
	[ -n "$n" ] && [ "$n" -le 420 ] || fail "$1: ${n:-no} bytes: a whole handshake again"
	ok "$1: $n bytes"
}

make_node F9_session
start_node
device one SM09010101
expect 0 "" b sync "$W/one"
cold "the next day"
stop_node
start_node
cold "after the node began again"
stop_node
SHIM="LD_PRELOAD=$clock BANYAN_TEST_CLOCK=$later ASAN_OPTIONS=verify_asan_link_order=0"
start_node
SHIM=
cold "eight months later at the node"
export LD_PRELOAD="$clock" BANYAN_TEST_CLOCK="$later" ASAN_OPTIONS=verify_asan_link_order=0
cold "eight months later at both"
unset LD_PRELOAD BANYAN_TEST_CLOCK ASAN_OPTIONS
# a certificate's name begins so, as DER
LC_ALL=C grep -qaP -e '-----BEGIN|\x06\x03\x55\x04\x03\x13' "$W/one/data.mdb" && fail "a certificate stands in the clear in the store"
pass "sessions resume after months"
