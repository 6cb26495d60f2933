#!/bin/bash
# A secret is used, and never shown: its length and a digest of it are.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

digest() { printf '%s' "$1" | sha256sum | cut -c1-16; }

case "$1" in
_configure)
    cat <<'CONFIG'
Commands:
- { Command: open, Regex: '(?i:open the gate)' }
- { Command: withheld, Regex: '(?i:what is withheld)' }
RequiredPrivateCommands: [ open ]
AllowedPrivateCommands: [ withheld ]
RequireAdmin: true
CONFIG
    ;;
open)
    Say "code $(digest "$GATE_CODE") $(digest "$(GetParameter GATE_CODE)") url $(digest "$GATE_URL") $(digest "$(GetParameter GATE_URL)")"
    ;;
withheld)
    Say "phrase [$BOT_SSH_PHRASE$(GetParameter BOT_SSH_PHRASE)] key [$GOPHER_DEPLOY_KEY$(GetParameter GOPHER_DEPLOY_KEY)]"
    ;;
esac
