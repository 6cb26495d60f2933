-- Says something to a user alone: `dmnotify <user> <message>`.
local gopherbot = require "gopherbot_v1"
local result = gopherbot.Robot:new():SendUserMessage(arg[1] or "", arg[2] or "")
return result == gopherbot.ret.Ok and gopherbot.task.Normal or gopherbot.task.Fail
