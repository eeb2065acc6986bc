#!/bin/sh
# columns.sh [REPOSITORY]: no line of C is wider than 100 columns, a tab being 8; but for a sentence in quotes, which is not broken.
cd "${1:-.}" || exit 1
limit=100
files=$(find core sync schemas tools tests -name '*.[ch]')
[ "$(echo "$files" | wc -l)" -gt 300 ] || { echo "columns: too few files: is this the repository?"; exit 1; }
wide=$(echo "$files" | xargs awk -v limit=$limit '
	length($0) * 8 > limit && !/"/ {
		n = 0
		for (i = 1; i <= length($0); i++)
			n += substr($0, i, 1) == "\t" ? 8 - n % 8 : 1
		if (n > limit) print FILENAME ":" FNR ": " n " columns"
	}')
[ -z "$wide" ] && { echo "columns: $limit at most"; exit 0; }
echo "columns: more than $limit; break these lines (clang-format does):
$wide"
exit 1
