// @NAME@: a plugin. process.argv[2] is the command, the further arguments are what its pattern captured.

const { Robot, ret, task } = require("gopherbot_v1")();

// Defaults; conf/plugins/@NAME@.yaml may say otherwise.
const CONFIG = String.raw`
Commands:
- Command: greet
  Regex: '(?i:@NAME@(?: (\w+))?)'
  Usage: "(bot), @NAME@ [name]"
  Summary: say hello
# Replies that prompts wait for, beside YesNo, SimpleString, Email and the like:
# ReplyMatchers:
# - Label: colour
#   Regex: '(?i:red|green|blue)'
`;

function greet(bot, name) {
  bot.Say(`Hello, ${name || bot.user}!`);
  // Ask:      const { reply, retVal } = bot.PromptForReply("YesNo", "Are you well?");
  //           if (retVal === ret.Ok) bot.Reply(`You said ${reply}.`);
  // Remember: bot.Remember("mood", reply); later: bot.Recall("mood")
  return task.Normal;
}

function main(command, ...args) {
  if (command === "_configure") return CONFIG;
  if (command === "greet") return greet(new Robot(), ...args);
  // Commands that are not known, such as _init, are left alone.
  return task.Normal;
}

// The value of the last statement is the status.
main(...process.argv.slice(2));
