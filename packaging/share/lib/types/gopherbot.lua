---@meta gopherbot_v1

-- What editors with the Lua language server know of the Robot API. Nothing runs this file: name its directory in
-- `workspace.library` of .luarc.json, and `require "gopherbot_v1"` is understood.

---@alias gopherbot.format integer one of `fmt`; the robot's own if it is not given

---What most methods return.
---@class gopherbot.ret
---@field Ok 0
---@field UserNotFound 1
---@field ChannelNotFound 2
---@field AttributeNotFound 3
---@field FailedMessageSend 4
---@field FailedChannelJoin 5
---@field DatumNotFound 6
---@field DatumLockExpired 7
---@field DataFormatError 8
---@field BrainFailed 9
---@field InvalidDatumKey 10
---@field InvalidConfigPointer 11
---@field ConfigUnmarshalError 12
---@field NoConfigFound 13
---@field RetryPrompt 14
---@field ReplyNotMatched 15
---@field UseDefaultValue 16
---@field TimeoutExpired 17
---@field Interrupted 18
---@field MatcherNotFound 19
---@field NoUserEmail 20
---@field NoBotEmail 21
---@field MailError 22
---@field TaskNotFound 23
---@field MissingArguments 24
---@field InvalidStage 25
---@field InvalidTaskType 26
---@field CommandNotMatched 27
---@field TaskDisabled 28
---@field PrivilegeViolation 29
---@field IdentityProviderNotFound 30
---@field IdentityNotLinked 31
---@field IdentityReauthRequired 32
---@field IdentityRefreshFailed 33
---@field IdentityInvalidLinkRequest 34
---@field IdentityConfigError 35
---@field Failed 63
local ret = {}

---The name of a number.
---@param number integer
---@return string
function ret:string(number) end

---What an extension ends with.
---@class gopherbot.task
---@field Normal 0
---@field Fail 1
---@field MechanismFail 2
---@field ConfigurationError 3
---@field PipelineAborted 4
---@field RobotStopping 5
---@field NotFound 6
---@field Success 7
local task = {}

---The name of a number.
---@param number integer
---@return string
function task:string(number) end

---Levels of `Log`.
---@class gopherbot.log
---@field Trace 0
---@field Debug 1
---@field Info 2
---@field Audit 3
---@field Warn 4
---@field Error 5
---@field Fatal 6
local log = {}

---The name of a number.
---@param number integer
---@return string
function log:string(number) end

---Formats of messages.
---@class gopherbot.fmt
---@field Raw 0
---@field Fixed 1
---@field Variable 2
---@field BasicMarkdown 3
local fmt = {}

---The name of a number.
---@param number integer
---@return string
function fmt:string(number) end

---Chat services; `protocol` of a robot is the name in lower case.
---@class gopherbot.proto
---@field Slack 0
---@field GoogleChat 1
---@field Rocket 2
---@field Terminal 3
---@field Test 4
---@field Null 5
---@field SSH 6
local proto = {}

---The name of a number.
---@param number integer
---@return string
function proto:string(number) end

---What is remembered under a key.
---@class gopherbot.Memory
---@field key string
---@field exists boolean
---@field datum any nil if it does not exist
---@field token string stands for the lock, if it was checked out for changing
---@field retVal integer one of `ret`

---What is sent along with requests in a user's name.
---@class gopherbot.Credential
---@field type string
---@field value string
---@field scheme string
---@field header_name string
---@field header_value string
---@field expires_at string
---@field metadata table

---The robot of a run.
---@class gopherbot.Robot
---@field user string Who gave the command; empty if nobody did.
---@field user_id string Without brackets, as every id here.
---@field channel string Empty in a direct message.
---@field channel_id string
---@field thread_id string
---@field message_id string
---@field protocol string The chat service, in lower case.
---@field brain string
---@field threaded_message boolean The message stands in a thread.
---@field type string
local Robot = {}

---The robot of this run, or the one given.
---@param gbot? userdata
---@return gopherbot.Robot
function Robot:new(gbot) end

---A robot that speaks to the user alone.
---@return gopherbot.Robot
function Robot:Direct() end

---A robot that speaks in the thread of the message.
---@return gopherbot.Robot
function Robot:Threaded() end

---A robot that speaks in a fixed-width font.
---@return gopherbot.Robot
function Robot:Fixed() end

---A robot that speaks in another format.
---@param format gopherbot.format
---@return gopherbot.Robot
function Robot:MessageFormat(format) end

-- Messages

