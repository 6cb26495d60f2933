// Lists that people share. Shows long-term memory with its lock, what "it" stands for, and a question before a deed.
"use strict";

const gopherbot = require("gopherbot_v1")();
const SharedMap = require("shared_map")(gopherbot);
const { Robot, ret, task } = gopherbot;

// What the robot is to know about this plugin; conf/plugins/lists.yaml is merged over it.
const CONFIG = String.raw`
Commands:
- Command: help
  Regex: '(?i:help with lists?)'
  Keywords: [ list, lists, help ]
  Usage: help with lists
  Summary: Tells how lists work.
  Examples: [ (alias) help with lists ]
- Command: add
  Regex: '(?i:add ([-\w .,!?:\/''’"]+) to (?:the )?(?:([-\w .,!?:\/''’"]+) )?list)'
  Contexts: [ "item:it", list ]
  Keywords: [ list, lists, add ]
  Usage: add <item> to the <type> list
  Summary: Adds an item to a list, and asks whether to create the list if it is not there.
  Examples: [ (alias) add milk to the grocery list ]
- Command: list
  Regex: '(?i:list lists)'
  Keywords: [ list, lists ]
  Usage: list lists
  Summary: Names all lists.
  Examples: [ (alias) list lists ]
- Command: remove
  Regex: '(?i:(?:remove|delete) ([-\w .,!?:\/''’"]+) from (?:the )?(?:([-\w .,!?:\/''’"]+) )?list)'
  Contexts: [ "item:it", list ]
  Keywords: [ list, lists, remove ]
  Usage: remove <item> from the <type> list
  Summary: Takes something off a list.
  Examples: [ (alias) remove milk from the grocery list ]
- Command: empty
  Regex: '(?i:(?:empty|clear) (?:the )?(?:([-\w .,!?:\/''’"]+) )?list)'
  Contexts: [ list ]
  Keywords: [ list, lists, empty ]
  Usage: empty the <type> list
  Summary: Takes everything off a list, which stays.
  Examples: [ (alias) empty the grocery list ]
- Command: delete
  Regex: '(?i:delete (?:the )?(?:([-\w .,!?:\/''’"]+) )?list)'
  Contexts: [ list ]
  Keywords: [ list, lists, delete ]
  Usage: delete the <type> list
  Summary: Does away with a list.
  Examples: [ (alias) delete the grocery list ]
- Command: show
  Regex: '(?i:show (?:the )?(?:([-\w .,!?:\/''’"]+) )?list)'
  Contexts: [ list ]
  Keywords: [ list, lists, show, view ]
  Usage: show the <type> list
  Summary: Shows what is on a list.
  Examples: [ (alias) show the grocery list ]
- Command: pick
  Regex: '(?i:(?:pick )(?:an? )?random (?:item )?(?:from )(?:the )?([-\w .,!?:\/''’"]+)?(?: list))'
  Contexts: [ list ]
  Keywords: [ pick, random, lists, list ]
  Usage: pick a random item from the <type> list
  Summary: Chooses for you.
  Examples: [ (alias) pick a random item from the lunch list ]
- Command: send
  Regex: '(?i:(?:send me|email) (?:the )?(?:([-\w .,!?:\/''’"]+) )?list)'
  Contexts: [ list ]
  Keywords: [ list, lists, email, send ]
  Usage: send me the <type> list
  Summary: Sends you a list by mail.
  Examples: [ (alias) send me the grocery list, (alias) email the oncall list ]
`;

const HELP =
  "I keep lists of anything: things to buy, places for lunch. Say for example `add milk to the grocery list`; after that " +
  "`add bread to the list` means the same list, and `add it to the shopping list` means bread. Names of lists are kept in " +
  "lower case; what is on them stays as you wrote it, and is compared without regard to case.";

const same = (one) => (other) => one.toLowerCase() === other.toLowerCase();

