# fill.sh BANYAN SOURCE: `fill` on a store that `serve` owns: the questions are asked here, all else goes through the
# daemon; the node may stop and come back while a person thinks.
. "$2/tests/e2e/lib.sh"

make_node F9_session
start_node
records() { b list "$W/node" F9_session --json </dev/null | grep -c '"id"'; }

# From first to last, for an area below the office's own.
printf '%s\n' awareness referral parents 2025-05-11 3 4 5 0 0 1 '' 2 '' '' '' '' finish >"$W/answers"
expect_fill() { # STATUS PATTERN OPTIONS...: the lines in $W/answers are typed
	want=$1 word=$2
	shift 2
	b fill "$W/node" F9_session "$@" <"$W/answers" >"$W/out" 2>"$W/err"
	got=$?
	[ "$got" -eq "$want" ] || fail "fill $* ended with $got, not $want"
	grep -qE "$word" "$W/out" "$W/err" || fail "fill $* does not say \"$word\""
}
expect_fill 0 '^Finished: record [0-9a-f]{32}' --area SM09010101
[ "$(records)" -eq 1 ] || fail "the record is not in the list"
b list "$W/node" F9_session --json | grep -q '"area":"SM09010101".*"people/people_f":4' || fail "other answers than were typed"
ok "filled through the daemon"

# Rights and bad words are told as without the daemon.
expect_fill 65 'SM99' --area SM99
head -c 32 /dev/urandom >"$W/other"
"$B" fill "$W/node" F9_session --key-file "$W/other" <"$W/answers" >"$W/out" 2>"$W/err" && fail "any key will do"
cp "$W/answers" "$W/whole"
sed -i 's/^5$/-5/' "$W/answers"
expect_fill 75 'Kept as draft 1' # the wrong answer is asked again, and the lines do not fit any more
ok "refused what is refused elsewhere"

# A draft kept through the daemon is gone on with after it, and the other way round.
expect_fill 0 'draft 1 ' --drafts
stop_node
: >"$W/answers"
expect_fill 0 'draft 1 .*SM09' --drafts
printf '%s\n' '' '' '' '' '' '' 5 0 0 1 '' 2 '' '' '' '' finish >"$W/answers"
start_node
expect_fill 0 '^Finished' --draft 1
expect_fill 66 'draft 1' --draft 1
[ "$(records)" -eq 2 ] || fail "the draft did not become a record"
ok "drafts"

# The node stops while a person thinks, and comes back; other commands work meanwhile.
mkfifo "$W/keyboard"
b fill "$W/node" F9_session --area SM09010101 <"$W/keyboard" >"$W/fill.out" 2>&1 &
fill=$!
exec 9>"$W/keyboard"
head -n 6 "$W/whole" >&9
until_true 60 grep -q 'men and boys' "$W/fill.out" || fail "the questions do not come"
kill_node
[ "$(records)" -eq 2 ] || fail "the store is not free while a person thinks"
tail -n +7 "$W/whole" | head -n 5 >&9
start_node 9>&- # else the keyboard never ends
tail -n +12 "$W/whole" >&9
exec 9>&-
wait "$fill" || fail "fill did not end well: $(tail -n 3 "$W/fill.out")"
[ "$(records)" -eq 3 ] || fail "the record was lost with the daemon"

# A window that is closed, Ctrl-C, a shutdown: what was typed stays as a draft.
"$B" fill "$W/node" F9_session --key-file "$W/key" --area SM09010101 <"$W/keyboard" >"$W/fill.out" 2>&1 &
fill=$!
exec 9>"$W/keyboard"
head -n 6 "$W/whole" >&9
until_true 60 grep -q 'men and boys' "$W/fill.out" || fail "the questions do not come a second time"
kill -TERM "$fill"
wait "$fill"
got=$?
exec 9>&-
[ "$got" -eq 75 ] || fail "fill ended with $got after SIGTERM, not 75: $(tail -n 3 "$W/fill.out")"
grep -q 'Kept as draft' "$W/fill.out" || fail "what was typed is gone after SIGTERM"
b fill "$W/node" F9_session --drafts </dev/null | grep -q 'draft' || fail "the draft is not there"
ok "a closed window"

# Who reads only the first lines hears no complaint.
{ b list "$W/node" F9_session --json 2>"$W/err" || echo "$?" >"$W/status"; } | head -n 1 >"$W/out"
b help submit 2>>"$W/err" | head -n 1 >>"$W/out"
[ -s "$W/err" ] && fail "a closed pipe is complained about"
stop_node
expect 0 "" b check "$W/node"
pass "fill through a daemon that comes and goes"
