#!/usr/bin/env python3
"""@NAME@: a plugin. The first argument is the command, the further ones are what its pattern captured."""

import sys

# Defaults; conf/plugins/@NAME@.yaml may say otherwise.
CONFIG = r"""
Commands:
- Command: greet
  Regex: '(?i:@NAME@(?: (\w+))?)'
  Usage: "(bot), @NAME@ [name]"
  Summary: say hello
# Replies that prompts wait for, beside YesNo, SimpleString, Email and the like:
# ReplyMatchers:
# - Label: colour
#   Regex: '(?i:red|green|blue)'
"""


def greet(bot, name):
    bot.Say("Hello, %s!" % (name or bot.user))
    # Ask:      answer = bot.PromptForReply("YesNo", "Are you well?")
    #           if answer.ret == Robot.Ok: bot.Reply("You said %s." % answer)
    # Remember: bot.Remember("mood", str(answer)); later: bot.Recall("mood")
    return bot.Normal


def main(command, *args):
    if command == "_configure":
        print(CONFIG)
        return 0
    # Imported late: asking for the configuration stays quick.
    from gopherbot_v2 import Robot

    if command == "greet":
        return greet(Robot(), *args)
    # Commands that are not known, such as _init, are left alone.
    return Robot.Normal


sys.exit(main(*sys.argv[1:]))
