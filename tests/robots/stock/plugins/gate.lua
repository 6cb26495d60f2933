-- An authorizer: the place that a command names is taken at its word.
local gopherbot = require "gopherbot_v1"
local task = gopherbot.task

if arg[1] == "_configure" then
  return ""
elseif arg[1] ~= "_authorize" then
  return task.Normal
end
local bot = gopherbot.Robot:new()
local place = arg[6]
local answers = {
  test = function()
    bot:Say("asked: " .. table.concat(arg, " "))
    return task.Success
  end,
  production = function() return task.Fail end,
  nowhere = function() return task.Normal end,
  limbo = function() return task.MechanismFail end,
  crash = function() error("boom") end,
  steps = function()
    bot:Say(("steps: %d %s"):format(bot:AddTask("say", "never"), tostring(bot:SetParameter("SEEN", "yes"))))
    return task.Success
  end,
  ask = function()
    local reply, result = bot:PromptForReply("YesNo", "Are you sure?")
    return result == gopherbot.ret.Ok and reply:lower():sub(1, 1) == "y" and task.Success or task.Fail
  end,
}
return answers[place] and answers[place]() or task.Fail
