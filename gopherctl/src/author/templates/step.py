#!/usr/bin/env python3
"""@NAME@: a @KIND@. Its arguments are those it was started with; there is no command."""

import sys

from gopherbot_v2 import Robot

bot = Robot()
args = sys.argv[1:]

bot.Say("@NAME@: done with %s." % (args[0] if args else "nothing"))
# For the steps that follow: bot.SetParameter("NAME", "value")
# A step after this one:     bot.AddTask("some-task", ["argument"])
# What is printed goes to the robot's log.
print("arguments:", *args)
# 0 is done; anything else fails the pipeline.
sys.exit(Robot.Normal)
