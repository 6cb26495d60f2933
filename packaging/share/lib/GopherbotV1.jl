"""
The Robot API for extensions in Julia:

    using GopherbotV1
    robot = GopherbotV1.initialize_robot()
    GopherbotV1.say(robot, "Hello, \$(robot.user)!")

It needs nothing but Julia's standard library. Calls go to the run's HTTP endpoint, one connection each.
"""
module GopherbotV1

using Random
using Sockets

# What most functions return
const Ok = 0
const UserNotFound = 1
const ChannelNotFound = 2
const AttributeNotFound = 3
const FailedMessageSend = 4
const FailedChannelJoin = 5
const DatumNotFound = 6
const DatumLockExpired = 7
const DataFormatError = 8
const BrainFailed = 9
const InvalidDatumKey = 10
const InvalidConfigPointer = 11
const ConfigUnmarshalError = 12
const NoConfigFound = 13
const RetryPrompt = 14
const ReplyNotMatched = 15
const UseDefaultValue = 16
const TimeoutExpired = 17
const Interrupted = 18
const MatcherNotFound = 19
const NoUserEmail = 20
const NoBotEmail = 21
const MailError = 22
const TaskNotFound = 23
const MissingArguments = 24
const InvalidStage = 25
const InvalidTaskType = 26
const CommandNotMatched = 27
const TaskDisabled = 28
const PrivilegeViolation = 29
const IdentityProviderNotFound = 30
const IdentityNotLinked = 31
const IdentityReauthRequired = 32
const IdentityRefreshFailed = 33
const IdentityInvalidLinkRequest = 34
const IdentityConfigError = 35
const Failed = 63

# Exit codes of an extension
const Normal = 0
const Fail = 1
const MechanismFail = 2
const ConfigurationError = 3
const PipelineAborted = 4
const RobotStopping = 5
const NotFound = 6
const Success = 7

"An attribute of a user or of the robot; prints as its value."
struct Attribute
    attr::String
    ret::Int
end

"What a user answered to a prompt; prints as the answer."
struct Reply
    reply::String
    ret::Int
end

"A checked-out datum of the long-term memory; change `datum` and give it to `update_datum`."
mutable struct Memory
    key::String
    lock_token::String
    exists::Bool
    datum::Any
    ret::Int
end

Base.print(io::IO, attribute::Attribute) = print(io, attribute.attr)
Base.print(io::IO, reply::Reply) = print(io, reply.reply)

"The robot in the context of the message (or job) that started this extension."
mutable struct Robot
    channel::String
    channel_id::String
    message_id::String
    thread_id::String
    threaded_message::Bool
    user::String
    user_id::String
    caller_id::String
    protocol::String
    brain::String
    format::String
    prng::AbstractRNG
end

# --- JSON, as much of it as calls need

function write_json(io::IO, text::AbstractString)
    print(io, '"')
    for char in text
        if char == '"' || char == '\\'
            print(io, '\\', char)
        elseif char < ' '
            print(io, "\\u", string(UInt32(char), base = 16, pad = 4))
        elseif isvalid(char)
            print(io, char)
        else
            print(io, '\ufffd')
        end
    end
    print(io, '"')
end

write_json(io::IO, value::Union{Bool,Integer}) = print(io, value)
write_json(io::IO, value::AbstractFloat) = isfinite(value) ? print(io, value) : print(io, "null")
write_json(io::IO, ::Nothing) = print(io, "null")
write_json(io::IO, value::Symbol) = write_json(io, String(value))

function write_json(io::IO, list::Union{AbstractVector,Tuple})
    print(io, '[')
    for (index, item) in enumerate(list)
        index > 1 && print(io, ',')
        write_json(io, item)
    end
    print(io, ']')
end

function write_json(io::IO, entries::AbstractDict)
    print(io, '{')
    for (index, (key, value)) in enumerate(entries)
        index > 1 && print(io, ',')
        write_json(io, string(key))
        print(io, ':')
        write_json(io, value)
    end
    print(io, '}')
end

"A text that is read from its beginning."
mutable struct Reader
    bytes::Vector{UInt8}
    at::Int
end

parse_json(text::AbstractString) = read_value(Reader(Vector{UInt8}(codeunits(String(text))), 1))

malformed() = error("the robot's answer is not JSON")

