-- Says something to a user, in the channel of the pipeline if there is one: `notify <user> <message>`.
local gopherbot = require "gopherbot_v1"
local bot = gopherbot.Robot:new()
local user, text = arg[1] or "", arg[2] or ""
local result
if bot.channel == "" then
  result = bot:SendUserMessage(user, text)
else
  result = bot:SendUserChannelMessage(user, bot.channel, text)
end
return result == gopherbot.ret.Ok and gopherbot.task.Normal or gopherbot.task.Fail
