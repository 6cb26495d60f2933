/**
 * The robot for extensions in JavaScript:
 *
 *     const { Robot, task } = require("gopherbot_v1")();
 *     const bot = new Robot();
 *     bot.Say(`Hello, ${bot.user}`);
 *     task.Normal;
 *
 * @module gopherbot_v1
 */
"use strict";

/**
 * A table of names and numbers; its `string(number)` tells the name of a number.
 * @param {Object<number, string>} names
 * @param {string} unknown what other numbers are called
 */
function numbered(names, unknown) {
  const table = {};
  for (const [number, name] of Object.entries(names)) {
    table[name] = Number(number);
  }
  const string = (number) => (Object.hasOwn(names, number) ? names[number] : unknown);
  return Object.freeze(Object.defineProperty(table, "string", { value: string }));
}

/** What most methods return. */
const ret = numbered(
  {
    0: "Ok",
    1: "UserNotFound",
    2: "ChannelNotFound",
    3: "AttributeNotFound",
    4: "FailedMessageSend",
    5: "FailedChannelJoin",
    6: "DatumNotFound",
    7: "DatumLockExpired",
    8: "DataFormatError",
    9: "BrainFailed",
    10: "InvalidDatumKey",
    11: "InvalidConfigPointer",
    12: "ConfigUnmarshalError",
    13: "NoConfigFound",
    14: "RetryPrompt",
    15: "ReplyNotMatched",
    16: "UseDefaultValue",
    17: "TimeoutExpired",
    18: "Interrupted",
    19: "MatcherNotFound",
    20: "NoUserEmail",
    21: "NoBotEmail",
    22: "MailError",
    23: "TaskNotFound",
    24: "MissingArguments",
    25: "InvalidStage",
    26: "InvalidTaskType",
    27: "CommandNotMatched",
    28: "TaskDisabled",
    29: "PrivilegeViolation",
    30: "IdentityProviderNotFound",
    31: "IdentityNotLinked",
    32: "IdentityReauthRequired",
    33: "IdentityRefreshFailed",
    34: "IdentityInvalidLinkRequest",
    35: "IdentityConfigError",
    63: "Failed",
  },
  "UnknownRetVal",
);

/** What an extension ends with. */
const task = numbered(
  {
    0: "Normal",
    1: "Fail",
    2: "MechanismFail",
    3: "ConfigurationError",
    4: "PipelineAborted",
    5: "RobotStopping",
    6: "NotFound",
    7: "Success",
  },
  "UnknownTaskRetVal",
);

/** Levels of `bot.Log`. */
const log = numbered(
  { 0: "Trace", 1: "Debug", 2: "Info", 3: "Audit", 4: "Warn", 5: "Error", 6: "Fatal" },
  "UnknownLogLevel",
);

/** Formats of messages. */
const fmt = numbered({ 0: "Raw", 1: "Fixed", 2: "Variable", 3: "BasicMarkdown" }, "UnknownMessageFormat");

/** Chat services; `bot.protocol` is the name in lower case. */
const proto = numbered(
  { 0: "Slack", 1: "GoogleChat", 2: "Rocket", 3: "Terminal", 4: "Test", 5: "Null", 6: "SSH" },
  "UnknownProtocol",
);

/**
 * What is remembered under a key.
 * @typedef {Object} Memory
 * @property {string} key
 * @property {boolean} exists
 * @property {*} datum an empty object if it does not exist
 * @property {string} token stands for the lock, if it was checked out for writing
 * @property {number} retVal one of `ret`
 */

/** The robot of a run. */
class Robot {
  /** @param {object} [gbot] the robot of this run if it is not given */
  constructor(gbot = GBOT) {
    this.gbot = gbot;
    this.user = gbot.user;
    this.user_id = gbot.user_id;
    this.channel = gbot.channel;
    this.channel_id = gbot.channel_id;
    this.thread_id = gbot.thread_id;
    this.message_id = gbot.message_id;
    this.protocol = gbot.protocol;
    this.brain = gbot.brain;
    this.threaded_message = gbot.threaded_message;
    this.type = gbot.type;
  }

  /** A robot that speaks to the user alone. @returns {Robot} */
  Direct() {
    return new Robot(this.gbot.Direct());
  }

  /** A robot that speaks in the thread of the message. @returns {Robot} */
  Threaded() {
    return new Robot(this.gbot.Threaded());
  }

  /** A robot that speaks in a fixed-width font. @returns {Robot} */
  Fixed() {
    return new Robot(this.gbot.Fixed());
  }

  /** A robot that speaks in another format, one of `fmt`. @returns {Robot} */
  MessageFormat(format) {
    return new Robot(this.gbot.MessageFormat(format));
  }

