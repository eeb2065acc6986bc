# erase.sh PLAIN SOURCE SEARCH SEALED: records are erased, one that stood alone and one of twenty that shared a slice, at their
# office, on the device, at the office above, after an older backup came back, and when a copy comes late. PLAIN does not seal, so
# that the search of raw files can tell whether anything is left; with SEALED it is the ciphertext that is looked for.
. "$2/tests/e2e/lib.sh"
search=$1
sealed=$2
# referrals N FILE: N answers of a referral with a marker in each; the markers in FILE.1, FILE.2 ...
referrals() {
	: >"$2"
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		m=$(mark)
		echo "$m" >"$2.$i"
		sed -n 1p "$SOURCE/schemas/forms/samples/F4_referral.jsonl" | sed "s/\"Fictitious[^\"]*\"/\"$m\"/g" >>"$2"
	done
}
gone() { "$search" "$@" >"$W/out" 2>&1; [ $? -eq 2 ]; }
there() { "$search" "$@" >"$W/out" 2>&1; }
all() { b list "$W/$1" F4_referral --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort; }
# answers NAME: what counts at NAME, without when it arrived and what identifies.
answers() { b list "$W/$1" F4_referral --json | sort; }
all_good() { expect 0 "all is as it should be" b check "$W/$1"; }

make_node F4_referral
start_node
device one SM09010101
referrals 20 "$W/many"
referrals 1 "$W/single"
expect 0 "" b submit "$W/one" F4_referral --answers "$W/many"
all one >"$W/ids.many"
expect 0 "" b submit "$W/one" F4_referral --answers "$W/single"
expect 0 "agree" b sync "$W/one"
all one | comm -13 "$W/ids.many" - >"$W/ids.single"
one=$(cat "$W/ids.single")
[ "$(grep -c . "$W/ids.many")" -eq 20 ] || fail "20 records"
there "$W/many.7" "$W/node" || fail "the search does not find what is there"
there "$W/single.1" "$W/node" "$W/one" || fail "the search does not find what is there"
# The record that has the seventh marker.
m7=$(cat "$W/many.7")
seven=$(b list "$W/node" F4_referral --json | grep "$m7" | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p')
[ -n "$seven" ] || fail "no record with the marker"
# A backup from before.
expect 0 "" b backup "$W/node" -o "$W/before"
cp -r "$W/one" "$W/stale"

expect 64 "reason" b erase "$W/node" "$one"
expect 69 "done at the node" b erase "$W/one" "$one" --reason "no"
expect 0 "is erased" b erase "$W/node" "$one" --reason "consent withdrawn"
gone "$W/single.1" "$W/node" || fail "a record that stood alone is still in the node's files"
expect 0 "was erased.*consent withdrawn" b show "$W/node" "$one"
expect 0 '"state":"erased"' b show "$W/node" "$one" --json
expect 66 "was erased" b erase "$W/node" "$one" --reason "again"
expect 0 "erase" b audit "$W/node"
all_good node
ok "a record alone"

answers node | grep -v "$seven" >"$W/want"
expect 0 erased b erase "$W/node" "$seven" --reason "the family asked" --json
grep -q '"neighbours":19' "$W/out" || fail "19 neighbours"
gone "$W/many.7" "$W/node" || fail "a record of a batch is still in the node's files"
there "$W/many.6" "$W/node" || fail "its neighbour is gone"
answers node >"$W/have"
cmp -s "$W/want" "$W/have" || { diff "$W/want" "$W/have" | head -4 >"$W/out"; fail "the neighbours are not what they were"; }
all_good node
expect 0 "" b check "$W/node" --rebuild
answers node >"$W/have"
cmp -s "$W/want" "$W/have" || fail "the neighbours are not what they were, after a rebuild"
id=$(all node | sed -n 3p)
expect 0 "" b amend "$W/node" "$id" --set "child/locate_hint=beside the well"
ok "one of twenty, and nothing of the nineteen others is lost"

# The device learns it; what it wrote together with others goes once it hears of two backups that have it.
expect 0 "agree" b sync "$W/one"
gone "$W/single.1" "$W/one" || fail "the device still has it"
expect 0 "was erased" b show "$W/one" "$one"
there "$W/many.7" "$W/one" || fail "what the office may lose goes after one backup"
expect 0 "" b amend "$W/one" "$(all node | sed -n 4p)" --set "child/locate_hint=behind the well"
expect 0 "agree" b sync "$W/one"
expect 0 "" b backup "$W/node" -o "$W/after"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/one"
gone "$W/many.7" "$W/one" || fail "the device still has the one of twenty"
ok "on the device"

# The older backup comes back: the orders beside the store are obeyed before anything else.
stop_node
mv "$W/node" "$W/lost"
expect 0 "2 orders" b restore "$W/before" "$W/node"
gone "$W/single.1" "$W/node" || fail "a restore brought it back"
gone "$W/many.7" "$W/node" || fail "a restore brought the one of twenty back"
start_node
[ "$(all node | grep -c .)" -eq 19 ] || fail "not 19 records after the restore"
expect 0 "was erased" b show "$W/node" "$seven"
all_good node
ok "after a restore of an older backup"

# A copy of the device from before offers its parcels again, and changes what was erased: nothing comes back.
expect 0 "" b void "$W/stale" "$seven" --reason "$(mark)"
b sync "$W/stale" >"$W/out" 2>&1
until_true 20 sh -c "[ \"\$($B list $W/node F4_referral --json --key-file $W/key | grep -c '\"id\"')\" -eq 19 ]" || fail "19 records"
expect 0 "was erased" b show "$W/node" "$seven"
until_true 20 gone "$W/many.7" "$W/node" || fail "a late duplicate brought it back"
all_good node
pass "nothing brings it back"
