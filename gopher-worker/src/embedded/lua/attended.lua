-- Whatever may keep a script waiting, or another process going, has somebody called first. From then on it is as if it had
-- never been wrapped.
local call = ...
local wrapped = {}

local function unwrap()
  for _, it in ipairs(wrapped) do
    -- The script may have put something of its own there.
    if it.functions[it.name] == it.wrapper then
      it.functions[it.name] = it.original
    end
  end
end

local function wrap(functions, names)
  for _, name in ipairs(names) do
    local original = functions[name]
    local function wrapper(...)
      call()
      unwrap()
      return original(...)
    end
    functions[name] = wrapper
    table.insert(wrapped, { functions = functions, name = name, original = original, wrapper = wrapper })
  end
end

wrap(_G, { "print" })
wrap(os, { "execute" })
wrap(io, { "input", "lines", "open", "output", "popen", "read", "write" })
wrap(getmetatable(io.stdout).__index, { "lines", "read", "write" })
