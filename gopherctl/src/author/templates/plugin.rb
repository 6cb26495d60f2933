#!/usr/bin/env ruby
# @NAME@: a plugin. The first argument is the command, the further ones are what its pattern captured.

command, *args = ARGV

if command == "_configure"
  # Defaults; conf/plugins/@NAME@.yaml may say otherwise.
  puts <<~'YAML'
    Commands:
    - Command: greet
      Regex: '(?i:@NAME@(?: (\w+))?)'
      Usage: "(bot), @NAME@ [name]"
      Summary: say hello
    # Replies that prompts wait for, beside YesNo, SimpleString, Email and the like:
    # ReplyMatchers:
    # - Label: colour
    #   Regex: '(?i:red|green|blue)'
  YAML
  exit 0
end

require 'gopherbot_v1'

bot = Robot.new

case command
when "greet"
  name = args[0].to_s.empty? ? bot.user : args[0]
  bot.Say("Hello, #{name}!")
  # Ask:      answer = bot.PromptForReply("YesNo", "Are you well?")
  #           bot.Reply("You said #{answer}.") if answer.ret == Robot::Ok
  # Remember: bot.Remember("mood", answer.to_s); later: bot.Recall("mood")
end
# 0 is done, 1 is failed. Commands that are not known, such as _init, are left alone.
exit Robot::Normal
