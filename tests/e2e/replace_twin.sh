# replace_twin.sh BANYAN SOURCE: an office below another one has a second node when its first one is stolen: the second one follows the successor
# by the root's word, without being touched, and gets its new key; what only it held is there again.
. "$2/tests/e2e/lib.sh"
head -c 32 /dev/urandom >"$W/key"
node_of() { sed -n 's/^node //p' "$W/safe/north.recovery" | tail -1; }
expect 0 "" b init "$W/nation" --programme "Below" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
expect 0 "" b form add "$W/nation" "$SOURCE/schemas/forms/F9_session.md"
up nation
below north nation node SM0901
mkdir "$W/safe"
mv "$W/north.recovery" "$W/nation.root" "$W/safe/"
expect 0 "let in" b devices "$W/nation" --approve north
expect 0 "agree" b sync "$W/north"
up north
below one north member SM09010101
below twin north node SM0901
expect 0 "" b devices "$W/north" --approve twin
submit one 2 >/dev/null
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/twin"
same "twin" "$(count twin F9_session)" 2
expect 0 "agree" b sync "$W/north"
expect 0 "" b backup "$W/north" -o "$W/safe/backup2"
submit one 1 >/dev/null
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/twin"
kill -9 "$(cat "$W/north.pid")"; mv "$W/north" "$W/gone"
expect 0 "needs two words" "$B" replace "$W/north" "$(node_of)" --new-key-file "$W/key" --recovery "$W/safe/north.recovery" --backup "$W/safe/backup2" --new-key
expect 0 "in the place of" "$B" vouch "$W/north.successor" --root "$W/safe/nation.root" --area SM0901 -o "$W/word.1"
expect 0 "take this one for its successor" b replace "$W/north" "$(node_of)" --word "$W/word.1"
expect 0 "below the office for SM09 now" b join "$W/north" "$(b invite "$W/nation" --role node --area SM0901 --name north2 --address "$(cat "$W/nation.address")")"
expect 0 "" b revoke "$W/nation" north --reason "stolen"
expect 0 "let in" b devices "$W/nation" --approve north2
up north
submit one 1 >/dev/null
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/twin"
expect 0 "agree" b sync "$W/twin"
expect 0 "agree" b sync "$W/north"
submit one 1 >/dev/null
expect 0 "agree" b sync "$W/one"
id=$(b list "$W/north" F9_session --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
expect 0 "" b review "$W/north" "$id" --state approved
expect 0 "agree" b sync "$W/twin"
expect 0 "agree" b sync "$W/north"
for name in north twin nation; do same "records at $name" "$(count $name F9_session)" 5; done
expect 0 '"review":"approved"' b show "$W/twin" "$id" --json
for name in twin north; do
	expect 0 "all is as it should be" b check "$W/$name"
	grep -q "kept aside" "$W/out" && fail "$name still keeps aside what came before it knew the successor"
	b status "$W/$name" | grep -q "not seen for [0-9]\{4\}" && fail "$name takes a device for overdue that it never waited for"
done
pass "the second node follows the successor of the first"
