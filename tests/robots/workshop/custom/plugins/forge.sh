#!/bin/bash
# For administrators, in one channel.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

case "$1" in
_configure)
    cat <<'CONFIG'
Commands:
- { Command: heat, Regex: '(?i:heat the forge)' }
CONFIG
    ;;
heat) Say "the forge is hot" ;;
esac
