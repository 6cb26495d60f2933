-- Says its words to whoever began the pipeline, or to all if that was nobody.
local bot = require("gopherbot_v1").Robot:new()
local text = table.concat(arg, " ")
if bot.user == "" then
  bot:Say(text)
else
  bot:Reply(text)
end
