#!/bin/bash
# A greeting that remembers. Shows a prompt, a reply that may not come, and short-term memory.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

command=$1
shift

case "$command" in
_configure)
    # What the robot is to know about this plugin; conf/plugins/howdy.yaml of a robot is merged over it.
    cat <<'CONFIG'
Commands:
- Command: howdy
  Regex: '(?i:howdy|hello|hi|good (?:morning|day|evening))!?'
  Usage: (alias) hello
  Summary: Says hello, and asks how you are.
  Examples: [ (alias) hello, "(alias) good morning!" ]
  Keywords: [ hello, hi, howdy, greeting ]
AllowedPrivateCommands: [ howdy ]
CONFIG
    ;;
howdy)
    name=$(GetSenderAttribute firstName) || name=$GOPHER_USER
    before=$(Recall mood)
    if [[ -n $before ]]; then
        Say "Hello again, $name! A while ago you were $before."
        question="And now?"
    else
        question="Hello, $name! How are you today?"
    fi
    mood=$(PromptForReply SimpleString "$question")
    case $? in
    "$GBRET_Ok")
        mood=${mood#"${mood%%[![:space:]]*}"}
        mood=${mood%.}
        Remember mood "${mood,,}"
        Say "${mood^}: I will remember that, for a quarter of an hour or so."
        ;;
    "$GBRET_TimeoutExpired")
        Say "Never mind, $name. Some other time."
        ;;
    "$GBRET_Interrupted")
        Say "As you like."
        ;;
    *)
        Say "I am a simple robot: plain words, please. Say hello once more?"
        ;;
    esac
    ;;
esac
