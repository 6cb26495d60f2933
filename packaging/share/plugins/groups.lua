-- Who is in which group, in chat. Whether a member may is decided by the robot itself, from this plugin's configuration and memory.

local gopherbot = require "gopherbot_v1"
local ret = gopherbot.ret

-- What the robot is to know about this plugin; conf/plugins/groups.yaml is merged over it.
local CONFIG = [==[
Commands:
- Command: help
  Regex: '(?i:help with groups?)'
  Keywords: [ group, groups ]
  Usage: help with groups
  Summary: Tells how groups work.
  Examples: [ (alias) help with groups ]
- Command: add
  Regex: '(?i:add ([\w-.:]+) to (?:the )?(?:([~\w-'' ]+) )?group)'
  Contexts: [ user, group ]
  Keywords: [ group, groups, add ]
  Usage: add <user> to the <groupname> group
  Summary: Makes somebody a member.
  Examples: [ (alias) add alice to the Helpdesk group ]
- Command: list
  Regex: '(?i:list groups)'
  Keywords: [ list, group, groups ]
  Usage: list groups
  Summary: Names the groups that you may change.
  Examples: [ (alias) list groups ]
- Command: remove
  Regex: '(?i:(?:remove|delete) ([\w-.:]+) from (?:the )?(?:([~\w-'' ]+) )?group)'
  Contexts: [ user, group ]
  Keywords: [ group, groups, remove ]
  Usage: remove <user> from the <groupname> group
  Summary: Ends the membership of somebody who was added.
  Examples: [ (alias) remove alice from the Helpdesk group ]
- Command: empty
  Regex: '(?i:(?:empty|clear) (?:the )?(?:([~\w-'' ]+) )?group)'
  Contexts: [ group ]
  Keywords: [ group, groups, empty ]
  Usage: empty the <groupname> group
  Summary: Ends the membership of everybody who was added.
  Examples: [ (alias) empty the Helpdesk group ]
- Command: show
  Regex: '(?i:show (?:the )?(?:([~\w-'' ]+) )?group)'
  Contexts: [ group ]
  Keywords: [ group, groups, show, view ]
  Usage: show the <groupname> group
  Summary: Shows who is in a group.
  Examples: [ (alias) show the Helpdesk group ]
]==]

local HELP = "A group has members from its configuration, its administrators among them, and members who were added in chat: "
  .. "`add alice to the Helpdesk group`. Its administrators add and remove those, and so do mine, who are no members for that. "
  .. "Some commands are for the members of one group only."
local TROUBLE = "Sorry, I can't get at my groups right now; an administrator finds out more in my log."

local function contains(list, name)
  for _, other in ipairs(list or {}) do
    if other == name then
      return true
    end
  end
  return false
end

-- Those of the group, and of the robot. Users who are not in the roster do not come here with a change.
local function administers(bot, is_admin, group)
  return is_admin or contains(group.Administrators, bot.user)
end

-- The memory of a group, which others cannot change meanwhile if `write`.
local function remembered(bot, name, write)
  local memory, result = bot:CheckoutDatum(name, write)
  if result ~= ret.Ok then
    bot:Log("error", ("the group %q could not be had: %s"):format(name, ret:string(result)))
    bot:Reply(TROUBLE)
    return nil
  end
  memory.datum = memory.datum or {}
  memory.datum.Users = memory.datum.Users or {}
  return memory
end

local function save(bot, memory, what, text)
  bot:Log("audit", ("%s %s the group %s"):format(bot.user, what, memory.key))
  local result = bot:UpdateDatum(memory)
  if result == ret.Ok then
    bot:Say(text)
  else
    bot:Log("error", ("the group %q could not be saved: %s"):format(memory.key, ret:string(result)))
    bot:Reply(TROUBLE)
  end
end

local changes = {}

function changes.add(bot, memory, name, user)
  if contains(memory.datum.Users, user) then
    bot:CheckinDatum(memory)
    bot:Say(("User %s is already in the %s group"):format(user, name))
    return
  end
  table.insert(memory.datum.Users, user)
  save(bot, memory, "adds " .. user .. " to", ("Ok, I added %s to the %s group"):format(user, name))
end

function changes.remove(bot, memory, name, user)
  for index, other in ipairs(memory.datum.Users) do
    if other == user then
      table.remove(memory.datum.Users, index)
      save(bot, memory, "removes " .. user .. " from", ("Ok, I removed %s from the %s group"):format(user, name))
      return
    end
  end
  bot:CheckinDatum(memory)
  bot:Say(("%s isn't a dynamic member of the %s group (but may be a configured user)"):format(user, name))
end

function changes.empty(bot, memory)
  memory.datum.Users = {}
  save(bot, memory, "empties", "Emptied")
end

local function list(bot, groups)
  local is_admin = bot:CheckAdmin()
  local names = {}
  for name, group in pairs(groups) do
    if administers(bot, is_admin, group) then
      table.insert(names, name)
    end
  end
  table.sort(names)
  if #names == 0 then
    bot:Say("You're not the administrator of any groups")
  else
    bot:Say("Here are the groups you're an administrator for:\n" .. table.concat(names, "\n"))
  end
end

local function show(bot, name, group)
  local memory = remembered(bot, name, false)
  if not memory then
    return
  end
  local members = {}
  for _, some in ipairs({ group.Administrators or {}, group.Users or {}, memory.datum.Users }) do
    for _, user in ipairs(some) do
      if not contains(members, user) then
        table.insert(members, user)
      end
    end
  end
  if #members == 0 then
    bot:Say(("Nobody is in the %s group"):format(name))
  else
    bot:Say(("The %s group has the following members:\n%s"):format(name, table.concat(members, "\n")))
  end
end

local function of_group(bot, groups, command, name, user)
  local group = groups[name]
  if not group then
    bot:Say(('I don\'t have a "%s" group configured'):format(name))
    return
  end
  local is_admin = bot:CheckAdmin()
  if command == "show" then
    show(bot, name, group)
  elseif administers(bot, is_admin, group) then
    local memory = remembered(bot, name, true)
    if memory then
      changes[command](bot, memory, name, user)
    end
  else
    bot:Say("Sorry, only a group administrator can do that")
  end
end

local command, first, second = arg[1], arg[2], arg[3]
if command == "_configure" then
  return CONFIG
end
local bot = gopherbot.Robot:new()
local groups = (bot:GetTaskConfig() or {}).Groups or {}
if command == "help" then
  bot:Say(HELP)
elseif command == "list" then
  list(bot, groups)
elseif command == "show" or command == "empty" then
  of_group(bot, groups, command, first)
elseif changes[command] then
  -- Users are known by their names in lower case.
  of_group(bot, groups, command, second, first:lower())
end
