# missing.sh BANYAN SOURCE LOSE MISS: a province lacks 1 % of a district's parcels: 10 random ones of 1,000, which no cursor tells of. One
# sync brings exactly these ten, found and named within the bytes and the round that are allowed; printed.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # three thousand commits: not one of them waits for a disk
. "$2/tests/e2e/lib.sh"
lose=$1
miss=$2
N=1000
ALLOWED=500 # bytes of the repair's own messages, for 10 differences

bytes() { sed -n 's/.*"bytes_sent":\([0-9]*\),"bytes_received":\([0-9]*\).*/\1 \2/p' "$W/out" | awk '{ print $1 + $2 }'; }
# handed WHAT WANTED: the device's parcels reach the district by hand.
handed() { same "$1" "$("$miss" "$W/device" "$W/district" "$W/key" "$1")" "$2"; }

province "Missing" "$SOURCE/tests/bench/case26.md"
office district province SM0901
below device district member SM09010101
expect 0 "agree" b sync "$W/device"
down district

same "parcels" "$("$miss" "$W/device" "$W/district" "$W/key" fill $N)" $N
handed most $((N - N / 100))
up district
expect 0 "\"parcels_carried\":$((N - N / 100))[,}]" b sync "$W/district" --json
expect 0 "agree" b sync "$W/district"
down district
down province
handed rest $((N / 100))
"$lose" "$W/district" "$W/province" "$W/key" >/dev/null || fail "lose"
up province
up district
expect 0 "\"parcels_carried\":$((N / 100)),\"parcels_taken\":0,\"repair_rounds\":1,.*\"verified\":true" b sync "$W/district" --json
repaired=$(bytes)
repair=$(sed -n 's/.*"repair_bytes":\([0-9]*\).*/\1/p' "$W/out")
expect 0 '"parcels_received":0,.*"verified":true' b sync "$W/district" --json
grep -q carried "$W/out" && fail "said again: $(cat "$W/out")"
form=$(b form list "$W/province" --json | sed -n 's/.*"form":"\([^"]*\)".*/\1/p;s/.*"id":"\([^"]*\)".*/\1/p' | head -1)
same "records at the province" "$(count province "$form")" "$N"

# The same number of parcels, simply said: what is more is the repair.
down district
"$miss" "$W/device" "$W/district" "$W/key" fill $((N / 100)) >/dev/null || fail "fill"
handed rest $((N / 100))
up district
expect 0 "\"parcels_carried\":$((N / 100)),\"parcels_taken\":0,\"verified\":true" b sync "$W/district" --json
plain=$(bytes)
echo "     $N parcels, $((N / 100)) missing: found and named in $repair bytes (allowed: $ALLOWED), 1 round; the sync, TLS and all, $repaired," \
	"of which $((repaired - plain)) would not be if they had simply been said"
[ "$repair" -le $ALLOWED ] || fail "the repair costs $repair bytes, $ALLOWED are allowed"
[ $((repaired - plain)) -le $((repair + 250)) ] || fail "around the repair are $((repaired - plain - repair)) bytes more"
expect 0 "all is as it should be" b check "$W/province"
pass "exactly the 1 % that was missing is brought"
