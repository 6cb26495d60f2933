"""The Robot API for Python 3 extensions.

    from gopherbot_v2 import Robot
    bot = Robot()

Start-up time of an extension is mostly imports, so nothing is imported before a call needs it. A call is one line
written to the descriptor inherited from the robot and one line read; a script that did not inherit it talks to the
run's HTTP endpoint instead.
"""

import os
import sys


class Attribute:
    "An attribute of a user or of the robot; prints as its value"

    def __init__(self, ret: dict) -> None:
        self.attr = ret["Attribute"]
        self.ret = ret["RetVal"]

    def __str__(self) -> str:
        return self.attr


class Reply:
    "What a user answered to a prompt; prints as the answer"

    def __init__(self, ret: dict) -> None:
        self.reply = ret["Reply"]
        self.ret = ret["RetVal"]

    def __str__(self) -> str:
        return self.reply


# In the annotations of Robot, Reply is the method.
_Answer = Reply


class Memory:
    "A checked-out datum of the long-term memory; change `datum` and give it to UpdateDatum"

    def __init__(self, key: str, ret: dict) -> None:
        self.key = key
        self.lock_token = ret["LockToken"]
        self.exists = ret["Exists"]
        self.datum = ret["Datum"]
        self.ret = ret["RetVal"]


class RobotError(RuntimeError):
    "A call that the robot could not take or did not understand"


# Functions whose arguments and answer are plain text: the line form needs no JSON (and no import of it). The value
# is the name of the answer beside RetVal.
_PLAIN = {
    "CheckAdmin": "Boolean", "Subscribe": "Boolean", "Unsubscribe": "Boolean", "Elevate": "Boolean",
    "SetParameter": "Boolean", "SetWorkingDirectory": "Boolean", "Exclusive": "Boolean",
    "AddTask": "", "AddJob": "", "FinalTask": "", "FailTask": "", "SpawnJob": "",
    "AddCommand": "", "FinalCommand": "", "FailCommand": "",
    "EncryptSecret": "StrVal", "Recall": "StrVal", "GetParameter": "StrVal", "GetHelpMetadata": "StrVal",
    "CheckinDatum": "", "DeleteDatum": "", "Remember": "", "RememberThread": "", "DeleteMemory": "",
    "GetSenderAttribute": "Attribute", "GetBotAttribute": "Attribute", "GetUserAttribute": "Attribute",
    "Log": "", "UnlinkIdentity": "", "Email": "", "EmailUser": "", "EmailAddress": "",
    "SendChannelThreadMessage": "", "SendUserChannelThreadMessage": "", "SendProtocolUserChannelMessage": "",
    "SendUserMessage": "", "PromptUserChannelThreadForReply": "Reply",
}


class _Channel:
    """The descriptor to the robot, shared with every other process of this run.

    The one byte in the lock pipe is the right to speak: who holds it gets the next answer. A call that was broken off
    by an exception (a signal handler's, say) keeps the byte and leaves its answer to the next call to clear away."""

    def __init__(self, fd, lock):
        self.fd = fd
        self.lock = lock
        self.key = None
        self.owed = False
        self.unsent = b""

    def call(self, line):
        if self.owed:
            self._finish()
        if self.lock is not None:
            self.key = os.read(self.lock, 1)
        self.unsent = line + b"\n"
        self.owed = True
        return self._finish()

    def _finish(self):
        while self.unsent:
            self.unsent = self.unsent[os.write(self.fd, self.unsent):]
        parts = []
        while True:
            part = os.read(self.fd, 65536)
            if not part:
                raise RobotError("the robot closed the connection of this run")
            parts.append(part)
            if part.endswith(b"\n"):
                break
        self.owed = False
        if self.key:
            key, self.key = self.key, None
            os.write(self.lock, key)
        return b"".join(parts)[:-1]


def _open_channel():
    "The inherited channel; None if there is none, or if a program in between has closed it"
    try:
        fd = int(os.environ["GOPHER_API_FD"])
        os.fstat(fd)
    except (KeyError, ValueError, OSError):
        return None
    try:
        lock = int(os.environ["GOPHER_API_LOCK_FD"])
        os.fstat(lock)
    except (KeyError, ValueError, OSError):
        lock = None
    return _Channel(fd, lock)


def _escape(value):
    "A value as text; what is no text at all is an error of the script"
    if isinstance(value, (dict, list, tuple, set, bytes, bytearray)) or callable(value):
        raise TypeError("must be a text, not of type %s" % type(value).__name__)
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        return ""
    text = str(value)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _bytes(line):
    "A line as the robot reads it; it says what it makes of bytes that are no text"
    try:
        return line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogatepass")


