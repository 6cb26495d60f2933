---The robot for extensions in Lua: `local gopherbot = require "gopherbot_v1"`.
---
---    local bot = gopherbot.Robot:new()
---    bot:Say("Hello, " .. bot.user)
---    return gopherbot.task.Normal

local gopherbot = {}

---A table of names and numbers that tells the name of a number.
local function numbered(names, unknown)
  local table_of = {}
  for number, name in pairs(names) do
    table_of[name] = number
  end
  return setmetatable(table_of, {
    __index = {
      string = function(_, number)
        return names[number] or unknown
      end,
    },
  })
end

---What most methods return.
gopherbot.ret = numbered({
  [0] = "Ok",
  "UserNotFound",
  "ChannelNotFound",
  "AttributeNotFound",
  "FailedMessageSend",
  "FailedChannelJoin",
  "DatumNotFound",
  "DatumLockExpired",
  "DataFormatError",
  "BrainFailed",
  "InvalidDatumKey",
  "InvalidConfigPointer",
  "ConfigUnmarshalError",
  "NoConfigFound",
  "RetryPrompt",
  "ReplyNotMatched",
  "UseDefaultValue",
  "TimeoutExpired",
  "Interrupted",
  "MatcherNotFound",
  "NoUserEmail",
  "NoBotEmail",
  "MailError",
  "TaskNotFound",
  "MissingArguments",
  "InvalidStage",
  "InvalidTaskType",
  "CommandNotMatched",
  "TaskDisabled",
  "PrivilegeViolation",
  "IdentityProviderNotFound",
  "IdentityNotLinked",
  "IdentityReauthRequired",
  "IdentityRefreshFailed",
  "IdentityInvalidLinkRequest",
  "IdentityConfigError",
  [63] = "Failed",
}, "UnknownRetVal")

---What an extension returns.
gopherbot.task = numbered({
  [0] = "Normal",
  "Fail",
  "MechanismFail",
  "ConfigurationError",
  "PipelineAborted",
  "RobotStopping",
  "NotFound",
  "Success",
}, "UnknownTaskRetVal")

---Levels of `bot:Log`.
gopherbot.log = numbered({ [0] = "Trace", "Debug", "Info", "Audit", "Warn", "Error", "Fatal" }, "UnknownLogLevel")

---Formats of messages.
gopherbot.fmt = numbered({ [0] = "Raw", "Fixed", "Variable", "BasicMarkdown" }, "UnknownMessageFormat")

---Chat services; `bot.protocol` is the name in lower case.
gopherbot.proto = numbered({
  [0] = "Slack",
  "GoogleChat",
  "Rocket",
  "Terminal",
  "Test",
  "Null",
  "SSH",
}, "UnknownProtocol")

---@class Robot
local Robot = {}
gopherbot.Robot = Robot

local methods = {}

local function field(gbot, name)
  return gbot[name]
end

---Fields and methods that are not written here are the robot's own.
Robot.__index = function(bot, name)
  local own = rawget(Robot, name) or methods[name]
  if own ~= nil then
    return own
  end
  local known, found = pcall(field, rawget(bot, "gbot"), name)
  if not known then
    return nil
  end
  if type(found) ~= "function" then
    return found
  end
  methods[name] = function(robot, ...)
    return robot.gbot[name](robot.gbot, ...)
  end
  return methods[name]
end

---The robot of this run, or the one given.
function Robot:new(gbot)
  return setmetatable({ gbot = gbot or GBOT }, Robot)
end

---A robot that speaks to the user alone.
function Robot:Direct()
  return Robot:new(self.gbot:Direct())
end

---A robot that speaks in the thread of the message.
function Robot:Threaded()
  return Robot:new(self.gbot:Threaded())
end

---A robot that speaks in a fixed-width font.
function Robot:Fixed()
  return Robot:new(self.gbot:Fixed())
end

---A robot that speaks in another format, one of `fmt`.
function Robot:MessageFormat(format)
  return Robot:new(self.gbot:MessageFormat(format))
end

---A memory, for changing if `write`: its `datum` is what is remembered, if it `exists`.
function Robot:CheckoutDatum(key, write)
  local ret, datum, token = self.gbot:CheckoutDatum(key, write)
  return { key = key, exists = datum ~= nil, datum = datum, token = token, retVal = ret }, ret
end

---Remembers the `datum` of a memory that was checked out for changing.
function Robot:UpdateDatum(memory)
  return self.gbot:UpdateDatum(memory.key, memory.token, memory.datum)
end

---Gives a memory back unchanged.
function Robot:CheckinDatum(memory)
  return self.gbot:CheckinDatum(memory.key, memory.token)
end

return gopherbot
