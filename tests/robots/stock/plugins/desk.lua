-- Something for the members of a group, and a pipeline with it.
local bot = require("gopherbot_v1").Robot

local commands = {
  reset = function(robot, what) robot:Say("reset " .. what) end,
  chain = function(robot, what)
    robot:AddCommand("desk", "reset " .. what)
    robot:FinalTask("say", "the end")
    robot:Say("begun")
  end,
}

if arg[1] == "_configure" then
  return [==[
Commands:
- { Command: reset, Regex: 'reset (\w+)', Usage: reset <thing>, Keywords: [ reset ] }
- { Command: chain, Regex: 'chain (\w+)', Usage: chain <thing> }
]==]
elseif commands[arg[1]] then
  commands[arg[1]](bot:new(), arg[2])
end
