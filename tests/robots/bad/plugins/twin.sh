#!/bin/bash
echo "Commands: [ { Command: go, Regex: 'which of us' } ]"
