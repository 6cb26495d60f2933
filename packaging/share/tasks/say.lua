-- Says its words, where the pipeline was begun.
require("gopherbot_v1").Robot:new():Say(table.concat(arg, " "))
