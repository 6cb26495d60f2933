#!/bin/bash
# What others leave over.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

case "$1" in
_configure)
    cat <<'CONFIG'
MessageMatchers:
- { Command: greet, Regex: '(?i:^good morning\b)' }
CatchAll: true
CatchAllModes: [ alias, name ]
MatchUnlisted: true
CONFIG
    ;;
greet) Say "Morning!" ;;
_catchall) Say "nobody here knows about: $2" ;;
esac
