// Every method of the Robot API, in JavaScript.

const { Robot, ret, log, fmt } = require("gopherbot_v1")();

const CONFIG = String.raw`
Commands:
- { Command: say, Regex: '(?i:js say everything)' }
- { Command: formats, Regex: '(?i:js formats)' }
- { Command: direct, Regex: '(?i:js direct)' }
- { Command: ask, Regex: '(?i:js ask (\w+) ?(\w+)?)' }
- { Command: remember, Regex: '(?i:js remember( shared)? (\w+) is (.+))' }
- { Command: recall, Regex: '(?i:js recall( shared)? (\w+))' }
- { Command: forget, Regex: '(?i:js forget( shared)? (\w+))' }
- { Command: keep, Regex: '(?i:js keep (.+))' }
- { Command: kept, Regex: '(?i:js kept)' }
- { Command: drop, Regex: '(?i:js drop)' }
- { Command: about, Regex: '(?i:js about)' }
- { Command: admin, Regex: '(?i:js admin)' }
- { Command: help, Regex: '(?i:js knows (.+))' }
- { Command: config, Regex: '(?i:js config)' }
- { Command: context, Regex: '(?i:js context)' }
- { Command: listen, Regex: '(?i:js (un)?listen)' }
- { Command: args, Regex: '(?i:js args ?(?:one=(.*?))? ?(?:two=(.*))?)' }
ReplyMatchers:
- { Label: colour, Regex: '(?i:red|green|blue)' }
AllowedPrivateCommands: [ "*" ]
Config:
  Greeting: own
  Words: [ only ]
`;

const questions = {
  simple: (bot) => bot.PromptForReply("SimpleString", "Tell me."),
  any: (bot) => bot.PromptForReply("AnyString", "Tell me."),
  yes: (bot) => bot.PromptForReply("YesNo", "Well?"),
  colour: (bot) => bot.PromptForReply("colour", "Which colour?"),
  unknown: (bot) => bot.PromptForReply("nonesuch", "Lost?"),
  thread: (bot) => bot.PromptThreadForReply("SimpleString", "In the thread."),
  user: (bot, user) => bot.PromptUserForReply("SimpleString", user, "Just us."),
  channel: (bot, user) => bot.PromptUserChannelForReply("SimpleString", user, "random", "Over here."),
};

const commands = {
  say(bot) {
    bot.Say("Say");
    bot.SayThread("SayThread");
    bot.Reply("Reply");
    bot.ReplyThread("ReplyThread");
    bot.SendChannelMessage("random", "SendChannelMessage");
    bot.SendChannelThreadMessage("random", "0x1", "SendChannelThreadMessage");
    bot.SendUserMessage("bob", "SendUserMessage");
    bot.SendUserChannelMessage("bob", "random", "SendUserChannelMessage");
    bot.SendUserChannelThreadMessage("bob", "random", "0x1", "SendUserChannelThreadMessage");
    bot.SendProtocolUserChannelMessage("test", "carol", "random", "SendProtocolUserChannelMessage");
    bot.Say(`no channel: ${bot.SendChannelMessage("nowhere", "lost")}`);
    bot.Say(`no user: ${bot.SendUserMessage("nobody", "lost")}`);
    bot.Say(`no text: ${bot.Say("")}`);
  },
  formats(bot) {
    bot.Say("Raw **Text** _here_", fmt.Raw);
    bot.Say("Fixed **Text** _here_", fmt.Fixed);
    bot.Say("Variable **Text** _here_", fmt.Variable);
    bot.Say("Markdown **Text** _here_", fmt.BasicMarkdown);
    bot.MessageFormat(fmt.Fixed).Say("Default **Text**");
  },
  direct(bot) {
    bot.Direct().Say("between us");
    bot.Threaded().Say("in the thread");
    bot.Fixed().Say("loud");
  },
  ask(bot, how, user) {
    const { reply, retVal } = questions[how](bot, user);
    bot.Say(`asked: ${retVal} <${reply}>`);
  },
  remember(bot, shared, key, value) {
    bot.Remember(key, value, shared !== "");
    bot.Say("remembered");
  },
  recall(bot, shared, key) {
    bot.Say(`recalled: <${bot.Recall(key, shared !== "")}>`);
  },
  forget(bot, shared, key) {
    bot.DeleteMemory(key, shared !== "");
    bot.Say("forgotten");
  },
  keep(bot, thing) {
    const memory = bot.CheckoutDatum("things", true);
    memory.datum = [thing];
    bot.Say(`kept: ${bot.UpdateDatum(memory)} ${memory.exists}`);
  },
  kept(bot) {
    const { retVal, exists, datum } = bot.CheckoutDatum("things", false);
    bot.Say(`kept: ${retVal} ${exists} ${exists ? datum.join("") : ""}`);
  },
  drop(bot) {
    bot.Say(`dropped: ${bot.DeleteDatum("things")}`);
  },
  about(bot) {
    const nick = bot.GetSenderAttribute("nickname");
    const own = (name) => bot.GetBotAttribute(name).attribute;
    const bob = (name) => bot.GetUserAttribute("bob", name).attribute;
    const sender = bot.GetSenderAttribute("firstName").attribute;
    bot.Say(
      `bot=${own("name")}/${own("alias")} sender=${sender} bob=${bob("fullName")} phone=${bob("phone")} ` +
        `nick=${nick.retVal} <${nick.attribute}>`,
    );
  },
  help(bot, query) {
    const { plugin, command, score } = JSON.parse(bot.GetHelpMetadata(query)).ranked_here[0];
    bot.Say(`knows: ${plugin}/${command} ${score}`);
  },
  admin(bot) {
    bot.Say(`admin: ${bot.CheckAdmin()}`);
  },
  config(bot) {
    const { config, retVal } = bot.GetTaskConfig();
    if (retVal !== ret.Ok) return;
    // There is no environment in this language; what is in it is asked for.
    const parameter = `${bot.GetParameter("FLAVOUR")}/${process.env}`;
    bot.Say(`config: ${config.Greeting} ${config.Words.join(" ")} parameter: ${parameter} none: <${bot.GetParameter("NONE")}>`);
    bot.Log(log.Info, "a line of the log");
  },
  context(bot) {
    const threaded = bot.threaded_message ? "true" : "";
    const [mode, task] = [bot.GetParameter("GOPHER_CMDMODE"), bot.GetParameter("GOPHER_TASK_NAME")];
    bot.Say(
      `user=${bot.user} channel=${bot.channel} threaded=${threaded} mode=${mode} protocol=${bot.protocol} task=${task}`,
    );
  },
  listen(bot, un) {
    bot.Say(un ? `unlistened: ${bot.Unsubscribe()}` : `listening: ${bot.Subscribe()}`);
  },
  _subscribed(bot, text) {
    bot.Say(`heard: ${text}`);
  },
  args(bot, ...args) {
    bot.Say([`args: ${args.length}`, ...args.map((arg) => `<${arg}>`)].join(" "));
  },
};

const [, , command, ...args] = process.argv;
let last;
if (command === "_configure") {
  last = CONFIG;
} else if (Object.hasOwn(commands, command)) {
  commands[command](new Robot(), ...args);
}
last;
