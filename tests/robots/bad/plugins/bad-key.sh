#!/bin/bash
echo "Commands: [ { Command: go, Regex: bad-key } ]"
echo "Colour: mauve"
