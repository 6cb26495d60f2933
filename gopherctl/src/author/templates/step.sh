#!/bin/bash
# @NAME@: a @KIND@. Its arguments are those it was started with; there is no command.

source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"

Say "@NAME@: done with ${1:-nothing}."
# For the steps that follow: SetParameter NAME value
# A step after this one:     AddTask some-task argument
# What is printed goes to the robot's log.
echo "arguments: $*"
# 0 is done; anything else fails the pipeline.
exit "$PLUGRET_Normal"
