#!/bin/bash
# Nobody gave this file its executable bit.
echo "Commands: [ { Command: go, Regex: not-executable } ]"
