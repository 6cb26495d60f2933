#!/bin/bash
# Shows its command and each of its arguments in brackets.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

case "$1" in
_configure)
    cat <<'CONFIG'
Commands:
- { Command: restart, SimpleMatcher: "{please} restart /service|the unit/ <name:ident>", Contexts: [ "service:it" ] }
- { Command: level, SimpleMatcher: "set log-level {to} (level:debug|info|very loud)" }
- { Command: console, SimpleMatcher: "get console [-options:-spot|-branch:<token>] [<env:token>]" }
- { Command: secret, SimpleMatcher: "reveal <n:number>" }
AdminCommands: [ secret ]
AllowedPrivateCommands: [ "*" ]
CONFIG
    ;;
_init) ;;
*)
    shown="command: $1"
    shift
    for argument in "$@"; do
        shown="$shown [$argument]"
    done
    Say "$shown"
    ;;
esac
