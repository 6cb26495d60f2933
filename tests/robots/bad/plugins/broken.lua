-- Goes wrong in every way a script can.
if arg[1] == "_configure" then
  return [[
Commands:
- { Command: exit, Regex: 'lua exit (\d+)' }
- { Command: value, Regex: 'lua return (\d+)' }
- { Command: mistake, Regex: 'lua mistake' }
- { Command: bomb, Regex: 'lua bomb' }
- { Command: recursion, Regex: 'lua recursion' }
- { Command: caught, Regex: 'lua recursion that is caught' }
- { Command: print, Regex: 'lua print' }
- { Command: misuse, Regex: 'lua misuse' }
]]
end

local bot = require("gopherbot_v1").Robot:new()

local function endless(n)
  return 1 + endless(n + 1)
end

local commands = {
  exit = function()
    bot:Say("leaving")
    os.exit(tonumber(arg[2]))
  end,
  value = function()
    return tonumber(arg[2])
  end,
  mistake = function()
    local nothing
    bot:Say(nothing.there)
  end,
  bomb = function()
    local text = "boom"
    while true do
      text = text .. text
    end
  end,
  recursion = function()
    endless(1)
  end,
  caught = function()
    local worked, problem = pcall(endless, 1)
    bot:Say(tostring(worked) .. ": " .. problem:match("stack overflow"))
  end,
  print = function()
    io.write("half a line, ")
    print('{"FuncName":"Say"}')
    bot:Say("printed and said")
    io.stderr:write("and complained\n")
  end,
  misuse = function()
    local calls = {
      { "Say" },
      { "Say", {} },
      { "Say", print },
      { "SendUserMessage", "", "x" },
      { "Remember", "key", "" },
      { "Pause", "long" },
      { "RandomInt", "many" },
      { "CheckoutDatum" },
    }
    local refused = 0
    for _, call in ipairs(calls) do
      if not pcall(bot[call[1]], bot, unpack(call, 2)) then
        refused = refused + 1
      end
    end
    local big = ("x"):rep(10 * 1024 * 1024)
    local memory = bot:CheckoutDatum("big", true)
    memory.datum = big
    local kept = bot:UpdateDatum(memory)
    bot:Say(refused .. " of " .. #calls .. " refused, big: " .. kept .. ", key: " .. bot:DeleteDatum("../x"))
  end,
}

return commands[arg[1]] and commands[arg[1]]()
