-- Something that a plugin of the robot decides about.
local bot = require("gopherbot_v1").Robot

if arg[1] == "_configure" then
  return [==[
Commands:
- { Command: deploy, Regex: 'deploy (\w+) to (\w+)' }
- { Command: release, Regex: 'release (\w+)' }
]==]
elseif arg[1] == "deploy" then
  bot:new():Say(("deployed %s to %s"):format(arg[2], arg[3]))
elseif arg[1] == "release" then
  local robot = bot:new()
  robot:AddCommand("deploy", "deploy everything to " .. arg[2])
  robot:AddTask("say", "and after it")
end
