#!/bin/bash
# A machine that only some may run.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

case "$1" in
_configure) echo "Commands: [ { Command: run, Regex: '(?i:run the $GOPHER_TASK_NAME)' } ]" ;;
run) Say "it runs" ;;
esac
