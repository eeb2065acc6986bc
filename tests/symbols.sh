# symbols.sh NM LIBRARY...: no two objects of the libraries define one name. A linker takes whichever it meets first
# from an archive, without a word.
nm=$1
shift
twice=$("$nm" -A -g --defined-only "$@" 2>/dev/null | awk 'NF > 2 && $(NF - 1) ~ /^[TDBR]$/ { print $NF, $1 }' | sort -u |
	awk '{ if ($1 == name) { print was; print $0 } name = $1; was = $0 }' | sort -u)
names=$("$nm" -g --defined-only "$@" 2>/dev/null | grep -c ' T ')
[ "$names" -gt 500 ] || { echo "symbols: only $names functions in $*: is it the right library?"; exit 1; }
[ -z "$twice" ] && { echo "symbols: $names functions, each name once"; exit 0; }
echo "symbols: defined more than once:
$twice"
exit 1