function peek_byte(reader::Reader)::UInt8
    while reader.at <= length(reader.bytes) && reader.bytes[reader.at] in (0x20, 0x09, 0x0a, 0x0d)
        reader.at += 1
    end
    reader.at <= length(reader.bytes) || malformed()
    return reader.bytes[reader.at]
end

function take(reader::Reader, char::Char)
    peek_byte(reader) == UInt8(char) || malformed()
    reader.at += 1
end

function read_value(reader::Reader)
    byte = peek_byte(reader)
    byte == UInt8('{') && return read_object(reader)
    byte == UInt8('[') && return read_array(reader)
    byte == UInt8('"') && return read_string(reader)
    return read_word(reader)
end

function read_object(reader::Reader)
    entries = Dict{String,Any}()
    take(reader, '{')
    if peek_byte(reader) == UInt8('}')
        take(reader, '}')
        return entries
    end
    while true
        key = read_string(reader)
        take(reader, ':')
        entries[key] = read_value(reader)
        peek_byte(reader) == UInt8('}') && break
        take(reader, ',')
    end
    take(reader, '}')
    return entries
end

function read_array(reader::Reader)
    list = Any[]
    take(reader, '[')
    if peek_byte(reader) == UInt8(']')
        take(reader, ']')
        return list
    end
    while true
        push!(list, read_value(reader))
        peek_byte(reader) == UInt8(']') && break
        take(reader, ',')
    end
    take(reader, ']')
    return list
end

function read_word(reader::Reader)
    start = reader.at
    while reader.at <= length(reader.bytes) && !(reader.bytes[reader.at] in b" \t\n\r,:]}")
        reader.at += 1
    end
    word = String(reader.bytes[start:(reader.at-1)])
    word == "true" && return true
    word == "false" && return false
    word == "null" && return nothing
    whole = tryparse(Int, word)
    whole === nothing || return whole
    number = tryparse(Float64, word)
    number === nothing && malformed()
    return number
end

function read_string(reader::Reader)::String
    take(reader, '"')
    out = IOBuffer()
    while true
        reader.at <= length(reader.bytes) || malformed()
        byte = reader.bytes[reader.at]
        reader.at += 1
        byte == UInt8('"') && break
        if byte == UInt8('\\')
            read_escape(reader, out)
        else
            write(out, byte)
        end
    end
    return String(take!(out))
end

function read_escape(reader::Reader, out::IO)
    reader.at <= length(reader.bytes) || malformed()
    char = Char(reader.bytes[reader.at])
    reader.at += 1
    if char == 'u'
        code = read_code(reader)
        # A character beyond the first 65536 comes in two halves.
        if 0xd800 <= code < 0xdc00 && reader.at + 1 <= length(reader.bytes) && reader.bytes[reader.at:(reader.at+1)] == b"\\u"
            reader.at += 2
            code = 0x10000 + ((code - 0xd800) << 10) + (read_code(reader) - 0xdc00)
        end
        print(out, isvalid(Char, code) ? Char(code) : '\ufffd')
    else
        plain = get(Dict('n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f'), char, char)
        print(out, plain)
    end
end

function read_code(reader::Reader)::UInt32
    reader.at + 3 <= length(reader.bytes) || malformed()
    code = tryparse(UInt32, String(reader.bytes[reader.at:(reader.at+3)]), base = 16)
    code === nothing && malformed()
    reader.at += 4
    return code
end

# --- Calls

const global_caller_id = Ref("")

"The robot of this run. The caller id is read from the first line of standard input, once."
function initialize_robot()::Robot
    if isempty(global_caller_id[])
        id = get(ENV, "GOPHER_CALLER_ID", "")
        if id == "stdin"
            id = strip(readline(stdin))
            # A script started by this one must not take a line of its own input for the id.
            ENV["GOPHER_CALLER_ID"] = "read"
        end
        global_caller_id[] = id
    end
    value(name) = get(ENV, name, "")
    return Robot(
        value("GOPHER_CHANNEL"),
        value("GOPHER_CHANNEL_ID"),
        value("GOPHER_MESSAGE_ID"),
        value("GOPHER_THREAD_ID"),
        value("GOPHER_THREADED_MESSAGE") == "true",
        value("GOPHER_USER"),
        value("GOPHER_USER_ID"),
        global_caller_id[],
        value("GOPHER_PROTOCOL"),
        value("GOPHER_BRAIN"),
        "",
        MersenneTwister(),
    )
