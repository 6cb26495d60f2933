// Links, found again by what they are about. Shows long-term memory, reply matchers, and a direct message where an answer is long.
"use strict";

const gopherbot = require("gopherbot_v1")();
const SharedMap = require("shared_map")(gopherbot);
const { Robot, ret, task } = gopherbot;

// What the robot is to know about this plugin; conf/plugins/links.yaml is merged over it.
const CONFIG = String.raw`
Commands:
- Command: help
  Regex: '(?i:help with links?)'
  Keywords: [ link, links, help ]
  Usage: help with links
  Summary: Tells how links work.
  Examples: [ (alias) help with links ]
- Command: add
  Regex: '(?i:link ([-\w ,''!."+=?&@#()/]+) to ((?:http(?:s)?:\/\/)?(?:www\.)?[-a-zA-Z0-9@:%._\+~#=]{2,256}\.[a-z]{2,6}\b(?:[-a-zA-Z0-9@:%_\+.~#?&//=]*)))'
  Contexts: [ "item:it", link ]
  Keywords: [ link, links, add ]
  Usage: link <word/phrase> to <http://...>
  Summary: Keeps a link under a word or phrase.
  Examples: [ (alias) link status page to https://status.example.com ]
- Command: add
  Regex: '(?i:link ([-\w ,''!."+=?&@#()/]+) to (it))'
  Contexts: [ "item:it", "link:it" ]
  Usage: link <word/phrase> to it
  Summary: The same with the link we were talking about.
- Command: save
  Regex: '(?i:save (?:link )?((?:http(?:s)?:\/\/)?(?:www\.)?[-a-zA-Z0-9@:%._\+~#=]{2,256}\.[a-z]{2,6}\b(?:[-a-zA-Z0-9@:%_\+.~#?&//=]*)))'
  Contexts: [ link ]
  Keywords: [ link, links, save, add ]
  Usage: save link <http://...>
  Summary: Keeps a link, and asks what it is about.
  Examples: [ (alias) save link https://status.example.com ]
- Command: remove
  Regex: '(?i:(?:remove|delete) (?:link )?((?:http(?:s)?:\/\/)?(?:www\.)?[-a-zA-Z0-9@:%._\+~#=]{2,256}\.[a-z]{2,6}\b(?:[-a-zA-Z0-9@:%_\+.~#?&//=]*)))'
  Contexts: [ link ]
  Keywords: [ link, links, remove ]
  Usage: remove <http://...>
  Summary: Forgets a link.
  Examples: [ (alias) remove https://status.example.com ]
- Command: find
  Regex: '(?i:(?:find|look ?up) ([-\w ,''!."+=?&@#()/]+))'
  Contexts: [ "item:it" ]
  Keywords: [ link, links, find, lookup, search ]
  Usage: find <keyword/phrase>
  Summary: Finds the links that are about something.
  Examples: [ (alias) find status, (alias) look status up ]
- Command: list
  Regex: '(?i:(?:show|list) links)'
  Keywords: [ link, links, list, show ]
  Usage: list links
  Summary: Shows all links.
  Examples: [ (alias) list links ]
- Command: find
  Regex: '(?i:look ([-\w ,''!."+=?&@#()/]+) up)'
  Contexts: [ "item:it" ]
  Usage: look <keyword/phrase> up
ReplyMatchers:
- Label: lookup
  Regex: '([-\w ,''!."+=?&@#()/]+)'
`;

const HELP =
  "I keep links, each under a word or phrase: `link status page to https://status.example.com`, or `save link " +
  "https://status.example.com` and I ask what it is about. `find status` gives every link whose phrase has that in it, " +
  "whatever the case; `remove https://status.example.com` forgets one.";
// More of them would fill the channel.
const MOST = 6;

const collapsed = (text) => text.replace(/\s+/g, " ");
const shown = ([link, about]) => `${link}: ${about}`;

/** Whether an older link may be replaced. */
function mayReplace(bot, about) {
  bot.Say(`I already have that link associated with: ${about}`);
  const { reply, retVal } = bot.PromptForReply("YesNo", "Do you want me to replace it?");
  if (retVal !== ret.Ok) {
    bot.Reply("That was neither yes nor no, so I leave it.");
    return false;
  }
  const yes = !reply.trim().toLowerCase().startsWith("n");
  bot.Say(yes ? "Ok, I'll replace the old one" : "Then I keep the old one");
  return yes;
}

/** Keeps a link; without `about` the user is asked. */
function keep(bot, links, link, about) {
  let all = links.open(true);
  if (!all) return;
  const old = all.get(link);
  if (old !== undefined || about === undefined) {
    // Nobody else should have to wait for an answer.
    links.leave();
    if (old !== undefined && !mayReplace(bot, old)) return;
    if (about === undefined) {
      const asked = bot.PromptForReply("lookup", "What keywords or phrase do you want to attach to the link?");
      if (asked.retVal !== ret.Ok) {
        bot.Reply("I can't keep a link under that; please try again with plain words.");
        return;
      }
      about = asked.reply;
    }
    all = links.open(true);
    if (!all) return;
    if (old === undefined && all.has(link)) {
      links.leave();
      bot.Reply("Somebody has kept that link just now; please look it up.");
      return;
    }
  }
  links.save(all.set(link, collapsed(about).trim()), "Link added");
}

const commands = {
  help: (bot) => bot.Say(HELP),
  add: (bot, links, about, link) => keep(bot, links, link, about),
  save: (bot, links, link) => keep(bot, links, link, undefined),
  find(bot, links, phrase) {
    const all = links.open(false);
    if (!all) return;
    const wanted = collapsed(phrase).toLowerCase();
    const found = [...all].filter(([, about]) => about.toLowerCase().includes(wanted));
    if (found.length === 0) {
      bot.Say(`I have no link for "${phrase}"`);
      return;
    }
    // Before it is said, because "it" may come right after.
    if (found.length === 1) bot.RememberContext("link", found[0][0]);
    bot.Say([`Here's what I have for "${phrase}":`, ...found.map(shown)].join("\n"));
  },
  list(bot, links) {
    const all = links.open(false);
    if (!all) return;
    if (all.size === 0) {
      bot.Say("I have no links yet");
      return;
    }
    const text = ["Here are the links I know about:", ...[...all].map(shown)].join("\n");
    const many = all.size > MOST && bot.channel !== "";
    if (many) bot.Say("There are many, so I send them to you alone.");
    (many ? bot.Direct() : bot).Say(text);
  },
  remove(bot, links, link) {
    const all = links.open(true);
    if (!all) return;
    if (all.delete(link)) {
      links.save(all, `Ok, I removed the link ${link}`);
    } else {
      links.leave();
      bot.Say(`I don't have the link ${link}`);
    }
  },
};

function main(command, ...args) {
  if (command === "_configure") return CONFIG;
  if (!Object.hasOwn(commands, command)) return task.Normal;
  const bot = new Robot();
  const perChannel = String(bot.GetTaskConfig().config?.Scope).toLowerCase() === "channel";
  commands[command](bot, new SharedMap(bot, perChannel ? `${bot.channel}:links` : "links", "links"), ...args);
  return task.Normal;
}

main(...process.argv.slice(2));
