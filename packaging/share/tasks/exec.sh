#!/bin/bash
# Runs a script in the work directory of the pipeline: exec [VARIABLE=value ...] <script> [arguments].

while [[ $1 =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; do
    export "${1?}"
    shift
done

script=$1
if [[ -z $script ]]; then
    echo "exec: no script is named" >&2
    exit 1
fi
shift

# A script of a work tree need not be in every one.
if [[ $script == */* && $script != /* && ! -e $script ]]; then
    source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
    Log Warn "$script is not there, and is left out"
    exit 0
fi

exec "$script" "$@"
