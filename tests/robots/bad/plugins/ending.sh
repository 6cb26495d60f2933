#!/bin/bash
# Ends in every way a program can end.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
case $1 in
    _configure)
        cat <<'CONFIG'
Commands:
- { Command: exit, Regex: 'exit (\d+)' }
- { Command: signal, Regex: 'die of (\w+)' }
- { Command: speak, Regex: 'speak and exit (\d+)' }
CONFIG
        ;;
    exit) exit "$2" ;;
    speak)
        Say "I have spoken"
        echo "last words" >&2
        exit "$2"
        ;;
    signal) kill -"$2" $$ ;;
esac
