#!/usr/bin/ruby
# Knock-knock jokes. Shows a dialogue, the plugin's own configuration, and reply matchers.

require 'gopherbot_v1'

# What the robot is to know about this plugin; conf/plugins/knock.yaml is merged over it.
CONFIG = <<'YAML'
Commands:
- Command: knock
  Regex: '(?i:tell me an?(?:other)? (?:knock[- ]knock )?joke)'
  Usage: tell me a knock-knock joke
  Summary: Starts an interactive knock-knock joke.
  Examples: [ (alias) tell me a knock-knock joke, (alias) tell me another joke ]
  Keywords: [ knock, joke, fun ]
ReplyMatchers:
- Label: whosthere
  Regex: "(?i:who'?s there\\??)"
- Label: who
  Regex: '(?i:(.+) who\??)'
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
YAML

# A joke that this user has not just heard.
def pick(bot, jokes)
  fresh = jokes.reject { |joke| joke["First"] == bot.Recall("last joke") }
  fresh = jokes if fresh.empty?
  fresh[bot.RandomInt(fresh.size)]
end

def knock(bot)
  config = bot.GetTaskConfig
  jokes = config["Jokes"] || []
  if jokes.empty?
    bot.Say("I know no jokes at all. It is a sad thing to be a robot.")
    return
  end
  joke = pick(bot, jokes)
  bot.Remember("last joke", joke["First"])
  opening = bot.RandomString(config["Openings"] || [])
  bot.Say(opening) unless opening.empty?
  bot.Pause(0.3)
  heard = bot.PromptForReply("whosthere", "Knock knock!")
  heard = bot.PromptForReply("who", "#{joke["First"]}.") if heard.ret == Robot::Ok
  if heard.ret == Robot::Ok
    bot.Say(joke["Second"])
  else
    bot.Reply(bot.RandomString(config["Phooey"] || ["Phooey!"]))
  end
end

case ARGV.shift
when "_configure"
  puts CONFIG
when "knock"
  knock(Robot.new)
end
