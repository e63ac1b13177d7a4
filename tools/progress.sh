#!/bin/sh
# Run a build by ninja: on a terminal with its one line of progress, else with a line that says that
# it has begun. Nothing is said when there is nothing to do.
# Usage: tools/progress.sh ninja ARGUMENTS...
set -eu
steps=$("$@" -n | sed -n 's/^\[[0-9]*\/\([0-9]*\)\].*/\1/p' | tail -n 1)
[ -n "$steps" ] || exit 0
echo "Building, $steps steps"
if [ -t 1 ]; then
    exec "$@"
fi
exec "$@" --quiet
