-- Every method of the Robot API, in Lua.

local gopherbot = require "gopherbot_v1"
local ret, log, fmt = gopherbot.ret, gopherbot.log, gopherbot.fmt

local CONFIG = [==[
Commands:
- { Command: say, Regex: '(?i:lua say everything)' }
- { Command: formats, Regex: '(?i:lua formats)' }
- { Command: direct, Regex: '(?i:lua direct)' }
- { Command: ask, Regex: '(?i:lua ask (\w+) ?(\w+)?)' }
- { Command: remember, Regex: '(?i:lua remember( shared)? (\w+) is (.+))' }
- { Command: recall, Regex: '(?i:lua recall( shared)? (\w+))' }
- { Command: forget, Regex: '(?i:lua forget( shared)? (\w+))' }
- { Command: keep, Regex: '(?i:lua keep (.+))' }
- { Command: kept, Regex: '(?i:lua kept)' }
- { Command: drop, Regex: '(?i:lua drop)' }
- { Command: about, Regex: '(?i:lua about)' }
- { Command: admin, Regex: '(?i:lua admin)' }
- { Command: help, Regex: '(?i:lua knows (.+))' }
- { Command: config, Regex: '(?i:lua config)' }
- { Command: context, Regex: '(?i:lua context)' }
- { Command: listen, Regex: '(?i:lua (un)?listen)' }
- { Command: args, Regex: '(?i:lua args ?(?:one=(.*?))? ?(?:two=(.*))?)' }
ReplyMatchers:
- { Label: colour, Regex: '(?i:red|green|blue)' }
AllowedPrivateCommands: [ "*" ]
Config:
  Greeting: own
  Words: [ only ]
]==]

local commands = {}

function commands.say(bot)
  bot:Say("Say")
  bot:SayThread("SayThread")
  bot:Reply("Reply")
  bot:ReplyThread("ReplyThread")
  bot:SendChannelMessage("random", "SendChannelMessage")
  bot:SendChannelThreadMessage("random", "0x1", "SendChannelThreadMessage")
  bot:SendUserMessage("bob", "SendUserMessage")
  bot:SendUserChannelMessage("bob", "random", "SendUserChannelMessage")
  bot:SendUserChannelThreadMessage("bob", "random", "0x1", "SendUserChannelThreadMessage")
  bot:SendProtocolUserChannelMessage("test", "carol", "random", "SendProtocolUserChannelMessage")
  bot:Say("no channel: " .. bot:SendChannelMessage("nowhere", "lost"))
  bot:Say("no user: " .. bot:SendUserMessage("nobody", "lost"))
  bot:Say("no text: " .. bot:Say(""))
end

function commands.formats(bot)
  bot:Say("Raw **Text** _here_", fmt.Raw)
  bot:Say("Fixed **Text** _here_", fmt.Fixed)
  bot:Say("Variable **Text** _here_", fmt.Variable)
  bot:Say("Markdown **Text** _here_", fmt.BasicMarkdown)
  bot:MessageFormat(fmt.Fixed):Say("Default **Text**")
end

function commands.direct(bot)
  bot:Direct():Say("between us")
  bot:Threaded():Say("in the thread")
  bot:Fixed():Say("loud")
end

local questions = {
  simple = function(bot) return bot:PromptForReply("SimpleString", "Tell me.") end,
  any = function(bot) return bot:PromptForReply("AnyString", "Tell me.") end,
  yes = function(bot) return bot:PromptForReply("YesNo", "Well?") end,
  colour = function(bot) return bot:PromptForReply("colour", "Which colour?") end,
  unknown = function(bot) return bot:PromptForReply("nonesuch", "Lost?") end,
  thread = function(bot) return bot:PromptThreadForReply("SimpleString", "In the thread.") end,
  user = function(bot, user) return bot:PromptUserForReply("SimpleString", user, "Just us.") end,
  channel = function(bot, user) return bot:PromptUserChannelForReply("SimpleString", user, "random", "Over here.") end,
}

function commands.ask(bot, how, user)
  local reply, result = questions[how](bot, user)
  bot:Say(("asked: %d <%s>"):format(result, reply))
end

function commands.remember(bot, shared, key, value)
  bot:Remember(key, value, shared ~= "")
  bot:Say("remembered")
end

function commands.recall(bot, shared, key)
  bot:Say("recalled: <" .. bot:Recall(key, shared ~= "") .. ">")
end

function commands.forget(bot, shared, key)
  bot:DeleteMemory(key, shared ~= "")
  bot:Say("forgotten")
end

function commands.keep(bot, thing)
  local memory = bot:CheckoutDatum("things", true)
  memory.datum = { thing }
  bot:Say(("kept: %d %s"):format(bot:UpdateDatum(memory), tostring(memory.exists)))
end

function commands.kept(bot)
  local memory, result = bot:CheckoutDatum("things", false)
  bot:Say(("kept: %d %s %s"):format(result, tostring(memory.exists), table.concat(memory.datum or {})))
end

function commands.drop(bot)
  bot:Say("dropped: " .. bot:DeleteDatum("things"))
end

function commands.about(bot)
  local nick, result = bot:GetSenderAttribute("nickname")
  bot:Say(("bot=%s/%s sender=%s bob=%s phone=%s nick=%d <%s>"):format(
    (bot:GetBotAttribute("name")), (bot:GetBotAttribute("alias")), (bot:GetSenderAttribute("firstName")),
    (bot:GetUserAttribute("bob", "fullName")), (bot:GetUserAttribute("bob", "phone")), result, nick))
end

function commands.help(bot, query)
  local best = require("json").decode(bot:GetHelpMetadata(query)).ranked_here[1]
  bot:Say(("knows: %s/%s %d"):format(best.plugin, best.command, best.score))
end

function commands.admin(bot)
  bot:Say("admin: " .. tostring(bot:CheckAdmin()))
end

function commands.config(bot)
  local tree = bot:GetTaskConfig()
  -- Parameters are never in the environment of a language that is built in.
  bot:Say(("config: %s %s parameter: %s/%s none: <%s>"):format(
    tree.Greeting, table.concat(tree.Words, " "), bot:GetParameter("FLAVOUR"), tostring(os.getenv("FLAVOUR")),
    bot:GetParameter("NONE")))
  bot:Log(log.Info, "a line of the log")
end

function commands.context(bot)
  bot:Say(("user=%s channel=%s threaded=%s mode=%s protocol=%s task=%s"):format(
    bot.user, bot.channel, bot.threaded_message and "true" or "", os.getenv("GOPHER_CMDMODE") or "", bot.protocol,
    os.getenv("GOPHER_TASK_NAME")))
end

function commands.listen(bot, un)
  if un ~= "" then
    bot:Say("unlistened: " .. tostring(bot:Unsubscribe()))
  else
    bot:Say("listening: " .. tostring(bot:Subscribe()))
  end
end

function commands._subscribed(bot, text)
  bot:Say("heard: " .. text)
end

function commands.args(bot, ...)
  bot:Say(("args: %d <%s> <%s>"):format(select("#", ...), ...))
end

local command = table.remove(arg, 1)
if command == "_configure" then
  return CONFIG
end
if commands[command] then
  commands[command](gopherbot.Robot:new(), unpack(arg))
end
