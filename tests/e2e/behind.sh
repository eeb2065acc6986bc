# behind.sh: a district is put back from a backup that is older than what it signed itself since (reviews, an amendment, a void, a
# stanza for each item, an order to erase and what it wrote anew). It begins new logs for what it signs now, has its own former words back from the province, and
# both agree; nothing is there twice, nothing is lost.
. "$2/tests/e2e/lib.sh"

# words NAME: each record with its state and answers, and which revisions it has, in any order; a note identifies, and stays at the district.
words() {
	b list "$W/$1" F9_session --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort | while read -r id; do
		b show "$W/$1" "$id" --json >"$W/shown"
		sed 's/"note":[^,}]*,//; s/"history".*//' "$W/shown"
		grep -o '"revision":"[0-9a-f]*"' "$W/shown" | sort
	done
}
alike() {
	words "$1" >"$W/words.$1"
	words "$2" >"$W/words.$2"
	cmp -s "$W/words.$1" "$W/words.$2" || { diff "$W/words.$1" "$W/words.$2"; fail "$1 and $2 have other records"; }
}
province "Behind" "$SOURCE/schemas/forms/F9_session.md"
office district province SM0901
below device district member SM09010101
submit device 6 >"$W/ids"
expect 0 "agree" b sync "$W/device"
nth() { sed -n "$1p" "$W/ids"; }

# Before the backup it signed already: the log that it had then is not the one it goes on with.
expect 0 "" b review "$W/district" "$(nth 1)" --state approved
expect 0 "agree" b sync "$W/district"
expect 0 "" b backup "$W/district" -o "$W/old"

expect 0 "" b review "$W/district" "$(nth 2)" --state has_issues --note "from before"
expect 0 "" b amend "$W/district" "$(nth 3)" --set hours=7
expect 0 "" b void "$W/district" "$(nth 4)" --reason "twice"
submit device 2 >>"$W/ids"
expect 0 "agree" b sync "$W/device"
expect 0 "from before" b show "$W/device" "$(nth 2)"
expect 0 "" b review "$W/district" "$(nth 7)" --state approved # the device does not hear of it
expect 0 '"neighbours":1' b erase "$W/district" "$(nth 8)" --reason "asked" --json # of two that came together: the other is said anew
expect 0 "agree" b sync "$W/district"
alike district province
ok "a district and its province, and what the district signed after its backup"

down district
mv "$W/district" "$W/lost"
expect 0 "" b restore "$W/old" "$W/district"
same "in the backup" "$(count district F9_session)" 6
up district
expect 0 "" b review "$W/district" "$(nth 5)" --state has_issues --note "from after"
expect 0 "" b amend "$W/district" "$(nth 6)" --set hours=5
expect 0 "agree" b sync "$W/district"
grep -q "misses parts" "$W/err" && fail "its own words wait for somebody else"
expect 0 '"state":"has_issues"' b show "$W/district" "$(nth 2)" --json
expect 0 '"hours":7' b show "$W/district" "$(nth 3)" --json
expect 0 '"state":"void"' b show "$W/district" "$(nth 4)" --json
expect 0 "agree" b sync "$W/device"
expect 0 "agree" b sync "$W/district"
alike district province
same "records" "$(count district F9_session)" 7
heard() { b sync "$W/device" && b show "$W/device" "$(nth 7)" --json | grep -q '"review":"approved"'; }
until_true 20 heard || fail "a review from before does not reach the device"
expect 0 "from after" b show "$W/device" "$(nth 5)"
expect 0 "from before" b show "$W/device" "$(nth 2)"
expect 0 '"parcels_received":0,.*"verified":true' b sync "$W/district" --json
expect 0 "all is as it should be" b check "$W/district"
expect 0 "all is as it should be" b check "$W/province"
pass "a district from an old backup"
