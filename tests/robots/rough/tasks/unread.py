#!/usr/bin/python3
if True:
