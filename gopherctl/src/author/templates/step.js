// @NAME@: a @KIND@. Its arguments are those it was started with; there is no command.

const { Robot, task } = require("gopherbot_v1")();

const bot = new Robot();
const args = process.argv.slice(2);

bot.Say(`@NAME@: done with ${args[0] || "nothing"}.`);
// For the steps that follow: bot.SetParameter("NAME", "value")
// A step after this one:     bot.AddTask("some-task", "argument")
// What is printed goes to the robot's log.
console.log("arguments:", ...args);
// The value of the last statement is the status; anything else fails the pipeline.
task.Normal;
