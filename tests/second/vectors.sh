# vectors.sh SOURCE: the numbers that the documents repeat are those of the tables in C; the second device's formats
# against tests/vectors.
cd "$1" || exit 1
sed -n 's/^X(\([0-9]*\), \(E_[A-Z_]*\)).*/\1 \2/p' sync/wire_error.def | while read -r row; do
	grep -qE "(^|[ ,])$row(,|\$)" sync/PROTOCOL.md || { echo "PROTOCOL.md lacks the error $row" >&2; exit 1; }
done || exit 1
for python in /usr/bin/python3 python3; do
	"$python" -c "import cryptography" 2>/dev/null && exec "$python" -B tests/second/check_vectors.py tests/vectors
done
echo "skipped: there is no python3 with the module cryptography (python3-cryptography)"
exit 77
