// Does what should not be done, as its namesakes in other languages do.
const { Robot } = require("gopherbot_v1")();

const [, , command, word] = process.argv;

// Says which of the calls were neither refused by an error nor by what they returned.
function refused(bot, what, calls) {
  const allowed = calls.filter(([method, ...args]) => {
    try {
      const result = bot[method](...args);
      return (result?.retVal ?? result ?? 0) === 0;
    } catch {
      return false;
    }
  });
  bot.Say(`${what}: ${allowed.length ? JSON.stringify(allowed) : "all"} refused`);
}

function endless() {
  return 1 + endless();
}

function asked(bot, { reply, retVal }) {
  bot.Say(`asked: ${retVal} <${reply}>`);
}

const commands = {
  types(bot) {
    refused(bot, "types", [
      ["Say", {}], ["Say", ["a"]], ["Say", () => 1], ["Say", 5], ["Say", Symbol("x")], ["Say", 5n],
      ["SendUserMessage", {}, "text"], ["Pause", "long"], ["RandomInt", "many"], ["RandomString", 5],
      ["UpdateDatum", "key"], ["UpdateDatum", null], ["CheckinDatum", {}], ["CheckoutDatum", {}, true],
      ["CheckoutDatum", "types-js", "yes"],
    ]);
  },
  absent(bot) {
    refused(bot, "absent", [
      ["Say"], ["Say", ""], ["Say", undefined], ["Say", null], ["SendUserMessage", "bob"], ["SendChannelMessage", "general"],
      ["SendUserMessage", "", "text"], ["SendUserMessage", null, "text"], ["Remember", "key"], ["Remember", "key", ""],
      ["CheckoutDatum"], ["CheckoutDatum", "", true], ["CheckoutDatum", null, true], ["DeleteDatum"],
      ["GetUserAttribute", "bob"], ["AddTask"],
    ]);
  },
  big(bot) {
    const text = "0".repeat(10485760);
    const memory = bot.CheckoutDatum("big-js", true);
    memory.datum = text;
    const kept = bot.UpdateDatum(memory);
    const found = bot.CheckoutDatum("big-js", false).datum.length;
    bot.DeleteDatum("big-js");
    bot.Say(`big: kept ${kept}, found ${found}, said ${bot.Say(text)}`);
  },
  bytes(bot) {
    const said = bot.Say("bytes: <\ud83d\ud83d>");
    const memory = bot.CheckoutDatum("bytes-js", true);
    memory.datum = ["\ud83d"];
    const kept = bot.UpdateDatum(memory) === 0 ? "it" : "nothing";
    bot.Say(`said ${said}, kept ${kept}`);
  },
  keys(bot) {
    const [first, second] = [bot.CheckoutDatum("../x", true), bot.CheckoutDatum("a/b", false)];
    bot.Say(`keys: ${first.retVal} ${second.retVal} ${bot.DeleteDatum("..")}`);
  },
  "die-locked"(bot) {
    bot.CheckoutDatum("lock-js", true);
    process.exit(3);
  },
  lock(bot) {
    bot.Say(`lock: ${bot.CheckoutDatum("lock-js", true).retVal}`);
  },
  ask(bot) {
    asked(bot, bot.PromptForReply("SimpleString", "Tell me."));
  },
  "ask-thread"(bot) {
    asked(bot, bot.PromptThreadForReply("SimpleString", "Tell me here."));
  },
  "ask-bob"(bot) {
    asked(bot, bot.PromptUserChannelForReply("SimpleString", "bob", "random", "Tell me, Bob."));
  },
  mistake(bot) {
    bot.Say("before");
    bot.Say(null.there);
    bot.Say("after");
  },
  unread(bot) {
    bot.AddTask("unread-js");
  },
  loop(bot) {
    bot.Say("looping");
    for (;;);
  },
  // There are no programs to wait for here.
  wait(bot) {
    bot.Say("waiting");
    bot.Pause(1000);
    bot.Say("waited");
  },
  // Nor to leave behind.
  crowd(bot) {
    bot.Say("left");
  },
  recursion: endless,
  bomb() {
    const all = [];
    for (;;) all.push("boom".repeat(1 << 20).split("b"));
  },
  exit(bot) {
    bot.Say("leaving");
    console.log("on the way out");
    try {
      process.exit(5);
    } finally {
      bot.Say("still here");
    }
  },
  "exit-in-library"(bot) {
    bot.Say("leaving");
    require("quits");
    bot.Say("still here");
  },
  print(bot) {
    console.log("half a line, ");
    bot.Say("said");
    console.log('{"FuncName":"CheckAdmin"}');
    console.log("CheckAdmin\t");
    bot.Say("printed and said");
  },
  // There is no way to close them here, and nothing to read.
  close(bot) {
    bot.Say("closed and said");
  },
  read(bot) {
    bot.Say("read: nothing");
  },
};

command === "_configure" ? "" : command === "do" ? (commands[word](new Robot()), 0) : 0;
