-- Does what should not be done, as its namesakes in other languages do.
if arg[1] == "_configure" then
  return ""
elseif arg[1] ~= "do" then
  return
end

local bot = require("gopherbot_v1").Robot:new()

-- Says which of the calls were neither refused by an error nor by what they returned.
local function refused(what, calls)
  local allowed = {}
  for _, call in ipairs(calls) do
    local passed, first, second = pcall(bot[call[1]], bot, unpack(call, 2, call.n))
    if passed and (type(first) == "number" and first or second or 0) == 0 then
      allowed[#allowed + 1] = call[1]
    end
  end
  bot:Say(("%s: %s refused"):format(what, #allowed > 0 and table.concat(allowed, " ") or "all"))
end

local function endless()
  return 1 + endless()
end

local function asked(reply, result)
  bot:Say(("asked: %d <%s>"):format(result, reply))
end

local commands = {
  types = function()
    refused("types", {
      { "Say", {} }, { "Say", { "a" } }, { "Say", print }, { "Say", 5 }, { "Say", coroutine.create(endless) },
      { "SendUserMessage", {}, "text" }, { "Pause", "long" }, { "RandomInt", "many" }, { "RandomString", 5 },
      { "UpdateDatum", "key" }, { "UpdateDatum", nil, n = 2 }, { "CheckinDatum", {} }, { "CheckoutDatum", {}, true },
      { "CheckoutDatum", "types-lua", "yes" },
    })
  end,
  absent = function()
    refused("absent", {
      { "Say" }, { "Say", "" }, { "Say", nil, n = 2 }, { "SendUserMessage", "bob" }, { "SendChannelMessage", "general" },
      { "SendUserMessage", "", "text" }, { "SendUserMessage", nil, "text" }, { "Remember", "key" },
      { "Remember", "key", "" }, { "CheckoutDatum" }, { "CheckoutDatum", "", true }, { "CheckoutDatum", nil, true },
      { "DeleteDatum" }, { "GetUserAttribute", "bob" }, { "AddTask" },
    })
  end,
  big = function()
    local text = ("0"):rep(10485760)
    local memory = bot:CheckoutDatum("big-lua", true)
    memory.datum = text
    local kept = bot:UpdateDatum(memory)
    local found = #bot:CheckoutDatum("big-lua", false).datum
    bot:DeleteDatum("big-lua")
    bot:Say(("big: kept %d, found %d, said %d"):format(kept, found, bot:Say(text)))
  end,
  bytes = function()
    local said = bot:Say("bytes: <\255\254>")
    local memory = bot:CheckoutDatum("bytes-lua", true)
    memory.datum = { "\255" }
    local kept = bot:UpdateDatum(memory) == 0 and "it" or "nothing"
    bot:Say(("said %d, kept %s"):format(said, kept))
  end,
  keys = function()
    local _, first = bot:CheckoutDatum("../x", true)
    local _, second = bot:CheckoutDatum("a/b", false)
    bot:Say(("keys: %d %d %d"):format(first, second, bot:DeleteDatum("..")))
  end,
  ["die-locked"] = function()
    bot:CheckoutDatum("lock-lua", true)
    os.exit(3)
  end,
  lock = function()
    local _, result = bot:CheckoutDatum("lock-lua", true)
    bot:Say("lock: " .. result)
  end,
  ask = function()
    asked(bot:PromptForReply("SimpleString", "Tell me."))
  end,
  ["ask-thread"] = function()
    asked(bot:PromptThreadForReply("SimpleString", "Tell me here."))
  end,
  ["ask-bob"] = function()
    asked(bot:PromptUserChannelForReply("SimpleString", "bob", "random", "Tell me, Bob."))
  end,
  mistake = function()
    bot:Say("before")
    local nothing
    bot:Say(nothing.there)
    bot:Say("after")
  end,
  unread = function()
    bot:AddTask("unread-lua")
  end,
  loop = function()
    bot:Say("looping")
    while true do end
  end,
  wait = function()
    bot:Say("waiting")
    local found = io.popen("sleep 1000"):read("*a")
    bot:Say("waited: " .. found)
  end,
  crowd = function()
    for _ = 1, 100 do
      os.execute("sleep 98765 &")
    end
    bot:Say("left")
  end,
  recursion = endless,
  bomb = function()
    local text = "boom"
    while true do
      text = text .. text
    end
  end,
  exit = function()
    bot:Say("leaving")
    io.write("on the way out")
    os.exit(5)
  end,
  ["exit-in-library"] = function()
    bot:Say("leaving")
    require "quits"
    bot:Say("still here")
  end,
  print = function()
    io.write("half a line, ")
    bot:Say("said")
    print('{"FuncName":"CheckAdmin"}')
    print("CheckAdmin\t")
    bot:Say("printed and said")
  end,
  close = function()
    io.stdin:close()
    io.stdout:close()
    io.stderr:close()
    bot:Say("closed and said")
  end,
  read = function()
    bot:Say("read: " .. (io.read() or "nothing"))
  end,
}

return commands[arg[2]]()
