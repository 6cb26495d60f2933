-- Knock-knock jokes. Shows a dialogue, the plugin's own configuration, and reply matchers.

local gopherbot = require "gopherbot_v1"
local ret = gopherbot.ret

-- What the robot is to know about this plugin; conf/plugins/knock.yaml is merged over it.
local CONFIG = [==[
Commands:
- Command: knock
  Regex: '(?i:tell me an?(?:other)? (?:knock[- ]knock )?joke)'
  Usage: tell me a knock-knock joke
  Summary: Starts an interactive knock-knock joke.
  Examples: [ (alias) tell me a knock-knock joke, (alias) tell me another joke ]
  Keywords: [ knock, joke, fun ]
ReplyMatchers:
- Label: whosthere
  Regex: "(?i:who.?s there\\??|who is there\\??)"
- Label: who
  Regex: '(?i:[\w ]+ who\??)'
AllowedPrivateCommands: [ knock ]
Config:
  Openings:
  - "Here's one:"
  Phooey:
  - "Fine, no joke for you, then."
  - "You have to play along, you know."
  - "And I had practised that one!"
  Jokes:
  - { First: Cron, Second: "Cron you please open the door? I only get to ask every five minutes." }
  - { First: Sudo, Second: "Sudo you always make your guests say it twice?" }
  - { First: Cache, Second: "Bless you! ... no, wait, that was the joke from last time." }
  - { First: Port, Second: "Port twenty-two. But I can see you would rather have a key." }
  - { First: Root, Second: "Root of me to drop in like this, but nobody stopped me." }
  - { First: Daemon, Second: "Daemon, this door is heavy! I usually stay in the background." }
  - { First: Yaml, Second: "Yaml want to indent that by two spaces." }
]==]

-- A joke that this user has not just heard.
local function pick(bot, jokes)
  local last = bot:Recall("last joke")
  local fresh = {}
  for _, joke in ipairs(jokes) do
    if joke.First ~= last then
      table.insert(fresh, joke)
    end
  end
  if #fresh == 0 then
    fresh = jokes
  end
  return fresh[bot:RandomInt(#fresh) + 1]
end

local function knock(bot)
  local config = bot:GetTaskConfig() or {}
  local jokes = config.Jokes or {}
  if #jokes == 0 then
    bot:Say("I know no jokes at all. It is a sad thing to be a robot.")
    return
  end
  local joke = pick(bot, jokes)
  bot:Remember("last joke", joke.First)
  local opening = bot:RandomString(config.Openings or {})
  if opening ~= "" then
    bot:Say(opening)
  end
  bot:Pause(0.3)
  local _, heard = bot:PromptForReply("whosthere", "Knock knock!")
  if heard == ret.Ok then
    _, heard = bot:PromptForReply("who", joke.First .. ".")
  end
  if heard == ret.Ok then
    bot:Say(joke.Second)
  else
    bot:Reply(bot:RandomString(config.Phooey or { "Phooey!" }))
  end
end

local command = arg[1]
if command == "_configure" then
  return CONFIG
elseif command == "knock" then
  knock(gopherbot.Robot:new())
end