end

"One call of the Robot API by name; the answer is a dictionary, for GetTaskConfig whatever the configuration is."
function send_command(robot::Robot, name::AbstractString, args::AbstractDict = Dict{String,Any}(), format::AbstractString = "")
    url = get(ENV, "GOPHER_HTTP_POST", "")
    found = match(r"^http://([^:/]+):(\d+)", url)
    if found === nothing || isempty(robot.caller_id)
        error("$name: there is no robot to call; this script was not started by one")
    end
    request = Dict("FuncName" => name, "Format" => isempty(format) ? robot.format : format, "FuncArgs" => args)
    body = sprint(write_json, request)
    socket = connect(String(found[1]), parse(Int, found[2]))
    answer = try
        write(
            socket,
            "POST /json HTTP/1.0\r\nHost: $(found[1]):$(found[2])\r\nX-Caller-ID: $(robot.caller_id)\r\n" *
            "Content-Type: application/json\r\nContent-Length: $(sizeof(body))\r\n\r\n$body",
        )
        read(socket, String)
    finally
        close(socket)
    end
    parts = split(answer, "\r\n\r\n", limit = 2)
    status = first(split(answer, "\r\n", limit = 2))
    if length(parts) < 2 || match(r"^HTTP/\S+ 200\b", status) === nothing
        error("$name: the robot refused the call ($status)")
    end
    return parse_json(parts[2])
end

call(robot, name, pairs::Pair...; format = "") = send_command(robot, name, Dict{String,Any}(pairs...), String(format))
ret_val(answer) = Int(get(answer, "RetVal", Failed))
boolean(answer) = get(answer, "Boolean", false) === true
text(answer) = String(get(answer, "StrVal", ""))
thread_of(robot::Robot) = robot.threaded_message ? robot.thread_id : ""

# --- Contexts

function changed(robot::Robot; fields...)::Robot
    other = Robot((getfield(robot, name) for name in fieldnames(Robot))...)
    for (name, value) in fields
        setfield!(other, name, value)
    end
    return other
end

"The robot talking to the user in a direct message."
direct(robot::Robot) = changed(robot, channel = "", channel_id = "", thread_id = "", threaded_message = false)
"The robot talking in the thread of the message."
threaded(robot::Robot) = changed(robot, threaded_message = !isempty(robot.channel))
"The robot with another message format: Raw, Fixed, Variable or BasicMarkdown."
message_format(robot::Robot, format::AbstractString) = changed(robot, format = String(format))
"The robot with text in fixed width."
fixed(robot::Robot) = message_format(robot, "Fixed")

DirectBot() = direct(initialize_robot())
ThreadedBot() = threaded(initialize_robot())
FormattedBot(format::AbstractString) = message_format(initialize_robot(), format)

# --- Messages

send_channel_message(robot::Robot, channel, message, format = "") =
    send_channel_thread_message(robot, channel, "", message, format)

send_channel_thread_message(robot::Robot, channel, thread, message, format = "") = ret_val(
    call(robot, "SendChannelThreadMessage", "Channel" => channel, "Thread" => thread, "Message" => message; format),
)

send_user_message(robot::Robot, user, message, format = "") =
    ret_val(call(robot, "SendUserMessage", "User" => user, "Message" => message; format))

send_user_channel_message(robot::Robot, user, channel, message, format = "") =
    send_user_channel_thread_message(robot, user, channel, "", message, format)

send_user_channel_thread_message(robot::Robot, user, channel, thread, message, format = "") = ret_val(
    call(
        robot,
        "SendUserChannelThreadMessage",
        "User" => user,
        "Channel" => channel,
        "Thread" => thread,
        "Message" => message;
        format,
    ),
)

send_protocol_user_channel_message(robot::Robot, protocol, user, channel, message, format = "") = ret_val(
    call(
        robot,
        "SendProtocolUserChannelMessage",
        "Protocol" => protocol,
        "User" => user,
        "Channel" => channel,
        "Message" => message;
        format,
    ),
)

