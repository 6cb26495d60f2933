-- @NAME@: a plugin. arg[1] is the command, the further arguments are what its pattern captured.

-- Defaults; conf/plugins/@NAME@.yaml may say otherwise.
local CONFIG = [[
Commands:
- Command: greet
  Regex: '(?i:@NAME@(?: (\w+))?)'
  Usage: "(bot), @NAME@ [name]"
  Summary: say hello
# Replies that prompts wait for, beside YesNo, SimpleString, Email and the like:
# ReplyMatchers:
# - Label: colour
#   Regex: '(?i:red|green|blue)'
]]

local command = arg[1]
if command == "_configure" then
  return CONFIG
end

local gopherbot = require "gopherbot_v1"
local task = gopherbot.task

if command == "greet" then
  local bot = gopherbot.Robot:new()
  local name = arg[2]
  if name == nil or name == "" then
    name = bot.user
  end
  bot:Say("Hello, " .. name .. "!")
  -- Ask:      local answer, result = bot:PromptForReply("YesNo", "Are you well?")
  --           if result == gopherbot.ret.Ok then bot:Reply("You said " .. answer .. ".") end
  -- Remember: bot:Remember("mood", answer); later: bot:Recall("mood")
end
-- Commands that are not known, such as _init, are left alone.
return task.Normal
