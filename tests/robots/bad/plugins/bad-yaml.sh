#!/bin/bash
echo "Commands: [ { Command: go, Regex: bad-yaml }"
