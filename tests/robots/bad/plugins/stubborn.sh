#!/bin/bash
# Will not be told to stop.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
case $1 in
    _configure)
        cat <<'CONFIG'
Commands:
- { Command: stay, Regex: 'stay here' }
CONFIG
        ;;
    stay)
        trap '' TERM INT HUP
        Say "I am not going anywhere"
        echo "settling in"
        while :; do Pause 1; done
        ;;
esac
