# What goes wrong in a script that starts nothing: it has no process of its own.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
[[ $1 == do ]] || exit 0

endless() {
    endless "$1$1"
}

deep() {
    if (($1 > 0)); then deep $(($1 - 1)); else Say "deep enough"; fi
}

case $2 in
    deep) deep 150 ;;
    mistake)
        Say "before"
        set -u
        Say "$nothing"
        Say "after"
        ;;
    loop)
        Say "looping"
        while :; do :; done
        ;;
    pause)
        Say "pausing"
        Pause 1000
        ;;
    recursion) endless x ;;
    bomb)
        text=boom
        while :; do text=$text$text; done
        ;;
    flood) yes "a line that nobody wants to read" ;;
    exit)
        Say "leaving"
        exit 5
        ;;
    print)
        printf 'half a line, '
        Say "said"
        printf 'and the rest'
        ;;
    word) Say "got $(($3))" ;;
esac