  // Messages: each takes a format as its last argument if it is to have another, and returns one of `ret`.

  /** Says something where the message came from. @returns {number} */
  Say(text, format) {
    return this.gbot.Say(text, format);
  }

  /** Says something to the user, where the message came from. @returns {number} */
  Reply(text, format) {
    return this.gbot.Reply(text, format);
  }

  /** Says something in the thread of the message. @returns {number} */
  SayThread(text, format) {
    return this.gbot.SayThread(text, format);
  }

  /** Says something to the user, in the thread of the message. @returns {number} */
  ReplyThread(text, format) {
    return this.gbot.ReplyThread(text, format);
  }

  /** @returns {number} */
  SendChannelMessage(channel, text, format) {
    return this.gbot.SendChannelMessage(channel, text, format);
  }

  /** @returns {number} */
  SendChannelThreadMessage(channel, thread, text, format) {
    return this.gbot.SendChannelThreadMessage(channel, thread, text, format);
  }

  /** A direct message. @returns {number} */
  SendUserMessage(user, text, format) {
    return this.gbot.SendUserMessage(user, text, format);
  }

  /** @returns {number} */
  SendUserChannelMessage(user, channel, text, format) {
    return this.gbot.SendUserChannelMessage(user, channel, text, format);
  }

  /** @returns {number} */
  SendUserChannelThreadMessage(user, channel, thread, text, format) {
    return this.gbot.SendUserChannelThreadMessage(user, channel, thread, text, format);
  }

  /** Through another chat service; the user or the channel may be empty. @returns {number} */
  SendProtocolUserChannelMessage(protocol, user, channel, text, format) {
    return this.gbot.SendProtocolUserChannelMessage(protocol, user, channel, text, format);
  }

  // Prompts: the reply has to match the matcher; it counts if `retVal` is `ret.Ok`.

  /** Asks the user, where the message came from. @returns {{reply: string, retVal: number}} */
  PromptForReply(matcher, prompt, format) {
    return this.gbot.PromptForReply(matcher, prompt, format);
  }

  /** Asks the user in the thread of the message. @returns {{reply: string, retVal: number}} */
  PromptThreadForReply(matcher, prompt, format) {
    return this.gbot.PromptThreadForReply(matcher, prompt, format);
  }

  /** Asks somebody in a direct message. @returns {{reply: string, retVal: number}} */
  PromptUserForReply(matcher, user, prompt, format) {
    return this.gbot.PromptUserForReply(matcher, user, prompt, format);
  }

  /** @returns {{reply: string, retVal: number}} */
  PromptUserChannelForReply(matcher, user, channel, prompt, format) {
    return this.gbot.PromptUserChannelForReply(matcher, user, channel, prompt, format);
  }

  /** @returns {{reply: string, retVal: number}} */
  PromptUserChannelThreadForReply(matcher, user, channel, thread, prompt, format) {
    return this.gbot.PromptUserChannelThreadForReply(matcher, user, channel, thread, prompt, format);
  }

  /** Whether the user is an administrator. @returns {boolean} */
  CheckAdmin() {
    return this.gbot.CheckAdmin();
  }

  /** Takes all further messages of this thread. @returns {boolean} */
  Subscribe() {
    return this.gbot.Subscribe();
  }

  /** @returns {boolean} */
  Unsubscribe() {
    return this.gbot.Unsubscribe();
  }

  /** Has the user prove who they are; each time if `immediate`. @returns {boolean} */
  Elevate(immediate) {
    return this.gbot.Elevate(immediate);
  }

  /** @returns {{ciphertext: string, retVal: number}} */
  EncryptSecret(plaintext) {
    return this.gbot.EncryptSecret(plaintext);
  }

  /** Sends a mail to whoever gave the command; HTML if `html`. @returns {number} */
  Email(subject, body, html) {
    return this.gbot.Email(subject, body, html);
  }

  /** @returns {number} */
  EmailUser(user, subject, body, html) {
    return this.gbot.EmailUser(user, subject, body, html);
  }

  /** @returns {number} */
  EmailAddress(address, subject, body, html) {
    return this.gbot.EmailAddress(address, subject, body, html);
  }

  /** @returns {{attribute: string, retVal: number}} */
  GetBotAttribute(attribute) {
    return this.gbot.GetBotAttribute(attribute);
  }

  /** @returns {{attribute: string, retVal: number}} */
  GetSenderAttribute(attribute) {
    return this.gbot.GetSenderAttribute(attribute);
  }

