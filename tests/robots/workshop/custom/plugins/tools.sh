#!/bin/bash
# SimpleMatchers and contexts: what is lent to whom.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

case "$1" in
_configure)
    cat <<'CONFIG'
Commands:
- { Command: lend, SimpleMatcher: "{please} lend <tool:ident> [for <time:duration>]", Contexts: [ "tool:it" ], Usage: "(alias) lend <tool>", Summary: "take a tool from the wall", Keywords: [ tool ] }
- { Command: return, SimpleMatcher: "/return|give back/ <tool:ident>", Contexts: [ "tool:it" ] }
- { Command: lock, SimpleMatcher: "lock the (place:cabinet|drawer)" }
AdminCommands: [ lock ]
AllowedPrivateCommands: [ "*" ]
CONFIG
    ;;
lend) Say "lent: $2 ($3)" ;;
return) Say "back: $2" ;;
lock) Say "locked: $2" ;;
esac
