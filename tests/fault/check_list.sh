#!/bin/sh
# Whether fault.h lists every call of index and blob that can fail: those whose result must be checked, those that end by
# a call of done(), and the one that gives a file or -1. That each listed one really failed, store_fault.c checks.
here=$(dirname "$0")

declared=$(cat "$here/../../src/index/index.h" "$here/../../src/blob/blob.h" |
  grep -oE '^(LST_MUST_CHECK int|void|int) lst_[a-z_]+\(' |
  grep -E '^LST_MUST_CHECK|^int|_submit\($' | grep -oE 'lst_[a-z_]+')
count=0
missing=''
for call in $declared; do
  count=$((count + 1))
  "$here/list_calls.sh" | grep -qx "$call" || missing="$missing $call"
done
echo '1..2'
[ "$count" -ge 20 ] && echo "ok 1 - $count calls that can fail are declared" || echo "not ok 1 - only $count are found"
[ -z "$missing" ] && echo 'ok 2 - each of them is made to fail' || echo "not ok 2 - never made to fail:$missing"
