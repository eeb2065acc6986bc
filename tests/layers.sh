#!/bin/sh
# Layers hold: an include may only follow  tools -> sync, schemas -> core,  and a foreign header has one door.
set -u
cd "${1:-.}" || exit 1
bad=0
complain() { echo "layers: $1"; bad=1; }

# forbid FOLDER PATTERN: no file below FOLDER includes a header that matches PATTERN.
forbid() {
	found=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]$2" "$1" \
	        --include='*.c' --include='*.h' --include='*.def' 2>/dev/null)
	[ -z "$found" ] || complain "$1 must not include $2:
$found"
}
forbid core    '(schemas|sync|tools|tests)/'
forbid schemas '(sync|tools|tests)/'
forbid sync    '(schemas|tools|tests)/'
forbid tools   'tests/'

# door PATTERN FILES...: only these files (regular expression) include a header that matches PATTERN.
door() {
	found=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]$1" core schemas sync tools \
	        --include='*.c' --include='*.h' 2>/dev/null | grep -vE "^($2):")
	[ -z "$found" ] || complain "$1 has one door ($2):
$found"
}
door 'lmdb\.h'    'core/store/store[a-z_]*\.[ch]'
door 'mbedtls/'   'core/crypto/crypto[a-z_]*\.c|core/crypto/cert\.c|sync/net/[a-z_]+\.[ch]'
door 'uv\.h'      'sync/net/[a-z_]+\.[ch]|tools/node/[a-z_/]+\.[ch]'
door 'msgpack'    'core/pack\.c'
door 'zip\.h'     'schemas/xlsx(_zip)?\.c'
door 'expat\.h'   'schemas/(xml|xlsx)\.c'
door 'jansson\.h' 'schemas/(answers_json|form_json|json_answer)\.[ch]|tools/[a-z_/]+\.[ch]'
door 'zstd'       'core/squeeze\.c'
door 'malloc\.h'  'core/memory\.c'
door 'argon2\.h'  'core/crypto/crypto[a-z_]*\.c'
door 'qrencode\.h' 'tools/qr\.c'
door 'linux/(rt)?netlink\.h' 'tools/node/agent/uplink\.c'

[ $bad -eq 0 ] && echo "layers: hold"
exit $bad
