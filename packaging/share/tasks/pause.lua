-- Waits: `pause <seconds>`.
local gopherbot = require "gopherbot_v1"
local seconds = tonumber(arg[1])
if not seconds or seconds < 0 then
  print("pause: the argument is a number of seconds")
  return gopherbot.task.Fail
end
gopherbot.Robot:new():Pause(seconds)
