#!/usr/bin/env ruby
# @NAME@: a @KIND@. Its arguments are those it was started with; there is no command.

require 'gopherbot_v1'

bot = Robot.new

bot.Say("@NAME@: done with #{ARGV[0] || 'nothing'}.")
# For the steps that follow: bot.SetParameter("NAME", "value")
# A step after this one:     bot.AddTask("some-task", ["argument"])
# What is printed goes to the robot's log.
puts "arguments: #{ARGV.join(' ')}"
# 0 is done; anything else fails the pipeline.
exit Robot::Normal
