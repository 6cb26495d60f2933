#!/usr/bin/python3
"""A list of things to do, one for each user. Shows long-term memory, with its lock, and a question before a deed."""

import sys

from gopherbot_v2 import Robot

# What the robot is to know about this plugin; conf/plugins/todo.yaml of a robot is merged over it.
CONFIG = r"""
Commands:
- Command: add
  Regex: '(?i:todo (.+)|remind me to (.+))'
  Usage: (alias) todo THING
  Summary: Puts something on your list of things to do.
  Examples: [ (alias) todo water the plants ]
  Keywords: [ todo, list, remind ]
- Command: show
  Regex: '(?i:todos|(?:my )?todo list|what (?:is|do I have) to do\??)'
  Usage: (alias) todos
  Summary: Shows your list.
  Examples: [ (alias) todos ]
  Keywords: [ todo, list ]
- Command: done
  Regex: '(?i:done (?:with )?#?(\d{1,3}))'
  Usage: (alias) done NUMBER
  Summary: Takes something off your list.
  Examples: [ (alias) done 1 ]
  Keywords: [ todo, list, done ]
- Command: clear
  Regex: '(?i:(?:clear|forget) (?:my )?todos)'
  Usage: (alias) clear todos
  Summary: Empties your list, after asking.
  Examples: [ (alias) clear todos ]
  Keywords: [ todo, list, clear ]
AllowedPrivateCommands: [ "*" ]
Config:
  Limit: 40
"""


def change(bot, key, deed):
    """Gives the list to `deed`, which changes it and returns what to say; the list is locked meanwhile."""
    memory = bot.CheckoutDatum(key, True)
    if memory.ret != Robot.Ok:
        return "I cannot get at my memory just now."
    memory.datum = memory.datum or []
    text = deed(memory.datum)
    if bot.UpdateDatum(memory) != Robot.Ok:
        return "I could not remember that; please try again."
    return text


def shown(things):
    if not things:
        return "Nothing to do. Lucky you!"
    return "To do:\n" + "\n".join("%d. %s" % (number, thing) for number, thing in enumerate(things, 1))


def add(bot, key, thing):
    limit = int(bot.GetTaskConfig().get("Limit", 40))

    def deed(things):
        if len(things) >= limit:
            return "You have %d things to do already. Do one of them first!" % len(things)
        things.append(thing)
        return "Noted: %s is number %d." % (thing, len(things))

    bot.Say(change(bot, key, deed))


def done(bot, key, number):
    def deed(things):
        if 1 <= number <= len(things):
            return "Well done: %s. %d left." % (things.pop(number - 1), len(things))
        return "There is no number %d on your list." % number

    bot.Say(change(bot, key, deed))


def clear(bot, key):
    reply = bot.PromptForReply("YesNo", "Forget everything on your list?")
    if reply.ret == Robot.Ok and reply.reply.strip().lower() in ("y", "yes"):
        bot.DeleteDatum(key)
        bot.Say("Forgotten. What list?")
    else:
        bot.Say("Then I keep it.")


def main(command, args):
    if command == "_configure":
        print(CONFIG)
        return Robot.Normal
    bot = Robot()
    # A key of the long-term memory has letters, digits, `_`, `-` and `:` only.
    key = "list:" + "".join(c if c.isalnum() and c.isascii() or c in "_-" else "-" for c in bot.user)
    if command == "add":
        add(bot, key, (args[0] or args[1]).strip())
    elif command == "show":
        bot.Say(shown(bot.CheckoutDatum(key, False).datum or []))
    elif command == "done":
        done(bot, key, int(args[0]))
    elif command == "clear":
        clear(bot, key)
    return Robot.Normal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
