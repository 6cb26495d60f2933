-- @NAME@: a @KIND@. Its arguments are those it was started with, from arg[1]; there is no command.

local gopherbot = require "gopherbot_v1"
local bot = gopherbot.Robot:new()

bot:Say("@NAME@: done with " .. (arg[1] or "nothing") .. ".")
-- For the steps that follow: bot:SetParameter("NAME", "value")
-- A step after this one:     bot:AddTask("some-task", "argument")
-- What is printed goes to the robot's log.
print("arguments: " .. table.concat(arg, " "))
-- Anything else fails the pipeline.
return gopherbot.task.Normal
