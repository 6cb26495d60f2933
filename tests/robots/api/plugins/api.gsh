# Every method of the Robot API, in gsh, with the library of bash that the shell has in itself.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

configure() {
    cat <<'CONFIG'
Commands:
- { Command: say, Regex: '(?i:gsh say everything)' }
- { Command: formats, Regex: '(?i:gsh formats)' }
- { Command: direct, Regex: '(?i:gsh direct)' }
- { Command: ask, Regex: '(?i:gsh ask (\w+) ?(\w+)?)' }
- { Command: remember, Regex: '(?i:gsh remember( shared)? (\w+) is (.+))' }
- { Command: recall, Regex: '(?i:gsh recall( shared)? (\w+))' }
- { Command: forget, Regex: '(?i:gsh forget( shared)? (\w+))' }
- { Command: keep, Regex: '(?i:gsh keep (.+))' }
- { Command: kept, Regex: '(?i:gsh kept)' }
- { Command: drop, Regex: '(?i:gsh drop)' }
- { Command: about, Regex: '(?i:gsh about)' }
- { Command: admin, Regex: '(?i:gsh admin)' }
- { Command: config, Regex: '(?i:gsh config)' }
- { Command: context, Regex: '(?i:gsh context)' }
- { Command: listen, Regex: '(?i:gsh (un)?listen)' }
- { Command: args, Regex: '(?i:gsh args ?(?:one=(.*?))? ?(?:two=(.*))?)' }
ReplyMatchers:
- { Label: colour, Regex: '(?i:red|green|blue)' }
AllowedPrivateCommands: [ "*" ]
Config:
  Greeting: own
  Words: [ only ]
CONFIG
}

say_everything() {
    Say "Say"
    SayThread "SayThread"
    Reply "Reply"
    ReplyThread "ReplyThread"
    SendChannelMessage random "SendChannelMessage"
    SendChannelThreadMessage random 0x1 "SendChannelThreadMessage"
    SendUserMessage bob "SendUserMessage"
    SendUserChannelMessage bob random "SendUserChannelMessage"
    SendUserChannelThreadMessage bob random 0x1 "SendUserChannelThreadMessage"
    SendProtocolUserChannelMessage test carol random "SendProtocolUserChannelMessage"
    SendChannelMessage nowhere "lost"
    Say "no channel: $?"
    SendUserMessage nobody "lost"
    Say "no user: $?"
    Say ""
    Say "no text: $?"
}

ask() {
    local reply
    case $1 in
        simple) reply=$(PromptForReply SimpleString "Tell me.") ;;
        any) reply=$(PromptForReply AnyString "Tell me.") ;;
        yes) reply=$(PromptForReply YesNo "Well?") ;;
        colour) reply=$(PromptForReply colour "Which colour?") ;;
        unknown) reply=$(PromptForReply nonesuch "Lost?") ;;
        thread) reply=$(PromptThreadForReply SimpleString "In the thread.") ;;
        user) reply=$(PromptUserForReply SimpleString "$2" "Just us.") ;;
        channel) reply=$(PromptUserChannelForReply SimpleString "$2" random "Over here.") ;;
    esac
    local ret=$?
    Say "asked: $ret <$reply>"
}

command=$1
shift
case "$command" in
    _configure) configure ;;
    say) say_everything ;;
    formats)
        Say -r "Raw **Text** _here_"
        Say -f "Fixed **Text** _here_"
        Say -v "Variable **Text** _here_"
        Say -m "Markdown **Text** _here_"
        MessageFormat Fixed
        Say "Default **Text**"
        ;;
    direct)
        Direct Say "between us"
        Threaded Say "in the thread"
        Fixed Say "loud"
        ;;
    ask) ask "$@" ;;
    remember) Remember "$2" "$3" $1 && Say "remembered" ;;
    recall) Say "recalled: <$(Recall "$2" $1)>" ;;
    forget)
        DeleteMemory "$2" $1
        Say "forgotten"
        ;;
    keep)
        CheckoutDatum things rw
        UpdateDatum things "$GB_TOKEN" "[\"$1\"]"
        Say "kept: $? $GB_EXISTS"
        ;;
    kept)
        CheckoutDatum things
        Say "kept: $? $GB_EXISTS ${GB_DATUM//[\[\]\"]/}"
        ;;
    drop)
        DeleteDatum things >/dev/null
        Say "dropped: $?"
        ;;
    about)
        nick=$(GetSenderAttribute nickname)
        ret=$?
        Say "bot=$(GetBotAttribute name)/$(GetBotAttribute alias) sender=$(GetSenderAttribute firstName) bob=$(GetUserAttribute bob fullName) phone=$(GetUserAttribute bob phone) nick=$ret <$nick>"
        ;;
    admin) Say "admin: $(CheckAdmin)" ;;
    config)
        config=$(GetTaskConfig)
        [[ $config == *'"Greeting":'*'"overlaid"'* && $config == *'"only"'* ]] && found="overlaid only"
        Say "config: $found parameter: $(GetParameter FLAVOUR)/$FLAVOUR none: <$(GetParameter NONE)>"
        Log Info "a line of the log"
        ;;
    context) Say "user=$GOPHER_USER channel=$GOPHER_CHANNEL threaded=${GOPHER_THREADED_MESSAGE-} mode=$GOPHER_CMDMODE protocol=$GOPHER_PROTOCOL task=$GOPHER_TASK_NAME" ;;
    listen) if [[ $1 ]]; then Say "unlistened: $(Unsubscribe)"; else Say "listening: $(Subscribe)"; fi ;;
    _subscribed) Say "heard: $1" ;;
    args) Say "args: $# <$1> <$2>" ;;
    *) Say "command: $command $*" ;;
esac
