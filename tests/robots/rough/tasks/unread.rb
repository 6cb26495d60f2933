#!/usr/bin/ruby
if true
