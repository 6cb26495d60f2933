# The Robot API for Ruby extensions:
#
#     require 'gopherbot_v1'
#     bot = Robot.new
#
# A call is one line written to the descriptor inherited from the robot and one line read; a script that did not
# inherit it talks to the run's HTTP endpoint instead. Libraries are loaded by the first use of what they define,
# here or in the extension.

autoload :JSON, "json"
autoload :Net, "net/http"
autoload :URI, "uri"

# An attribute of a user or of the robot; prints as its value.
class Attribute
  attr_reader :attr, :ret

  def initialize(attr, ret)
    @attr = attr
    @ret = ret
  end

  def to_s
    @attr
  end
end

# What a user answered to a prompt; prints as the answer.
class Reply
  attr_reader :reply, :ret

  def initialize(reply, ret)
    @reply = reply
    @ret = ret
  end

  def to_s
    @reply
  end
end

# A checked-out datum of the long-term memory; change `datum` and give it to UpdateDatum.
class Memory
  attr_reader :key, :lock_token, :exists, :ret
  attr_accessor :datum

  def initialize(key, lock_token, exists, datum, ret)
    @key = key
    @lock_token = lock_token
    @exists = exists
    @datum = datum
    @ret = ret
  end
end

# A call that the robot could not take or did not understand.
class RobotError < RuntimeError
end

# The descriptor to the robot, shared with every other process of this run.
#
# The one byte in the lock pipe is the right to speak: who holds it gets the next answer. A call that was broken off
# (by Timeout, say) keeps the byte and leaves its answer to the next call to clear away.
class RobotChannel
  # The inherited channel; nil if there is none, or if a program in between has closed it.
  def self.inherited
    fd = descriptor("GOPHER_API_FD", "r+")
    fd && new(fd, descriptor("GOPHER_API_LOCK_FD", "r"), descriptor("GOPHER_API_LOCK_FD", "w"))
  end

  def self.descriptor(name, mode)
    number = ENV[name]
    return nil if number.nil? || number.empty?
    io = IO.for_fd(number.to_i, mode, autoclose: false)
    io.close_on_exec = false
    io
  rescue SystemCallError
    nil
  end
  private_class_method :descriptor

  def initialize(io, take, give)
    @io = io
    @take = take
    # A pipe in one descriptor can be read and written only if it was opened so; Ruby wants an object for each way.
    @give = give || take
    @owed = false
    @unsent = "".b
  end

  def call(line)
    finish if @owed
    @key = patiently { @take.sysread(1) } if @take
    @unsent = line.b << "\n"
    @owed = true
    finish
  end

  private

  def finish
    @unsent = @unsent.byteslice(patiently { @io.syswrite(@unsent) }..) until @unsent.empty?
    answer = "".b
    answer << patiently { @io.sysread(65_536) } until answer.end_with?("\n")
    @owed = false
    patiently { @give.syswrite(@key) } if @key
    @key = nil
    answer.chomp!
    answer.force_encoding(Encoding::UTF_8).scrub
  rescue EOFError, Errno::EPIPE, Errno::ECONNRESET
    raise RobotError, "the robot closed the connection of this run"
  end

  # A child that ends, or another signal, interrupts system calls; Ruby leaves it to us to begin again.
  def patiently
    yield
  rescue Errno::EINTR
    retry
  end
end

