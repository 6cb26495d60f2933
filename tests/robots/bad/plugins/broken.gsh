# Goes wrong in every way a script can.
if [[ $1 == _configure ]]; then
  cat <<'CONFIG'
Commands:
- { Command: exit, Regex: 'gsh exit (\d+)' }
- { Command: mistake, Regex: 'gsh mistake' }
- { Command: strict, Regex: 'gsh strict' }
- { Command: bomb, Regex: 'gsh bomb' }
- { Command: recursion, Regex: 'gsh recursion' }
- { Command: print, Regex: 'gsh print' }
- { Command: misuse, Regex: 'gsh misuse' }
- { Command: leave, Regex: 'gsh leave' }
- { Command: trap, Regex: 'gsh trap' }
- { Command: function, Regex: 'gsh exit in a function' }
- { Command: filter, Regex: 'gsh filter without end' }
CONFIG
  exit
fi

endless() { endless; }

case $1 in
  exit)
    Say leaving
    exit "$2"
    ;;
  mistake) eval 'if true; then' ;;
  strict)
    set -eu
    trap 'Say "trapped"' EXIT
    Say "$nothing"
    Say "not reached"
    ;;
  bomb)
    text=boom
    while :; do text=$text$text; done
    ;;
  recursion)
    endless
    Say "recursion: $?"
    ;;
  print)
    printf 'half a line, '
    echo '{"FuncName":"Say"}'
    Say "printed and said"
    echo "and complained" >&2
    ;;
  misuse)
    refused=0
    for call in Say "SendUserMessage bob" "Remember key" "Pause long" "RandomInt many" CheckoutDatum "Elevate perhaps"; do
      $call 2> /dev/null
      [[ $? == 2 ]] && ((++refused))
    done
    Say "$refused of 7 refused, key: $(DeleteDatum ../x)$?"
    ;;
  trap)
    trap 'Say "trapped"; exit 9' EXIT
    exit 5
    ;;
  function)
    ending() { exit 5; }
    (ending)
    Say "not yet: $?"
    ending
    Say "still here"
    ;;
  filter)
    echo '{}' | jq 'def f: f; f'
    Say "still here"
    ;;
  leave)
    sleep 1000 &
    while :; do :; done &
    Say "left"
    ;;
esac
