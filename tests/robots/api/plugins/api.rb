#!/usr/bin/ruby
# Every method of the Robot API, in Ruby.

require 'gopherbot_v1'

CONFIG = <<'YAML'
Commands:
- { Command: say, Regex: '(?i:rb say everything)' }
- { Command: formats, Regex: '(?i:rb formats)' }
- { Command: direct, Regex: '(?i:rb direct)' }
- { Command: ask, Regex: '(?i:rb ask (\w+) ?(\w+)?)' }
- { Command: remember, Regex: '(?i:rb remember( shared)? (\w+) is (.+))' }
- { Command: recall, Regex: '(?i:rb recall( shared)? (\w+))' }
- { Command: forget, Regex: '(?i:rb forget( shared)? (\w+))' }
- { Command: keep, Regex: '(?i:rb keep (.+))' }
- { Command: kept, Regex: '(?i:rb kept)' }
- { Command: drop, Regex: '(?i:rb drop)' }
- { Command: about, Regex: '(?i:rb about)' }
- { Command: admin, Regex: '(?i:rb admin)' }
- { Command: help, Regex: '(?i:rb knows (.+))' }
- { Command: config, Regex: '(?i:rb config)' }
- { Command: context, Regex: '(?i:rb context)' }
- { Command: listen, Regex: '(?i:rb (un)?listen)' }
- { Command: args, Regex: '(?i:rb args ?(?:one=(.*?))? ?(?:two=(.*))?)' }
ReplyMatchers:
- { Label: colour, Regex: '(?i:red|green|blue)' }
AllowedPrivateCommands: [ "*" ]
Config:
  Greeting: own
  Words: [ only ]
YAML

def say_everything(bot)
  bot.Say("Say")
  bot.SayThread("SayThread")
  bot.Reply("Reply")
  bot.ReplyThread("ReplyThread")
  bot.SendChannelMessage("random", "SendChannelMessage")
  bot.SendChannelThreadMessage("random", "0x1", "SendChannelThreadMessage")
  bot.SendUserMessage("bob", "SendUserMessage")
  bot.SendUserChannelMessage("bob", "random", "SendUserChannelMessage")
  bot.SendUserChannelThreadMessage("bob", "random", "0x1", "SendUserChannelThreadMessage")
  bot.SendProtocolUserChannelMessage("test", "carol", "random", "SendProtocolUserChannelMessage")
  bot.Say("no channel: #{bot.SendChannelMessage("nowhere", "lost")}")
  bot.Say("no user: #{bot.SendUserMessage("nobody", "lost")}")
  bot.Say("no text: #{bot.Say("")}")
end

def ask(bot, how, user)
  reply =
    case how
    when "simple" then bot.PromptForReply("SimpleString", "Tell me.")
    when "any" then bot.PromptForReply("AnyString", "Tell me.")
    when "yes" then bot.PromptForReply("YesNo", "Well?")
    when "colour" then bot.PromptForReply("colour", "Which colour?")
    when "unknown" then bot.PromptForReply("nonesuch", "Lost?")
    when "thread" then bot.PromptThreadForReply("SimpleString", "In the thread.")
    when "user" then bot.PromptUserForReply("SimpleString", user, "Just us.")
    when "channel" then bot.PromptUserChannelForReply("SimpleString", user, "random", "Over here.")
    end
  bot.Say("asked: #{reply.ret} <#{reply}>")
end

def formats(bot)
  bot.Say("Raw **Text** _here_", :Raw)
  bot.Say("Fixed **Text** _here_", :Fixed)
  bot.Say("Variable **Text** _here_", "Variable")
  bot.Say("Markdown **Text** _here_", :BasicMarkdown)
  bot.MessageFormat(:Fixed).Say("Default **Text**")
end

command, *args = ARGV
if command == "_configure"
  puts CONFIG
  exit
end

bot = Robot.new
case command
when "say"
  say_everything(bot)
when "formats"
  formats(bot)
when "direct"
  bot.Direct.Say("between us")
  bot.Threaded.Say("in the thread")
  bot.Fixed.Say("loud")
when "ask"
  ask(bot, *args)
when "remember"
  bot.Say("remembered") if bot.Remember(args[1], args[2], args[0]) == Robot::Ok
when "recall"
  bot.Say("recalled: <#{bot.Recall(args[1], args[0])}>")
when "forget"
  bot.DeleteMemory(args[1], args[0])
  bot.Say("forgotten")
when "keep"
  memory = bot.CheckoutDatum("things", true)
  memory.datum = [args[0]]
  bot.Say("kept: #{bot.UpdateDatum(memory)} #{memory.exists}")
when "kept"
  memory = bot.CheckoutDatum("things", false)
  bot.Say("kept: #{memory.ret} #{memory.exists} #{(memory.datum || []).join}")
when "drop"
  bot.Say("dropped: #{bot.DeleteDatum("things")}")
when "about"
  nick = bot.GetSenderAttribute("nickname")
  bot.Say("bot=#{bot.GetBotAttribute("name")}/#{bot.GetBotAttribute("alias")} " \
          "sender=#{bot.GetSenderAttribute("firstName")} bob=#{bot.GetUserAttribute("bob", "fullName")} " \
          "phone=#{bot.GetUserAttribute("bob", "phone")} nick=#{nick.ret} <#{nick}>")
when "help"
  best = JSON.parse(bot.GetHelpMetadata(args[0]))["ranked_here"][0]
  bot.Say("knows: #{best["plugin"]}/#{best["command"]} #{best["score"]}")
when "admin"
  bot.Say("admin: #{bot.CheckAdmin}")
when "config"
  tree = bot.GetTaskConfig
  bot.Say("config: #{tree["Greeting"]} #{tree["Words"].join(" ")} parameter: #{bot.GetParameter("FLAVOUR")}/" \
          "#{ENV["FLAVOUR"]} none: <#{bot.GetParameter("NONE")}>")
  bot.Log("Info", "a line of the log")
when "context"
  bot.Say("user=#{bot.user} channel=#{bot.channel} threaded=#{bot.threaded_message} mode=#{ENV["GOPHER_CMDMODE"]} " \
          "protocol=#{bot.protocol} task=#{ENV["GOPHER_TASK_NAME"]}")
when "listen"
  bot.Say(args[0].empty? ? "listening: #{bot.Subscribe}" : "unlistened: #{bot.Unsubscribe}")
when "_subscribed"
  bot.Say("heard: #{args[0]}")
when "args"
  bot.Say("args: #{args.size} <#{args[0]}> <#{args[1]}>")
end
