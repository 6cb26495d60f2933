#!/usr/bin/ruby
# Does what should not be done, as its namesakes in other languages do.

require "gopherbot_v1"

exit unless ARGV[0] == "do"
$bot = Robot.new
def bot = $bot

# Says which of the calls were neither refused by an exception nor by what they returned.
def refused(what, calls)
  allowed = calls.reject do |method, *arguments|
    result = bot.public_send(method, *arguments)
    result = result.ret if result.respond_to?(:ret)
    result != 0
  rescue ArgumentError, TypeError, NoMethodError, RobotError
    true
  end
  bot.Say("#{what}: #{allowed.empty? ? "all" : allowed.inspect} refused")
end

def endless = 1 + endless

def asked(reply)
  bot.Say("asked: #{reply.ret} <#{reply}>")
end

case ARGV[1]
when "types"
  refused("types", [
    [:Say, {}], [:Say, ["a"]], [:Say, -> { 1 }], [:Say, Object], [:SendUserMessage, {}, "text"],
    [:Pause, "long"], [:Pause, nil], [:RandomInt, "many"], [:RandomString, 5], [:UpdateDatum, "key"], [:UpdateDatum, nil],
    [:CheckinDatum, {}], [:CheckoutDatum, {}, true], [:AddTask, "unread-rb", [{}]]
  ])
when "absent"
  refused("absent", [
    [:Say], [:Say, ""], [:Say, nil], [:SendUserMessage, "bob"], [:SendChannelMessage, "general"],
    [:SendUserMessage, "", "text"], [:SendUserMessage, nil, "text"], [:Remember, "key"],
    [:CheckoutDatum], [:CheckoutDatum, "", true], [:CheckoutDatum, nil, true], [:DeleteDatum],
    [:GetUserAttribute, "bob"], [:AddTask]
  ])
when "big"
  text = "0" * 10_485_760
  memory = bot.CheckoutDatum("big-rb", true)
  memory.datum = text
  kept = bot.UpdateDatum(memory)
  found = bot.CheckoutDatum("big-rb", false).datum.length
  bot.DeleteDatum("big-rb")
  bot.Say("big: kept #{kept}, found #{found}, said #{bot.Say(text)}")
when "bytes"
  said = bot.Say("bytes: <\xff\xfe>")
  memory = bot.CheckoutDatum("bytes-rb", true)
  memory.datum = ["\xff"]
  kept = begin
    bot.UpdateDatum(memory).zero? ? "it" : "nothing"
  rescue RobotError
    "nothing"
  end
  bot.Say("said #{said}, kept #{kept}")
when "keys"
  bot.Say("keys: #{bot.CheckoutDatum("../x", true).ret} #{bot.CheckoutDatum("a/b", false).ret} #{bot.DeleteDatum("..")}")
when "die-locked"
  bot.CheckoutDatum("lock-rb", true)
  exit!(3)
when "lock"
  bot.Say("lock: #{bot.CheckoutDatum("lock-rb", true).ret}")
when "ask" then asked(bot.PromptForReply("SimpleString", "Tell me."))
when "ask-thread" then asked(bot.PromptThreadForReply("SimpleString", "Tell me here."))
when "ask-bob" then asked(bot.PromptUserChannelForReply("SimpleString", "bob", "random", "Tell me, Bob."))
when "mistake"
  bot.Say("before")
  bot.Say(nil.there)
  bot.Say("after")
when "unread" then bot.AddTask("unread-rb")
when "loop"
  bot.Say("looping")
  loop {}
when "wait"
  bot.Say("waiting")
  found = `sleep 1000`
  bot.Say("waited: #{found}")
when "crowd"
  100.times { spawn("sleep", "98765") }
  bot.Say("left")
when "recursion" then endless
when "bomb"
  text = +"boom"
  loop { text << text }
when "exit"
  bot.Say("leaving")
  at_exit { print "on the way out" }
  exit 5
when "exit-in-library"
  bot.Say("leaving")
  $LOAD_PATH << "#{ENV["GOPHER_CONFIGDIR"]}/lib"
  require "quits"
  bot.Say("still here")
when "print"
  print "half a line, "
  bot.Say("said")
  puts '{"FuncName":"CheckAdmin"}'
  puts "CheckAdmin\t"
  bot.Say("printed and said")
when "close"
  $stdin.close
  $stdout.close
  $stderr.close
  bot.Say("closed and said")
when "read"
  bot.Say("read: #{$stdin.gets || "nothing"}")
end