# The Robot API; see Robot for how an extension gets one.
class BaseBot
  Ok = 0
  UserNotFound = 1
  ChannelNotFound = 2
  AttributeNotFound = 3
  FailedMessageSend = 4
  FailedChannelJoin = 5
  DatumNotFound = 6
  DatumLockExpired = 7
  DataFormatError = 8
  BrainFailed = 9
  InvalidDatumKey = 10
  InvalidConfigPointer = 11
  ConfigUnmarshalError = 12
  NoConfigFound = 13
  RetryPrompt = 14
  ReplyNotMatched = 15
  UseDefaultValue = 16
  TimeoutExpired = 17
  Interrupted = 18
  MatcherNotFound = 19
  NoUserEmail = 20
  NoBotEmail = 21
  MailError = 22
  TaskNotFound = 23
  MissingArguments = 24
  InvalidStage = 25
  InvalidTaskType = 26
  CommandNotMatched = 27
  TaskDisabled = 28
  PrivilegeViolation = 29
  IdentityProviderNotFound = 30
  IdentityNotLinked = 31
  IdentityReauthRequired = 32
  IdentityRefreshFailed = 33
  IdentityInvalidLinkRequest = 34
  IdentityConfigError = 35
  Failed = 63

  # Exit codes of an extension
  Normal = 0
  Fail = 1
  MechanismFail = 2
  ConfigurationError = 3
  PipelineAborted = 4
  RobotStopping = 5
  NotFound = 6
  Success = 7

  # Functions whose arguments and answer are plain text: the line form needs no JSON. The value is the name of the
  # answer beside RetVal.
  PLAIN = {
    "CheckAdmin" => "Boolean", "Subscribe" => "Boolean", "Unsubscribe" => "Boolean", "Elevate" => "Boolean",
    "SetParameter" => "Boolean", "SetWorkingDirectory" => "Boolean", "Exclusive" => "Boolean",
    "AddTask" => "", "AddJob" => "", "FinalTask" => "", "FailTask" => "", "SpawnJob" => "",
    "AddCommand" => "", "FinalCommand" => "", "FailCommand" => "",
    "EncryptSecret" => "StrVal", "Recall" => "StrVal", "GetParameter" => "StrVal", "GetHelpMetadata" => "StrVal",
    "CheckinDatum" => "", "DeleteDatum" => "", "Remember" => "", "RememberThread" => "", "DeleteMemory" => "",
    "GetSenderAttribute" => "Attribute", "GetBotAttribute" => "Attribute", "GetUserAttribute" => "Attribute",
    "Log" => "", "UnlinkIdentity" => "", "Email" => "", "EmailUser" => "", "EmailAddress" => "",
    "SendChannelThreadMessage" => "", "SendUserChannelThreadMessage" => "", "SendProtocolUserChannelMessage" => "",
    "SendUserMessage" => "", "PromptUserChannelThreadForReply" => "Reply"
  }.freeze
  ESCAPES = { "\\" => "\\\\", "\t" => "\\t", "\n" => "\\n", "\r" => "\\r" }.freeze
  UNESCAPES = ESCAPES.invert.freeze
  private_constant :PLAIN, :ESCAPES, :UNESCAPES

  attr_accessor :channel, :channel_id, :message_id, :thread_id, :threaded_message, :user, :user_id, :plugin_id,
                :caller_id, :protocol, :brain, :format

  # Contexts

  def Direct()
    DirectBot.new(self)
  end

  def Threaded()
    ThreadedBot.new(self)
  end

  def MessageFormat(format)
    FormattedBot.new(format, self)
  end

  def Fixed()
    MessageFormat("Fixed")
  end

  # Messages

  def SendChannelMessage(channel, message, format = "")
    SendChannelThreadMessage(channel, "", message, format)
  end

  def SendChannelThreadMessage(channel, thread, message, format = "")
    args = { "Channel" => channel, "Thread" => thread, "Message" => message }
    callBotFunc("SendChannelThreadMessage", args, format)["RetVal"]
  end

  def SendUserMessage(user, message, format = "")
    callBotFunc("SendUserMessage", { "User" => user, "Message" => message }, format)["RetVal"]
  end

  def SendUserChannelMessage(user, channel, message, format = "")
    SendUserChannelThreadMessage(user, channel, "", message, format)
  end

  def SendUserChannelThreadMessage(user, channel, thread, message, format = "")
    args = { "User" => user, "Channel" => channel, "Thread" => thread, "Message" => message }
    callBotFunc("SendUserChannelThreadMessage", args, format)["RetVal"]
  end

  def SendProtocolUserChannelMessage(protocol, user, channel, message, format = "")
    args = { "Protocol" => protocol, "User" => user, "Channel" => channel, "Message" => message }
    callBotFunc("SendProtocolUserChannelMessage", args, format)["RetVal"]
  end

  def Say(message, format = "")
    return SendUserMessage(@user, message, format) if @channel.empty?
    SendChannelThreadMessage(@channel, current_thread, message, format)
  end

  def SayThread(message, format = "")
    return SendUserMessage(@user, message, format) if @channel.empty?
    SendChannelThreadMessage(@channel, @thread_id, message, format)
  end

  def Reply(message, format = "")
    return SendUserMessage(@user, message, format) if @channel.empty?
    SendUserChannelThreadMessage(@user, @channel, current_thread, message, format)
  end

  def ReplyThread(message, format = "")
    return SendUserMessage(@user, message, format) if @channel.empty?
    SendUserChannelThreadMessage(@user, @channel, @thread_id, message, format)
  end

  # Prompts

  def PromptForReply(regex_id, prompt, format = "")
    PromptUserChannelThreadForReply(regex_id, @user, @channel, current_thread, prompt, format)
  end

  def PromptThreadForReply(regex_id, prompt, format = "")
    PromptUserChannelThreadForReply(regex_id, @user, @channel, @thread_id, prompt, format)
  end

  def PromptUserForReply(regex_id, user, prompt, format = "")
    PromptUserChannelThreadForReply(regex_id, user, "", "", prompt, format)
  end

  def PromptUserChannelForReply(regex_id, user, channel, prompt, format = "")
    PromptUserChannelThreadForReply(regex_id, user, channel, "", prompt, format)
  end

  def PromptUserChannelThreadForReply(regex_id, user, channel, thread, prompt, format = "")
    args = { "RegexID" => regex_id, "User" => user, "Channel" => channel, "Thread" => thread, "Prompt" => prompt }
    ret = nil
    3.times do
      ret = callBotFunc("PromptUserChannelThreadForReply", args, format)
      return ::Reply.new(ret["Reply"], ret["RetVal"]) if ret["RetVal"] != RetryPrompt
    end
    ::Reply.new(ret["Reply"], Interrupted)
  end

  # Attributes, configuration, parameters, log

  def GetBotAttribute(attr)
    ret = callBotFunc("GetBotAttribute", { "Attribute" => attr })
    Attribute.new(ret["Attribute"], ret["RetVal"])
  end

  def GetSenderAttribute(attr)
    ret = callBotFunc("GetSenderAttribute", { "Attribute" => attr })
    Attribute.new(ret["Attribute"], ret["RetVal"])
  end

  def GetUserAttribute(user, attr)
    ret = callBotFunc("GetUserAttribute", { "User" => user, "Attribute" => attr })
    Attribute.new(ret["Attribute"], ret["RetVal"])
  end

  def GetTaskConfig()
    callBotFunc("GetTaskConfig", {})
  end

  def GetHelpMetadata(query = "")
    callBotFunc("GetHelpMetadata", { "Query" => query })["StrVal"]
  end

  def GetParameter(name)
    callBotFunc("GetParameter", { "Parameter" => name })["StrVal"]
  end

  def SetParameter(name, value)
    callBotFunc("SetParameter", { "Name" => name, "Value" => value })["Boolean"]
  end

  def SetWorkingDirectory(path)
    callBotFunc("SetWorkingDirectory", { "Path" => path })["Boolean"]
  end

  def Log(level, message)
    callBotFunc("Log", { "Level" => level, "Message" => message })["RetVal"]
  end

  # Mail; the answer comes when the mail server has taken it or not

  def Email(subject, body, html = false)
    callBotFunc("Email", { "Subject" => subject, "Body" => body, "HTML" => html ? true : false })["RetVal"]
  end

  def EmailUser(user, subject, body, html = false)
    args = { "User" => user, "Subject" => subject, "Body" => body, "HTML" => html ? true : false }
    callBotFunc("EmailUser", args)["RetVal"]
  end

  def EmailAddress(address, subject, body, html = false)
    args = { "Address" => address, "Subject" => subject, "Body" => body, "HTML" => html ? true : false }
    callBotFunc("EmailAddress", args)["RetVal"]
  end

  # Memory

  def CheckoutDatum(key, rw)
    ret = callBotFunc("CheckoutDatum", { "Key" => key, "RW" => rw ? true : false })
    Memory.new(key, ret["LockToken"], ret["Exists"], ret["Datum"], ret["RetVal"])
  end

  def UpdateDatum(m)
    check_memory("UpdateDatum", m)
    callBotFunc("UpdateDatum", { "Key" => m.key, "Token" => m.lock_token, "Datum" => m.datum })["RetVal"]
  end

  def CheckinDatum(m)
    check_memory("CheckinDatum", m)
    callBotFunc("CheckinDatum", { "Key" => m.key, "Token" => m.lock_token })["RetVal"]
  end

  def DeleteDatum(key)
    callBotFunc("DeleteDatum", { "Key" => key })["RetVal"]
  end

  def Remember(k, v, shared = false)
    name = @threaded_message ? "RememberThread" : "Remember"
    callBotFunc(name, { "Key" => k, "Value" => v, "Shared" => truth(shared) })["RetVal"]
  end

  def RememberThread(k, v, shared = false)
    callBotFunc("RememberThread", { "Key" => k, "Value" => v, "Shared" => truth(shared) })["RetVal"]
  end

  def RememberContext(c, v)
    Remember("context:#{c}", v)
  end

  def RememberContextThread(c, v)
    RememberThread("context:#{c}", v)
  end

  def Recall(k, shared = false)
    callBotFunc("Recall", { "Key" => k, "Shared" => truth(shared) })["StrVal"]
  end

  def DeleteMemory(k, shared = false)
    callBotFunc("DeleteMemory", { "Key" => k, "Shared" => truth(shared) })["RetVal"]
  end

  # Pipelines

  def AddTask(name, args = [])
    callBotFunc("AddTask", { "Name" => name, "CmdArgs" => args })["RetVal"]
  end

  def AddJob(name, args = [])
    callBotFunc("AddJob", { "Name" => name, "CmdArgs" => args })["RetVal"]
  end

  def FinalTask(name, args = [])
    callBotFunc("FinalTask", { "Name" => name, "CmdArgs" => args })["RetVal"]
  end

  def FailTask(name, args = [])
    callBotFunc("FailTask", { "Name" => name, "CmdArgs" => args })["RetVal"]
  end

  def SpawnJob(name, args = [])
    callBotFunc("SpawnJob", { "Name" => name, "CmdArgs" => args })["RetVal"]
  end

  def AddCommand(name, arg)
    callBotFunc("AddCommand", { "Plugin" => name, "Command" => arg })["RetVal"]
  end

  def FinalCommand(name, arg)
    callBotFunc("FinalCommand", { "Plugin" => name, "Command" => arg })["RetVal"]
  end

  def FailCommand(name, arg)
    callBotFunc("FailCommand", { "Plugin" => name, "Command" => arg })["RetVal"]
  end

  def Exclusive(tag, queue_task = false)
    callBotFunc("Exclusive", { "Tag" => tag, "QueueTask" => queue_task ? true : false })["Boolean"]
  end

  # Rights and identity

  def CheckAdmin()
    callBotFunc("CheckAdmin", {})["Boolean"]
  end

  def Elevate(immediate = false)
    callBotFunc("Elevate", { "Immediate" => immediate ? true : false })["Boolean"]
  end

  def Subscribe()
    callBotFunc("Subscribe", {})["Boolean"]
  end

  def Unsubscribe()
    callBotFunc("Unsubscribe", {})["Boolean"]
  end

  # Returns the ciphertext and a RetVal.
  def EncryptSecret(plaintext)
    ret = callBotFunc("EncryptSecret", { "Plaintext" => plaintext })
    [ret["StrVal"], ret["RetVal"]]
  end

  # Returns the credential (a hash, or nil) and a RetVal.
  def GetIdentityCredential(provider, user)
    ret = callBotFunc("GetIdentityCredential", { "Provider" => provider, "User" => user })
    [ret["Credential"], ret["RetVal"]]
  end

  def LinkOAuth2Identity(link)
    callBotFunc("LinkOAuth2Identity", link)["RetVal"]
  end

  def UnlinkIdentity(provider, user)
    callBotFunc("UnlinkIdentity", { "Provider" => provider, "User" => user })["RetVal"]
  end

  # Chance and time

  def Pause(seconds)
    sleep(Float(seconds))
  end

  # A number from 0 to i-1; 0 if there is none.
  def RandomInt(i)
    i = Integer(i)
    i.positive? ? Random.rand(i) : 0
  end

  # One of the strings; empty if there is none.
  def RandomString(sarr)
    raise TypeError, "RandomString: the argument must be a list, not of type #{sarr.class}" unless sarr.is_a?(Array)
    sarr.empty? ? "" : sarr[RandomInt(sarr.size)]
  end

  private

  def current_thread
    @threaded_message ? @thread_id : ""
  end

  def check_memory(method, memory)
    return if memory.is_a?(Memory)
    raise TypeError, "#{method}: the argument must be what CheckoutDatum gave, not of type #{memory.class}"
  end

  def truth(value)
    ![nil, false, "", "false", 0].include?(value)
  end

  def callBotFunc(funcname, args, format = "")
    name = funcname.to_s
    format = format.to_s
    format = @format.to_s if format.empty?
    channel = Robot.api_channel
    return post(name, args, format) if channel.nil?
    answer = PLAIN[name]
    return plain(channel, name, args, format, answer) if answer
    begin
      request = JSON.generate({ "FuncName" => name, "Format" => format, "FuncArgs" => args })
    rescue JSON::GeneratorError => e
      raise RobotError, "#{name}: #{e.message.encode("UTF-8", invalid: :replace).lines.first&.chomp}"
    end
    ret = JSON.parse(channel.call(request))
    raise RobotError, "#{name}: #{ret["Error"]}" if ret.is_a?(Hash) && ret.key?("Error")
    ret
  end

  def plain(channel, name, args, format, answer)
    fields = [name, escape(format)]
    args.each do |key, value|
      items = key == "CmdArgs" && value.is_a?(Array) ? value : [value]
      items.each do |item|
        check_text(name, key, item)
        fields << "#{key}=".b + escape(item)
      end
    end
    code, value = channel.call(fields.join("\t")).split("\t", 2)
    value = value.to_s
    value = value.gsub(/\\[\\tnr]/, UNESCAPES) if value.include?("\\")
    raise RobotError, "#{name}: #{value}" if code == "!"
    ret = { "RetVal" => code.to_i }
    ret[answer] = answer == "Boolean" ? value == "true" : value unless answer.empty?
    ret
  end

  # What is no text at all is an error of the script.
  def check_text(name, key, value)
    return unless [Hash, Array, Proc, Method, Module].any? { |kind| value.is_a?(kind) }
    raise TypeError, "#{name}: the argument #{key} must be a text, not of type #{value.class}"
  end

  def escape(value)
    value.to_s.b.gsub(/[\\\t\n\r]/n, ESCAPES)
  end

  def post(name, args, format)
    url = ENV["GOPHER_HTTP_POST"].to_s
    if url.empty? || @plugin_id.to_s.empty?
      raise RobotError, "#{name}: there is no robot to call; this script was not started by one"
    end
    uri = URI.parse("#{url}/json")
    request = Net::HTTP::Post.new(uri, { "Content-Type" => "application/json", "X-Caller-ID" => @plugin_id })
    request.body = JSON.generate({ "FuncName" => name, "Format" => format, "FuncArgs" => args })
    # A prompt may take long, and a proxy of the environment has no part in loopback traffic.
    http = Net::HTTP.new(uri.host, uri.port, nil)
    http.read_timeout = nil
    response = http.request(request)
    raise RobotError, "#{name}: the robot refused the call (#{response.code})" unless response.is_a?(Net::HTTPSuccess)
    JSON.parse(response.body)
  end