function speak(robot::Robot, thread, message, format)
    isempty(robot.channel) && return send_user_message(robot, robot.user, message, format)
    return send_channel_thread_message(robot, robot.channel, thread, message, format)
end

function answer_user(robot::Robot, thread, message, format)
    isempty(robot.channel) && return send_user_message(robot, robot.user, message, format)
    return send_user_channel_thread_message(robot, robot.user, robot.channel, thread, message, format)
end

say(robot::Robot, message, format = "") = speak(robot, thread_of(robot), message, format)
say_thread(robot::Robot, message, format = "") = speak(robot, robot.thread_id, message, format)
reply(robot::Robot, message, format = "") = answer_user(robot, thread_of(robot), message, format)
reply_thread(robot::Robot, message, format = "") = answer_user(robot, robot.thread_id, message, format)

# --- Prompts

prompt_for_reply(robot::Robot, regex_id, prompt) =
    prompt_user_channel_thread_for_reply(robot, regex_id, robot.user, robot.channel, thread_of(robot), prompt)

prompt_thread_for_reply(robot::Robot, regex_id, prompt) =
    prompt_user_channel_thread_for_reply(robot, regex_id, robot.user, robot.channel, robot.thread_id, prompt)

prompt_user_for_reply(robot::Robot, regex_id, prompt) = prompt_user_for_reply(robot, regex_id, robot.user, prompt)

prompt_user_for_reply(robot::Robot, regex_id, user, prompt) =
    prompt_user_channel_thread_for_reply(robot, regex_id, user, "", "", prompt)

prompt_user_channel_for_reply(robot::Robot, regex_id, user, channel, prompt) =
    prompt_user_channel_thread_for_reply(robot, regex_id, user, channel, "", prompt)

function prompt_user_channel_thread_for_reply(robot::Robot, regex_id, user, channel, thread, prompt)::Reply
    for _ in 1:3
        answer = call(
            robot,
            "PromptUserChannelThreadForReply",
            "RegexID" => regex_id,
            "User" => user,
            "Channel" => channel,
            "Thread" => thread,
            "Prompt" => prompt,
        )
        ret = ret_val(answer)
        ret == RetryPrompt || return Reply(get(answer, "Reply", ""), ret)
    end
    return Reply("", Interrupted)
end

# --- Attributes, configuration, parameters, log

attribute(answer) = Attribute(get(answer, "Attribute", ""), ret_val(answer))

get_bot_attribute(robot::Robot, attr) = attribute(call(robot, "GetBotAttribute", "Attribute" => attr))
get_sender_attribute(robot::Robot, attr) = attribute(call(robot, "GetSenderAttribute", "Attribute" => attr))
get_user_attribute(robot::Robot, user, attr) =
    attribute(call(robot, "GetUserAttribute", "User" => user, "Attribute" => attr))

get_task_config(robot::Robot) = call(robot, "GetTaskConfig")
get_help_metadata(robot::Robot, query = "") = text(call(robot, "GetHelpMetadata", "Query" => query))
get_parameter(robot::Robot, name) = text(call(robot, "GetParameter", "Parameter" => name))
set_parameter(robot::Robot, name, value) = boolean(call(robot, "SetParameter", "Name" => name, "Value" => value))
set_working_directory(robot::Robot, path) = boolean(call(robot, "SetWorkingDirectory", "Path" => path))
log_message(robot::Robot, level, message) = ret_val(call(robot, "Log", "Level" => level, "Message" => message))

# --- Memory

function checkout_datum(robot::Robot, key, rw::Bool)::Memory
    answer = call(robot, "CheckoutDatum", "Key" => key, "RW" => rw)
    exists = get(answer, "Exists", false) === true
    return Memory(key, get(answer, "LockToken", ""), exists, get(answer, "Datum", nothing), ret_val(answer))
end

update_datum(robot::Robot, memory::Memory) =
    ret_val(call(robot, "UpdateDatum", "Key" => memory.key, "Token" => memory.lock_token, "Datum" => memory.datum))

checkin_datum(robot::Robot, memory::Memory) =
    ret_val(call(robot, "CheckinDatum", "Key" => memory.key, "Token" => memory.lock_token))

delete_datum(robot::Robot, key) = ret_val(call(robot, "DeleteDatum", "Key" => key))

remember_as(robot, name, key, value, shared) =
    ret_val(call(robot, name, "Key" => key, "Value" => value, "Shared" => shared))