function add(bot, lists, item, name) {
  let all = lists.open(true);
  if (!all) return;
  const key = name.toLowerCase();
  let list = all.get(key);
  let isNew = false;
  if (!list) {
    // Nobody else should have to wait for an answer.
    lists.leave();
    const { reply, retVal } = bot.PromptForReply("YesNo", `I don't have a '${name}' list, do you want to create it?`);
    if (retVal !== ret.Ok) {
      bot.Reply("That was neither yes nor no, so I leave it.");
      return;
    }
    if (reply.trim().toLowerCase().startsWith("n")) {
      bot.Say("Then I leave it.");
      return;
    }
    all = lists.open(true);
    if (!all) return;
    list = all.get(key);
    if (!list) {
      lists.save(all.set(key, [item]), `Ok, I created a new ${name} list and added ${item} to it`);
      return;
    }
    isNew = true;
  }
  if (list.some(same(item))) {
    lists.leave();
    bot.Say(isNew ? `Somebody already created the ${name} list and added ${item} to it` : `${item} is already on the ${name} list`);
    return;
  }
  lists.save(all.set(key, [...list, item]), `Ok, I added ${item} to the ${isNew ? "new " : ""}${name} list`);
}

/** Changes a list that is there. */
function change(bot, lists, name, deed) {
  const all = lists.open(true);
  if (!all) return;
  const key = name.toLowerCase();
  const list = all.get(key);
  const told = list ? deed(all, key, list) : undefined;
  if (told) {
    lists.save(all, told);
    return;
  }
  lists.leave();
  if (!list) bot.Say(`I have no list named ${name}`);
}

function remove(bot, lists, item, name) {
  change(bot, lists, name, (all, key, list) => {
    const index = list.findIndex(same(item));
    if (index < 0) {
      bot.Say(`${item} is not on the ${key} list`);
      return undefined;
    }
    all.set(key, list.toSpliced(index, 1));
    return `Ok, I removed ${item} from the ${key} list`;
  });
}

/** A list that is there and has something on it. */
function filled(bot, lists, name) {
  const all = lists.open(false);
  if (!all) return undefined;
  const list = all.get(name.toLowerCase());
  if (list?.length > 0) return list;
  bot.Say(list ? `The ${name} list is empty` : `I have no list named ${name}`);
  return undefined;
}

const commands = {
  help: (bot) => bot.Say(HELP),
  add,
  remove,
  empty(bot, lists, name) {
    change(bot, lists, name, (all, key) => all.set(key, []) && "Emptied");
  },
  delete(bot, lists, name) {
    change(bot, lists, name, (all, key) => all.delete(key) && "Deleted");
  },
  list(bot, lists, perChannel) {
    const all = lists.open(false);
    if (!all) return;
    const [none, some] = perChannel ? [" for this channel", "I have for this channel"] : ["", "I know about"];
    const names = [...all.keys()].sort().join("\n");
    bot.Say(names ? `Here are the lists ${some}:\n${names}` : `I don't have any lists${none}`);
  },
  show(bot, lists, name) {
    const list = filled(bot, lists, name);
    if (list) bot.Say(`Here's what I have on the ${name.toLowerCase()} list:\n${list.join("\n")}`);
  },
  pick(bot, lists, name) {
    const list = filled(bot, lists, name);
    if (!list) return;
    const item = bot.RandomString(list);
    bot.RememberContext("item", item);
    bot.Say(`Here you go: ${item}`);
  },
  send(bot, lists, name) {
    const list = filled(bot, lists, name);
    if (!list) return;
    const sent = bot.Email(`The ${name.toLowerCase()} list`, list.join("\n") + "\n");
    const why = {
      [ret.NoUserEmail]: "I don't know your mail address",
      [ret.NoBotEmail]: "I have no mail address of my own",
    };
    if (sent === ret.Ok) bot.Say(`Ok, I sent you the ${name} list by mail`);
    else bot.Say(`Sorry, I couldn't send you the ${name} list: ${why[sent] ?? "the mail was not taken"}`);
  },
};

function main(command, ...args) {
  if (command === "_configure") return CONFIG;
  if (!Object.hasOwn(commands, command)) return task.Normal;
  const bot = new Robot();
  const perChannel = String(bot.GetTaskConfig().config?.Scope).toLowerCase() === "channel";
  if (command === "list") args.push(perChannel);
  commands[command](bot, new SharedMap(bot, perChannel ? `${bot.channel}:listmap` : "listmap", "lists"), ...args);
  return task.Normal;
}

main(...process.argv.slice(2));
