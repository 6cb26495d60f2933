#!/bin/bash
# Prints a label.

echo "$SIGN"
