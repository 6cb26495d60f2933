# The same in a part of a script that runs beside the others.
[[ $1 == do ]] || exit 0

endless() {
    endless "$1$1"
}

case $2 in
    mistake)
        set -eu
        found=$(Say "$nothing")
        Say "after $found"
        ;;
    loop)
        Say "looping"
        found=$(while :; do :; done)
        ;;
    recursion) found=$(endless x) || exit 6 ;;
    bomb)
        found=$(
            text=boom
            while :; do text=$text$text; done
        )
        ;;
    exit)
        found=$(exit 3)
        exit $(($? + 2))
        ;;
    pipe)
        while :; do echo y; done | head -n 2 | while read -r line; do Say "read $line"; done
        Say "done"
        ;;
esac
