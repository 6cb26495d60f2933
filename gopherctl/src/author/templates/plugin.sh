#!/bin/bash
# @NAME@: a plugin. $1 is the command, the further arguments are what its pattern captured.

if [ "$1" = "_configure" ]; then
    # What is printed here are defaults; conf/plugins/@NAME@.yaml may say otherwise.
    cat <<'YAML'
Commands:
- Command: greet
  Regex: '(?i:@NAME@(?: (\w+))?)'
  Usage: "(bot), @NAME@ [name]"
  Summary: say hello
# Replies that prompts wait for, beside YesNo, SimpleString, Email and the like:
# ReplyMatchers:
# - Label: colour
#   Regex: '(?i:red|green|blue)'
YAML
    exit 0
fi

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

case "$1" in
greet)
    Say "Hello, ${2:-$GOPHER_USER}!"
    # Ask:      ANSWER=$(PromptForReply YesNo "Are you well?") && Reply "You said $ANSWER."
    # Remember: Remember mood "$ANSWER"; later: MOOD=$(Recall mood)
    ;;
esac
# 0 is done, 1 is failed. Commands that are not known, such as _init, are left alone.
exit "$PLUGRET_Normal"