end

# The robot in the context of the message (or job) that started this extension.
class Robot < BaseBot
  class << self
    # The caller id of this run, and the channel to the robot; found once per process.
    def caller_id
      @caller_id ||= begin
        id = ENV["GOPHER_CALLER_ID"].to_s
        if id == "stdin"
          id = $stdin.gets.to_s.strip
          # A script started by this one must not take a line of its own input for the id.
          ENV["GOPHER_CALLER_ID"] = "read"
        end
        id
      end
    end

    def api_channel
      return @api_channel if defined?(@api_channel)
      @api_channel = RobotChannel.inherited
    end
  end

  def initialize()
    @channel = ENV["GOPHER_CHANNEL"].to_s
    @channel_id = ENV["GOPHER_CHANNEL_ID"].to_s
    @message_id = ENV["GOPHER_MESSAGE_ID"].to_s
    @thread_id = ENV["GOPHER_THREAD_ID"].to_s
    @threaded_message = ENV["GOPHER_THREADED_MESSAGE"]
    @user = ENV["GOPHER_USER"].to_s
    @user_id = ENV["GOPHER_USER_ID"].to_s
    @protocol = ENV["GOPHER_PROTOCOL"].to_s
    @brain = ENV["GOPHER_BRAIN"].to_s
    @plugin_id = Robot.caller_id
    @caller_id = @plugin_id
    @format = ""
  end

  protected

  def take_context(bot)
    bot&.instance_variables&.each { |name| instance_variable_set(name, bot.instance_variable_get(name)) }
  end
end

# The robot talking to the user in a direct message.
class DirectBot < Robot
  def initialize(bot = nil)
    super()
    take_context(bot)
    @channel = ""
    @channel_id = ""
    @thread_id = ""
    @threaded_message = nil
  end
end

# The robot talking in the thread of the message.
class ThreadedBot < Robot
  def initialize(bot = nil)
    super()
    take_context(bot)
    @threaded_message = @channel.empty? ? nil : "true"
  end
end

# The robot with another message format.
class FormattedBot < Robot
  def initialize(format, bot = nil)
    super()
    take_context(bot)
    @format = format
  end
end
