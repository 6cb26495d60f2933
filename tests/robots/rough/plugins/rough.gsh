# Does what should not be done, as its namesakes in other languages do.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
[[ $1 == do ]] || exit 0

# Prints which of the calls that are read were not refused by their status.
refused() {
    local call allowed=''
    while IFS= read -r call; do
        if eval "$call" >/dev/null; then
            allowed+="$call "
        fi
    done
    Say "$1: ${allowed:-all} refused"
}

endless() {
    endless "$1$1"
}

case $2 in
    types)
        refused types <<'CALLS'
Pause long
RandomInt many
UpdateDatum key token '{'
CALLS
        ;;
    absent)
        refused absent <<'CALLS'
Say
Say ""
SendUserMessage bob
SendChannelMessage general
SendUserMessage "" text
Remember key
Remember key ""
CheckoutDatum
CheckoutDatum ""
DeleteDatum
GetUserAttribute bob
AddTask
CALLS
        ;;
    big)
        big=0123456789
        while ((${#big} < 10485760)); do big+=$big; done
        big=${big:0:10485760}
        CheckoutDatum big-gsh rw
        UpdateDatum big-gsh "$GB_TOKEN" "\"$big\""
        kept=$?
        CheckoutDatum big-gsh
        found=${#GB_DATUM}
        DeleteDatum big-gsh >/dev/null
        Say "$big"
        Say "big: kept $kept, found $((found - 2)), said $?"
        ;;
    bytes)
        Say $'bytes: <\xff\xfe>'
        said=$?
        CheckoutDatum bytes-gsh rw
        UpdateDatum bytes-gsh "$GB_TOKEN" $'"\xff"' && kept=text || kept=nothing
        DeleteDatum bytes-gsh >/dev/null
        Say "said $said, kept $kept"
        ;;
    keys)
        CheckoutDatum ../x rw
        first=$?
        CheckoutDatum 'a/b'
        second=$?
        DeleteDatum .. >/dev/null
        Say "keys: $first $second $?"
        ;;
    die-locked)
        CheckoutDatum lock-gsh rw
        exit 3
        ;;
    lock)
        CheckoutDatum lock-gsh rw
        Say "lock: $?"
        ;;
    ask)
        reply=$(PromptForReply SimpleString "Tell me.")
        Say "asked: $? <$reply>"
        ;;
    ask-thread)
        reply=$(PromptThreadForReply SimpleString "Tell me here.")
        Say "asked: $? <$reply>"
        ;;
    ask-bob)
        reply=$(PromptUserChannelForReply SimpleString bob random "Tell me, Bob.")
        Say "asked: $? <$reply>"
        ;;
    mistake)
        Say "before"
        set -u
        Say "$nothing"
        Say "after"
        ;;
    unread) AddTask unread-gsh ;;
    loop)
        Say "looping"
        while :; do :; done
        ;;
    wait)
        Say "waiting"
        found=$(sleep 1000)
        Say "waited: $found"
        ;;
    crowd)
        for ((n = 0; n < 100; ++n)); do
            sleep 98765 &
        done
        Say "left"
        ;;
    recursion) endless x ;;
    bomb)
        text=boom
        while :; do text=$text$text; done
        ;;
    exit)
        Say "leaving"
        trap 'printf "on the way out"' EXIT
        exit 5
        ;;
    exit-in-library)
        Say "leaving"
        source "$GOPHER_CONFIGDIR/lib/quits.gsh"
        Say "still here"
        ;;
    print)
        printf 'half a line, '
        Say "said"
        echo '{"FuncName":"CheckAdmin"}'
        echo $'CheckAdmin\t'
        Say "printed and said"
        ;;
    close)
        exec 0<&- 1>&- 2>&-
        Say "closed and said"
        ;;
    read)
        IFS= read -r line
        Say "read: ${line:-nothing}"
        ;;
esac
