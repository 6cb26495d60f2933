-- Starts @NAME@ with the words of the command, for the suite: a @KIND@ has no command of its own.

if arg[1] == "_configure" then
  return [[
Commands:
- { Command: start, Regex: 'start(?: (\w+))?' }
]]
end

local gopherbot = require "gopherbot_v1"

if arg[1] == "start" then
  local bot = gopherbot.Robot:new()
  local added
  if arg[2] and arg[2] ~= "" then
    added = bot:AddTask("@NAME@", arg[2])
  else
    added = bot:AddTask("@NAME@")
  end
  if added ~= gopherbot.ret.Ok then
    bot:Say("@NAME@ could not be added: " .. gopherbot.ret:string(added))
  end
end
return gopherbot.task.Normal
