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

local FIELDS = {
  "user",
  "user_id",
  "channel",
  "channel_id",
  "thread_id",
  "message_id",
  "protocol",
  "brain",
  "threaded_message",
  "type",
}

---@class Robot
local Robot = {}
gopherbot.Robot = Robot

---Every method that is not written here is the robot's own.
Robot.__index = function(_, name)
  local own = rawget(Robot, name)
  if own ~= nil then
    return own
  end
  local method = function(bot, ...)
    return bot.gbot[name](bot.gbot, ...)
  end
  local known, found = pcall(function()
    return GBOT[name]
  end)
  if known and found ~= nil then
    return method
  end
end

---The robot of this run, or the one given.
function Robot:new(gbot)
  local bot = { gbot = gbot or GBOT }
  for _, field in ipairs(FIELDS) do
    bot[field] = bot.gbot[field]
  end
  return setmetatable(bot, Robot)
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
