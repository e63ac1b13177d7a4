#!/bin/sh
# The calls that fault.h lists, one a line.
grep -o 'X([A-Za-z0-9_]*)' "$(dirname "$0")/fault.h" | sed 's/X(//; s/)//' | grep .