  /** @returns {{attribute: string, retVal: number}} */
  GetUserAttribute(user, attribute) {
    return this.gbot.GetUserAttribute(user, attribute);
  }

  /** The `Config` of the extension, null if it has none. @returns {{config: *, retVal: number}} */
  GetTaskConfig() {
    return this.gbot.GetTaskConfig();
  }

  /** Empty if there is none. @returns {string} */
  GetParameter(parameter) {
    return this.gbot.GetParameter(parameter);
  }

  /** For the extensions that follow in the pipeline. @returns {boolean} */
  SetParameter(name, value) {
    return this.gbot.SetParameter(name, value);
  }

  /** @returns {string} JSON */
  GetHelpMetadata(query) {
    return this.gbot.GetHelpMetadata(query);
  }

  /** @returns {{credential: ?object, retVal: number}} */
  GetIdentityCredential(provider, user) {
    return this.gbot.GetIdentityCredential(provider, user);
  }

  /** @returns {number} */
  LinkOAuth2Identity(link) {
    return this.gbot.LinkOAuth2Identity(link);
  }

  /** @returns {number} */
  UnlinkIdentity(provider, user) {
    return this.gbot.UnlinkIdentity(provider, user);
  }

  /** Lets one pipeline with this tag run at a time; others wait if `queue`. @returns {boolean} */
  Exclusive(tag, queue) {
    return this.gbot.Exclusive(tag, queue);
  }

  // What is added to the pipeline; each returns one of `ret`.

  /** @returns {number} */
  AddTask(name, ...args) {
    return this.gbot.AddTask(name, ...args);
  }

  /** @returns {number} */
  FinalTask(name, ...args) {
    return this.gbot.FinalTask(name, ...args);
  }

  /** @returns {number} */
  FailTask(name, ...args) {
    return this.gbot.FailTask(name, ...args);
  }

  /** @returns {number} */
  AddJob(name, ...args) {
    return this.gbot.AddJob(name, ...args);
  }

  /** Starts a job in a pipeline of its own. @returns {number} */
  SpawnJob(name, ...args) {
    return this.gbot.SpawnJob(name, ...args);
  }

  /** @returns {number} */
  AddCommand(plugin, command) {
    return this.gbot.AddCommand(plugin, command);
  }

  /** @returns {number} */
  FinalCommand(plugin, command) {
    return this.gbot.FinalCommand(plugin, command);
  }

  /** @returns {number} */
  FailCommand(plugin, command) {
    return this.gbot.FailCommand(plugin, command);
  }

  /** Where the extensions that follow run. @returns {boolean} */
  SetWorkingDirectory(path) {
    return this.gbot.SetWorkingDirectory(path);
  }

  /** A memory, for changing if `write`. @returns {Memory} */
  CheckoutDatum(key, write) {
    return { key, ...this.gbot.CheckoutDatum(key, write) };
  }

  /** Remembers the `datum` of a memory that was checked out for changing. @param {Memory} memory @returns {number} */
  UpdateDatum(memory) {
    return this.gbot.UpdateDatum(memory);
  }

  /** Gives a memory back unchanged. @param {Memory} memory */
  CheckinDatum(memory) {
    this.gbot.CheckinDatum(memory);
  }

  /** @returns {number} */
  DeleteDatum(key) {
    return this.gbot.DeleteDatum(key);
  }

  /** For some minutes, for this user, or everybody in the channel if `shared`. */
  Remember(key, value, shared) {
    this.gbot.Remember(key, value, shared);
  }

  /** For this thread. */
  RememberThread(key, value, shared) {
    this.gbot.RememberThread(key, value, shared);
  }

  /** What "it" stands for. */
  RememberContext(context, value) {
    this.gbot.RememberContext(context, value);
  }

  /** What "it" stands for in this thread. */
  RememberContextThread(context, value) {
    this.gbot.RememberContextThread(context, value);
  }

  /** Empty if nothing is remembered. @returns {string} */
  Recall(key, shared) {
    return this.gbot.Recall(key, shared);
  }

  DeleteMemory(key, shared) {
    this.gbot.DeleteMemory(key, shared);
  }

  /** A line in the robot's log; the level is one of `log`, or its name. */
  Log(level, text) {
    this.gbot.Log(level, text);
  }

  Pause(seconds) {
    this.gbot.Pause(seconds);
  }

  /** From 0 to below `n`. @returns {number} */
  RandomInt(n) {
    return this.gbot.RandomInt(n);
  }

  /** One of a list. @param {string[]} list @returns {string} */
  RandomString(list) {
    return this.gbot.RandomString(list);
  }
}

module.exports = function () {
  return { Robot, ret, task, log, fmt, proto };
};
