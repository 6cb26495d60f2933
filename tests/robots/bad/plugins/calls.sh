#!/bin/bash
# Speaks to the robot as no library would.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
case $1 in
    _configure)
        cat <<'CONFIG'
Commands:
- { Command: unknown, Regex: 'call nonsense' }
- { Command: strange, Regex: 'call strangely' }
- { Command: orphan, Regex: 'leave somebody behind' }
- { Command: flood, Regex: 'print too much' }
CONFIG
        ;;
    unknown)
        _gb_call Nonsense '' 'A=b' 2>/dev/null
        first=$GB_CODE
        _gb_call Say '' 'Message=not a function of the wire' 2>/dev/null
        second=$GB_CODE
        _gb_call SendChannelThreadMessage '' 2>/dev/null
        Say "calls: $first $second $GB_CODE"
        ;;
    strange)
        # Each is one line, so each gets one answer.
        for line in 'no tabs' '{"FuncName":' '{"FuncName":"CheckAdmin","Format":"","FuncArgs":[]}' '{}' $'\tno\tname'; do
            printf '%s\n' "$line" >&"$GOPHER_API_FD"
            IFS= read -r -u "$GOPHER_API_FD" answer
            case $answer in
                '!'$'\t'* | '{"Error":'*) refused=${refused-}x ;;
                *) refused=${refused-}o ;;
            esac
        done
        Say "refused: $refused"
        ;;
    orphan)
        (
            trap '' TERM HUP
            exec 0<&- 1>&- 2>&-
            sleep 3600
        ) &
        Say "done, but for one"
        ;;
    flood)
        printf 'all work and no play makes a dull log %0*d\n' 1000000 0
        head -c 20000000 /dev/zero | tr '\0' x
        Say "printed"
        ;;
esac
