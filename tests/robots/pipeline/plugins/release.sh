#!/bin/bash
# Adds steps, and is one.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

# In the trusted copy the words are others.
word=release
[[ $0 == *release.sh && $GOPHER_TASK_NAME == trusted ]] && word=trusted

case "$1" in
    _configure)
        # Both copies say the same; the commands of the trusted one are set in its file.
        cat <<'CONFIG'
Commands:
- { Command: all, Regex: 'release everything' }
- { Command: broken, Regex: 'release something broken' }
- { Command: wrong, Regex: 'release wrongly' }
- { Command: chain, Regex: 'release (\d+) times' }
- { Command: announce, Regex: 'announce (\w+)' }
- { Command: wipe, Regex: 'wipe everything' }
- { Command: risky, Regex: 'release riskily' }
- { Command: keys, Regex: 'use the keys' }
AdminCommands: [ wipe ]
CONFIG
        ;;
    all)
        echo "built by $GOPHER_USER" >artifact
        SetParameter PHASE amber || exit 1
        FinalTask note "cleaned up" || exit 1
        FinalTask note "still here" || exit 1
        FailTask note "never said" || exit 1
        AddTask note "tested" || exit 1
        AddCommand release "announce web" || exit 1
        AddTask tell || exit 1
        Say "begun"
        ;;
    announce) Say "announced $2, phase [$(GetParameter PHASE)]" ;;
    broken)
        FailTask note "it failed"
        FinalTask note "cleaned up"
        AddTask note "fail"
        AddTask note "never said"
        Say "begun"
        ;;
    chain)
        Say "left $2"
        (($2 > 0)) && AddCommand release "release $(($2 - 1)) times"
        exit 0
        ;;
    wrong)
        codes=""
        for call in "AddTask nowhere" "AddCommand off x" "AddTask release" "AddTask keys" "AddCommand note x" \
            "AddCommand release nonsense" "FinalCommand nowhere x"; do
            $call
            codes+="$? "
        done
        SetParameter 123 x
        Say "refused: $codes$?"
        ;;
    risky)
        FinalTask note "cleaned up"
        AddCommand release "wipe everything"
        ;;
    wipe) Say "wiped" ;;
    keys)
        AddTask keys "in $word hands"
        Say "keys: $?"
        ;;
esac
