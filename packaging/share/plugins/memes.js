// Pictures with captions of your own, by imgflip.com. Shows a request to a web service, with a password that is a secret parameter.
"use strict";

const http = require("http");
const { Robot, task } = require("gopherbot_v1")();

// The commands are in conf/plugins/memes.yaml: each is the number of a picture.
const SERVICE = "https://api.imgflip.com/caption_image";

/** The address of a picture with the captions. */
function picture(service, form) {
  const answer = http.post(service, { form, timeout: "10s" });
  if (!answer.ok) throw new Error(`the service answers with status ${answer.statusCode}`);
  if (!answer.json.success) throw new Error(answer.json.error_message);
  return answer.json.data.url;
}

function main(command, first = "", second = "") {
  if (command === "_configure") return "";
  if (!/^\d+$/.test(command)) return task.Normal;
  const bot = new Robot();
  const config = bot.GetTaskConfig().config ?? {};
  const username = config.Username || bot.GetParameter("USERNAME");
  const password = config.Password || bot.GetParameter("PASSWORD");
  if (!username || !password) {
    bot.Reply("I have no username or no password for the meme service; an administrator can give me both.");
    return task.Normal;
  }
  // A single caption stands below.
  const [text0, text1] = second === "" ? ["", first] : [first, second];
  try {
    bot.Say(picture(config.Service ?? SERVICE, { template_id: command, username, password, text0, text1 }));
  } catch (error) {
    bot.Log("error", `no meme was made: ${error.message}`);
    bot.Reply("Sorry, the meme service did not do that; an administrator finds out more in my log.");
  }
  return task.Normal;
}

main(...process.argv.slice(2));
