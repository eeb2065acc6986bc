# twin_restored.sh BANYAN SOURCE: an office with two nodes is put back from a backup that is older than what its first node signed since,
# and a province is above. With a living second node it has its own words back whole, notes too, and all three agree; what is above
# without its parts is not taken meanwhile. With one that is gone for good it says so, in a sentence that says what to do: the second
# is shut out, and the office goes on with what is known above. And the other way round: the first is gone for good.
. "$2/tests/e2e/lib.sh"

province "Restored" "$SOURCE/schemas/forms/F9_session.md" "$SOURCE/schemas/forms/F4_referral.md"
office first province SM0901
below second first node SM0901
up second
expect 0 "let in" b devices "$W/first" --approve second --address "$(cat "$W/second.address")"
below one first member SM09010101
submit one 3 >"$W/ids"
expect 0 "" b submit "$W/one" F4_referral --answers "$SOURCE/schemas/forms/samples/F4_referral.jsonl"
for name in one second first; do
	expect 0 "agree" b sync "$W/$name"
done
nth() { b list "$W/first" F4_referral --json | sed -n "$1s/^{\"id\":\"\\([0-9a-f]*\\)\".*/\\1/p"; }
id=$(nth 1)
expect 0 "" b backup "$W/first" -o "$W/old"
expect 0 "has_issues" b review "$W/first" "$id" --state has_issues --note "which school"
expect 0 "" b void "$W/first" "$(nth 2)" --reason "entered twice"
for name in second first second; do
	expect 0 "agree" b sync "$W/$name"
done
expect 0 "which school" b show "$W/second" "$id"
for name in first second province; do
	down "$name"
done
mkdir "$W/kept"
cp -r "$W/second" "$W/province" "$W/kept"

# restored: the first from its backup, the others as they were.
restored() {
	for name in second province; do
		rm -rf "${W:?}/$name"
		cp -r "$W/kept/$name" "$W/$name"
	done
	rm -rf "$W/first"
	expect 0 "" b restore "$W/old" "$W/first"
	up province
	up first
	expect 0 '"review":"none"|"review":"received"|"id"' b show "$W/first" "$id" --json
	grep -q "which school" "$W/out" && fail "the backup is not older"
	expect 0 "agree on all else" b sync "$W/first"
	grep -q "banyan revoke" "$W/err" || fail "it does not say what to do"
	expect 0 "other node has them" b status "$W/first"
	expect 0 '"parcels_received":0,.*"parcels_withheld":' b sync "$W/first" --json
	grep -q '"parcels_taken"' "$W/out" && fail "what is left to the second node is sent each time"
}
restored
up second
expect 0 '"verified":true' b sync "$W/second" --json
expect 0 "which school" b show "$W/first" "$id"
expect 0 '"verified":true' b sync "$W/first" --json
grep -qE "withheld|carried" "$W/out" && fail "it goes on: $(cat "$W/out")"
expect 0 '"verified":true' b sync "$W/second" --json
for name in first second; do
	expect 0 "entered twice" b show "$W/$name" "$(nth 2)"
	expect 0 "all is as it should be" b check "$W/$name"
done
expect 0 '"state":"void"' b show "$W/province" "$(nth 2)" --json
ok "a restored office with a living second node has its own words back whole"
for name in first second province; do
	down "$name"
done

restored
expect 0 "" b revoke "$W/first" second --reason "burnt"
expect 0 "Both sides agree\." b sync "$W/first"
expect 0 '"review":"has_issues"' b show "$W/first" "$id" --json
expect 0 '"state":"void"' b show "$W/first" "$(nth 2)" --json
expect 0 '"parcels_received":0,.*"verified":true' b sync "$W/first" --json
grep -qE "withheld|carried" "$W/out" && fail "it goes on: $(cat "$W/out")"
b status "$W/first" >"$W/out"
grep -q "other node has them" "$W/out" && fail "status still waits"
expect 0 "shut out|revoked" b devices "$W/province"
submit one 1 >>"$W/ids"
expect 0 "agree" b sync "$W/one"
expect 0 "Both sides agree\." b sync "$W/first"
same "at the province" "$(count province F9_session)" 4
expect 0 "all is as it should be" b check "$W/first"
ok "with a second node that is gone for good it goes on, once that one is shut out"
for name in first province; do
	down "$name"
done

# The first is gone for good: the second shuts it out, and is the office.
for name in second province; do
	rm -rf "${W:?}/$name"
	cp -r "$W/kept/$name" "$W/$name"
	up "$name"
done
expect 0 "" b revoke "$W/second" first --reason "burnt"
expect 0 "Both sides agree\." b sync "$W/second"
submit one 1 >/dev/null
expect 0 "agree" b sync "$W/one"
expect 0 '"parcels_carried":' b sync "$W/second" --json
same "at the province" "$(count province F9_session)" "$(count second F9_session)"
expect 0 "all is as it should be" b check "$W/second"
pass "an office put back, with a second node that lives or is gone"
