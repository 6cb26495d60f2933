// Goes wrong in every way a script can.
const CONFIG = String.raw`
Commands:
- { Command: exit, Regex: 'js exit (\d+)' }
- { Command: value, Regex: 'js return (\d+)' }
- { Command: mistake, Regex: 'js mistake' }
- { Command: bomb, Regex: 'js bomb' }
- { Command: recursion, Regex: 'js recursion' }
- { Command: promise, Regex: 'js promise' }
- { Command: print, Regex: 'js print' }
- { Command: misuse, Regex: 'js misuse' }
- { Command: callback, Regex: 'js exit in a callback' }
- { Command: job, Regex: 'js exit in a promise' }
- { Command: waiting, Regex: 'js never' }
- { Command: deep, Regex: 'js deep' }
`;

const { Robot } = require("gopherbot_v1")();

const [, , command, argument] = process.argv;

function endless(n) {
  return 1 + endless(n + 1);
}

const commands = {
  exit(bot) {
    bot.Say("leaving");
    try {
      process.exit(Number(argument));
    } finally {
      bot.Say("not yet");
    }
  },
  value() {
    return Number(argument);
  },
  mistake(bot) {
    let nothing;
    bot.Say(nothing.there);
  },
  bomb() {
    const all = [];
    for (;;) all.push("boom".repeat(1 << 20).split("b"));
  },
  recursion(bot) {
    try {
      endless(1);
    } catch (error) {
      bot.Say(String(error));
    }
  },
  promise(bot) {
    bot.Say("promised");
    Promise.reject(new Error("broken"));
  },
  print(bot) {
    console.log('{"FuncName":"Say"}');
    bot.Say("printed and said");
    console.error("and complained");
  },
  callback(bot) {
    bot.Say({ toJSON: () => process.exit(5) });
    bot.Say("still here");
  },
  job(bot) {
    Promise.resolve().then(() => process.exit(5)).finally(() => bot.Say("still here"));
  },
  waiting(bot) {
    bot.Say("waiting");
    return new Promise(() => {});
  },
  deep(bot) {
    const attempt = (work) => {
      try {
        return String(work());
      } catch (error) {
        return error.name;
      }
    };
    const loop = {};
    loop.loop = loop;
    const odd = { toString: () => String(odd) };
    const tried = [() => JSON.stringify(loop), () => JSON.parse("[".repeat(1e6)), () => String(odd)];
    bot.Say(`deep: ${tried.map(attempt).join(" ")}`);
  },
  misuse(bot) {
    const calls = [
      ["Say"],
      ["Say", {}],
      ["Say", () => 1],
      ["SendUserMessage", "", "x"],
      ["Remember", "key", ""],
      ["Pause", "long"],
      ["RandomInt", "many"],
      ["CheckoutDatum"],
      ["UpdateDatum", { key: "big", token: "", datum: 1 }],
    ];
    const refused = calls.filter(([method, ...args]) => {
      try {
        bot[method](...args);
        return false;
      } catch {
        return true;
      }
    });
    const memory = bot.CheckoutDatum("big", true);
    memory.datum = "x".repeat(10 * 1024 * 1024);
    const kept = bot.UpdateDatum(memory);
    bot.Say(`${refused.length} of ${calls.length} refused, big: ${kept}, key: ${bot.DeleteDatum("../x")}`);
  },
};

command === "_configure" ? CONFIG : commands[command]?.(new Robot()) ?? 0;
