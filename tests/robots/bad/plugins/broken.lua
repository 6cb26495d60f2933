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
- { Command: caught-exit, Regex: 'lua exit that is caught' }
- { Command: routine, Regex: 'lua exit in a coroutine' }
- { Command: busy, Regex: 'lua exit while a program runs' }
- { Command: children, Regex: 'lua children' }
- { Command: deep, Regex: 'lua deep' }
- { Command: pattern, Regex: 'lua pattern' }
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
  ["caught-exit"] = function()
    pcall(os.exit, 5)
    bot:Say("still here")
  end,
  routine = function()
    coroutine.wrap(function() os.exit(5) end)()
    bot:Say("still here")
  end,
  busy = function()
    local program = io.popen("sleep 1000; echo late")
    bot:Say("started " .. io.type(program))
    io.write("without a line end")
    os.exit(5)
  end,
  children = function()
    local said = io.popen("echo out; exit 3"):read("*a"):gsub("\n", "")
    local good, bad = os.execute("true"), os.execute("exit 3")
    bot:Say(("children: %s %s %s"):format(said, good == 0 and "good" or "?", bad == 3 * 256 and "bad" or "?"))
  end,
  deep = function()
    local loop = {}
    loop.loop = loop
    local json = require "json"
    local _, first = json.encode(loop)
    local _, second = json.decode(("["):rep(100000))
    local _, third = pcall(tostring, setmetatable({}, { __tostring = function(self) return tostring(self) end }))
    bot:Say(("deep: %s; %s; %s"):format(first, second:match("limit"), third:match("overflow")))
  end,
  pattern = function()
    return ("a"):rep(1000000):match(("a?"):rep(1000000))
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