---Says something where the message came from.
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:Say(text, format) end

---Says something to the user, where the message came from.
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:Reply(text, format) end

---Says something in the thread of the message.
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:SayThread(text, format) end

---Says something to the user, in the thread of the message.
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:ReplyThread(text, format) end

---Says something in a channel.
---@param channel string
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:SendChannelMessage(channel, text, format) end

---Says something in a thread of a channel.
---@param channel string
---@param thread string
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:SendChannelThreadMessage(channel, thread, text, format) end

---Sends a direct message.
---@param user string
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:SendUserMessage(user, text, format) end

---Says something to somebody in a channel.
---@param user string
---@param channel string
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:SendUserChannelMessage(user, channel, text, format) end

---Says something to somebody in a thread of a channel.
---@param user string
---@param channel string
---@param thread string
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:SendUserChannelThreadMessage(user, channel, thread, text, format) end

---Speaks through another chat service; the user or the channel may be empty.
---@param protocol string
---@param user string
---@param channel string
---@param text string
---@param format? gopherbot.format
---@return integer ret one of `ret`
function Robot:SendProtocolUserChannelMessage(protocol, user, channel, text, format) end

-- Prompts

---Asks the user, where the message came from.
---@param matcher string
---@param prompt string
---@param format? gopherbot.format
---@return string reply
---@return integer ret `ret.Ok` if it counts
function Robot:PromptForReply(matcher, prompt, format) end

---Asks the user in the thread of the message.
---@param matcher string
---@param prompt string
---@param format? gopherbot.format
---@return string reply
---@return integer ret `ret.Ok` if it counts
function Robot:PromptThreadForReply(matcher, prompt, format) end

---Asks somebody in a direct message.
---@param matcher string
---@param user string
---@param prompt string
---@param format? gopherbot.format
---@return string reply
---@return integer ret `ret.Ok` if it counts
function Robot:PromptUserForReply(matcher, user, prompt, format) end

---Asks somebody in a channel.
---@param matcher string
---@param user string
---@param channel string
---@param prompt string
---@param format? gopherbot.format
---@return string reply
---@return integer ret `ret.Ok` if it counts
function Robot:PromptUserChannelForReply(matcher, user, channel, prompt, format) end

---Asks somebody in a thread of a channel.
---@param matcher string
---@param user string
---@param channel string
---@param thread string
---@param prompt string
---@param format? gopherbot.format
---@return string reply
---@return integer ret `ret.Ok` if it counts
function Robot:PromptUserChannelThreadForReply(matcher, user, channel, thread, prompt, format) end

-- Rights and identity

---Whether the user is an administrator.
---@return boolean
function Robot:CheckAdmin() end

---Takes all further messages of this thread.
---@return boolean
function Robot:Subscribe() end

---No longer takes the messages of this thread.
---@return boolean
function Robot:Unsubscribe() end

---Has the user prove who they are; each time if `immediate`.
---@param immediate? boolean
---@return boolean
function Robot:Elevate(immediate) end

---Encrypts a text for the variables files of the robot.
---@param plaintext string
---@return string ciphertext
---@return integer ret one of `ret`
function Robot:EncryptSecret(plaintext) end

---Mails whoever the run answers; comes back when the mail server has taken it or not.
---@param subject string
---@param body string
---@param html? boolean
---@return integer ret one of `ret`
function Robot:Email(subject, body, html) end

---Mails a user of the roster.
---@param user string
---@param subject string
---@param body string
---@param html? boolean
---@return integer ret one of `ret`
function Robot:EmailUser(user, subject, body, html) end

---Mails an address.
---@param address string
---@param subject string
---@param body string
---@param html? boolean
---@return integer ret one of `ret`
function Robot:EmailAddress(address, subject, body, html) end

---What a user has linked, to be sent along with requests.
---@param provider string
---@param user string
---@return gopherbot.Credential? credential
---@return integer ret one of `ret`
function Robot:GetIdentityCredential(provider, user) end

---Links a user's tokens.
---@param link table
---@return integer ret one of `ret`
function Robot:LinkOAuth2Identity(link) end

---Forgets what a user has linked.
---@param provider string
---@param user string
---@return integer ret one of `ret`
function Robot:UnlinkIdentity(provider, user) end

-- Knowing

---An attribute of the robot.
---@param attribute string
---@return string value
---@return integer ret one of `ret`
function Robot:GetBotAttribute(attribute) end

---An attribute of the user.
---@param attribute string
---@return string value
---@return integer ret one of `ret`
function Robot:GetSenderAttribute(attribute) end

