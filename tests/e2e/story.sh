# story.sh BANYAN SOURCE: tools/story.sh, which tools/quickstart.sh ends in: program and folder named from where one stands, a
# space in the folder's name, no HOME.
. "$2/tests/e2e/lib.sh"
ln -s "$B" "$W/banyan"
cd "$W" || exit 1
BANYAN_STORY_ADDRESS=$ADDRESS
export BANYAN_STORY_ADDRESS
unset HOME
expect 0 "whole job" sh "$SOURCE/tools/story.sh" ./banyan "my office"
[ -d "$W/my office/district" ] || fail "the stores are elsewhere"
expect 73 "my office is there already" sh "$SOURCE/tools/story.sh" ./banyan "my office"
pass "the story, from another folder"