_ESCAPES = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def _unescape(text):
    if "\\" not in text:
        return text
    parts = text.split("\\")
    out = [parts[0]]
    skip = False
    for part in parts[1:]:
        if skip:
            out.append(part)
            skip = False
        elif part:
            out.append(_ESCAPES.get(part[0], part[0]) + part[1:])
        else:
            out.append("\\")
            skip = True
    return "".join(out)


def _check_memory(method, memory):
    if not isinstance(memory, Memory):
        kind = type(memory).__name__
        raise TypeError("%s: the argument must be what CheckoutDatum gave, not of type %s" % (method, kind))


def _truth(shared):
    "The truth of an argument that scripts pass as a boolean or as text"
    return shared not in (False, None, "", "false", "False", 0)


class Robot:
    "The robot in the context of the message (or job) that started this extension"

    Ok = 0
    UserNotFound = 1
    ChannelNotFound = 2
    AttributeNotFound = 3
    FailedMessageSend = 4
    FailedChannelJoin = 5
    DatumNotFound = 6
    DatumLockExpired = 7
    DataFormatError = 8
    BrainFailed = 9
    InvalidDatumKey = 10
    InvalidConfigPointer = 11
    ConfigUnmarshalError = 12
    NoConfigFound = 13
    RetryPrompt = 14
    ReplyNotMatched = 15
    UseDefaultValue = 16
    TimeoutExpired = 17
    Interrupted = 18
    MatcherNotFound = 19
    NoUserEmail = 20
    NoBotEmail = 21
    MailError = 22
    TaskNotFound = 23
    MissingArguments = 24
    InvalidStage = 25
    InvalidTaskType = 26
    CommandNotMatched = 27
    TaskDisabled = 28
    PrivilegeViolation = 29
    IdentityProviderNotFound = 30
    IdentityNotLinked = 31
    IdentityReauthRequired = 32
    IdentityRefreshFailed = 33
    IdentityInvalidLinkRequest = 34
    IdentityConfigError = 35
    Failed = 63

    # Exit codes of an extension
    Normal = 0
    Fail = 1
    MechanismFail = 2
    ConfigurationError = 3
    PipelineAborted = 4
    RobotStopping = 5
    NotFound = 6
    Success = 7

    _eid = None
    _channel = None

    def __init__(self) -> None:
        env = os.environ.get
        self.channel = env("GOPHER_CHANNEL", "")
        self.channel_id = env("GOPHER_CHANNEL_ID", "")
        self.message_id = env("GOPHER_MESSAGE_ID", "")
        self.thread_id = env("GOPHER_THREAD_ID", "")
        self.threaded_message = env("GOPHER_THREADED_MESSAGE")
        self.user = env("GOPHER_USER", "")
        self.user_id = env("GOPHER_USER_ID", "")
        self.protocol = env("GOPHER_PROTOCOL", "")
        self.brain = env("GOPHER_BRAIN", "")
        self.format = ""
        if Robot._eid is None:
            Robot._eid = env("GOPHER_CALLER_ID", "")
            if Robot._eid == "stdin":
                Robot._eid = sys.stdin.readline().strip()
                # A script started by this one must not take a line of its own input for the id.
                os.environ["GOPHER_CALLER_ID"] = "read"
            Robot._channel = _open_channel()
        self.caller_id = Robot._eid
        self.plugin_id = Robot._eid

    def Call(self, func_name: str, func_args: dict, format: str = "") -> dict:
        "One call of the Robot API by name; returns the answer as a dictionary"
        format = format or self.format
        if Robot._channel is None:
            return self._post(func_name, func_args, format)
        answer = _PLAIN.get(func_name)
        if answer is not None:
            return self._plain(func_name, func_args, format, answer)
        import json
        request = json.dumps({"FuncName": func_name, "Format": format, "FuncArgs": func_args}, ensure_ascii=False)
        try:
            request = request.encode("utf-8")
        except UnicodeEncodeError:
            raise RobotError("%s: a text in it is not UTF-8" % func_name) from None
        reply = json.loads(Robot._channel.call(request))
        if isinstance(reply, dict) and "Error" in reply:
            raise RobotError("%s: %s" % (func_name, reply["Error"]))
        return reply

    def _plain(self, func_name, func_args, format, answer):
        fields = [func_name, _escape(format)]
        for key, value in func_args.items():
            items = value if key == "CmdArgs" and isinstance(value, (list, tuple)) else [value]
            try:
                fields.extend(key + "=" + _escape(item) for item in items)
            except TypeError as error:
                raise TypeError("%s: the argument %s %s" % (func_name, key, error)) from None
        code, _, value = Robot._channel.call(_bytes("\t".join(fields))).decode("utf-8", "replace").partition("\t")
        value = _unescape(value)
        if code == "!":
            raise RobotError("%s: %s" % (func_name, value))
        ret = {"RetVal": int(code)}
        if answer:
            ret[answer] = value == "true" if answer == "Boolean" else value
        return ret

    def _post(self, func_name, func_args, format):
        import json
        import urllib.request
        url = os.environ.get("GOPHER_HTTP_POST")
        if not url or not self.caller_id:
            raise RobotError("%s: there is no robot to call; this script was not started by one" % func_name)
        data = json.dumps({"FuncName": func_name, "Format": format, "FuncArgs": func_args}, ensure_ascii=False)
        req = urllib.request.Request(url=url + "/json", data=data.encode("utf-8", "replace"))
        req.add_header("Content-Type", "application/json")
        req.add_header("X-Caller-ID", self.caller_id)
        # The endpoint is on loopback: a proxy of the environment has no part in this.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(req) as res:
            return json.loads(res.read().decode("utf-8"))

    # Contexts

    def Direct(self) -> "DirectBot":
        "The robot talking to the user in a direct message"
        return DirectBot(self)

    def Threaded(self) -> "ThreadedBot":
        "The robot talking in the thread of the message"
        return ThreadedBot(self)

    def MessageFormat(self, format: str) -> "FormattedBot":
        "The robot with another message format"
        return FormattedBot(self, format)

    def Fixed(self) -> "FormattedBot":
        "The robot with text in fixed width"
        return FormattedBot(self, "Fixed")

    # Messages

    def _thread(self):
        return self.thread_id if self.threaded_message else ""

    def SendChannelMessage(self, channel: str, message: str, format: str = "") -> int:
        return self.SendChannelThreadMessage(channel, "", message, format)

    def SendChannelThreadMessage(self, channel: str, thread: str, message: str, format: str = "") -> int:
        args = {"Channel": channel, "Thread": thread, "Message": message}
        return self.Call("SendChannelThreadMessage", args, format)["RetVal"]

    def SendUserMessage(self, user: str, message: str, format: str = "") -> int:
        return self.Call("SendUserMessage", {"User": user, "Message": message}, format)["RetVal"]

    def SendUserChannelMessage(self, user: str, channel: str, message: str, format: str = "") -> int:
        return self.SendUserChannelThreadMessage(user, channel, "", message, format)

    def SendUserChannelThreadMessage(
        self, user: str, channel: str, thread: str, message: str, format: str = "",
    ) -> int:
        args = {"User": user, "Channel": channel, "Thread": thread, "Message": message}
        return self.Call("SendUserChannelThreadMessage", args, format)["RetVal"]

    def SendProtocolUserChannelMessage(
        self, protocol: str, user: str, channel: str, message: str, format: str = "",
    ) -> int:
        args = {"Protocol": protocol, "User": user, "Channel": channel, "Message": message}
        return self.Call("SendProtocolUserChannelMessage", args, format)["RetVal"]

    def Say(self, message: str, format: str = "") -> int:
        if not self.channel:
            return self.SendUserMessage(self.user, message, format)
        return self.SendChannelThreadMessage(self.channel, self._thread(), message, format)

    def SayThread(self, message: str, format: str = "") -> int:
        if not self.channel:
            return self.SendUserMessage(self.user, message, format)
        return self.SendChannelThreadMessage(self.channel, self.thread_id, message, format)

    def Reply(self, message: str, format: str = "") -> int:
        if not self.channel:
            return self.SendUserMessage(self.user, message, format)
        return self.SendUserChannelThreadMessage(self.user, self.channel, self._thread(), message, format)

    def ReplyThread(self, message: str, format: str = "") -> int:
        if not self.channel:
            return self.SendUserMessage(self.user, message, format)
        return self.SendUserChannelThreadMessage(self.user, self.channel, self.thread_id, message, format)

    # Prompts

    def PromptForReply(self, regex_id: str, prompt: str, format: str = "") -> _Answer:
        return self.PromptUserChannelThreadForReply(regex_id, self.user, self.channel, self._thread(), prompt, format)

    def PromptThreadForReply(self, regex_id: str, prompt: str, format: str = "") -> _Answer:
        return self.PromptUserChannelThreadForReply(regex_id, self.user, self.channel, self.thread_id, prompt, format)

    def PromptUserForReply(self, regex_id: str, user: str, prompt: str, format: str = "") -> _Answer:
        return self.PromptUserChannelThreadForReply(regex_id, user, "", "", prompt, format)

    def PromptUserChannelForReply(
        self, regex_id: str, user: str, channel: str, prompt: str, format: str = "",
    ) -> _Answer:
        return self.PromptUserChannelThreadForReply(regex_id, user, channel, "", prompt, format)

    def PromptUserChannelThreadForReply(
        self, regex_id: str, user: str, channel: str, thread: str, prompt: str, format: str = "",
    ) -> _Answer:
        args = {"RegexID": regex_id, "User": user, "Channel": channel, "Thread": thread, "Prompt": prompt}
        for _ in range(3):
            ret = self.Call("PromptUserChannelThreadForReply", args, format)
            if ret["RetVal"] != self.RetryPrompt:
                break
        else:
            ret["RetVal"] = self.Interrupted
        return Reply(ret)

    # Attributes, configuration, parameters, log

    def GetBotAttribute(self, attr: str) -> Attribute:
        return Attribute(self.Call("GetBotAttribute", {"Attribute": attr}))

    def GetSenderAttribute(self, attr: str) -> Attribute:
        return Attribute(self.Call("GetSenderAttribute", {"Attribute": attr}))

    def GetUserAttribute(self, user: str, attr: str) -> Attribute:
        return Attribute(self.Call("GetUserAttribute", {"User": user, "Attribute": attr}))

    def GetTaskConfig(self) -> "dict | list":
        return self.Call("GetTaskConfig", {})

    def GetHelpMetadata(self, query: str = "") -> str:
        return self.Call("GetHelpMetadata", {"Query": query})["StrVal"]

    def GetParameter(self, name: str) -> str:
        return self.Call("GetParameter", {"Parameter": name})["StrVal"]

    def SetParameter(self, name: str, value: str) -> bool:
        return self.Call("SetParameter", {"Name": name, "Value": value})["Boolean"]

    def SetWorkingDirectory(self, path: str) -> bool:
        return self.Call("SetWorkingDirectory", {"Path": path})["Boolean"]

    def Log(self, level: str, msg: str) -> int:
        return self.Call("Log", {"Level": level, "Message": msg})["RetVal"]

    # Mail; the answer comes when the mail server has taken it or not

    def Email(self, subject: str, body: str, html: bool = False) -> int:
        return self.Call("Email", {"Subject": subject, "Body": body, "HTML": bool(html)})["RetVal"]

    def EmailUser(self, user: str, subject: str, body: str, html: bool = False) -> int:
        args = {"User": user, "Subject": subject, "Body": body, "HTML": bool(html)}
        return self.Call("EmailUser", args)["RetVal"]

    def EmailAddress(self, address: str, subject: str, body: str, html: bool = False) -> int:
        args = {"Address": address, "Subject": subject, "Body": body, "HTML": bool(html)}
        return self.Call("EmailAddress", args)["RetVal"]

    # Memory

    def CheckoutDatum(self, key: str, rw: bool) -> Memory:
        return Memory(key, self.Call("CheckoutDatum", {"Key": key, "RW": bool(rw)}))

    def UpdateDatum(self, m: Memory) -> int:
        _check_memory("UpdateDatum", m)
        return self.Call("UpdateDatum", {"Key": m.key, "Token": m.lock_token, "Datum": m.datum})["RetVal"]

    def CheckinDatum(self, m: Memory) -> int:
        _check_memory("CheckinDatum", m)
        return self.Call("CheckinDatum", {"Key": m.key, "Token": m.lock_token})["RetVal"]

    def DeleteDatum(self, key: str) -> int:
        return self.Call("DeleteDatum", {"Key": key})["RetVal"]

    def Remember(self, k: str, v: str, shared: bool = False) -> int:
        name = "RememberThread" if self.threaded_message else "Remember"
        return self.Call(name, {"Key": k, "Value": v, "Shared": _truth(shared)})["RetVal"]

    def RememberThread(self, k: str, v: str, shared: bool = False) -> int:
        return self.Call("RememberThread", {"Key": k, "Value": v, "Shared": _truth(shared)})["RetVal"]

    def RememberContext(self, c: str, v: str) -> int:
        return self.Remember("context:" + c, v)

    def RememberContextThread(self, c: str, v: str) -> int:
        return self.RememberThread("context:" + c, v)

    def Recall(self, memory: str, shared: bool = False) -> str:
        return self.Call("Recall", {"Key": memory, "Shared": _truth(shared)})["StrVal"]

    def DeleteMemory(self, k: str, shared: bool = False) -> int:
        return self.Call("DeleteMemory", {"Key": k, "Shared": _truth(shared)})["RetVal"]

    # Pipelines

    def AddTask(self, name: str, args: "list[str] | tuple[str, ...]" = ()) -> int:
        return self.Call("AddTask", {"Name": name, "CmdArgs": list(args)})["RetVal"]

    def AddJob(self, name: str, args: "list[str] | tuple[str, ...]" = ()) -> int:
        return self.Call("AddJob", {"Name": name, "CmdArgs": list(args)})["RetVal"]

    def FinalTask(self, name: str, args: "list[str] | tuple[str, ...]" = ()) -> int:
        return self.Call("FinalTask", {"Name": name, "CmdArgs": list(args)})["RetVal"]

    def FailTask(self, name: str, args: "list[str] | tuple[str, ...]" = ()) -> int:
        return self.Call("FailTask", {"Name": name, "CmdArgs": list(args)})["RetVal"]

    def SpawnJob(self, name: str, args: "list[str] | tuple[str, ...]" = ()) -> int:
        return self.Call("SpawnJob", {"Name": name, "CmdArgs": list(args)})["RetVal"]

    def AddCommand(self, plugin: str, cmd: str) -> int:
        return self.Call("AddCommand", {"Plugin": plugin, "Command": cmd})["RetVal"]

    def FinalCommand(self, plugin: str, cmd: str) -> int:
        return self.Call("FinalCommand", {"Plugin": plugin, "Command": cmd})["RetVal"]

    def FailCommand(self, plugin: str, cmd: str) -> int:
        return self.Call("FailCommand", {"Plugin": plugin, "Command": cmd})["RetVal"]

    def Exclusive(self, tag: str, queue_task: bool = False) -> bool:
        return self.Call("Exclusive", {"Tag": tag, "QueueTask": bool(queue_task)})["Boolean"]

    # Rights and identity

    def CheckAdmin(self) -> bool:
        return self.Call("CheckAdmin", {})["Boolean"]

    def Elevate(self, immediate: bool = False) -> bool:
        return self.Call("Elevate", {"Immediate": bool(immediate)})["Boolean"]

    def Subscribe(self) -> bool:
        return self.Call("Subscribe", {})["Boolean"]

    def Unsubscribe(self) -> bool:
        return self.Call("Unsubscribe", {})["Boolean"]

    def EncryptSecret(self, plaintext: str) -> "tuple[str, int]":
        "Returns the ciphertext and a RetVal"
        ret = self.Call("EncryptSecret", {"Plaintext": plaintext})
        return ret["StrVal"], ret["RetVal"]

    def GetIdentityCredential(self, provider: str, user: str) -> "tuple[dict | None, int]":
        "Returns the credential (a dictionary, or None) and a RetVal"
        ret = self.Call("GetIdentityCredential", {"Provider": provider, "User": user})
        return ret["Credential"], ret["RetVal"]

    def LinkOAuth2Identity(self, link: dict) -> int:
        return self.Call("LinkOAuth2Identity", link)["RetVal"]

    def UnlinkIdentity(self, provider: str, user: str) -> int:
        return self.Call("UnlinkIdentity", {"Provider": provider, "User": user})["RetVal"]

    # Chance and time

    def Pause(self, s: float) -> None:
        import time
        time.sleep(float(s))

    def RandomInt(self, i: int) -> int:
        "A number from 0 to i-1; 0 if there is none"
        import random
        return random.randrange(i) if i > 0 else 0

    def RandomString(self, sa: "list[str]") -> str:
        "One of the strings; empty if there is none"
        return sa[self.RandomInt(len(sa))] if sa else ""


class DirectBot(Robot):
    "The robot talking to the user in a direct message"

    def __init__(self, bot: Robot) -> None:
        self.__dict__.update(bot.__dict__)
        self.channel = ""
        self.channel_id = ""
        self.thread_id = ""
        self.threaded_message = None


class FormattedBot(Robot):
    "The robot with another message format"

    def __init__(self, bot: Robot, format: str) -> None:
        self.__dict__.update(bot.__dict__)
        self.format = format


class ThreadedBot(Robot):
    "The robot talking in the thread of the message"

    def __init__(self, bot: Robot) -> None:
        self.__dict__.update(bot.__dict__)
        self.threaded_message = "true" if self.channel else None