---An attribute of somebody.
---@param user string
---@param attribute string
---@return string value
---@return integer ret one of `ret`
function Robot:GetUserAttribute(user, attribute) end

---The `Config` of the extension.
---@return table? config
---@return integer ret one of `ret`
function Robot:GetTaskConfig() end

---A parameter or a value of the environment; empty if there is none.
---@param parameter string
---@return string
function Robot:GetParameter(parameter) end

---A parameter for the steps that follow.
---@param name string
---@param value string
---@return boolean
function Robot:SetParameter(name, value) end

---What the user may use, as JSON text.
---@param query string
---@return string
function Robot:GetHelpMetadata(query) end

---A line in the robot's log.
---@param level integer|string
---@param text string
function Robot:Log(level, text) end

-- Pipelines

---Lets one pipeline with this tag run at a time; others wait if `queue`.
---@param tag string
---@param queue? boolean
---@return boolean
function Robot:Exclusive(tag, queue) end

---Adds a task to the pipeline.
---@param name string
---@param ... string
---@return integer ret one of `ret`
function Robot:AddTask(name, ...) end

---Adds a task that runs at the end, whatever happens.
---@param name string
---@param ... string
---@return integer ret one of `ret`
function Robot:FinalTask(name, ...) end

---Adds a task that runs if the pipeline fails.
---@param name string
---@param ... string
---@return integer ret one of `ret`
function Robot:FailTask(name, ...) end

---Adds a job to the pipeline.
---@param name string
---@param ... string
---@return integer ret one of `ret`
function Robot:AddJob(name, ...) end

---Starts a job in a pipeline of its own.
---@param name string
---@param ... string
---@return integer ret one of `ret`
function Robot:SpawnJob(name, ...) end

---Adds a command of a plugin to the pipeline.
---@param plugin string
---@param command string
---@return integer ret one of `ret`
function Robot:AddCommand(plugin, command) end

---Adds a command that runs at the end, whatever happens.
---@param plugin string
---@param command string
---@return integer ret one of `ret`
function Robot:FinalCommand(plugin, command) end

---Adds a command that runs if the pipeline fails.
---@param plugin string
---@param command string
---@return integer ret one of `ret`
function Robot:FailCommand(plugin, command) end

---Where the steps that follow run.
---@param path string
---@return boolean
function Robot:SetWorkingDirectory(path) end

-- Memory

---A memory, for changing if `write`.
---@param key string
---@param write? boolean
---@return gopherbot.Memory memory
---@return integer ret one of `ret`
function Robot:CheckoutDatum(key, write) end

---Remembers the `datum` of a memory that was checked out for changing.
---@param memory gopherbot.Memory
---@return integer ret one of `ret`
function Robot:UpdateDatum(memory) end

---Gives a memory back unchanged.
---@param memory gopherbot.Memory
function Robot:CheckinDatum(memory) end

---Forgets a memory.
---@param key string
---@return integer ret one of `ret`
function Robot:DeleteDatum(key) end

---Remembers for some minutes, for this user, or for everybody in the channel if `shared`.
---@param key string
---@param value string
---@param shared? boolean
function Robot:Remember(key, value, shared) end

---Remembers for this thread.
---@param key string
---@param value string
---@param shared? boolean
function Robot:RememberThread(key, value, shared) end

---What `it` stands for.
---@param context string
---@param value string
function Robot:RememberContext(context, value) end

---What `it` stands for in this thread.
---@param context string
---@param value string
function Robot:RememberContextThread(context, value) end

---What is remembered; empty if nothing is.
---@param key string
---@param shared? boolean
---@return string
function Robot:Recall(key, shared) end

---Forgets what was remembered.
---@param key string
---@param shared? boolean
function Robot:DeleteMemory(key, shared) end

-- Chance and time

---Waits.
---@param seconds number
function Robot:Pause(seconds) end

---From 0 to below `n`.
---@param n integer
---@return integer
function Robot:RandomInt(n) end

---One of a list; empty if that is.
---@param list string[]
---@return string
function Robot:RandomString(list) end

---@class gopherbot
---@field Robot gopherbot.Robot
---@field ret gopherbot.ret
---@field task gopherbot.task
---@field log gopherbot.log
---@field fmt gopherbot.fmt
---@field proto gopherbot.proto
local gopherbot = { Robot = Robot, ret = ret, task = task, log = log, fmt = fmt, proto = proto }

return gopherbot
