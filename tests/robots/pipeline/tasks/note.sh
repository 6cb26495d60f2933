#!/bin/bash
# Says its words and what it was told; the word "fail" is taken at its word.
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
echo "a note of $GOPHER_TASK_NAME"
Say "note: $* [$STYLE, $PHASE] ${GOPHER_FINAL_TASK:+after $GOPHER_FINAL_TYPE $GOPHER_FINAL_TASK} ${GOPHER_FAIL_CODE:+with $GOPHER_FAIL_CODE $GOPHER_FAIL_STRING}"
[[ $1 != fail ]] || exit 3
