#!/bin/bash
# Pipelines of stock tasks.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

case "$1" in
    _configure)
        cat <<'CONFIG'
Commands:
- { Command: all, Regex: 'all tasks' }
- { Command: run, Regex: 'run (.+)' }
- { Command: broken, Regex: 'break it' }
- { Command: lost, Regex: 'notify nobody' }
AllowedPrivateCommands: [ all ]
CONFIG
        ;;
    all)
        cat >hello.sh <<'SCRIPT'
#!/bin/bash
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
Say "hello $WHO, $*: [$ODD]"
SCRIPT
        chmod +x hello.sh
        AddTask status STATUS "with  blanks"
        AddTask say SAY words
        AddTask send-message SEND words
        AddTask reply REPLY words
        AddTask notify carol "NOTIFY 'her'"
        AddTask dmnotify carol DMNOTIFY
        AddTask pause 0.1
        AddTask exec WHO=world "ODD=a b=c" ./hello.sh one=1 "two three"
        AddTask exec WHO=nobody ./gone.sh
        FinalTask say FINAL
        Say "queued"
        ;;
    run) AddTask exec $2 ;;
    broken)
        FailTask notify alice FAILED
        FinalTask say FINAL
        AddTask exec bash -c "exit 5"
        AddTask say never
        ;;
    lost)
        FailTask say FAILED
        AddTask dmnotify nobody lost
        ;;
esac