remember(robot::Robot, key, value, shared::Bool = false) =
    remember_as(robot, robot.threaded_message ? "RememberThread" : "Remember", key, value, shared)

remember_thread(robot::Robot, key, value, shared::Bool = false) =
    remember_as(robot, "RememberThread", key, value, shared)

remember_context(robot::Robot, context, value) = remember(robot, "context:$context", value)
remember_context_thread(robot::Robot, context, value) = remember_thread(robot, "context:$context", value)
recall(robot::Robot, key, shared::Bool = false) = text(call(robot, "Recall", "Key" => key, "Shared" => shared))

delete_memory(robot::Robot, key, shared::Bool = false) =
    ret_val(call(robot, "DeleteMemory", "Key" => key, "Shared" => shared))

# --- Pipelines

step(robot, list, name, args) = ret_val(call(robot, list, "Name" => name, "CmdArgs" => collect(String, args)))

add_task(robot::Robot, name, args = String[]) = step(robot, "AddTask", name, args)
final_task(robot::Robot, name, args = String[]) = step(robot, "FinalTask", name, args)
fail_task(robot::Robot, name, args = String[]) = step(robot, "FailTask", name, args)
add_job(robot::Robot, name, args = String[]) = step(robot, "AddJob", name, args)
spawn_job(robot::Robot, name, args = String[]) = step(robot, "SpawnJob", name, args)

command(robot, list, plugin, cmd) = ret_val(call(robot, list, "Plugin" => plugin, "Command" => cmd))

add_command(robot::Robot, plugin, cmd) = command(robot, "AddCommand", plugin, cmd)
final_command(robot::Robot, plugin, cmd) = command(robot, "FinalCommand", plugin, cmd)
fail_command(robot::Robot, plugin, cmd) = command(robot, "FailCommand", plugin, cmd)

exclusive(robot::Robot, tag, queue_task::Bool = false) =
    boolean(call(robot, "Exclusive", "Tag" => tag, "QueueTask" => queue_task))

# --- Rights and identity

check_admin(robot::Robot) = boolean(call(robot, "CheckAdmin"))
subscribe(robot::Robot) = boolean(call(robot, "Subscribe"))
unsubscribe(robot::Robot) = boolean(call(robot, "Unsubscribe"))
elevate(robot::Robot, immediate::Bool = false) = boolean(call(robot, "Elevate", "Immediate" => immediate))

"The ciphertext, and one of the return values."
function encrypt_secret(robot::Robot, plaintext)
    answer = call(robot, "EncryptSecret", "Plaintext" => plaintext)
    return text(answer), ret_val(answer)
end

"Mails whoever the run answers; comes back when the mail server has taken it or not."
email(robot::Robot, subject, body, html::Bool = false) =
    ret_val(call(robot, "Email", "Subject" => subject, "Body" => body, "HTML" => html))

email_user(robot::Robot, user, subject, body, html::Bool = false) =
    ret_val(call(robot, "EmailUser", "User" => user, "Subject" => subject, "Body" => body, "HTML" => html))

email_address(robot::Robot, address, subject, body, html::Bool = false) =
    ret_val(call(robot, "EmailAddress", "Address" => address, "Subject" => subject, "Body" => body, "HTML" => html))

"The credential (a dictionary, or nothing), and one of the return values."
function get_identity_credential(robot::Robot, provider, user)
    answer = call(robot, "GetIdentityCredential", "Provider" => provider, "User" => user)
    return get(answer, "Credential", nothing), ret_val(answer)
end

link_oauth2_identity(robot::Robot, link::AbstractDict) = ret_val(send_command(robot, "LinkOAuth2Identity", link))
unlink_identity(robot::Robot, provider, user) =
    ret_val(call(robot, "UnlinkIdentity", "Provider" => provider, "User" => user))

# --- Chance and time

pause_robot(::Robot, seconds::Real) = sleep(seconds)
"A number from 1 to `i`, as Julia counts; 0 if there is none."
random_int(robot::Robot, i::Integer) = i > 0 ? rand(robot.prng, 1:i) : 0
"One of the strings; empty if there is none."
random_string(robot::Robot, list::AbstractVector) = isempty(list) ? "" : rand(robot.prng, list)

end
