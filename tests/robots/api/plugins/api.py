#!/usr/bin/python3
"""Every method of the Robot API, in Python."""

import json
import os
import sys

from gopherbot_v2 import Robot

CONFIG = r"""
Commands:
- { Command: say, Regex: '(?i:py say everything)' }
- { Command: formats, Regex: '(?i:py formats)' }
- { Command: direct, Regex: '(?i:py direct)' }
- { Command: ask, Regex: '(?i:py ask (\w+) ?(\w+)?)' }
- { Command: remember, Regex: '(?i:py remember( shared)? (\w+) is (.+))' }
- { Command: recall, Regex: '(?i:py recall( shared)? (\w+))' }
- { Command: forget, Regex: '(?i:py forget( shared)? (\w+))' }
- { Command: keep, Regex: '(?i:py keep (.+))' }
- { Command: kept, Regex: '(?i:py kept)' }
- { Command: drop, Regex: '(?i:py drop)' }
- { Command: about, Regex: '(?i:py about)' }
- { Command: admin, Regex: '(?i:py admin)' }
- { Command: help, Regex: '(?i:py knows (.+))' }
- { Command: config, Regex: '(?i:py config)' }
- { Command: context, Regex: '(?i:py context)' }
- { Command: listen, Regex: '(?i:py (un)?listen)' }
- { Command: args, Regex: '(?i:py args ?(?:one=(.*?))? ?(?:two=(.*))?)' }
ReplyMatchers:
- { Label: colour, Regex: '(?i:red|green|blue)' }
AllowedPrivateCommands: [ "*" ]
Config:
  Greeting: own
  Words: [ only ]
"""


def say_everything(bot):
    bot.Say("Say")
    bot.SayThread("SayThread")
    bot.Reply("Reply")
    bot.ReplyThread("ReplyThread")
    bot.SendChannelMessage("random", "SendChannelMessage")
    bot.SendChannelThreadMessage("random", "0x1", "SendChannelThreadMessage")
    bot.SendUserMessage("bob", "SendUserMessage")
    bot.SendUserChannelMessage("bob", "random", "SendUserChannelMessage")
    bot.SendUserChannelThreadMessage("bob", "random", "0x1", "SendUserChannelThreadMessage")
    bot.SendProtocolUserChannelMessage("test", "carol", "random", "SendProtocolUserChannelMessage")
    bot.Say("no channel: %d" % bot.SendChannelMessage("nowhere", "lost"))
    bot.Say("no user: %d" % bot.SendUserMessage("nobody", "lost"))
    bot.Say("no text: %d" % bot.Say(""))


def ask(bot, how, user):
    reply = {
        "simple": lambda: bot.PromptForReply("SimpleString", "Tell me."),
        "any": lambda: bot.PromptForReply("AnyString", "Tell me."),
        "yes": lambda: bot.PromptForReply("YesNo", "Well?"),
        "colour": lambda: bot.PromptForReply("colour", "Which colour?"),
        "unknown": lambda: bot.PromptForReply("nonesuch", "Lost?"),
        "thread": lambda: bot.PromptThreadForReply("SimpleString", "In the thread."),
        "user": lambda: bot.PromptUserForReply("SimpleString", user, "Just us."),
        "channel": lambda: bot.PromptUserChannelForReply("SimpleString", user, "random", "Over here."),
    }[how]()
    bot.Say("asked: %d <%s>" % (reply.ret, reply))


def formats(bot):
    bot.Say("Raw **Text** _here_", "Raw")
    bot.Say("Fixed **Text** _here_", "Fixed")
    bot.Say("Variable **Text** _here_", "Variable")
    bot.Say("Markdown **Text** _here_", "BasicMarkdown")
    bot.MessageFormat("Fixed").Say("Default **Text**")


def direct(bot):
    bot.Direct().Say("between us")
    bot.Threaded().Say("in the thread")
    bot.Fixed().Say("loud")


def keep(bot, thing):
    memory = bot.CheckoutDatum("things", True)
    memory.datum = [thing]
    bot.Say("kept: %d %s" % (bot.UpdateDatum(memory), str(memory.exists).lower()))


def kept(bot):
    memory = bot.CheckoutDatum("things", False)
    bot.Say("kept: %d %s %s" % (memory.ret, str(memory.exists).lower(), "".join(memory.datum or [])))


def about(bot):
    nick = bot.GetSenderAttribute("nickname")
    bot.Say("bot=%s/%s sender=%s bob=%s phone=%s nick=%d <%s>" % (
        bot.GetBotAttribute("name"), bot.GetBotAttribute("alias"), bot.GetSenderAttribute("firstName"),
        bot.GetUserAttribute("bob", "fullName"), bot.GetUserAttribute("bob", "phone"), nick.ret, nick))


def config(bot):
    tree = bot.GetTaskConfig()
    bot.Say("config: %s %s parameter: %s/%s none: <%s>" % (
        tree["Greeting"], " ".join(tree["Words"]), bot.GetParameter("FLAVOUR"), os.environ["FLAVOUR"],
        bot.GetParameter("NONE")))
    bot.Log("Info", "a line of the log")


def context(bot):
    bot.Say("user=%s channel=%s threaded=%s mode=%s protocol=%s task=%s" % (
        bot.user, bot.channel, bot.threaded_message or "", os.environ.get("GOPHER_CMDMODE", ""), bot.protocol,
        os.environ["GOPHER_TASK_NAME"]))


def main(command, args):
    if command == "_configure":
        print(CONFIG)
        return
    bot = Robot()
    if command == "say":
        say_everything(bot)
    elif command == "formats":
        formats(bot)
    elif command == "direct":
        direct(bot)
    elif command == "ask":
        ask(bot, *args)
    elif command == "remember":
        if bot.Remember(args[1], args[2], args[0]) == Robot.Ok:
            bot.Say("remembered")
    elif command == "recall":
        bot.Say("recalled: <%s>" % bot.Recall(args[1], args[0]))
    elif command == "forget":
        bot.DeleteMemory(args[1], args[0])
        bot.Say("forgotten")
    elif command == "keep":
        keep(bot, args[0])
    elif command == "kept":
        kept(bot)
    elif command == "drop":
        bot.Say("dropped: %d" % bot.DeleteDatum("things"))
    elif command == "about":
        about(bot)
    elif command == "help":
        best = json.loads(bot.GetHelpMetadata(args[0]))["ranked_here"][0]
        bot.Say("knows: %(plugin)s/%(command)s %(score)d" % best)
    elif command == "admin":
        bot.Say("admin: %s" % str(bot.CheckAdmin()).lower())
    elif command == "config":
        config(bot)
    elif command == "context":
        context(bot)
    elif command == "listen" and args[0]:
        bot.Say("unlistened: %s" % str(bot.Unsubscribe()).lower())
    elif command == "listen":
        bot.Say("listening: %s" % str(bot.Subscribe()).lower())
    elif command == "_subscribed":
        bot.Say("heard: %s" % args[0])
    elif command == "args":
        bot.Say("args: %d <%s> <%s>" % (len(args), *args))


main(sys.argv[1], sys.argv[2:])
