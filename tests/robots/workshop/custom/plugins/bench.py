#!/usr/bin/python3
"""Regular expressions, parameters and a configuration, in Python."""

import sys

from gopherbot_v2 import Robot

CONFIG = r"""
Commands:
- { Command: list, Regex: '(?i:benches)', Usage: (alias) benches, Summary: "how many there are", Keywords: [ bench ] }
- { Command: take, Regex: '(?i:take bench (\d+))' }
- { Command: clear, Regex: '(?i:clear every bench)' }
MessageMatchers:
- { Command: dust, Regex: '(?i:\bdust\b)' }
AdminCommands: [ clear ]
"""


def main(command, arguments):
    if command == "_configure":
        print(CONFIG)
        return
    bot = Robot()
    if command == "list":
        config = bot.GetTaskConfig()
        bot.Say("%s benches, open at %s" % (bot.GetParameter("BENCHES"), config.get("Opening")))
    elif command == "take":
        bot.Reply("bench %s is yours" % arguments[0])
    elif command == "clear":
        bot.Say("every bench is clear")
    elif command == "sign":
        bot.Say("sign: %s" % bot.GetParameter("SIGN"))
    elif command == "dust":
        bot.Say("there is a broom")


main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
