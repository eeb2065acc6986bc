#!/bin/sh
# Banyan's whole job, on real stores and processes: tools/story.sh BANYAN [FOLDER]
# BANYAN is the program; FOLDER must not exist yet. Every command is shown before it runs. The stores stay.
set -u
CDPATH=
program=${1:?"usage: tools/story.sh BANYAN [FOLDER]"}
here=$(cd "$(dirname "$0")/.." && pwd)
folder=${2:-$(mktemp -d "${TMPDIR:-/tmp}/banyan-story-XXXXXX")/banyan}
# The story works in its folder: what is named from here keeps its meaning there.
case $program in /*) ;; *) program=$PWD/$program ;; esac
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
node=
address=${BANYAN_STORY_ADDRESS:-127.0.0.1:0} # where the node listens; a port that is free, if not said
began=$(date +%s)

# --- the teller: say, run, expect ---

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold= plain=; fi

# say TEXT...: a paragraph of the story.
say() {
	printf '\n'
	printf '%s\n' "$*" | fold -s -w 78
}

# show WORD...: a command as the newcomer would type it.
show() {
	printf '%s$ banyan' "$bold"
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:@,=%+-]* | '') printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '%s\n' "$plain"
}

# stop WHY: the story cannot go on; everything is left where it is.
stop() {
	printf '\nThe story stopped: %s\nEverything is in %s\n' "$1" "$folder" >&2
	exit 1
}

# expect STATUS WORD...: show a banyan command, run it, and stop unless it ends with STATUS.
expect() {
	want=$1
	shift
	show "$@"
	"$program" "$@" </dev/null
	got=$?
	[ "$got" -eq "$want" ] || stop "banyan $1 ended with $got, not $want"
}

run() { expect 0 "$@"; }

# --- the node, a real process ---

node_start() {
	show serve district --listen "$address" '&'
	: >node.log # the line of the start before is not this one's: the shell that runs it may be slow to begin
	"$program" serve district --listen "$address" >node.log 2>&1 </dev/null &
	node=$!
	tries=0
	until grep -q '^listening on ' node.log; do
		kill -0 "$node" 2>/dev/null || { cat node.log; stop "the node did not start"; }
		tries=$((tries + 1))
		[ $tries -lt 600 ] || stop "the node is not ready after a minute"
		sleep 0.1
	done
	address=$(sed -n 's/^listening on //p' node.log | tail -n 1)
}

node_kill() {
	kill -9 "$node"
	wait "$node" 2>/dev/null
	node=
}

node_stop() {
	[ -n "$node" ] || return 0
	kill "$node"
	wait "$node" 2>/dev/null
	node=
}

# invitation ROLE AREA NAME: what a person would read out or scan.
invitation() {
	"$program" invite district --role "$1" --area "$2" --name "$3" --address "$address" </dev/null |
		grep -m1 '^banyan1:' || stop "no invitation for $3"
}

join() {
	line=$(invitation "$2" "$3" "$4") || exit 1
	show join "$1" "$(printf '%.24s' "$line")..."
	"$program" join "$1" "$line" </dev/null || stop "$4 could not join"
}

# returns COUNT BOYS SEED: that many situation returns as JSON Lines, so many of them about a boy; the same seed gives
# the same ones.
returns() {
	awk -v count="$1" -v boys="$2" -v seed="$3" 'BEGIN {
		srand(seed)
		split("10_11 12_14 15_17", age, " ")
		for (i = 0; i < count; i++) {
			month = 1 + i % 6
			printf "{\"period\":\"2026-%02d-01\",\"nothing_to_report\":\"no\",", month
			printf "\"concern\":[{\"kind\":\"hazardous_work\",\"sex\":\"%s\",\"age_band\":\"%s\",", \
				(i < boys ? "male" : "female"), age[1 + int(rand() * 3)]
			printf "\"n\":%d,\"of_which_group\":[\"out_of_school\"],\"setting\":[\"workplace\"],", 1 + int(rand() * 4)
			printf "\"response\":[\"talked_family\"],\"confidence\":\"seen\"}],"
			printf "\"village/school_dropouts_f\":%d,\"village/school_dropouts_m\":%d,", rand() * 4, rand() * 4
			printf "\"village/new_families_in\":0,\"village/families_out\":%d,", rand() * 3
			print "\"village/strangers_recruiting\":\"no\",\"village/hazards\":[\"none\"],\"mode\":\"face_to_face\"}"
		}
	}'
}

# first FORM: the id of the first record that the district has of a form.
first() {
	"$program" list district "$1" --json </dev/null | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p' | head -n 1
}

trap 'node_stop' EXIT
trap 'exit 130' INT TERM
if [ -e "$folder" ]; then
	echo "tools/story.sh: $folder is there already; name a folder that is not" >&2
	exit 73
fi
mkdir -p "$folder" && cd "$folder" || exit 73
umask 077
echo "four words for practice" >passphrase
BANYAN_PASSPHRASE_FILE=$folder/passphrase
export BANYAN_PASSPHRASE_FILE

# --- the story ---

say "A district office begins a programme. Its computer gets a store: one folder, locked with a passphrase." \
    "(Here all stores share one for practice; on your machines each person has an own one.)"
run init district --programme "Child protection, Krong Serei" \
	--areas "$here/schemas/areas/demo_province.csv" --area SM0901
run form add district "$here"/schemas/forms/F1_committee.md "$here"/schemas/forms/F2_situation.md \
	"$here"/schemas/forms/F3_departures.md "$here"/schemas/forms/F4_referral.md "$here"/schemas/forms/F9_session.md
node_start

say "Two village committees get a device each. An invitation works once and pins the office's key."
join lvea_sdau member SM09010101 "Lvea Sdau committee"
join trapeang_meas member SM09010102 "Trapeang Meas committee"

say "The network goes. In the villages the work goes on: returns are filled in, and a child is referred."
node_stop
returns 60 30 1 >lvea_sdau.jsonl
returns 60 7 2 >trapeang_meas.jsonl
sed -n 1p "$here/schemas/forms/samples/F4_referral.jsonl" >referral.jsonl
run submit lvea_sdau F2_situation --answers lvea_sdau.jsonl
run submit trapeang_meas F2_situation --answers trapeang_meas.jsonl
run submit lvea_sdau F4_referral --answers referral.jsonl

say "A finished record is sealed to the office. The device itself can no longer read it."
run list lvea_sdau F4_referral
say "Without a link nothing is lost; the device says so and tries again later (exit status 75)."
expect 75 sync lvea_sdau

say "The network comes back. While the devices send, the office has a power cut: the node is killed."
node_start
show sync lvea_sdau '&'
touch mark
"$program" sync lvea_sdau >sync.log 2>&1 </dev/null &
device=$!
# The moment that its first byte is on the office's disk.
while kill -0 "$device" 2>/dev/null && [ -z "$(find district -name data.mdb -newer mark)" ]; do :; done
echo "$ kill -9 (the node)"
node_kill
wait "$device"
cat sync.log
node_start
say "It starts again, and the devices finish. What was acknowledged before is still there, once."
run sync lvea_sdau
run sync trapeang_meas
run status district

say "The officer reads the referral, which no device and nobody on the way could, and answers it."
referral=$(first F4_referral)
[ -n "$referral" ] || stop "the referral did not arrive"
run show district "$referral"
run review district "$referral" --state received --note "We go there this afternoon."
record=$(first F2_situation)
say "One return is wrong; the officer corrects it. The older answer stays in its history."
run amend district "$record" --set village/school_dropouts_f=1
run review district "$record" --state approved --note "Corrected after a call."
run sync lvea_sdau

say "A researcher gets access, for tables only. The officer approves."
join research researcher SM0901 "University"
run devices district --approve University
run extract research --form F2_situation --by area:village,concern/sex -o table
grep -E '^area|^SM0901010[12]' table/table.csv
say "In the second village seven concerns were about boys. Seven is less than ten, so the number is withheld: few" \
    "enough that a neighbour could guess who is meant. Zero is withheld like any small number, and so is a total that" \
    "would give a small number away by subtraction. An own table of this form is given once; asked again it is the same."

say "What a thief of all these folders would find: the child's whereabouts in clear, nowhere."
if grep -rqaF "ask at the sample school" district lvea_sdau trapeang_meas research table; then
	stop "an answer lies in clear in a store"
fi
echo "No file of any store has it. (The answers that we typed in lie in $folder/referral.jsonl.)"
run audit district verify
run check district
node_stop

say "That was Banyan's whole job, in $(($(date +%s) - began)) seconds. The stores are in $folder. Go on yourself:"
cat <<END
  cd "$folder"
  export BANYAN_PASSPHRASE_FILE="$folder/passphrase"
  PATH="$(dirname "$program"):\$PATH"
  banyan serve district --listen $address &
  banyan fill lvea_sdau F2_situation
  banyan sync lvea_sdau
  banyan list district F2_situation
  banyan devices district
  banyan help
END
