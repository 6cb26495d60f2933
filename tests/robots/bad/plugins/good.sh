#!/bin/bash
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
case $1 in
    _configure) echo "Commands: [ { Command: go, Regex: 'all well' } ]" ;;
    go) Say "yes, all well" ;;
esac
