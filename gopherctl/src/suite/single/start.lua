-- Adds the extension that is to be run as a step.
local gopherbot = require "gopherbot_v1"
if arg[1] == "_configure" then
  return ""
end
if arg[1] ~= "start" then
  return gopherbot.task.Normal
end
local bot = gopherbot.Robot:new()
local added = bot:AddTask("@NAME@", unpack(arg, 2))
if added ~= gopherbot.ret.Ok then
  bot:Say("it could not be added: " .. gopherbot.ret:string(added))
  return gopherbot.task.Fail
end
return gopherbot.task.Normal
