#!/bin/bash
echo "Commands: [ { Command: go, Regex: bad-configure } ]"
echo "the dog ate my configuration" >&2
exit 3
