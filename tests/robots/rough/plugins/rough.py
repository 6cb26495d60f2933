#!/usr/bin/python3
"""Does what should not be done, as its namesakes in other languages do."""

import atexit
import os
import sys

from gopherbot_v2 import Robot

if sys.argv[1] != "do":
    sys.exit()
bot = Robot()


def refused(what, calls):
    "Says which of the calls were neither refused by an exception nor by what they returned"
    allowed = []
    for method, *arguments in calls:
        try:
            result = getattr(bot, method)(*arguments)
            if getattr(result, "ret", result) == 0:
                allowed.append("%s%s" % (method, arguments))
        except (TypeError, ValueError, RuntimeError):
            pass
    bot.Say("%s: %s refused" % (what, " ".join(allowed) or "all"))


def endless():
    return 1 + endless()


def types():
    refused("types", [
        ("Say", {}), ("Say", ["a"]), ("Say", print), ("Say", b"bytes"), ("Say", object),
        ("SendUserMessage", {}, "text"), ("Pause", "long"), ("RandomInt", "many"), ("RandomString", 5),
        ("UpdateDatum", "key"), ("UpdateDatum", None), ("CheckinDatum", {}), ("CheckoutDatum", {}, True),
        ("AddTask", "unread-py", [{}]),
    ])


def absent():
    refused("absent", [
        ("Say",), ("Say", ""), ("Say", None), ("SendUserMessage", "bob"), ("SendChannelMessage", "general"),
        ("SendUserMessage", "", "text"), ("SendUserMessage", None, "text"), ("Remember", "key"),
        ("CheckoutDatum",), ("CheckoutDatum", "", True), ("CheckoutDatum", None, True), ("DeleteDatum",),
        ("GetUserAttribute", "bob"), ("AddTask",),
    ])


def big():
    text = "0" * 10485760
    memory = bot.CheckoutDatum("big-py", True)
    memory.datum = text
    kept = bot.UpdateDatum(memory)
    found = len(bot.CheckoutDatum("big-py", False).datum)
    bot.DeleteDatum("big-py")
    bot.Say("big: kept %d, found %d, said %d" % (kept, found, bot.Say(text)))


def bytes():
    said = bot.Say("bytes: <\udcff\udcfe>")
    memory = bot.CheckoutDatum("bytes-py", True)
    memory.datum = ["\udcff"]
    try:
        kept = "nothing" if bot.UpdateDatum(memory) else "it"
    except RuntimeError:
        kept = "nothing"
    bot.Say("said %d, kept %s" % (said, kept))


def keys():
    bot.Say("keys: %d %d %d" % (
        bot.CheckoutDatum("../x", True).ret, bot.CheckoutDatum("a/b", False).ret, bot.DeleteDatum("..")))


def die_locked():
    bot.CheckoutDatum("lock-py", True)
    os._exit(3)


def lock():
    bot.Say("lock: %d" % bot.CheckoutDatum("lock-py", True).ret)


def asked(reply):
    bot.Say("asked: %d <%s>" % (reply.ret, reply))


def ask():
    asked(bot.PromptForReply("SimpleString", "Tell me."))


def ask_thread():
    asked(bot.PromptThreadForReply("SimpleString", "Tell me here."))


def ask_bob():
    asked(bot.PromptUserChannelForReply("SimpleString", "bob", "random", "Tell me, Bob."))


def mistake():
    bot.Say("before")
    bot.Say(None.there)
    bot.Say("after")


def unread():
    bot.AddTask("unread-py")


def loop():
    bot.Say("looping")
    while True:
        pass


def wait():
    import subprocess
    bot.Say("waiting")
    found = subprocess.run(["sleep", "1000"], check=False)
    bot.Say("waited: %s" % found)


def crowd():
    import subprocess
    for _ in range(100):
        subprocess.Popen(["sleep", "98765"])
    bot.Say("left")


def recursion():
    endless()


def bomb():
    text = "boom"
    while True:
        text += text


def exit():
    bot.Say("leaving")
    atexit.register(print, "on the way out", end="")
    sys.exit(5)


def exit_in_library():
    bot.Say("leaving")
    sys.path.append(os.environ["GOPHER_CONFIGDIR"] + "/lib")
    import quits
    bot.Say("still here: %s" % quits)


def print_():
    sys.stdout.write("half a line, ")
    bot.Say("said")
    print('{"FuncName":"CheckAdmin"}')
    print("CheckAdmin\t")
    bot.Say("printed and said")


def close():
    sys.stdin.close()
    sys.stdout.close()
    sys.stderr.close()
    bot.Say("closed and said")


def read():
    bot.Say("read: %s" % (sys.stdin.readline() or "nothing"))


word = sys.argv[2].replace("-", "_")
globals()["print_" if word == "print" else word]()
