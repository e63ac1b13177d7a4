#!/bin/sh
# Print the names of a layer's unit tests, one a line, without ".c".
cd "$(dirname "$0")/$1" 2>/dev/null || exit 0
for file in *_test.c; do
    [ -e "$file" ] && echo "${file%.c}"
done
exit 0
